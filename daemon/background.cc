#include "daemon/background.h"

#include <sys/resource.h>

namespace tollgate::daemon {

void work_in_background() noexcept {
    constexpr int kNicest = 19;
    // It never fails to become nicer; if it did, work would be done as any other.
    (void)::setpriority(PRIO_PROCESS, 0, kNicest);
}

}  // namespace tollgate::daemon
