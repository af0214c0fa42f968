/// Whether the stores behind the journal keep up: a condition of readiness.h.
#pragma once

#include <chrono>
#include <span>
#include <string>

#include "daemon/store_figures.h"

namespace tollgate::daemon {

/// Names the stores that lag behind more than `longest`, and why; empty where none does, or `longest` is 0.
[[nodiscard]] std::string too_far_behind(std::span<const StoreFigures> stores,
                                         std::chrono::milliseconds longest);

}  // namespace tollgate::daemon
