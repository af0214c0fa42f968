/// Destination groups: where calls go, under a name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "balance/prefix_set.h"
#include "daemon/named_values.h"

namespace tollgate::daemon {

/// Prefixes of one group, and countries of one.
inline constexpr std::size_t kGroupPrefixesMax = 5'000;
inline constexpr std::size_t kGroupCountriesMax = 300;

/// Whether `text` has the form of an ISO 3166-1 alpha-2 code: two capital letters.
[[nodiscard]] bool is_country(std::string_view text) noexcept;

/// A set of prefixes and countries. A number belongs to it if one of the prefixes begins it or its country is
/// one of the countries. Immutable once made; any thread may ask it, and asking allocates nothing.
class DestinationGroup {
  public:
    /// Requires: balance::is_prefix() of each prefix, is_country() of each country.
    DestinationGroup(std::vector<std::string> prefixes, std::vector<std::string> countries);

    enum class Reason : std::uint8_t { none, prefix, country };
    struct Belonging {
        Reason reason = Reason::none;
        std::string_view by;  ///< The shortest such prefix, or the country; empty for none.
    };
    /// Why a number belongs to the group, if it does; prefixes are asked first. `row_country` is that of the
    /// row of a deck; where it has none, that of the numbering plan counts.
    [[nodiscard]] Belonging find(std::string_view number, std::string_view row_country = {}) const noexcept;

    // As they were given.
    [[nodiscard]] const std::vector<std::string>& prefixes() const noexcept { return prefixes_; }
    [[nodiscard]] const std::vector<std::string>& countries() const noexcept { return countries_; }

  private:
    std::vector<std::string> prefixes_;
    std::vector<std::string> countries_;
    balance::PrefixSet prefix_set_;
    std::vector<std::string> sorted_countries_;
};

/// Names of groups in all, those of groups that were deleted included.
inline constexpr std::size_t kDestinationGroupsMax = 10'000;

class DestinationGroups : public NamedValues<DestinationGroup> {
  public:
    DestinationGroups() : NamedValues(kDestinationGroupsMax) {}
};

}  // namespace tollgate::daemon
