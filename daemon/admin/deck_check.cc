#include "daemon/admin/deck_check.h"

#include <algorithm>

#include "daemon/letters.h"

namespace tollgate::daemon::admin {
namespace {

using rating::Deck;
using rating::Prefix;
using rating::Price;
using rating::TariffVersion;
using RowIndex = Deck::RowIndex;

constexpr std::int64_t kTenfold = 10;

/// Words of a destination, in small letters, that say it is a mobile network.
constexpr std::array<std::string_view, 4> kMobileWords = {"mobile", "cellular", "gsm", "handy"};

bool is_mobile(std::string_view destination) noexcept {
    const auto same_letter = [](char c, char small) { return in_small(c) == small; };
    return std::any_of(kMobileWords.begin(), kMobileWords.end(), [&](std::string_view word) {
        return std::search(destination.begin(), destination.end(), word.begin(), word.end(), same_letter) !=
               destination.end();
    });
}

Price price_of(const TariffVersion& version, RowIndex row) noexcept {
    return rating::price_with_markup(version.deck->rate(row).price, version.settings);
}

/// Finds rows in a deck for prefixes that come in ascending order: a walk through both instead of a search
/// for each.
class Walk {
  public:
    Walk(const TariffVersion& version, rating::Instant now) : version_(version), now_(now) {}

    /// The row in effect for numbers that begin with `prefix`: of it, or else of the longest shorter one.
    /// kNoRow where there is none.
    [[nodiscard]] RowIndex find(Prefix prefix) {
        const Deck& deck = *version_.deck;
        const auto prefixes = deck.prefixes();
        for (; next_ < prefixes.size() && prefixes[next_] <= prefix; ++next_) {
            leave(prefixes[next_]);
            above_.push_back(next_);
        }
        leave(prefix);
        return above_.empty() ? Deck::kNoRow
                              : deck.in_effect(deck.entrance(above_.back()), now_, version_.calendar).row;
    }

  private:
    /// Lets go of the prefixes that do not begin `prefix`, nor then any that follows.
    void leave(Prefix prefix) {
        while (!above_.empty() && !version_.deck->prefixes()[above_.back()].begins(prefix))
            above_.pop_back();
    }

    const TariffVersion& version_;
    rating::Instant now_;
    std::size_t next_ = 0;
    std::vector<std::size_t> above_;  // The prefixes so far that begin the last one asked for.
};

class Check {
  public:
    Check(const TariffVersion& version, rating::Instant now)
        : version_(version), deck_(*version.deck), now_(now) {}

    DeckWarnings run(const TariffVersion& in_force, std::span<const TariffVersion* const> above) {
        count_longer();
        std::vector<std::pair<const TariffVersion*, Walk>> walks_above;
        for (const TariffVersion* const other : above) {
            if (other->deck != nullptr) walks_above.emplace_back(other, Walk{*other, now_});
        }
        Walk walk_in_force{in_force, now_};
        for (std::size_t i = 0; i < deck_.prefix_count(); ++i) {
            row_ = own_row(i);
            if (row_ == Deck::kNoRow) continue;
            price_ = price_of(version_, row_);
            const Prefix prefix = deck_.prefixes()[i];
            if (in_force.deck != nullptr) check_tenfold(in_force, walk_in_force.find(prefix));
            check_mobile(i);
            if (longer_[deck_.first_row(i)] == 10) {
                warn({.kind = WarningKind::shadowed, .row = row_, .price = price_});
            }
            for (auto& [other, walk] : walks_above)
                check_above(*other, walk.find(prefix));
        }
        return std::move(warnings_);
    }

  private:
    /// The row of the prefix itself that is in effect, or kNoRow.
    [[nodiscard]] RowIndex own_row(std::size_t prefix) const noexcept {
        const RowIndex row = deck_.in_effect(deck_.entrance(prefix), now_, version_.calendar).row;
        return row != Deck::kNoRow && deck_.prefix(row) == deck_.prefixes()[prefix] ? row : Deck::kNoRow;
    }

    /// Counts, by a prefix's first row, the prefixes in effect that are one digit longer.
    void count_longer() {
        longer_.resize(deck_.row_count());
        for (std::size_t i = 0; i < deck_.prefix_count(); ++i) {
            const RowIndex shorter = deck_.shorter(i);
            if (shorter == Deck::kNoRow || own_row(i) == Deck::kNoRow) continue;
            if (deck_.prefix(shorter).size() + 1 == deck_.prefixes()[i].size()) ++longer_[shorter];
        }
    }

    void check_tenfold(const TariffVersion& in_force, RowIndex row) {
        if (row == Deck::kNoRow) return;
        const Price other = price_of(in_force, row);
        if (price_ == Price{} || other == Price{}) return;
        // A division by ten that is cut is exact enough: prices are whole.
        if (price_.nanos() / kTenfold >= other.nanos() || other.nanos() / kTenfold >= price_.nanos()) {
            warn({WarningKind::tenfold, row_, price_, &in_force, in_force.deck->prefix(row), other});
        }
    }

    void check_mobile(std::size_t prefix) {
        if (!mobile(row_)) return;
        const RowIndex shorter =
            deck_.in_effect({.first = deck_.shorter(prefix)}, now_, version_.calendar).row;
        // The fallback is no network of its own.
        if (shorter == Deck::kNoRow || deck_.prefix(shorter) == Prefix{} || mobile(shorter)) return;
        const Price fixed = price_of(version_, shorter);
        if (price_ < fixed) {
            warn({WarningKind::mobile_below_fixed, row_, price_, nullptr, deck_.prefix(shorter), fixed});
        }
    }

    void check_above(const TariffVersion& other, RowIndex row) {
        if (row == Deck::kNoRow) return;
        const Price paid = price_of(other, row);
        if (price_ < paid) {
            warn({WarningKind::below_level_above, row_, price_, &other, other.deck->prefix(row), paid});
        }
    }

    [[nodiscard]] bool mobile(RowIndex row) const noexcept { return is_mobile(deck_.row(row).destination); }

    void warn(const Warning& warning) {
        std::size_t& count = warnings_.counts[static_cast<std::size_t>(warning.kind)];
        if (count++ < kWarningsListedMax) warnings_.list.push_back(warning);
    }

    const TariffVersion& version_;
    const Deck& deck_;
    rating::Instant now_;
    std::vector<std::uint8_t> longer_;
    DeckWarnings warnings_;
    // The one that is looked at.
    RowIndex row_ = Deck::kNoRow;
    Price price_;
};

}  // namespace

DeckWarnings check_deck(const TariffVersion& version, const TariffVersion& in_force,
                        std::span<const TariffVersion* const> above, rating::Instant now) {
    return Check{version, now}.run(in_force, above);
}

}  // namespace tollgate::daemon::admin
