/// Dial plans: how a number as it was dialled becomes the number that is rated.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "balance/party.h"
#include "config/dial_rule.h"
#include "daemon/named_values.h"
#include "rating/digits.h"

namespace tollgate::daemon {

using config::DialRule;

/// An ordered list of rules, of which the first that matches is carried out. Immutable once made; any thread
/// may ask it.
class DialPlan {
  public:
    DialPlan() = default;
    /// Requires: rules of their form, at most config::kDialRulesMax.
    explicit DialPlan(std::vector<DialRule> rules) : rules_(std::move(rules)) {}

    /// The number to be rated for what was dialled, which is without its `+`. Where no rule matches, what was
    /// dialled. nullopt: the result is not 1 to 32 digits, nothing was dialled, or less than a rule strips.
    [[nodiscard]] std::optional<rating::Digits> apply(std::string_view dialled) const noexcept;

    [[nodiscard]] const std::vector<DialRule>& rules() const noexcept { return rules_; }

  private:
    std::vector<DialRule> rules_;
};

/// Names of dial plans in all, those of plans that were deleted included.
inline constexpr std::size_t kDialPlansMax = 10'000;
static_assert(kDialPlansMax <= balance::kNoDialPlan);

class DialPlans : public NamedValues<DialPlan> {
  public:
    DialPlans() : NamedValues(kDialPlansMax) {}
};

/// A switch whose callers dial by a plan.
struct SwitchDialPlan {
    std::string switch_name;
    std::string plan;  ///< Need not exist; as long as it does not, the switch has none.
};

/// From what a caller dialled to the number that is rated. Any thread may call any member; nothing blocks or
/// allocates.
class Dialling {
  public:
    /// `standard` is the plan of whoever names none. Without `plans` nobody names one; else it must outlive
    /// this.
    Dialling(DialPlans* plans, DialPlan standard, const std::vector<SwitchDialPlan>& switches);

    /// What was dialled, without a leading `+`.
    [[nodiscard]] static std::string_view without_plus(std::string_view destination) noexcept {
        if (destination.starts_with('+')) destination.remove_prefix(1);
        return destination;
    }

    /// By the plan of the line, else of its customer, else of the switch, else of the user who asks, else the
    /// standard one. `dialled` is without_plus().
    [[nodiscard]] std::optional<rating::Digits> number(const balance::Party& line,
                                                       const balance::Party& customer,
                                                       std::string_view switch_name, std::string_view user,
                                                       std::string_view dialled) const noexcept {
        return plan_of(line, customer, switch_name, user).apply(dialled);
    }

  private:
    [[nodiscard]] const DialPlan& plan_of(const balance::Party& line, const balance::Party& customer,
                                          std::string_view switch_name, std::string_view user) const noexcept;

    const DialPlans* plans_;
    DialPlan standard_;
    std::vector<std::pair<std::string, NamePlace>> switches_;  // Sorted by name.
};

}  // namespace tollgate::daemon
