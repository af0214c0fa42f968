/// What TOPUP, DEBIT and REFUND have in common.
#pragma once

#include <string>
#include <string_view>

#include "daemon/commands/arguments.h"
#include "daemon/payments.h"

namespace tollgate::daemon::commands {

/// The request id that stands there; a fault where it is none.
[[nodiscard]] std::string_view request_id(Arguments& arguments, std::size_t positional);

void answer_payment(const PaymentAnswer& payment, bool plain, std::string& out);

}  // namespace tollgate::daemon::commands
