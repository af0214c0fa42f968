/// The daemon's version, as INFO and --version say it.
#pragma once

namespace tollgate::daemon {

inline constexpr const char* kVersion = TOLLGATE_VERSION;

}  // namespace tollgate::daemon
