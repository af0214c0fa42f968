#include <array>

#include "daemon/commands/commands.h"
#include "daemon/commands/payment.h"

namespace tollgate::daemon::commands {
namespace {

constexpr std::array<std::string_view, 2> kPositionals = {"record-or-request", "request"};

}  // namespace

void refund(Context& context, Words words, std::string& out) {
    std::array keywords = {Keyword{"AMOUNT"}};
    Arguments arguments{words, kPositionals, keywords};
    const auto request = request_id(arguments, 1);
    RefundRequest refund;
    if (keywords[0].present) refund.amount = arguments.amount("amount", keywords[0].value);
    refund.of = arguments[0];
    if (refund.of.empty()) arguments.fault("record-or-request", {}, "missing; expected r-… or a request id");
    if (arguments.refused(out)) return;
    const NotedMovement noted{context, "refund", {}, refund.amount.value_or(rating::Money{})};
    answer_payment(context.services.payments.refund(refund, {request, {}, context.now}), arguments.plain(),
                   out);
}

}  // namespace tollgate::daemon::commands
