/// Gateways through which people pay online: what tollgate wants of one, whatever it is.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "daemon/partners/payment_intent.h"
#include "rating/money.h"
#include "rating/tariff.h"

namespace tollgate::daemon {

/// What a gateway says became of a payment.
struct GatewayNotice {
    std::string intent;     ///< The intent's id, which the gateway was given with it.
    std::string reference;  ///< The gateway's own, one for each payment; 1 to kReferenceBytesMax.
    bool paid = false;      ///< Else it failed.
    rating::Money amount;
    rating::Currency currency;
};

inline constexpr std::size_t kReferenceBytesMax = 200;

/// An adapter for one gateway. Any thread may call any member; none of them waits for anything.
class PaymentGateway {
  public:
    PaymentGateway() = default;
    PaymentGateway(const PaymentGateway&) = delete;
    PaymentGateway& operator=(const PaymentGateway&) = delete;
    virtual ~PaymentGateway() = default;

    /// As it stands in paths and records.
    [[nodiscard]] virtual std::string_view name() const noexcept = 0;
    /// Where the payer goes to pay; empty: nowhere.
    [[nodiscard]] virtual std::string url_of(const PaymentIntent& intent) const = 0;
    /// Whether this gateway signed the body.
    [[nodiscard]] virtual bool is_signed(std::string_view signature, std::string_view body) const = 0;
    /// What a body says; nullopt: nothing that this gateway says.
    [[nodiscard]] virtual std::optional<GatewayNotice> read(std::string_view body) const = 0;
};

}  // namespace tollgate::daemon
