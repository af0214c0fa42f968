#include "daemon/admin/deck_diff.h"

#include <algorithm>
#include <cassert>
#include <numeric>
#include <tuple>

namespace tollgate::daemon::admin {
namespace {

using rating::Deck;
using rating::Rate;
using rating::Row;
using RowIndex = Deck::RowIndex;

/// A column beside the price and what makes two rows one.
struct Column {
    std::string_view name;
    bool (*same)(const Row& a, const Row& b);
};

template <auto Rate::*Member>
constexpr Column of_rate(std::string_view name) noexcept {
    return {name, [](const Row& a, const Row& b) { return a.rate->*Member == b.rate->*Member; }};
}
template <auto Row::*Member>
constexpr Column of_row(std::string_view name) noexcept {
    return {name, [](const Row& a, const Row& b) { return a.*Member == b.*Member; }};
}

constexpr std::array<Column, 16> kColumns = {of_rate<&Rate::price>("rate_per_minute"),
                                             of_row<&Row::destination>("destination"),
                                             of_row<&Row::country>("country"),
                                             of_rate<&Rate::connect_fee>("connect_fee"),
                                             of_rate<&Rate::initial_increment>("initial_increment"),
                                             of_rate<&Rate::increment>("increment"),
                                             of_rate<&Rate::grace_seconds>("grace_seconds"),
                                             of_rate<&Rate::included_seconds>("included_seconds"),
                                             of_rate<&Rate::disconnect_fee>("disconnect_fee"),
                                             of_rate<&Rate::disconnect_after>("disconnect_after"),
                                             of_rate<&Rate::min_charge>("min_charge"),
                                             of_rate<&Rate::max_charge>("max_charge"),
                                             of_row<&Row::effective_from>("effective_from"),
                                             of_row<&Row::effective_until>("effective_until"),
                                             of_rate<&Rate::tiers>("tiers"),
                                             of_rate<&Rate::blocked>("blocked")};

class Comparison {
  public:
    Comparison(const Deck& before, const Deck& after, std::size_t listed_max)
        : before_(before), after_(after), listed_max_(listed_max) {}

    DeckDiff run() {
        const auto olds = before_.prefixes();
        const auto news = after_.prefixes();
        for (std::size_t i = 0, j = 0; i < olds.size() || j < news.size();) {
            const bool has_old = i < olds.size() && (j == news.size() || olds[i] <= news[j]);
            const bool has_new = j < news.size() && (i == olds.size() || news[j] <= olds[i]);
            old_rows_ = has_old ? Range{before_.first_row(i), before_.end_row(i)} : Range{};
            new_rows_ = has_new ? Range{after_.first_row(j), after_.end_row(j)} : Range{};
            compare_prefix();
            i += has_old ? 1 : 0;
            j += has_new ? 1 : 0;
        }
        return std::move(diff_);
    }

  private:
    struct Range {
        RowIndex first = 0;
        RowIndex end = 0;
        [[nodiscard]] std::size_t size() const noexcept { return end - first; }
    };
    struct Item {
        Row row;
        RowIndex index;
        /// What makes rows of a prefix one, effective_from left aside.
        [[nodiscard]] auto group() const noexcept { return std::tuple{-row.weight, row.window}; }
        [[nodiscard]] auto key() const noexcept {
            return std::tuple{-row.weight, row.window, row.effective_from};
        }
    };

    static void sort_rows(const Deck& deck, Range rows, std::vector<Item>& items) {
        items.clear();
        for (RowIndex row = rows.first; row < rows.end; ++row)
            items.push_back({deck.row(row), row});
        std::sort(items.begin(), items.end(), [](const Item& a, const Item& b) { return a.key() < b.key(); });
    }

    /// The rows of one prefix.
    void compare_prefix() {
        sort_rows(before_, old_rows_, olds_);
        sort_rows(after_, new_rows_, news_);
        auto old = olds_.cbegin();
        auto fresh = news_.cbegin();
        while (old != olds_.cend() || fresh != news_.cend()) {
            const auto group = fresh == news_.cend() || (old != olds_.cend() && old->group() < fresh->group())
                                   ? old->group()
                                   : fresh->group();
            left_old_.clear();
            left_new_.clear();
            const auto in_group = [&group](auto at, const std::vector<Item>& items) {
                return at != items.cend() && at->group() == group;
            };
            while (in_group(old, olds_) || in_group(fresh, news_)) {
                if (!in_group(fresh, news_) ||
                    (in_group(old, olds_) && old->row.effective_from < fresh->row.effective_from)) {
                    left_old_.push_back(&*old++);
                } else if (!in_group(old, olds_) || fresh->row.effective_from < old->row.effective_from) {
                    left_new_.push_back(&*fresh++);
                } else {
                    add_pair(*old++, *fresh++);
                }
            }
            if (left_old_.size() == 1 && left_new_.size() == 1) {
                add_pair(*left_old_.front(), *left_new_.front());
                continue;
            }
            for (const Item* item : left_old_)
                add(RowChange::gone, {item->index, Deck::kNoRow});
            for (const Item* item : left_new_)
                add(RowChange::fresh, {Deck::kNoRow, item->index});
        }
    }

    void add_pair(const Item& before, const Item& after) {
        const RowPair pair{before.index, after.index};
        if (before.row.rate->price != after.row.rate->price) {
            add(before.row.rate->price < after.row.rate->price ? RowChange::dearer : RowChange::cheaper,
                pair);
        } else if (std::all_of(kColumns.begin(), kColumns.end(),
                               [&](const Column& column) { return column.same(before.row, after.row); })) {
            ++diff_.same;
        } else {
            add(RowChange::changed, pair);
        }
    }

    void add(RowChange change, RowPair pair) {
        const auto at = static_cast<std::size_t>(change);
        ++diff_.counts[at];
        if (diff_.lists[at].size() < listed_max_) diff_.lists[at].push_back(pair);
    }

    const Deck& before_;
    const Deck& after_;
    const std::size_t listed_max_;
    DeckDiff diff_;
    // Of the prefix under way.
    Range old_rows_;
    Range new_rows_;
    std::vector<Item> olds_;
    std::vector<Item> news_;
    std::vector<const Item*> left_old_;
    std::vector<const Item*> left_new_;
};

}  // namespace

DeckDiff compare(const Deck& before, const Deck& after, std::size_t listed_max) {
    return Comparison{before, after, listed_max}.run();
}

std::vector<std::string_view> different_columns(const Row& before, const Row& after) {
    std::vector<std::string_view> names;
    for (const Column& column : kColumns) {
        if (!column.same(before, after)) names.push_back(column.name);
    }
    return names;
}

std::string percent_of_change(rating::Price before, rating::Price after) {
    assert(before.nanos() > 0);
    __extension__ using Wide = unsigned __int128;  // A price is below 2^60, and 20'000 times it below 2^75.
    const bool fell = after < before;
    const auto base = static_cast<Wide>(before.nanos());
    const auto change =
        static_cast<Wide>(fell ? before.nanos() - after.nanos() : after.nanos() - before.nanos());
    Wide hundredths = (change * 20'000 + base) / (2 * base);  // Half a hundredth is rounded up.
    const bool is_zero = hundredths == 0;
    std::string digits;  // From behind.
    while (hundredths > 0 || digits.size() < 4) {
        digits.push_back(static_cast<char>('0' + static_cast<unsigned>(hundredths % 10)));
        hundredths /= 10;
        if (digits.size() == 2) digits.push_back('.');
    }
    if (fell && !is_zero) digits.push_back('-');
    std::reverse(digits.begin(), digits.end());
    return digits;
}

}  // namespace tollgate::daemon::admin
