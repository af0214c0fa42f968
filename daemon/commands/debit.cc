#include <array>

#include "daemon/commands/commands.h"
#include "daemon/commands/payment.h"
#include "daemon/commands/sender.h"
#include "protocol/resp_writer.h"

namespace tollgate::daemon::commands {
void debit(Context& context, Words words, std::string& out) {
    std::array keywords = {Keyword{"MEMO"}, Keyword{"FORCE", true}};
    const auto& [memo_keyword, force] = keywords;
    static constexpr std::array<std::string_view, 3> kPositionals = {"party", "amount", "request"};
    Arguments arguments{words, kPositionals, keywords};
    const auto amount = arguments.amount("amount", arguments[1]);
    const auto request = request_id(arguments, 2);
    const auto memo = arguments.text(memo_keyword, kMemoBytesMax);
    if (arguments.refused(out)) return;
    if (force.present && !is_admin(context.client))
        return protocol::RespWriter{out}.error(
            "NOPERM FORCE: only an administrator takes more than is available");
    if (refused_money_of(context, arguments[0], arguments.plain(), out)) return;
    const NotedMovement noted{
        context,
        {.operation = "debitParty", .party = arguments[0], .amount = amount, .force = force.present}};
    answer_payment(context.services.payments.debit(arguments[0], amount, force.present,
                                                   payment_of(context, request, memo)),
                   arguments.plain(), out);
}

}  // namespace tollgate::daemon::commands
