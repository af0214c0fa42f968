/// The record of a call that has ended, with what every level of its chain was charged: what is billed from.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "balance/event.h"
#include "balance/session.h"
#include "daemon/charging.h"
#include "daemon/end_words.h"
#include "daemon/state.h"

namespace tollgate::daemon {

/// One level's part in a call. Views are of the state that it was made from.
struct CallLeg {
    std::string_view party;   ///< Who pays; who earns, where `charged` is below zero.
    std::string_view seller;  ///< Who earns it.
    rating::Currency currency;
    // Empty, 0 where the level had no row.
    bool rated = false;
    std::string_view tariff;
    std::uint32_t version = 0;
    std::string prefix;
    std::string destination;
    rating::Price price{};  ///< A minute, with the tariff's markup.
    std::uint64_t billed_seconds = 0;
    rating::Money charged;
    // Whose the names above are.
    balance::PartyId payer = balance::kNoParty;
    balance::PartyId seller_number = balance::kNoParty;
};

/// All instants are by the wall clock; kAlways: it was not, or nobody said.
struct CallRecord {
    std::uint64_t number = 0;
    std::string session;
    std::string user;  ///< Whose session that is; empty: nobody was declared.
    std::string_view line;
    std::string called;
    std::string caller;
    std::string service;      ///< Never empty.
    std::string switch_name;  ///< Empty: none.
    std::string_view state;   ///< `stopped`, `released`, `expired`.
    std::string flags;        ///< Of `overrun,late,implausible,via_unrated,emergency`, with commas.
    rating::Instant opened_at = rating::kAlways;
    rating::Instant answered_at = rating::kAlways;
    rating::Instant ended_at = rating::kAlways;
    std::uint32_t used_seconds = 0;
    std::string cause;
    std::string start_tags;
    std::string tags;
    rating::Instant rated_at{};
    rating::Instant start_at = rating::kAlways;  ///< As START said it,
    rating::Instant stop_at = rating::kAlways;   ///< and STOP.
    balance::PartyId line_number = balance::kNoParty;
    std::vector<CallLeg> legs;  ///< From the customer up; none of a call that nobody paid for.

    /// `r-123`, as commands name it.
    [[nodiscard]] std::string id() const;
};

/// Whether an event is one of those that say how a session stands: read_end_words() behind its key.
[[nodiscard]] constexpr bool is_of_session(balance::EventKind kind) noexcept {
    return kind == balance::EventKind::session_opened || kind == balance::EventKind::session_changed ||
           kind == balance::EventKind::session_rewritten;
}

/// The record of a session as the event at `at` left it. Requires: session.record != 0.
[[nodiscard]] CallRecord call_record_of(const State& state, const balance::Session& session,
                                        balance::Moment at, const EndWords& words);

[[nodiscard]] std::string_view text_of(balance::SessionState state) noexcept;

}  // namespace tollgate::daemon
