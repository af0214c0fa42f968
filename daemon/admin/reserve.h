/// `/v1/reserve`: what is held back of every active party since a lost journal was restored.
#pragma once

#include "daemon/admin/router.h"
#include "daemon/admin/services.h"

namespace tollgate::daemon::admin {

/// Any thread may call any member. Requires: services with a reserve.
class ReserveResource {
  public:
    explicit ReserveResource(const Services& services) : services_(services) {}

    /// 200: how much, of how many, since when.
    [[nodiscard]] Response get() const;
    /// 200 with what was given back; 409 where nothing is held back.
    [[nodiscard]] Response release() const;

  private:
    Services services_;
};

}  // namespace tollgate::daemon::admin
