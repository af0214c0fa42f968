/// `GET /v1/sessions`: open calls.
#pragma once

#include "daemon/admin/router.h"
#include "daemon/admin/services.h"

namespace tollgate::daemon::admin {

/// Any thread may call any member.
class SessionResource {
  public:
    explicit SessionResource(const Services& services) : services_(services) {}

    /// Those of lines below the reader's party, and, where `party` is named, below that one. In no order that
    /// means anything; a call that is open all along is on exactly one page. 200, 422.
    [[nodiscard]] Response list(const Request& request) const;

  private:
    Services services_;
};

}  // namespace tollgate::daemon::admin
