#include "daemon/admin/sessions.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "daemon/admin/listing.h"

namespace tollgate::daemon::admin {

Response SessionResource::list(const Request& request) const {
    auto listing = Listing::read(request, {"party"});
    if (listing.refusal) return *std::move(listing.refusal);
    const auto from =
        listing.cursor.empty() ? std::uint64_t{0} : rating::parse_unsigned(listing.cursor, INT64_MAX);
    if (!from) return wrong_cursor(listing.cursor);

    const auto& parties = services_.catalog.parties();
    const std::string_view party = listing.filter("party");
    const balance::PartyId top = party.empty() ? request.actor.party : parties.find(party);
    PageWriter page{"sessions"};
    // One that is not for the reader is as good as none.
    if (!parties.is_in_subtree(top, request.actor.party)) return page.done({});
    const bool is_everything = top == parties.root();

    std::vector<std::string> ids;
    auto& table = services_.sessions;
    const auto next = table.scan(
        *from, listing.limit,
        [&](const balance::Session& session) {
            return is_everything || parties.is_in_subtree(session.line, top);
        },
        [&](std::string_view id) { ids.emplace_back(id); });
    const balance::Steady now = services_.steady_now();
    for (const std::string& id : ids) {
        const auto session = table.claim(id);
        if (!session || !session->open()) continue;  // It has ended since.
        const auto levels = std::as_const(*session).levels();
        const auto age = std::chrono::floor<std::chrono::seconds>(now - session->opened_at).count();
        JsonWriter& row = page.row();
        row.open_object().name("id").text(session->id());
        row.name("line").text(parties.get(session->line).id);
        row.name("destination").text(session->number.view());
        row.name("state").text(session->state == balance::SessionState::answered ? "answered" : "authorized");
        row.name("granted").whole(static_cast<std::uint64_t>(session->granted_seconds));
        row.name("charged").text(rating::format(levels.empty() ? rating::Money{} : levels[0].charged));
        row.name("age").whole(static_cast<std::uint64_t>(std::max<std::int64_t>(age, 0))).close_object();
    }
    return page.done(next == 0 ? std::string{} : std::to_string(next));
}

}  // namespace tollgate::daemon::admin
