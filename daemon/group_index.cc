#include "daemon/group_index.h"

#include <algorithm>

#include "daemon/country_codes.h"

namespace tollgate::daemon {

GroupIndex::GroupIndex(std::span<const Group> groups) : nodes_(1) {
    for_each_country_code([this, groups](std::string_view digits, std::string_view country) {
        const auto has_it = [country](const Group& group) {
            const auto& countries = group.group->countries();
            return std::find(countries.begin(), countries.end(), country) != countries.end();
        };
        const auto found = std::find_if(groups.begin(), groups.end(), has_it);
        // The code of a country that is in no group hides a shorter one that is.
        if (Node* const node = node_of(digits)) node->by_country = found == groups.end() ? 0 : found->slot;
    });
    for (const Group& group : groups) {
        for (const std::string& prefix : group.group->prefixes()) {
            Node* const node = node_of(prefix);
            if (node != nullptr && node->by_prefix == kUnsaid) node->by_prefix = group.slot;
        }
    }
}

GroupIndex::Node* GroupIndex::node_of(std::string_view digits) {
    std::uint32_t at = 0;
    for (const char digit : digits) {
        const auto place = static_cast<std::size_t>(digit - '0');
        if (nodes_[at].next[place] == 0) {
            if (nodes_.size() == kGroupNodesMax) {
                whole_ = false;
                return nullptr;
            }
            nodes_[at].next[place] = static_cast<std::uint32_t>(nodes_.size());
            nodes_.emplace_back();
        }
        at = nodes_[at].next[place];
    }
    return &nodes_[at];
}

std::uint16_t GroupIndex::find(std::string_view number) const noexcept {
    std::uint16_t by_prefix = kUnsaid;
    std::uint16_t by_country = 0;
    std::uint32_t at = 0;
    for (const char digit : number) {
        at = nodes_[at].next[static_cast<std::size_t>(digit - '0')];
        if (at == 0) break;
        if (nodes_[at].by_prefix != kUnsaid) by_prefix = nodes_[at].by_prefix;
        if (nodes_[at].by_country != kUnsaid) by_country = nodes_[at].by_country;
    }
    return by_prefix != kUnsaid ? by_prefix : by_country;
}

}  // namespace tollgate::daemon
