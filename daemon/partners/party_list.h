/// Lists of parties, page by page.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "balance/party_table.h"

namespace tollgate::daemon {

enum class PartyOrder : std::uint8_t {
    tree,  ///< A party, then each child with all below it, the oldest child first.
    id,
    name,
    balance,
    made,
};
/// `tree`, `id`, `name`, `balance` or `made`.
[[nodiscard]] std::optional<PartyOrder> parse_order(std::string_view text) noexcept;

/// Which parties are listed, and how.
struct PartySearch {
    balance::PartyId top = balance::kNoParty;
    bool with_top = true;        ///< Else only those below it.
    bool children_only = false;  ///< Of those below it.
    /// Where it is given: these and `top`, not those below it. In ascending order.
    std::optional<std::vector<balance::PartyId>> instead{};
    /// Whether a party belongs to the list; nullptr: every one does.
    std::function<bool(balance::PartyId)> matches{};
    PartyOrder order = PartyOrder::tree;
    bool backwards = false;
    /// For PartyOrder::name.
    std::function<std::string(balance::PartyId)> name_of{};
};

struct PartyPage {
    /// `wrong_cursor`: no page of this list ended so. `too_many`: only the order of the tree goes through so
    /// many parties, kSortedLooksMax of them.
    enum class Status : std::uint8_t { done, wrong_cursor, too_many };
    Status status = Status::done;
    std::vector<balance::PartyId> parties;
    std::string next;  ///< Where the next page begins; empty: there is none.
};

/// So many parties are looked at for one page in the order of the tree: if few of them match, the page is
/// short or empty, and there is a next one.
inline constexpr std::size_t kPageLooksMax = 50'000;
/// And in any other order, for which all have to be looked at each time.
inline constexpr std::size_t kSortedLooksMax = 1'000'000;

/// The page that begins at `cursor`, the first one where that is empty: at most `limit` parties. Any thread,
/// also while parties are added: none is listed twice, and none that was there is left out, unless what the
/// list is sorted by changes meanwhile. Requires: limit > 0.
[[nodiscard]] PartyPage page_of(const balance::PartyTable& parties, const PartySearch& search,
                                std::string_view cursor, std::size_t limit);

}  // namespace tollgate::daemon
