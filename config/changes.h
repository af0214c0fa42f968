#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

/// What became another in a configuration that was read again.
namespace tollgate::config {

struct Change {
    std::string key;   ///< Of a user: `user.kam`, or `user.kam.role` of one who stays.
    std::string from;  ///< As `--set` takes it.
    std::string to;
};

/// In the order of the manual.
struct Changes {
    std::vector<Change> live;     ///< What a daemon takes over while it runs.
    std::vector<Change> restart;  ///< What only a restart does.
};

/// Whether the daemon takes the key over while it runs.
[[nodiscard]] bool is_live(std::string_view key);

[[nodiscard]] Changes changes(const Config& in_force, const Config& wanted);

/// `in_force` with all that is live as it stands in `wanted`, users too but for what needs a restart of them.
[[nodiscard]] Config taken_over(const Config& in_force, const Config& wanted);

}  // namespace tollgate::config
