#include <array>

#include "daemon/commands/answer.h"
#include "daemon/commands/arguments.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/sender.h"
#include "daemon/commands/words.h"

namespace tollgate::daemon::commands {
void release(Context& context, Words words, std::string& out) {
    std::array keywords = {Keyword{"CAUSE"}};
    static constexpr std::array<std::string_view, 1> kPositionals = {"session"};
    Arguments arguments{words, kPositionals, keywords};
    const auto cause = arguments.text(keywords[0], kMemoBytesMax);
    if (arguments.refused(out)) return;

    const ReleaseAnswer released = on_session(context, arguments[0], [&](std::string_view session) {
        return context.services.charging.release(session, cause, context.now);
    });
    if (answered_as_error(released.code, out)) return;
    if (released.code == Code::ok && !released.duplicate) WorkerCounters::add(context.counters.ended);
    Answer answer{out, arguments.plain(), text_of(released.code), "0", 1};
    answer.pair("dup", released.duplicate);
}

}  // namespace tollgate::daemon::commands
