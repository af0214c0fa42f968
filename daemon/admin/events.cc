#include "daemon/admin/events.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "daemon/admin/listing.h"

namespace tollgate::daemon::admin {
namespace {

using balance::PartyId;
using rating::Instant;

constexpr std::size_t kKinds = 3;
constexpr std::array<std::string_view, kKinds> kKindWords = {"threshold", "change", "money"};
constexpr std::string_view kLatest = "latest";

/// Up to which number each kind has been told.
using Position = std::array<std::uint64_t, kKinds>;

/// `12.7.33`.
std::string text_of(const Position& position) {
    std::string text;
    for (const std::uint64_t number : position)
        text += (text.empty() ? "" : ".") + std::to_string(number);
    return text;
}

std::optional<Position> position_of(std::string_view text) {
    Position position{};
    for (std::size_t i = 0; i < kKinds; ++i) {
        const std::size_t dot = i + 1 < kKinds ? text.find('.') : text.size();
        if (dot == std::string_view::npos) return std::nullopt;
        const auto number = rating::parse_unsigned(text.substr(0, dot), INT64_MAX);
        if (!number) return std::nullopt;
        position[i] = *number;
        text.remove_prefix(std::min(dot + 1, text.size()));
    }
    return position;
}

struct Told {
    std::uint64_t number = 0;
    Instant at{};
    std::string_view party;  ///< Lives as long as the table of parties, or as `text`'s owner.
    std::string owned_party;
    std::string text;
    bool is_visible = false;

    [[nodiscard]] std::string_view party_id() const noexcept {
        return owned_party.empty() ? party : owned_party;
    }
};

/// Of one kind, by number.
using Tellings = std::vector<Told>;

/// Two operations may be listed in another order than they were numbered: what stands behind one that is
/// still to come is told with it, when somebody asks again.
void leave_unsettled(Tellings& told, std::uint64_t settled) {
    while (!told.empty() && told.back().number > settled)
        told.pop_back();
}

}  // namespace

Response Events::list(const Request& request) const {
    auto listing = Listing::read(request, {"after"});
    if (listing.refusal) return *std::move(listing.refusal);
    const std::string_view after = listing.filter("after");
    const bool is_latest = after == kLatest;
    const auto begin = after.empty() || is_latest ? Position{} : position_of(after);
    if (!begin) return wrong_filter("after", "expected the number of an event, or latest");

    const auto& parties = services_.catalog.parties();
    const PartyId reader = request.actor.party;
    const bool sees_all = reader == parties.root();
    const auto sees = [&](PartyId party) { return sees_all || parties.is_in_subtree(party, reader); };
    std::array<Tellings, kKinds> told;
    // Before any of them is read. Changes are listed in their order.
    const Position settled{services_.threshold_events.settled(), INT64_MAX,
                           services_.payments.settled_number()};

    // From the newest back, because that is where whoever asks again and again goes on.
    const std::size_t looks_max = is_latest ? 1 : kLooksMax;
    for (const ThresholdEvent& event : is_latest ? services_.threshold_events.newest(looks_max)
                                                 : services_.threshold_events.after((*begin)[0], looks_max)) {
        const balance::Crossing& crossing = event.crossing;
        Told& row = told[0].emplace_back();
        row.number = event.number;
        row.at = event.at.wall;
        row.is_visible = sees(crossing.party);
        if (!row.is_visible) continue;
        row.party = parties.get(crossing.party).id;
        row.text = std::string{daemon::text_of(crossing.warning)} + ": balance " +
                   std::string{rating::format(crossing.balance).view()} + ' ' +
                   std::string{parties.get(crossing.party).currency.view()};
    }
    services_.registry.audit.visit_back(0, [&](const AuditEntry& entry) {
        if (entry.number <= (*begin)[1] || told[1].size() == looks_max) return false;
        Told& row = told[1].emplace_back();
        row.number = entry.number;
        row.at = entry.at;
        row.is_visible = entry.party.empty() ? sees_all : sees(parties.find(entry.party));
        if (!row.is_visible) return true;
        row.owned_party = entry.party;
        row.text = entry.operation + ' ' + entry.target;
        return true;
    });
    std::reverse(told[1].begin(), told[1].end());

    services_.payments.transactions().visit_back(
        TransactionList::kNewest, [&](const balance::Transaction& transaction) {
            if (transaction.number <= (*begin)[2] || told[2].size() == looks_max) return false;
            Told& row = told[2].emplace_back();
            row.number = transaction.number;
            row.at = transaction.at.wall;
            // Of several balances the first that the reader may see.
            for (const balance::Posting& posting : transaction.postings) {
                if (posting.place != balance::PostingPlace::balance || !sees(posting.party)) continue;
                row.is_visible = true;
                row.party = parties.get(posting.party).id;
                row.text = std::string{balance::text_of(transaction.kind)} + ' ' +
                           std::string{rating::format(posting.amount).view()} + ' ' +
                           std::string{posting.currency.view()} + ": balance " +
                           std::string{rating::format(posting.after).view()};
                break;
            }
            return true;
        });
    std::reverse(told[2].begin(), told[2].end());

    PageWriter page{"events"};
    Position position = *begin;
    if (is_latest) {
        for (std::size_t kind = 0; kind < kKinds; ++kind) {
            if (!told[kind].empty()) position[kind] = std::min(told[kind].back().number, settled[kind]);
        }
        return page.done(text_of(position));
    }
    for (std::size_t kind = 0; kind < kKinds; ++kind)
        leave_unsettled(told[kind], settled[kind]);
    std::array<std::size_t, kKinds> at{};
    for (std::size_t rows = 0; rows < listing.limit;) {
        // The earliest of those that come next; of several at one instant, in the order of kinds.
        std::size_t kind = kKinds;
        for (std::size_t other = 0; other < kKinds; ++other) {
            if (at[other] == told[other].size()) continue;
            if (kind == kKinds || told[other][at[other]].at < told[kind][at[kind]].at) kind = other;
        }
        if (kind == kKinds) break;
        const Told& next = told[kind][at[kind]++];
        position[kind] = next.number;
        if (!next.is_visible) continue;
        ++rows;
        JsonWriter& row = page.row();
        row.open_object().name("number").text(text_of(position));
        row.name("kind").text(kKindWords[kind]);
        row.name("at").text(rating::format(next.at));
        row.name("party").text_or_null(next.party_id());
        row.name("text").text(next.text).close_object();
    }
    return page.done(text_of(position));
}

}  // namespace tollgate::daemon::admin
