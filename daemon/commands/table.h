/// All commands by name.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "daemon/commands/context.h"
#include "daemon/foresight.h"

namespace tollgate::daemon::commands {

struct Command {
    std::string_view name;  ///< In capitals.
    void (*run)(Context&, Words, std::string&);
    std::size_t words_min;  ///< The name included.
    std::string_view arguments;
    std::string_view summary;
    bool of_state = false;  ///< The answer tells of calls, money or administration.
    /// Where its arguments have no more to say than how many there may be; 0: it says more itself.
    std::size_t words_max = 0;

    [[nodiscard]] constexpr bool takes(std::size_t words) const noexcept {
        return words >= words_min && (words_max == 0 || words <= words_max);
    }
};

/// Commands that calls are made of stand first: they are found first.
[[nodiscard]] std::span<const Command> command_table() noexcept;

/// The place in the table of a command by its name, in any case; kUnknownCommand: there is none.
[[nodiscard]] std::size_t place_of(std::string_view name) noexcept;

/// Runs one command and appends its answer, but for a login's, which comes later (Client::login). Whether the
/// answer must wait until what it tells of is durable. Requires: at least one word.
bool execute(Context& context, Words words, std::string& out);

/// Tells `foresight` what a command is going to touch, where it is one of those that calls are made of.
void foresee(const Context& context, Words words, Foresight& foresight) noexcept;

/// Counts the answer to a command and the time since it was read, and notes it where that was long. execute()
/// does; for whoever answers later than the command returns. `place`: in command_table(), or
/// kUnknownCommand.
void count_answer(Context& context, std::size_t place, Words words, std::string_view answer);

}  // namespace tollgate::daemon::commands
