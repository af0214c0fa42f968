#include <array>

#include "daemon/commands/arguments.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/sender.h"
#include "daemon/commands/words.h"

namespace tollgate::daemon::commands {
void rate(Context& context, Words words, std::string& out) {
    std::array keywords = {Keyword{"AT"}};
    static constexpr std::array<std::string_view, 4> kPositionals = {"line", "destination", "session", "s"};
    Arguments arguments{words, kPositionals, keywords};
    RateRequest request;
    request.line = arguments[0];
    request.destination = arguments[1];
    request.used = arguments.duration("s", arguments[3]);
    request.at = arguments.instant(keywords[0]);
    request.asker = asker_of(context);
    if (arguments.refused(out) || refused_as_old(context, request.at, out)) return;

    const balance::SessionKey own = key_of(context, arguments[2]);
    const balance::SessionKey orphan{{}, arguments[2]};
    const bool knows = scope_of(context).empty() || context.services.sessions.claim(own.view());
    request.session = knows || !is_orphan(context, arguments[2]) ? own.view() : orphan.view();
    const StopAnswer rated = context.services.charging.rate(request, context.now);
    if (answered_as_error(rated.code, out)) return;
    if (rated.code == Code::ok && !rated.duplicate) WorkerCounters::add(context.counters.ended);
    answer_stop(rated, arguments.plain(), out);
}

}  // namespace tollgate::daemon::commands
