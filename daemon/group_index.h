/// To which of some destination groups a number belongs, at once for all of them.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "daemon/destination_groups.h"

namespace tollgate::daemon {

/// Digits that all prefixes of all groups may have together, as far as they are not shared: what goes beyond
/// is left out.
inline constexpr std::size_t kGroupNodesMax = 1'000'000;

/// Immutable once made; any thread may ask it. A walk along the digits of a number, however many groups and
/// prefixes there are.
class GroupIndex {
  public:
    struct Group {
        const DestinationGroup* group;
        std::uint16_t slot;  ///< 0: what belongs to it counts as of none, and is nobody else's.
    };
    /// Requires: the groups live at least until this is made.
    explicit GroupIndex(std::span<const Group> groups);

    /// The slot of the group with the longest prefix that the number begins with; where there is none, that
    /// of the first group with its country by the numbering plan; 0 where there is none either.
    [[nodiscard]] std::uint16_t find(std::string_view number) const noexcept;

    /// Whether there was room for all.
    [[nodiscard]] bool whole() const noexcept { return whole_; }

  private:
    static constexpr std::uint16_t kUnsaid = 0xFFFF;
    static_assert(kDestinationGroupsMax < kUnsaid);

    struct Node {
        std::array<std::uint32_t, 10> next{};  // By digit; 0: none, because nothing leads back to the root.
        std::uint16_t by_prefix = kUnsaid;
        std::uint16_t by_country = kUnsaid;
    };
    /// nullptr where there is no room for it.
    Node* node_of(std::string_view digits);

    std::vector<Node> nodes_;
    bool whole_ = true;
};

}  // namespace tollgate::daemon
