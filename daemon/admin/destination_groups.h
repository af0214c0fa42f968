/// `/v1/destination-groups`: where calls go, under a name.
#pragma once

#include <string_view>

#include "daemon/admin/router.h"
#include "daemon/admin/services.h"

namespace tollgate::daemon::admin {

/// Any thread may call any member.
class DestinationGroupResource {
  public:
    explicit DestinationGroupResource(const Services& services) : services_(services) {}

    /// 200 with `{"destination_groups":[…]}`, all of them by id.
    [[nodiscard]] Response list() const;
    /// 200 with the group, or, with `?number=`, whether that number belongs to it and why; 404; 422.
    [[nodiscard]] Response get(const Request& request, std::string_view id) const;
    /// 201 or 200 with the group as stored; 422 names every faulty field.
    [[nodiscard]] Response put(const Request& request, std::string_view id) const;
    /// 200 with the group that was; 404.
    [[nodiscard]] Response remove(std::string_view id) const;

  private:
    Services services_;
};

}  // namespace tollgate::daemon::admin
