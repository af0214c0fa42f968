#include <algorithm>
#include <vector>

#include "daemon/commands/arguments.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/table.h"
#include "daemon/letters.h"
#include "protocol/resp_writer.h"

namespace tollgate::daemon::commands {
namespace {

using protocol::RespWriter;

/// The commands named, or all.
std::vector<const Command*> chosen(Words names) {
    std::vector<const Command*> commands;
    for (const Command& command : command_table()) {
        const bool wanted =
            names.empty() || std::any_of(names.begin(), names.end(),
                                         [&](std::string_view name) { return is_word(name, command.name); });
        if (wanted) commands.push_back(&command);
    }
    return commands;
}

/// Name, arity, flags, and positions of keys, of which there are none.
void write_info(RespWriter& writer, const Command& command) {
    writer.array(6);
    writer.bulk(in_small_letters(command.name));
    const auto least = static_cast<std::int64_t>(command.words_min);
    writer.integer(command.words_min == command.words_max ? least : -least);  // Exactly, or at least.
    writer.array(0);
    writer.integer(0);
    writer.integer(0);
    writer.integer(0);
}

/// What redis-cli shows as a hint while one types. Names and values, in an array after `HELLO 3` too.
void write_docs(RespWriter& writer, const Command& command) {
    writer.bulk(in_small_letters(command.name));
    writer.array(2 * 4);
    writer.bulk("summary");
    writer.bulk(command.summary);
    writer.bulk("since");
    writer.bulk("0.1.0");
    writer.bulk("group");
    writer.bulk("tollgate");
    writer.bulk("arguments");
    if (command.arguments.empty()) {
        writer.array(0);
        return;
    }
    writer.array(1);
    writer.array(2 * 2);
    // redis-cli shows the name of an argument as it stands.
    writer.bulk("name");
    writer.bulk(command.arguments);
    writer.bulk("type");
    writer.bulk("string");
}

}  // namespace

void command(Context& /*context*/, Words words, std::string& out) {
    RespWriter writer{out};
    if (words.size() == 1 || is_word(words[1], "INFO")) {
        const auto commands = chosen(words.size() > 2 ? words.subspan(2) : Words{});
        writer.array(commands.size());
        for (const Command* const known : commands)
            write_info(writer, *known);
        return;
    }
    if (is_word(words[1], "COUNT")) return writer.integer(static_cast<std::int64_t>(command_table().size()));
    if (is_word(words[1], "LIST")) {
        writer.array(command_table().size());
        for (const Command& known : command_table())
            writer.bulk(in_small_letters(known.name));
        return;
    }
    if (is_word(words[1], "DOCS")) {
        const auto commands = chosen(words.subspan(2));
        writer.array(2 * commands.size());
        for (const Command* const known : commands)
            write_docs(writer, *known);
        return;
    }
    writer.error("ERR unknown subcommand of 'COMMAND'; expected COUNT, DOCS, INFO or LIST");
}

}  // namespace tollgate::daemon::commands
