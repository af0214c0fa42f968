#include <array>

#include "daemon/commands/commands.h"
#include "daemon/commands/payment.h"

namespace tollgate::daemon::commands {
void topup(Context& context, Words words, std::string& out) {
    std::array keywords = {Keyword{"MEMO"}};
    static constexpr std::array<std::string_view, 3> kPositionals = {"party", "amount", "request"};
    Arguments arguments{words, kPositionals, keywords};
    const auto amount = arguments.amount("amount", arguments[1]);
    const auto request = request_id(arguments, 2);
    const auto memo = arguments.text(keywords[0], kMemoBytesMax);
    if (arguments.refused(out) || refused_money_of(context, arguments[0], arguments.plain(), out)) return;
    const NotedMovement noted{context, {.operation = "topUpParty", .party = arguments[0], .amount = amount}};
    answer_payment(context.services.payments.top_up(arguments[0], amount, payment_of(context, request, memo)),
                   arguments.plain(), out);
}

}  // namespace tollgate::daemon::commands
