/// A set of prefixes of numbers.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::balance {

/// As long as a prefix of a deck: what E.164 has.
inline constexpr std::size_t kPrefixDigitsMax = 15;

/// Whether `text` is 1 to kPrefixDigitsMax digits.
[[nodiscard]] bool is_prefix(std::string_view text) noexcept;

/// Immutable once made; any thread may ask it. Asking is one binary search, however many prefixes there are.
class PrefixSet {
  public:
    PrefixSet() = default;
    /// Requires: each is_prefix().
    explicit PrefixSet(std::span<const std::string> prefixes);

    /// The shortest of the prefixes that `number` begins with; empty where there is none.
    [[nodiscard]] std::string_view find(std::string_view number) const noexcept;

  private:
    // Sorted, and without those that begin with another of them: a number then begins with at most one, which
    // is the last that does not come after it.
    std::vector<std::string> shortest_;
};

}  // namespace tollgate::balance
