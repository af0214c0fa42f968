#include <array>

#include "daemon/commands/answer.h"
#include "daemon/commands/arguments.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/sender.h"
#include "daemon/commands/words.h"
#include "protocol/resp_writer.h"

namespace tollgate::daemon::commands {
namespace {

/// Writes what is wrong with VIA, where something is.
bool via_refused(Code code, std::string_view via, std::string& out) {
    std::string expected;
    if (code == Code::via_unknown) expected = "no such tariff; expected one of a carrier";
    if (code == Code::via_other_currency) expected = "expected a tariff in the provider's currency";
    if (expected.empty()) return false;
    protocol::RespWriter{out}.error("BADARG via: \"" + std::string{via} + "\": " + expected);
    return true;
}

}  // namespace

void stop(Context& context, Words words, std::string& out) {
    std::array keywords = {Keyword{"AT"}, Keyword{"CAUSE"}, Keyword{"VIA"}, Keyword{"TAGS"}};
    const auto& [at, cause, via, tags] = keywords;
    static constexpr std::array<std::string_view, 2> kPositionals = {"session", "s"};
    Arguments arguments{words, kPositionals, keywords};
    StopRequest request;
    request.used = arguments.duration("s", arguments[1]);
    request.at = arguments.instant(at);
    request.cause = arguments.text(cause, kMemoBytesMax);
    request.via = arguments.text(via, balance::kIdBytesMax);
    request.tags = arguments.text(tags, kTagsBytesMax);
    request.asker = asker_of(context);
    if (arguments.refused(out) || refused_as_old(context, request.at, out)) return;
    // A carrier's tariff is the provider's, and so is the leg that it charges.
    const bool sees_carriers =
        !request.asker.confined || sees(context, context.services.catalog.parties().root());
    if (!request.via.empty() && !sees_carriers) {
        (void)via_refused(Code::via_unknown, request.via, out);
        return;
    }

    const StopAnswer stopped = on_session(context, arguments[0], [&](std::string_view session) {
        request.session = session;
        return context.services.charging.stop(request, context.now);
    });
    if (via_refused(stopped.code, request.via, out) || answered_as_error(stopped.code, out)) return;
    if (stopped.code == Code::ok && !stopped.duplicate) WorkerCounters::add(context.counters.ended);
    answer_stop(stopped, arguments.plain(), out);
}

}  // namespace tollgate::daemon::commands
