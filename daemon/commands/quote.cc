#include <array>

#include "daemon/commands/answer.h"
#include "daemon/commands/arguments.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/sender.h"
#include "daemon/commands/words.h"

namespace tollgate::daemon::commands {
void quote(Context& context, Words words, std::string& out) {
    std::array keywords = {Keyword{"USED"}, Keyword{"FROM"}, Keyword{"SERVICE"}, Keyword{"SWITCH"},
                           Keyword{"AT"}};
    const auto& [used, from, service, switch_name, at] = keywords;
    static constexpr std::array<std::string_view, 2> kPositionals = {"line", "destination"};
    Arguments arguments{words, kPositionals, keywords};
    QuoteRequest request;
    request.line = arguments[0];
    request.destination = arguments[1];
    request.from = from.value;
    request.service = arguments.service(service);
    request.switch_name = arguments.text(switch_name, kSwitchNameBytesMax);
    request.asker = asker_of(context);
    request.used = arguments.duration(used);
    request.at = arguments.instant(at).value_or(context.now.wall);
    if (arguments.refused(out)) return;

    QuoteAnswer quoted = context.services.charging.quote(request);
    if (answered_as_error(quoted.code, out)) return;
    leave_out_unseen(context, quoted.derivation);
    Answer answer{out, arguments.plain(), text_of(quoted.code), rating::format(quoted.cost),
                  pairs_of(quoted.derivation)};
    write_derivation(answer, quoted.derivation);
}

}  // namespace tollgate::daemon::commands
