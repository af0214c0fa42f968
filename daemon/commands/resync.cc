#include "daemon/resync.h"

#include "daemon/commands/answer.h"
#include "daemon/commands/arguments.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/sender.h"
#include "daemon/commands/words.h"
#include "protocol/resp_writer.h"

namespace tollgate::daemon::commands {

void resync(Context& context, Words words, std::string& out) {
    protocol::RespWriter writer{out};
    words = words.subspan(1);
    const bool plain = words.size() > 3 && is_word(words.back(), "PLAIN");
    if (plain) words = words.first(words.size() - 1);
    const auto odd = [](std::string_view name) {
        return name.empty() || is_null(name) || name.size() > kSwitchNameBytesMax;
    };
    if (words.size() < 3 || odd(words[0]) || odd(words[1])) {
        return writer.error(
            "BADARG switch: expected RESYNC switch token id…, then RESYNC switch token END; names have 1 to "
            "64 bytes");
    }
    const auto ids = words.subspan(2);
    const std::string_view scope = asker_of(context).name;
    std::optional<std::size_t> closed = 0;
    if (ids.size() == 1 && is_word(ids[0], "END")) {
        closed = context.services.resync.end(words[0], words[1], context.now, scope);
    } else if (!context.services.resync.name(words[0], words[1], ids, context.now, scope)) {
        closed.reset();
    }
    if (!closed)
        return writer.error(
            "BUSY retry after 60000 ms: too many resyncs under way, too many ids in one or in all, or memory "
            "or the journal's disk is full; begin again with another token, as after a restart since its "
            "first word or ten minutes without another");
    const Answer answer{out, plain, text_of(Code::ok),
                        rating::format_decimal(static_cast<std::int64_t>(*closed), 0), 0};
}

}  // namespace tollgate::daemon::commands
