/// A value of the command line, as the kinds of config/values.h read it.
#pragma once

#include <string_view>

#include "config/values.h"

namespace tollgate::bench::load {

[[nodiscard]] inline config::Written given(std::string_view text) {
    config::Written written;
    written.text = text;
    return written;
}

}  // namespace tollgate::bench::load
