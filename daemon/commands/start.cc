#include <array>

#include "daemon/commands/answer.h"
#include "daemon/commands/arguments.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/sender.h"
#include "daemon/commands/words.h"

namespace tollgate::daemon::commands {
void start(Context& context, Words words, std::string& out) {
    std::array keywords = {Keyword{"AT"}, Keyword{"TAGS"}};
    const auto& [at, tags] = keywords;
    static constexpr std::array<std::string_view, 1> kPositionals = {"session"};
    Arguments arguments{words, kPositionals, keywords};
    const auto instant = arguments.instant(at);
    const auto text = arguments.text(tags, kTagsBytesMax);
    if (arguments.refused(out) || refused_as_old(context, instant, out)) return;

    const StartAnswer started = on_session(context, arguments[0], [&](std::string_view session) {
        return context.services.charging.start(session, instant, context.now, text);
    });
    if (answered_as_error(started.code, out)) return;
    Answer answer{out, arguments.plain(), text_of(started.code),
                  rating::format_decimal(started.granted.count(), 0), 1};
    answer.pair("dup", started.duplicate);
}

}  // namespace tollgate::daemon::commands
