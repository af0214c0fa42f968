/// A message that is to be sent, or was.
#pragma once

#include "daemon/partners/record.h"
#include "daemon/partners/words.h"

namespace tollgate::daemon {

struct MailRecord {
    static constexpr RecordKind kKind = RecordKind::mail;

    std::string id;  ///< `m-000000000001`, …: in the order in which they came about.
    std::string party;
    std::string reason;  ///< The template: `threshold`, `password_changed`, …
    std::string to;
    std::string subject;
    std::string text;
    std::string state;  ///< `waiting`, `sent`, `failed`.
    std::int64_t attempts = 0;
    std::string error;
    rating::Instant made{};
    rating::Instant next{};
    rating::Instant sent{};

    static constexpr auto fields() {
        using M = MailRecord;
        using W = Writable;
        return std::to_array<RecordField<M>>({
            {"id", &M::id, W::never},
            {"party", &M::party, W::never},
            {"reason", &M::reason, W::never},
            {"to", &M::to, W::never},
            {"subject", &M::subject, W::never},
            {"text", &M::text, W::never},
            {"state", &M::state, W::never},
            {"attempts", &M::attempts, W::never},
            {"error", &M::error, W::never},
            {"made", &M::made, W::never},
            {"next", &M::next, W::never},
            {"sent", &M::sent, W::never},
        });
    }
};

}  // namespace tollgate::daemon
