#include "daemon/dial_plan.h"

#include <algorithm>
#include <array>

namespace tollgate::daemon {
namespace {

std::optional<rating::Digits> number_of(std::string_view text) noexcept {
    if (text.starts_with('+')) return std::nullopt;  // One has been dropped before.
    return rating::Digits::parse(text);
}

}  // namespace

std::optional<rating::Digits> DialPlan::apply(std::string_view dialled) const noexcept {
    if (dialled.empty()) return std::nullopt;
    const auto rule = std::find_if(rules_.begin(), rules_.end(), [dialled](const DialRule& known) {
        return dialled.starts_with(known.match);
    });
    if (rule == rules_.end()) return number_of(dialled);
    if (rule->strip > dialled.size()) return std::nullopt;
    dialled.remove_prefix(rule->strip);
    const std::string_view prepend = rule->prepend;
    std::array<char, rating::kDigitsMax> text;
    if (prepend.size() + dialled.size() > text.size()) return std::nullopt;
    char* const middle = std::copy(prepend.begin(), prepend.end(), text.data());
    const char* const end = std::copy(dialled.begin(), dialled.end(), middle);
    return number_of({text.data(), static_cast<std::size_t>(end - text.data())});
}

Dialling::Dialling(DialPlans* plans, DialPlan standard, const std::vector<SwitchDialPlan>& switches)
    : plans_(plans), standard_(std::move(standard)) {
    if (plans == nullptr) return;
    for (const auto& [name, plan] : switches) {
        if (const auto place = plans->reserve(plan)) switches_.emplace_back(name, *place);
    }
    std::sort(switches_.begin(), switches_.end());
}

const DialPlan& Dialling::plan_of(const balance::Party& line, const balance::Party& customer,
                                  std::string_view switch_name, std::string_view user) const noexcept {
    if (plans_ == nullptr) return standard_;
    for (const balance::Party* const party : {&line, &customer}) {
        const DialPlan* const plan = plans_->get(party->dial_plan.load(std::memory_order_relaxed));
        if (plan != nullptr) return *plan;
    }
    for (const std::string_view wanted : {switch_name, user}) {
        const auto found = std::lower_bound(
            switches_.begin(), switches_.end(), wanted,
            [](const auto& known, std::string_view name) { return std::string_view{known.first} < name; });
        if (found == switches_.end() || found->first != wanted) continue;
        if (const DialPlan* const plan = plans_->get(found->second); plan != nullptr) return *plan;
    }
    return standard_;
}

}  // namespace tollgate::daemon
