/// The table of commands: the one place that says which there are and what each takes. The command line, its
/// help, the completion of shells and the test that holds the manual against the program all walk it.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/ctl/client.h"

namespace tollgate::daemon::ctl {

inline constexpr int kExitDone = 0;
inline constexpr int kExitRefused = 1;  ///< The daemon said no, or a file or a setting here cannot be used.
inline constexpr int kExitUsage = 2;    ///< The command line makes no sense.
inline constexpr int kExitUnreachable = 3;  ///< The daemon did not answer.

/// What a shell may put in a word's place.
enum class Words : std::uint8_t {
    any,     ///< Nothing is known of it.
    file,    ///< A file.
    listed,  ///< One of those that stand beside it.
};

struct Argument {
    std::string_view name;  ///< `PARTY`.
    std::string_view about;
    bool is_required = true;
    bool is_many = false;  ///< The last one only: it takes all that follow.
    Words words = Words::any;
    std::span<const std::string_view> listed = {};
};

struct Option {
    std::string_view name;   ///< `memo`, given as `--memo`.
    std::string_view value;  ///< `TEXT`; empty: it takes none.
    std::string_view about;
    Words words = Words::any;
    std::span<const std::string_view> listed = {};
};

/// One command as it was given, and everything it may use.
struct Call {
    Client& client;
    std::ostream& out;
    std::ostream& errors;
    std::string url;
    std::string token_file;
    bool json = false;  ///< For programs: answers as the daemon gave them.
    bool show_progress = false;
    std::map<std::string, std::vector<std::string>, std::less<>> arguments;
    std::map<std::string, std::string, std::less<>>
        options;  ///< One without a value is there with an empty one.

    [[nodiscard]] const std::string& argument(
        std::string_view name) const;  ///< Empty where it was not given.
    [[nodiscard]] std::span<const std::string> all(std::string_view name) const;
    [[nodiscard]] const std::string& option(std::string_view name) const;  ///< Likewise.
    [[nodiscard]] bool has(std::string_view name) const { return options.find(name) != options.end(); }
};

struct Command {
    std::string_view group;  ///< `parties`; empty: the name stands alone.
    std::string_view name;   ///< `list`.
    std::string_view about;
    std::span<const Argument> arguments;
    std::span<const Option> options;
    int (*run)(Call& call);  ///< The exit code.
};

/// All of them, those of a group beside each other.
[[nodiscard]] std::span<const Command> commands();

/// What `parties` is about.
[[nodiscard]] std::string_view about_group(std::string_view group);

/// Options that every command takes.
[[nodiscard]] std::span<const Option> common_options();

/// A script that makes `shell`, `bash` or `zsh`, complete what stands in the table.
[[nodiscard]] std::string completion_script(std::string_view shell);

}  // namespace tollgate::daemon::ctl
