/// Service plans: so many users at so much a month, of one customer.
#pragma once

#include <string_view>
#include <utility>

#include "daemon/admin/fields.h"
#include "daemon/admin/router.h"
#include "daemon/admin/services.h"

namespace tollgate::daemon::admin {

/// What a body says of a plan that is about to be made; a fault for what it may not say.
[[nodiscard]] ServicePlan read_plan(const JsonValue& object, FieldFaults& faults);

/// Any thread may call any member. docs/openapi.yaml has the answers.
class Plans {
  public:
    explicit Plans(Services services) : services_(std::move(services)) {}

    void add_to(Router& router) const;

    /// What the customer has, what each of it costs a month, and the sum.
    [[nodiscard]] Response show(std::string_view customer) const;
    /// 409 where the customer has a plan, or the name is another customer's.
    [[nodiscard]] Response create(const Request& request, std::string_view customer) const;
    [[nodiscard]] Response get(std::string_view id) const;
    /// 403 where the customer's own people would change more than the number of users.
    [[nodiscard]] Response change(const Request& request, std::string_view id) const;

  private:
    Services services_;
};

}  // namespace tollgate::daemon::admin
