/// How long many things took, in a few kilobytes: what is said of their percentiles is right to a named part.
#pragma once

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace tollgate::bench::load {

/// What Histogram::percentile() is asked for, of a million.
inline constexpr std::uint64_t kP50 = 500'000;
inline constexpr std::uint64_t kP99 = 990'000;

/// Counts times in buckets that are exact to begin with and then grow with what they hold: below
/// 2 * kParts nanoseconds each has its own, above it a bucket is as wide as a kParts-th of the power of two
/// below it. So a percentile is at most a kParts-th (0.8 %) above what was really measured, and never below.
///
/// One thread at a time.
class Histogram {
  public:
    static constexpr std::uint64_t kPartBits = 7;
    static constexpr std::uint64_t kParts = std::uint64_t{1} << kPartBits;
    /// What takes longer is counted as this long; the maximum stays exact.
    static constexpr std::chrono::nanoseconds kLongest = std::chrono::hours{1};

    Histogram() : counts_(bucket_of(kLongest) + 1) {}

    void add(std::chrono::nanoseconds took) noexcept {
        took = std::max(took, std::chrono::nanoseconds{0});
        ++counts_[bucket_of(std::min(took, kLongest))];
        ++count_;
        longest_ = std::max(longest_, took);
    }
    void add(const Histogram& other) noexcept {
        for (std::size_t i = 0; i < counts_.size(); ++i)
            counts_[i] += other.counts_[i];
        count_ += other.count_;
        longest_ = std::max(longest_, other.longest_);
    }
    void clear() noexcept {
        std::fill(counts_.begin(), counts_.end(), 0);
        count_ = 0;
        longest_ = {};
    }

    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
    [[nodiscard]] std::chrono::nanoseconds longest() const noexcept { return longest_; }

    /// So many of a million took at most this long: percentile(990'000) is the p99. 0 of none.
    [[nodiscard]] std::chrono::nanoseconds percentile(std::uint64_t of_a_million) const noexcept {
        constexpr std::uint64_t kMillion = 1'000'000;
        if (count_ == 0) return {};
        // The rank is rounded up: half of three is the second.
        const auto rank =
            std::max<std::uint64_t>(1, count_ / kMillion * of_a_million +
                                           (count_ % kMillion * of_a_million + kMillion - 1) / kMillion);
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < counts_.size(); ++i) {
            seen += counts_[i];
            if (seen >= rank) return std::min(highest_of(i), longest_);
        }
        return longest_;
    }

    [[nodiscard]] static constexpr std::size_t bucket_of(std::chrono::nanoseconds took) noexcept {
        const auto value = static_cast<std::uint64_t>(took.count());
        if (value < 2 * kParts) return value;
        const std::uint64_t shift = std::bit_width(value) - 1 - kPartBits;
        return shift * kParts + (value >> shift);
    }
    /// The longest time that falls into a bucket.
    [[nodiscard]] static constexpr std::chrono::nanoseconds highest_of(std::size_t bucket) noexcept {
        std::uint64_t highest = bucket;
        if (bucket >= 2 * kParts) {
            const std::uint64_t shift = bucket / kParts - 1;
            highest = ((bucket - shift * kParts + 1) << shift) - 1;
        }
        return std::chrono::nanoseconds{static_cast<std::int64_t>(highest)};
    }

  private:
    std::vector<std::uint64_t> counts_;
    std::uint64_t count_ = 0;
    std::chrono::nanoseconds longest_{};
};

}  // namespace tollgate::bench::load
