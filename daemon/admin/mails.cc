#include "daemon/admin/mails.h"

#include <string>

#include "daemon/admin/listing.h"
#include "daemon/admin/record_json.h"

namespace tollgate::daemon::admin {
namespace {

/// So many are looked at while nobody can make one.
constexpr std::size_t kLooksAtOnce = 500;

}  // namespace

Response MailResource::list(const Request& request) const {
    auto listing = Listing::read(request, {"party", "state", "reason"});
    if (listing.refusal) return *std::move(listing.refusal);
    const std::string_view state = listing.filter("state");
    if (!state.empty() && state != kMailWaiting && state != kMailSent && state != kMailFailed)
        return wrong_filter("state", "expected waiting, sent or failed");

    const auto& parties = services_.catalog.parties();
    const auto wanted = [&](const MailRecord& mail) {
        const std::string_view party = listing.filter("party");
        const std::string_view reason = listing.filter("reason");
        if ((!party.empty() && mail.party != party) || (!state.empty() && mail.state != state) ||
            (!reason.empty() && mail.reason != reason)) {
            return false;
        }
        return request.actor.party == parties.root() ||
               parties.is_in_subtree(parties.find(mail.party), request.actor.party);
    };

    PageWriter page{"mails"};
    std::string last = listing.cursor;
    std::size_t rows = 0;
    std::size_t looks = 0;
    bool more = true;
    while (more && rows < listing.limit && looks < kBookLooksMax) {
        more = false;
        std::size_t looks_now = 0;
        services_.registry.mails.visit_back(last, [&](const MailRecord& mail) {
            if (rows == listing.limit || looks_now == kLooksAtOnce) {
                more = true;
                return false;
            }
            ++looks_now;
            last = mail.id;
            if (!wanted(mail)) return true;
            ++rows;
            JsonWriter& row = page.row();
            row.open_object();
            write_fields(row, mail);
            row.close_object();
            return true;
        });
        looks += looks_now;
    }
    return page.done(more ? std::string_view{last} : std::string_view{});
}

}  // namespace tollgate::daemon::admin
