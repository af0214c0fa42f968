/// Money outside calls, `/v1/parties/{id}/topups` and its neighbours, and the thresholds that were crossed.
#pragma once

#include <string_view>
#include <utility>

#include "daemon/admin/router.h"
#include "daemon/admin/services.h"

namespace tollgate::daemon::admin {

/// Any thread may call any member. Every operation is carried out once for an Idempotency-Key: 201 with its
/// transaction; 400 without a key; 402 more than may be taken; 404 no such party; 409 the key stands for
/// something else; 422 a faulty field; 503.
class MoneyResource {
  public:
    explicit MoneyResource(Services services) : services_(std::move(services)) {}

    [[nodiscard]] Response top_up(const Request& request, std::string_view id) const;
    [[nodiscard]] Response debit(const Request& request, std::string_view id) const;
    [[nodiscard]] Response adjust(const Request& request, std::string_view id) const;
    /// 422 too where the two have different sellers or currencies.
    [[nodiscard]] Response transfer(const Request& request, std::string_view id) const;
    [[nodiscard]] Response pay_out(const Request& request, std::string_view id) const;
    /// 404 too where the party has no such record or payment; 409 too where it cannot be refunded so far.
    [[nodiscard]] Response refund(const Request& request, std::string_view id) const;

    /// 200 with the events after a number, the oldest first, and where the next page begins.
    [[nodiscard]] Response threshold_events(const Request& request) const;

  private:
    Services services_;
};

}  // namespace tollgate::daemon::admin
