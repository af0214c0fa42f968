/// `/v1/audit`: who changed what.
#pragma once

#include <memory>

#include "daemon/access/directory.h"
#include "daemon/admin/router.h"
#include "daemon/admin/services.h"

namespace tollgate::daemon::admin {

/// Any thread. Entries are written by the gate, in the event of what they are about.
class Audit {
  public:
    Audit(Services services, std::shared_ptr<const access::Directory> directory)
        : services_(std::move(services)), directory_(std::move(directory)) {}

    /// Those about the reader's subtree, the newest first. What is about nobody is for the provider's people.
    /// Of what was done from above a reader sees no comment, memo or third party.
    [[nodiscard]] Response list(const Request& request) const;

  private:
    Services services_;
    std::shared_ptr<const access::Directory> directory_;
};

}  // namespace tollgate::daemon::admin
