#include "daemon/commands/table.h"

#include <algorithm>
#include <array>
#include <utility>

#include "daemon/commands/arguments.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/sender.h"
#include "daemon/commands/slow_log.h"
#include "protocol/resp_writer.h"

namespace tollgate::daemon::commands {
namespace {

constexpr std::array kCommands = {
    Command{
        "AUTHORIZE", authorize, 1,
        "line destination session [WANT s] [FROM caller] [SERVICE name] [SWITCH name] [AT time] [EXPLAIN]",
        "May this line call there, and for how long? Holds the money at every level.", true},
    Command{"STOP", stop, 1, "session s [AT time] [CAUSE text] [VIA tariff] [TAGS text]",
            "The call lasted so long: charges it and ends it.", true},
    Command{"START", start, 1, "session [AT time] [TAGS text]", "The call was answered.", true},
    Command{"EXTEND", extend, 1, "session USED s [WANT s]", "Charges what was used and holds for more.",
            true},
    Command{"RELEASE", release, 1, "session [CAUSE text]", "Nobody answered: gives everything back.", true},
    Command{"QUOTE", quote, 1,
            "line destination [USED s] [FROM caller] [SERVICE name] [SWITCH name] [AT time]",
            "What a call would cost at every level.", true},
    Command{"EXPLAIN", explain, 1, "session-or-record [SWITCH user]", "How a decision was derived.", true},
    Command{"BALANCE", balance, 1, "party", "Balance, holds and credit limit of a party.", true},
    Command{"SESSIONS", sessions, 1, "[PARTY id] [COUNT n] [CURSOR c]", "Lists open sessions.", true},
    Command{"TOPUP", topup, 1, "party amount request [MEMO text]", "Cash received from a party.", true},
    Command{"DEBIT", debit, 1, "party amount request [MEMO text] [FORCE]",
            "Takes money off a party's balance.", true},
    Command{"RESYNC", resync, 1, "switch token id [id …] | switch token END",
            "Names the calls a restarted switch still has; the rest close as reported.", true},
    Command{"REFUND", refund, 1, "record-or-request request [AMOUNT m]",
            "Takes back a call's charges or a payment, or a part of them.", true},
    Command{"RATE", rate, 1, "line destination session s [AT time]",
            "Charges a call that nobody authorised here.", true},

    Command{"PING", ping, 1, "[text]", "Answers PONG, or the text.", false, 2},
    Command{"ECHO", echo, 2, "text", "Answers the text.", false, 2},
    Command{"INFO", info, 1, "[section]", "The state of the daemon; INFO books adds up all balances."},
    Command{"HELLO", hello, 1, "[2|3 [AUTH user password] [SETNAME name]]",
            "Chooses the version of the protocol."},
    Command{"CLIENT", client, 2, "SETINFO|SETNAME|GETNAME|ID|LIST …", "About connections."},
    Command{"COMMAND", command, 1, "[COUNT|DOCS|INFO|LIST] [name …]", "About commands."},
    Command{"CONFIG", config, 2, "GET pattern", "Always empty; the configuration is a file."},
    Command{"SELECT", select, 2, "0", "There is one database.", false, 2},
    Command{"TIME", time, 1, "", "The daemon's time.", false, 1},
    Command{"AUTH", auth, 2, "[user] password", "Says who you are."},
    Command{"RESET", reset, 1, "", "Forgets who you are, the client's name and protocol version.", false, 1},
    Command{"QUIT", quit, 1, "", "Closes the connection."},
    Command{"SLOWLOG", slowlog, 2, "GET [count] [SLOWEST]|LEN|RESET",
            "The commands that took longest of late."},
    Command{"SENTINEL", sentinel, 2, "get-master-addr-by-name name", "This daemon's address."},
    Command{"CLUSTER", refused, 1, "", "This is no cluster."},
    Command{"FLUSHALL", refused, 1, "", "Refused."},
    Command{"FLUSHDB", refused, 1, "", "Refused."},
    Command{"BGSAVE", refused, 1, "", "Refused."},
    Command{"EVAL", refused, 1, "", "Refused."},
    Command{"SHUTDOWN", refused, 1, "", "Refused: stop the process with SIGTERM."},
};

static_assert(kCommands.size() <= kCommandsCountedMax);

constexpr std::size_t kShownMax = 64;

/// By place in kCommands.
constexpr auto kNeeds = [] {
    std::array<Need, kCommands.size()> needs{};
    for (std::size_t i = 0; i < needs.size(); ++i)
        needs[i] = need_of(kCommands[i].name);
    return needs;
}();

/// Whether a declared user has had more requests in this second than he may: writes the refusal then. An
/// emergency call is never refused.
bool refused_as_too_many(const Context& context, const Command& command, Words words, std::string& out) {
    const access::User* const user = context.client.user;
    if (user == nullptr) return false;
    const std::chrono::nanoseconds wait = user->rate().take(context.now.steady);
    if (wait == std::chrono::nanoseconds{0}) return false;
    constexpr std::size_t kDestination = 2;
    if (command.run == authorize && words.size() > kDestination &&
        context.services.charging.is_emergency(Dialling::without_plus(words[kDestination])))
        return false;
    const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(wait).count();
    protocol::RespWriter{out}.error("BUSY retry after " + std::to_string(milliseconds) +
                                    " ms: more requests a second than this user may have");
    return true;
}

/// Whether a command is not for whoever sends it: writes the refusal then.
bool refused_as_not_his(const Context& context, const Command& command, Need need, std::string& out) {
    if (need == Need::nothing || may(context.client, need)) return false;
    protocol::RespWriter{out}.error("NOPERM this user has no permissions to run the '" +
                                    std::string{command.name} + "' command");
    return true;
}

}  // namespace

std::span<const Command> command_table() noexcept {
    return kCommands;
}

std::size_t place_of(std::string_view name) noexcept {
    const auto* const command = std::find_if(kCommands.begin(), kCommands.end(),
                                             [&](const Command& one) { return is_word(name, one.name); });
    return command == kCommands.end() ? kUnknownCommand
                                      : static_cast<std::size_t>(command - kCommands.begin());
}

bool execute(Context& context, Words words, std::string& out) {
    const std::size_t before = out.size();
    const std::size_t place = place_of(words[0]);
    protocol::RespWriter writer{out};
    const bool known = place != kUnknownCommand;
    const Command* const command = known ? &kCommands[place] : nullptr;
    const Need need = known ? kNeeds[place] : Need::login;
    if (!context.client.let_in && need != Need::nothing) {
        writer.error("NOAUTH Authentication required.");
    } else if (!known) {
        writer.error("ERR unknown command '" + std::string{words[0].substr(0, kShownMax)} + "'");
    } else if (!command->takes(words.size())) {
        writer.error("ERR wrong number of arguments for '" + std::string{command->name} + "'; expected " +
                     std::string{command->name} + (command->arguments.empty() ? "" : " ") +
                     std::string{command->arguments});
    } else if (!refused_as_not_his(context, *command, need, out) &&
               (need == Need::nothing || !refused_as_too_many(context, *command, words, out))) {
        command->run(context, words, out);
    }
    count_answer(context, place, words, std::string_view{out}.substr(before));
    return known && command->of_state;
}

void foresee(const Context& context, Words words, Foresight& foresight) noexcept {
    if (words.size() < 2) return;
    constexpr std::size_t kSession = 3;
    if (is_word(words[0], "AUTHORIZE")) {
        if (words.size() <= kSession) return;
        foresight.expect_opening(words[1], words[2], key_of(context, words[kSession]).view());
    } else if (is_word(words[0], "STOP") || is_word(words[0], "START") || is_word(words[0], "EXTEND") ||
               is_word(words[0], "RELEASE")) {
        foresight.expect_session(key_of(context, words[1]).view());
    }
}

void count_answer(Context& context, std::size_t place, Words words, std::string_view answer) {
    if (answer.empty()) return;  // It is answered later, by whoever judges a password.
    WorkerCounters& counters = context.counters;
    WorkerCounters::OfCommand& of_command = counters.by_command[place];
    const AnswerCode code = answer_code(answer);
    WorkerCounters::add(counters.commands);
    if (is_error(code)) WorkerCounters::add(counters.errors);
    WorkerCounters::add(of_command.answers[static_cast<std::size_t>(code)]);
    const std::uint64_t done_at = Ticks::now();
    of_command.latency.add(Ticks::between(context.stopwatch.read_at, done_at));
    // Its own time: others of the pipeline were before it.
    const auto took = Ticks::between(std::exchange(context.stopwatch.lap_at, done_at), done_at);
    if (counters.slow_log != nullptr && counters.slow_log->is_slow(took)) {
        counters.slow_log->note(took, context.now.wall, words, context.client.address, context.client.name);
    }
}

}  // namespace tollgate::daemon::commands
