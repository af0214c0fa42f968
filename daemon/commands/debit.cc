#include <array>

#include "daemon/commands/commands.h"
#include "daemon/commands/payment.h"

namespace tollgate::daemon::commands {
namespace {

constexpr std::array<std::string_view, 3> kPositionals = {"party", "amount", "request"};

}  // namespace

void debit(Context& context, Words words, std::string& out) {
    std::array keywords = {Keyword{"MEMO"}, Keyword{"FORCE", true}};
    const auto& [memo_keyword, force] = keywords;
    Arguments arguments{words, kPositionals, keywords};
    const auto amount = arguments.amount("amount", arguments[1]);
    const auto request = request_id(arguments, 2);
    const auto memo = arguments.text(memo_keyword, kMemoBytesMax);
    if (arguments.refused(out)) return;
    const NotedMovement noted{context, "debitParty", arguments[0], amount, force.present};
    answer_payment(
        context.services.payments.debit(arguments[0], amount, force.present, {request, memo, context.now}),
        arguments.plain(), out);
}

}  // namespace tollgate::daemon::commands
