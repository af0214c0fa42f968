/// What several benchmarks rate calls by, each made once for all of them: prefixes, numbers to dial, decks.
///
/// The prefixes are invented ones, or real ones where the environment variable TOLLGATE_BENCH_PREFIXES names
/// a file with one at the beginning of each line (a rate deck will do) and it has as many as are asked for.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <random>
#include <span>
#include <string_view>
#include <vector>

#include "rating/deck.h"
#include "rating/prefix.h"
#include "rating/tariff_book.h"

namespace tollgate::bench {

/// `count` prefixes, sorted.
[[nodiscard]] const std::vector<rating::Prefix>& market_prefixes(std::size_t count);

/// A number as it is dialled: 12 digits, or as long as its prefix.
class Number {
  public:
    explicit Number(std::string_view digits) noexcept : size_(static_cast<char>(digits.size())) {
        std::copy(digits.begin(), digits.end(), digits_.begin());
    }
    [[nodiscard]] std::string_view view() const noexcept {
        return {digits_.data(), static_cast<std::size_t>(size_)};
    }

  private:
    std::array<char, rating::kPrefixDigitsMax> digits_{};
    char size_;
};

/// So many that neither they nor what they lead to fit the caches; below random prefixes of
/// market_prefixes(prefix_count), in random order. kNumbers of them.
inline constexpr std::size_t kNumbers = std::size_t{1} << 20;
[[nodiscard]] const std::vector<Number>& market_numbers(std::size_t prefix_count);

/// What a price list says of its prefixes, one after the other in their order: a third cost what their
/// neighbour costs, some thousand prices in all, and steps are a country's.
class PriceList {
  public:
    explicit PriceList(std::uint64_t seed) : random_{seed} {}
    struct Price {
        unsigned nanos;          ///< A minute.
        bool half_minute_steps;  ///< 30/6 instead of 1/1.
    };
    Price next(rating::Prefix prefix) {
        if (random_() % 3 != 0) nanos_ = static_cast<unsigned>(1'000 + random_() % 6'000) * 100'000;
        return {nanos_, (prefix.digit(0) * 7 + (prefix.size() > 1 ? prefix.digit(1) : 0)) % 5 == 0};
    }

  private:
    std::mt19937_64 random_;
    unsigned nanos_ = 0;
};

/// A deck with a row for each prefix; `seed` decides the prices.
[[nodiscard]] std::shared_ptr<const rating::Deck> deck_of(std::span<const rating::Prefix> prefixes,
                                                          std::uint64_t seed);

/// Tariffs 0, 1, 2 … of kLevelsMax, or of 3 for more than 250,000 prefixes; each has its own deck with five
/// in six of market_prefixes(prefix_count * 6 / 5): mostly, but not wholly the same.
inline constexpr std::size_t kLevelsMax = 16;
[[nodiscard]] const rating::TariffBook& market_book(std::size_t prefix_count);

/// Memory in use.
[[nodiscard]] std::size_t heap_bytes() noexcept;

}  // namespace tollgate::bench
