#include <array>

#include "daemon/commands/answer.h"
#include "daemon/commands/arguments.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/sender.h"
#include "daemon/commands/words.h"

namespace tollgate::daemon::commands {
void extend(Context& context, Words words, std::string& out) {
    std::array keywords = {Keyword{"USED"}, Keyword{"WANT"}};
    const auto& [used, want] = keywords;
    static constexpr std::array<std::string_view, 1> kPositionals = {"session"};
    Arguments arguments{words, kPositionals, keywords};
    const auto reported = arguments.duration(used);
    if (!used.present) arguments.fault("USED", {}, "missing; expected the seconds used since the answer");
    const auto wanted = arguments.grant(want);
    if (arguments.refused(out)) return;

    const ExtendAnswer extended = on_session(context, arguments[0], [&](std::string_view session) {
        return context.services.charging.extend(session, *reported, wanted, context.now, asker_of(context));
    });
    if (answered_as_error(extended.code, out)) return;
    const bool ok = extended.code == Code::ok;
    Answer answer{out, arguments.plain(), text_of(extended.code),
                  rating::format_decimal(extended.granted.count(), 0), 5};
    answer.pair("final", ok ? (extended.final ? "1" : "0") : "");
    answer.pair("validity",
                ok ? rating::format_decimal(extended.validity.count(), 0).view() : std::string_view{});
    answer.pair("charged", ok ? rating::format(extended.charged).view() : std::string_view{});
    answer.pair("level", seen_id(context, extended.level));
    answer.pair("dup", extended.duplicate);
}

}  // namespace tollgate::daemon::commands
