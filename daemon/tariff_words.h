/// Words of tariffs, as they are shown and as stores keep them.
#pragma once

#include <cstdlib>
#include <string_view>

#include "rating/tariff_version.h"

namespace tollgate::daemon {

[[nodiscard]] constexpr std::string_view text_of(rating::Change change) noexcept {
    switch (change) {
        case rating::Change::settings:
            return "settings";
        case rating::Change::deck:
            return "deck";
        case rating::Change::rollback:
            return "rollback";
    }
    std::abort();  // Not an enumerator: memory is corrupt.
}

}  // namespace tollgate::daemon
