#include "daemon/operation/store_lag.h"

namespace tollgate::daemon {

std::string too_far_behind(std::span<const StoreFigures> stores, std::chrono::milliseconds longest) {
    std::string faults;
    if (longest == std::chrono::milliseconds{0}) return faults;
    for (const StoreFigures& store : stores) {
        if (store.lag <= longest) continue;
        if (!faults.empty()) faults += "; ";
        faults.append(store.name).append(" is ");
        faults +=
            std::to_string(std::chrono::duration_cast<std::chrono::seconds>(store.lag).count()) + " s behind";
        // Why is in INFO: whoever asks for this need not be anybody.
        faults.append(" (").append(text_of(store.state)).append(")");
    }
    return faults;
}

}  // namespace tollgate::daemon
