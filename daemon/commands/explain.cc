#include <array>

#include "daemon/commands/answer.h"
#include "daemon/commands/arguments.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/words.h"

namespace tollgate::daemon::commands {
namespace {

constexpr std::array<std::string_view, 1> kPositionals = {"session-or-record"};

}  // namespace

void explain(Context& context, Words words, std::string& out) {
    Arguments arguments{words, kPositionals, {}};
    if (arguments.refused(out)) return;
    Charging& charging = context.services.charging;
    ExplainAnswer explained = charging.explain(arguments[0]);
    if (explained.code == Code::unknown_session) {
        if (const auto record = parse_record_id(arguments[0]); record != 0)
            explained = charging.explain_record(record);
    }
    Answer answer{out, arguments.plain(), text_of(explained.code),
                  rating::format_decimal(explained.granted.count(), 0), pairs_of(explained.derivation)};
    write_derivation(answer, explained.derivation);
}

}  // namespace tollgate::daemon::commands
