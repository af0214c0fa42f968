/// Which of many is meant, some far more often than others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tollgate::bench::load {

/// Random numbers that are the same on every machine for the same seed; the standard library's
/// distributions are not. One thread at a time.
class Random {
  public:
    explicit Random(std::uint64_t seed) noexcept : state_(seed) {}

    std::uint64_t bits() noexcept {  // SplitMix64.
        state_ += 0x9E37'79B9'7F4A'7C15;
        std::uint64_t mixed = state_;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58'476D'1CE4'E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D0'49BB'1331'11EB;
        return mixed ^ (mixed >> 31);
    }
    /// 0 to below - 1. Requires: below > 0.
    std::uint64_t below(std::uint64_t below) noexcept {
        __extension__ using Wide = unsigned __int128;
        return static_cast<std::uint64_t>((Wide{bits()} * below) >> 64);
    }
    /// 0 to 1, without 1.
    double part() noexcept { return static_cast<double>(bits() >> 11) * 0x1.0p-53; }
    bool chance(double share) noexcept { return part() < share; }

  private:
    std::uint64_t state_;
};

/// 0 to count - 1, where i is drawn in proportion to 1 / (i + 1)^exponent; an exponent of 0 is all alike.
///
/// Walker's alias method: a draw costs one look, however many there are. Immutable, so threads share one.
class Zipf {
  public:
    /// Requires: 0 < count, 0 <= exponent.
    Zipf(std::size_t count, double exponent);

    [[nodiscard]] std::size_t draw(Random& random) const noexcept;

  private:
    /// Of a column `own` belongs to its number, the rest to `other`.
    struct Column {
        double own = 1;
        std::uint32_t other = 0;
    };
    std::vector<Column> columns_;
};

}  // namespace tollgate::bench::load
