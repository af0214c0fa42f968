/// Where the token of a login is kept between two commands: a file that only its owner can read.
#pragma once

#include <string>

namespace tollgate::daemon::ctl {

/// `$XDG_CONFIG_HOME/tollgate/token`, else that in `.config` of the home directory; empty where there is
/// neither.
[[nodiscard]] std::string default_token_file();

struct StoredToken {
    std::string token;  ///< Empty where there is no such file.
    std::string
        fault;  ///< Why it is not used: others may read it, or it is no token. Empty where all is well.
};
[[nodiscard]] StoredToken read_token(const std::string& file);

/// Makes or replaces it, mode 600, its directory 700. Empty, or why not.
[[nodiscard]] std::string write_token(const std::string& file, const std::string& token);
[[nodiscard]] std::string remove_token(const std::string& file);

/// A line from the terminal that does not show it, or from what stands in for one.
[[nodiscard]] std::string ask_password(const std::string& prompt);

}  // namespace tollgate::daemon::ctl
