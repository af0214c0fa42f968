/// What a line of the log looks like, and which lines are too many. No clock, no file: logging.h has those.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace tollgate::daemon::logging {

struct Field {
    std::string_view name;  ///< Of small letters, digits and `_`.
    std::string value;
};

/// Of one line. The level is as config::LogLevel has it, or critical.
struct Line {
    std::chrono::system_clock::time_point at{};
    std::string_view level;
    std::string_view kind;  ///< What lines of its sort have in common: `serving`, `reloaded`.
    std::string_view message;
    std::vector<Field> fields{};
};

/// Who reads what is written to standard error.
enum class Reader : std::uint8_t {
    plain,
    journald,  ///< Adds the time, and takes the priority from a number in front: `<6>`.
};

/// The line with its line feed. Whatever looks like a secret is *** in it, see redacted(); what is no
/// printable text is escaped, so that nobody's name makes a second line.
[[nodiscard]] std::string line_of(const Line& line, config::LogFormat format, Reader reader);

/// The text with *** in place of what follows `password=` and its like, of the password in
/// `scheme://user:password@host`, of tokens (`tg_…`), and of hashes of passwords (`$argon2…`).
[[nodiscard]] std::string redacted(std::string_view text);
/// The same of a value that is the URL of a store and nothing else, however faulty: what may be a password
/// is hidden, and rather too much than too little.
[[nodiscard]] std::string redacted_url(std::string_view url);

/// What lines that nobody gave a kind have in common: what they say, up to the first thing that differs.
[[nodiscard]] std::string_view kind_of(std::string_view message) noexcept;

/// Lets so many lines of a kind through a minute, so that a flood of one neither fills a disk nor hides what
/// else happens. One thread at a time.
class Limiter {
  public:
    using Time = std::chrono::steady_clock::time_point;
    static constexpr std::chrono::seconds kWindow{60};
    /// Of that many kinds at a time there is a count; what is beyond shares one.
    static constexpr std::size_t kKindsMax = 256;

    explicit Limiter(std::uint32_t lines_a_window) noexcept : lines_max_(lines_a_window) {}
    void set_lines(std::uint32_t lines_a_window) noexcept { lines_max_ = lines_a_window; }

    /// Whether the line is to be written.
    [[nodiscard]] bool admit(std::string_view kind, Time now);

    /// Lines of one kind that were not written.
    struct Suppressed {
        std::string kind;
        std::uint64_t lines = 0;
    };
    /// Of those kinds whose window is over. To be called from time to time.
    [[nodiscard]] std::vector<Suppressed> settle(Time now);
    /// Of all kinds, now.
    [[nodiscard]] std::vector<Suppressed> settle_all();

  private:
    struct Window {
        Time began;
        std::uint32_t written = 0;
        std::uint64_t suppressed = 0;
    };

    std::uint32_t lines_max_;
    std::map<std::string, Window, std::less<>> windows_;
};

}  // namespace tollgate::daemon::logging
