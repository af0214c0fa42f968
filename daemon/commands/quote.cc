#include <array>

#include "daemon/commands/answer.h"
#include "daemon/commands/arguments.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/words.h"

namespace tollgate::daemon::commands {
namespace {

constexpr std::array<std::string_view, 2> kPositionals = {"line", "destination"};

}  // namespace

void quote(Context& context, Words words, std::string& out) {
    std::array keywords = {Keyword{"USED"}, Keyword{"AT"}, Keyword{"SERVICE", false, true}};
    const auto& [used, at, service] = keywords;
    Arguments arguments{words, kPositionals, keywords};
    const auto duration = arguments.duration(used);
    const auto instant = arguments.instant(at);
    if (arguments.refused(out)) return;

    const QuoteAnswer quoted = context.services.charging.quote(arguments[0], arguments[1], duration,
                                                               instant.value_or(context.now.wall));
    if (answered_as_error(quoted.code, out)) return;
    Answer answer{out, arguments.plain(), text_of(quoted.code), rating::format(quoted.cost),
                  pairs_of(quoted.derivation)};
    write_derivation(answer, quoted.derivation);
}

}  // namespace tollgate::daemon::commands
