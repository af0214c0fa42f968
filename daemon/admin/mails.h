/// `GET /v1/outbox`: mails, and what became of them.
#pragma once

#include "daemon/admin/router.h"
#include "daemon/admin/services.h"

namespace tollgate::daemon::admin {

/// Any thread may call any member.
class MailResource {
  public:
    explicit MailResource(const Services& services) : services_(services) {}

    /// Those about parties below the reader's, the newest first: 200, 422.
    [[nodiscard]] Response list(const Request& request) const;

  private:
    Services services_;
};

}  // namespace tollgate::daemon::admin
