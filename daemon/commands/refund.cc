#include <array>

#include "daemon/commands/commands.h"
#include "daemon/commands/payment.h"
#include "daemon/commands/sender.h"

namespace tollgate::daemon::commands {
void refund(Context& context, Words words, std::string& out) {
    std::array keywords = {Keyword{"AMOUNT"}};
    static constexpr std::array<std::string_view, 2> kPositionals = {"record-or-request", "request"};
    Arguments arguments{words, kPositionals, keywords};
    const auto request = request_id(arguments, 1);
    RefundRequest refund;
    if (keywords[0].present) refund.amount = arguments.amount("amount", keywords[0].value);
    refund.of = arguments[0];
    if (refund.of.empty()) arguments.fault("record-or-request", {}, "missing; expected r-… or a request id");
    if (arguments.refused(out)) return;
    if (const Asker asker = asker_of(context); asker.confined) {
        if (asker.under == balance::kNoParty)
            return answer_payment({.code = PaymentCode::unknown_original}, arguments.plain(), out);
        refund.asker = context.services.catalog.parties().get(asker.under).id;
    }
    Payments& payments = context.services.payments;
    const PaymentRequest payment = payment_of(context, request, {});
    const NotedMovement noted{context,
                              {.operation = "refund",
                               .party = seen_id(context, payments.payer_of(refund, payment)),
                               .amount = refund.amount,
                               .of = refund.of}};
    answer_payment(payments.refund(refund, payment), arguments.plain(), out);
}

}  // namespace tollgate::daemon::commands
