/// Payments through a gateway: what somebody means to pay, and what the gateway says of it.
#pragma once

#include <string_view>

#include "daemon/admin/router.h"
#include "daemon/admin/services.h"
#include "daemon/partners/online_payments.h"

namespace tollgate::daemon::admin {

/// Any thread may call any member.
class PaymentIntents {
  public:
    PaymentIntents(Services services, Orders orders);

    /// 201; 409 where there is no gateway.
    [[nodiscard]] Response create(const Request& request, std::string_view party) const;
    [[nodiscard]] Response get(const Request& request, std::string_view id) const;
    /// 200, again with `dup` for a repeat; 401 where the gateway did not sign it; 404 for an intent that is
    /// not its; 409 where it says something else than what was meant.
    [[nodiscard]] Response callback(const Request& request, std::string_view gateway) const;

  private:
    [[nodiscard]] Response shown(const PaymentIntent& intent, unsigned status) const;

    Services services_;
    mutable OnlinePayments online_;
};

}  // namespace tollgate::daemon::admin
