/// Turns a command's words into values, once, and says what is wrong with them.
#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "daemon/commands/context.h"
#include "rating/duration.h"
#include "rating/instant.h"
#include "rating/money.h"

namespace tollgate::daemon::commands {

/// Case-insensitive for A to Z; `upper` is in capitals.
[[nodiscard]] constexpr bool is_word(std::string_view text, std::string_view upper) noexcept {
    if (text.size() != upper.size()) return false;
    for (std::size_t i = 0; i < upper.size(); ++i) {
        if (text[i] == upper[i]) continue;  // As mostly: whoever asks often writes capitals.
        if (upper[i] < 'A' || upper[i] > 'Z' || text[i] != upper[i] + ('a' - 'A')) return false;
    }
    return true;
}

/// What Kamailio sends for an argument that is absent.
[[nodiscard]] constexpr bool is_null(std::string_view word) noexcept {
    return word == "<null>";
}

/// An optional argument: `KEYWORD value`, or `KEYWORD` alone where it is a flag.
struct Keyword {
    std::string_view name;  ///< In capitals.
    bool flag = false;
    std::string_view value{};  ///< What stood there.
    bool present = false;      ///< It stood there, and its value was not Kamailio's `<null>`.
};

/// The words of one command, taken apart.
///
/// Positional arguments come first, keywords in any order after them, `PLAIN` last. Absent
/// arguments are empty. The first fault is kept and the rest is read as absent, so a command
/// reads all it wants and asks once at the end.
class Arguments {
  public:
    /// `positionals` are the names of the required ones, for messages.
    Arguments(Words words, std::span<const std::string_view> positionals, std::span<Keyword> keywords);

    [[nodiscard]] std::string_view operator[](std::size_t positional) const noexcept {
        return positionals_[positional];
    }
    [[nodiscard]] bool plain() const noexcept { return plain_; }

    // A value, or a fault that names the argument, what stood there, and what was expected.
    std::chrono::milliseconds duration(std::string_view name, std::string_view text);
    std::optional<std::chrono::milliseconds> duration(const Keyword& keyword);
    /// A time to be granted: above 0, whole seconds, rounded up.
    std::optional<std::chrono::seconds> grant(const Keyword& keyword);
    std::optional<rating::Instant> instant(const Keyword& keyword);
    rating::Money amount(std::string_view name, std::string_view text);
    std::string_view text(const Keyword& keyword, std::size_t bytes_max);

    /// Of SERVICE: kVoice where it is absent.
    std::string_view service(const Keyword& keyword);

    void fault(std::string_view name, std::string_view value, std::string_view expected);
    /// Writes the fault, if there is one, as the command's answer.
    [[nodiscard]] bool refused(std::string& out) const;

  private:
    static constexpr std::size_t kPositionalsMax = 4;
    std::array<std::string_view, kPositionalsMax> positionals_{};
    bool plain_ = false;
    std::string fault_;  // `-BADARG`'s text; allocated only where there is one.
};

}  // namespace tollgate::daemon::commands
