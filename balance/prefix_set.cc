#include "balance/prefix_set.h"

#include <algorithm>
#include <utility>

namespace tollgate::balance {

bool is_prefix(std::string_view text) noexcept {
    return !text.empty() && text.size() <= kPrefixDigitsMax &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

PrefixSet::PrefixSet(std::span<const std::string> prefixes) {
    std::vector<std::string> sorted{prefixes.begin(), prefixes.end()};
    std::sort(sorted.begin(), sorted.end());
    for (auto& prefix : sorted) {
        // What begins with a prefix follows it, with nothing else between.
        if (shortest_.empty() || !prefix.starts_with(shortest_.back()))
            shortest_.push_back(std::move(prefix));
    }
    shortest_.shrink_to_fit();
}

std::string_view PrefixSet::find(std::string_view number) const noexcept {
    const auto after = std::upper_bound(shortest_.begin(), shortest_.end(), number);
    if (after == shortest_.begin()) return {};
    const std::string_view candidate = *(after - 1);
    return number.starts_with(candidate) ? candidate : std::string_view{};
}

}  // namespace tollgate::balance
