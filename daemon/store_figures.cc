#include "daemon/store_figures.h"

#include <cstdlib>

namespace tollgate::daemon {

std::string_view text_of(StoreState state) noexcept {
    switch (state) {
        case StoreState::connecting:
            return "connecting";
        case StoreState::filling:
            return "filling";
        case StoreState::following:
            return "following";
        case StoreState::waiting:
            return "waiting";
        case StoreState::refused:
            return "refused";
        case StoreState::foreign:
            return "foreign";
        case StoreState::stopped:
            return "stopped";
    }
    std::abort();  // Not an enumerator: memory is corrupt.
}

}  // namespace tollgate::daemon
