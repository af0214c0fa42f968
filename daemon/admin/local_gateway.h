/// A gateway for trying things out: whoever knows its secret says what was paid.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "daemon/partners/payment_gateway.h"

namespace tollgate::daemon::admin {

/// Its callbacks are `{"intent","reference","state","amount","currency"}` with `state` `paid` or `failed`,
/// and their header `X-Signature` is the HMAC-SHA256 of the body, in hexadecimal.
class LocalGateway final : public PaymentGateway {
  public:
    /// `url`: a page that payers are sent to, with the intent's id behind it; empty: none.
    explicit LocalGateway(std::string secret, std::string url = {})
        : secret_(std::move(secret)), url_(std::move(url)) {}

    [[nodiscard]] std::string_view name() const noexcept override { return "local"; }
    [[nodiscard]] std::string url_of(const PaymentIntent& intent) const override;
    [[nodiscard]] bool is_signed(std::string_view signature, std::string_view body) const override;
    [[nodiscard]] std::optional<GatewayNotice> read(std::string_view body) const override;

  private:
    std::string secret_;
    std::string url_;
};

}  // namespace tollgate::daemon::admin
