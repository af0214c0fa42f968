/// `/v1/dial-plans`: how what is dialled becomes what is rated.
#pragma once

#include <string_view>

#include "daemon/admin/router.h"
#include "daemon/admin/services.h"

namespace tollgate::daemon::admin {

/// Any thread may call any member. A plan that is put holds for the next call; what was rated stays.
class DialPlanResource {
  public:
    explicit DialPlanResource(const Services& services) : services_(services) {}

    /// 200 with `{"dial_plans":[…]}`, all of them by id.
    [[nodiscard]] Response list() const;
    /// 200 with the plan; 404.
    [[nodiscard]] Response get(std::string_view id) const;
    /// 201 or 200 with the plan as stored; 422 names every faulty field.
    [[nodiscard]] Response put(const Request& request, std::string_view id) const;
    /// 200 with the plan that was; 404; 409 where a party that is not closed names it.
    [[nodiscard]] Response remove(std::string_view id) const;

  private:
    Services services_;
};

}  // namespace tollgate::daemon::admin
