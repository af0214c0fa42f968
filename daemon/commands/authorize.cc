#include <array>
#include <optional>

#include "daemon/commands/answer.h"
#include "daemon/commands/arguments.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/sender.h"
#include "daemon/commands/words.h"

namespace tollgate::daemon::commands {
namespace {

constexpr std::size_t kPairs = 10;

}  // namespace

void authorize(Context& context, Words words, std::string& out) {
    std::array keywords = {Keyword{"WANT"},   Keyword{"FROM"},          Keyword{"AT"},
                           Keyword{"SWITCH"}, Keyword{"EXPLAIN", true}, Keyword{"SERVICE"}};
    const auto& [want, from, at, switch_name, explain, service] = keywords;
    static constexpr std::array<std::string_view, 3> kPositionals = {"line", "destination", "session"};
    Arguments arguments{words, kPositionals, keywords};
    AuthorizeRequest request;
    request.line = arguments[0];
    request.destination = arguments[1];
    const balance::SessionKey own = key_of(context, arguments[2]);
    const balance::SessionKey orphan{{}, arguments[2]};
    // Nobody gets a call that goes on already once more.
    const bool goes_on = is_orphan(context, arguments[2]) && !context.services.sessions.claim(own.view());
    request.session = goes_on ? orphan.view() : own.view();
    request.want = arguments.grant(want);
    request.from = from.value;
    request.service = arguments.service(service);
    request.at = arguments.instant(at);
    request.asker = asker_of(context);
    request.switch_name =
        switch_name.present ? arguments.text(switch_name, kSwitchNameBytesMax) : request.asker.name;
    request.explain = explain.present;
    if (arguments.refused(out) || refused_as_old(context, request.at, out)) return;

    AuthorizeAnswer decision = context.services.charging.authorize(request, context.now);
    if (answered_as_error(decision.code, out)) return;
    const auto& parties = context.services.catalog.parties();
    const bool granted = decision.granted_any();
    leave_out_unseen(context, decision.derivation);
    if (granted) {
        WorkerCounters::add(context.counters.granted);
    } else {
        context.counters.add_refusal(decision.code, decision.reason);
    }
    if (decision.duplicate) WorkerCounters::add(context.counters.repeated);

    Answer answer{out, arguments.plain(), text_of(decision.code),
                  rating::format_decimal(decision.granted.count(), 0),
                  kPairs + (request.explain ? pairs_of(decision.derivation) : 0)};
    const bool known = decision.customer != balance::kNoParty;
    // Who is let see a line alone is told what its calls cost, as by QUOTE, but not what its customer has.
    const bool sees_customer = sees(context, decision.customer);
    const auto if_granted = [granted](auto value) { return granted ? std::optional{value} : std::nullopt; };
    answer.pair("final", if_granted(decision.final));
    answer.pair("validity", if_granted(decision.validity.count()));
    answer.pair("level", seen_id(context, decision.level));
    answer.pair("reason", text_of(decision.reason));
    answer.pair("price", decision.price);
    answer.pair("held", if_granted(decision.held));
    answer.pair("available", sees_customer ? std::optional{decision.available} : std::nullopt);
    answer.pair("currency", known ? parties.get(decision.customer).currency.view() : std::string_view{});
    answer.pair("number", decision.number.view());
    answer.pair("dup", decision.duplicate);
    if (request.explain) write_derivation(answer, decision.derivation);
}

}  // namespace tollgate::daemon::commands
