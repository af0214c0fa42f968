// SLOWLOG GET [count] [SLOWEST] | LEN | RESET, with the answers that Redis clients know.

#include "daemon/commands/arguments.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/slow_log.h"
#include "protocol/resp_writer.h"
#include "rating/decimal.h"

namespace tollgate::daemon::commands {
namespace {

using protocol::RespWriter;

constexpr std::size_t kCountUsual = 10;

/// Id, Unix time, microseconds, words, address, name: as Redis has it since version 4.
void write(RespWriter& writer, const SlowCommand& command) {
    writer.array(6);
    writer.integer(static_cast<std::int64_t>(command.id));
    writer.integer(std::chrono::floor<std::chrono::seconds>(command.at).time_since_epoch().count());
    writer.integer(std::chrono::ceil<std::chrono::microseconds>(command.took).count());
    writer.array(command.words.size());
    for (const std::string& word : command.words)
        writer.bulk(word);
    writer.bulk(command.address);
    writer.bulk(command.client);
}

}  // namespace

void slowlog(Context& context, Words words, std::string& out) {
    RespWriter writer{out};
    SlowLogs* const logs = context.services.slow_logs;
    if (is_word(words[1], "LEN") && words.size() == 2)
        return writer.integer(logs == nullptr ? 0 : static_cast<std::int64_t>(logs->size()));
    if (is_word(words[1], "RESET") && words.size() == 2) {
        if (logs != nullptr) logs->clear();
        return writer.simple("OK");
    }
    if (!is_word(words[1], "GET") || words.size() > 4) {
        return writer.error(
            "ERR unknown subcommand or wrong arguments for 'SLOWLOG'; expected GET [count] [SLOWEST], LEN or "
            "RESET");
    }
    const bool slowest = words.size() > 2 && is_word(words.back(), "SLOWEST");
    const Words counts = words.subspan(2, words.size() - 2 - (slowest ? 1 : 0));
    std::size_t count = kCountUsual;
    if (counts.size() > 1) return writer.error("BADARG count: stands there twice");
    if (!counts.empty()) {
        const bool all = counts[0] == "-1";
        const auto given = rating::parse_unsigned(counts[0], INT64_MAX);
        if (!all && !given) {
            return writer.error("BADARG count: expected a whole number, -1 for all of them, or SLOWEST");
        }
        count = all ? SIZE_MAX : static_cast<std::size_t>(*given);
    }
    if (logs == nullptr) return writer.array(0);
    const auto commands = slowest ? logs->slowest(count) : logs->newest(count);
    writer.array(commands.size());
    for (const SlowCommand& command : commands)
        write(writer, command);
}

}  // namespace tollgate::daemon::commands
