#include "daemon/partners/party_list.h"

#include <algorithm>
#include <array>
#include <utility>

#include "rating/decimal.h"

namespace tollgate::daemon {
namespace {

using balance::kNoParty;
using balance::PartyId;
using balance::PartyTable;

/// From one candidate to the next in the order of the tree.
class Walk {
  public:
    Walk(const PartyTable& parties, const PartySearch& search) : parties_(parties), search_(search) {}

    [[nodiscard]] PartyId first() const {
        if (search_.top == kNoParty) return kNoParty;
        return search_.with_top ? search_.top : next(search_.top);
    }
    [[nodiscard]] PartyId next(PartyId at) const {
        if (search_.instead) {
            const auto& list = *search_.instead;
            const auto found =
                at == search_.top ? list.begin() : std::upper_bound(list.begin(), list.end(), at);
            return found == list.end() ? kNoParty : *found;
        }
        if (!search_.children_only) return parties_.next_in_subtree(at, search_.top);
        return at == search_.top ? parties_.first_child(at) : parties_.next_sibling(at);
    }
    [[nodiscard]] bool meets(PartyId at) const {
        if (at == search_.top) return search_.with_top;
        if (search_.instead) return std::binary_search(search_.instead->begin(), search_.instead->end(), at);
        if (search_.children_only) return parties_.get(at).parent == search_.top;
        return parties_.is_below(at, search_.top);
    }

  private:
    const PartyTable& parties_;
    const PartySearch& search_;
};

/// Where a page begins: a party, and in most orders what it is sorted by, as it was then.
struct Cursor {
    PartyId at = kNoParty;
    std::int64_t number = 0;
};

std::string text_of(const Cursor& cursor) {
    return std::to_string(static_cast<std::uint32_t>(cursor.at)) + '.' + std::to_string(cursor.number);
}

std::optional<Cursor> parse_cursor(const PartyTable& parties, const Walk& walk, std::string_view text) {
    const std::size_t point = text.find('.');
    if (point == std::string_view::npos) return std::nullopt;
    const auto at = rating::parse_unsigned(text.substr(0, point), UINT32_MAX);
    std::string_view digits = text.substr(point + 1);
    const bool negative = digits.starts_with('-');
    if (negative) digits.remove_prefix(1);
    const auto number = rating::parse_unsigned(digits, INT64_MAX);
    if (!at || !number || *at >= parties.size()) return std::nullopt;
    const auto sign = negative ? -1 : 1;
    const Cursor cursor{static_cast<PartyId>(static_cast<std::uint32_t>(*at)),
                        sign * static_cast<std::int64_t>(*number)};
    if (!walk.meets(cursor.at)) return std::nullopt;
    return cursor;
}

/// What a list is sorted by. Parties of which it is the same stand in the order in which they were made.
struct Key {
    std::string text{};
    std::int64_t number = 0;
    PartyId id = kNoParty;

    friend bool operator<(const Key& a, const Key& b) noexcept {
        if (a.text != b.text) return a.text < b.text;
        return std::pair{a.number, a.id} < std::pair{b.number, b.id};
    }
};

/// `place`: the how-manieth candidate of the walk it is.
Key key_of(const PartyTable& parties, const PartySearch& search, PartyId id, std::int64_t place) {
    Key key;
    key.id = id;
    switch (search.order) {
        case PartyOrder::tree:
            key.number = place;
            break;
        case PartyOrder::id:
            key.text = parties.get(id).id;
            break;
        case PartyOrder::name:
            key.text = search.name_of(id);
            break;
        case PartyOrder::balance:
            key.number = parties.get(id).account.balance().micros();
            break;
        case PartyOrder::made:
            break;  // In this order they have their ids.
    }
    return key;
}

PartyPage walked_page(const PartySearch& search, const Walk& walk, PartyId at, std::size_t limit) {
    PartyPage page;
    for (std::size_t looks = 0; at != kNoParty; at = walk.next(at)) {
        if (page.parties.size() == limit || looks++ == kPageLooksMax) {
            page.next = text_of({.at = at});
            break;
        }
        if (!search.matches || search.matches(at)) page.parties.push_back(at);
    }
    return page;
}

/// Of all that match, those behind the cursor that come first.
PartyPage sorted_page(const PartyTable& parties, const PartySearch& search, const Walk& walk,
                      const std::optional<Cursor>& cursor, std::size_t limit) {
    const auto before = [&search](const Key& a, const Key& b) { return search.backwards ? b < a : a < b; };
    std::optional<Key> last;
    if (cursor) {
        last = key_of(parties, search, cursor->at, cursor->number);
        last->number = cursor->number;
    }
    PartyPage page;
    std::vector<Key> first;  // A heap, the last of them in front; one more than the page has room for.
    std::int64_t place = 0;
    for (PartyId at = walk.first(); at != kNoParty; at = walk.next(at)) {
        if (static_cast<std::size_t>(place) == kSortedLooksMax) {
            page.status = PartyPage::Status::too_many;
            return page;
        }
        Key key = key_of(parties, search, at, place++);
        if ((last && !before(*last, key)) || (search.matches && !search.matches(at))) continue;
        if (first.size() == limit + 1) {
            if (!before(key, first.front())) continue;
            std::pop_heap(first.begin(), first.end(), before);
            first.pop_back();
        }
        first.push_back(std::move(key));
        std::push_heap(first.begin(), first.end(), before);
    }
    std::sort_heap(first.begin(), first.end(), before);
    const bool more = first.size() > limit;
    if (more) first.pop_back();
    for (const Key& key : first)
        page.parties.push_back(key.id);
    if (more) page.next = text_of({first.back().id, first.back().number});
    return page;
}

}  // namespace

std::optional<PartyOrder> parse_order(std::string_view text) noexcept {
    constexpr std::array<std::pair<std::string_view, PartyOrder>, 5> kOrders = {{
        {"tree", PartyOrder::tree},
        {"id", PartyOrder::id},
        {"name", PartyOrder::name},
        {"balance", PartyOrder::balance},
        {"made", PartyOrder::made},
    }};
    for (const auto& [word, order] : kOrders) {
        if (word == text) return order;
    }
    return std::nullopt;
}

PartyPage page_of(const PartyTable& parties, const PartySearch& search, std::string_view cursor,
                  std::size_t limit) {
    const Walk walk{parties, search};
    std::optional<Cursor> from;
    if (!cursor.empty()) {
        from = parse_cursor(parties, walk, cursor);
        if (!from) return {.status = PartyPage::Status::wrong_cursor, .parties = {}, .next = {}};
    }
    if (search.order == PartyOrder::tree && !search.backwards)
        return walked_page(search, walk, from ? from->at : walk.first(), limit);
    return sorted_page(parties, search, walk, from, limit);
}

}  // namespace tollgate::daemon
