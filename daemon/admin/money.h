/// Money outside calls, `/v1/parties/{id}/topups` and its neighbours, and the thresholds that were crossed.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "daemon/admin/router.h"
#include "daemon/admin/services.h"
#include "daemon/partners/sales.h"

namespace tollgate::daemon::admin {

struct MoneyFields;

// What whoever moves money answers with.

/// 400 for a request without an Idempotency-Key.
[[nodiscard]] std::optional<Response> refusal_of_key(const Request& request);
/// Its key, in the scope of whoever sends it.
[[nodiscard]] PaymentRequest request_of(const Services& services, const Request& request,
                                        std::string_view memo = {});
/// 422 with what a service found.
[[nodiscard]] Response refusal_of(std::span<const Fault> faults);
/// 201 with the transaction, or why not. `id` is the party's in the path.
[[nodiscard]] Response answer_of(const PaymentAnswer& answer, std::string_view id);

/// Any thread may call any member. Every operation is carried out once for an Idempotency-Key: 201 with its
/// transaction; 400 without a key; 402 more than may be taken; 404 no such party; 409 the key stands for
/// something else; 422 a faulty field; 503.
class MoneyResource {
  public:
    explicit MoneyResource(Services services)
        : services_(std::move(services)),
          sales_(services_.catalog, services_.payments, services_.registry, services_.ledger) {}

    [[nodiscard]] Response top_up(const Request& request, std::string_view id) const;
    [[nodiscard]] Response debit(const Request& request, std::string_view id) const;
    [[nodiscard]] Response adjust(const Request& request, std::string_view id) const;
    /// 422 too where the two have different sellers or currencies.
    [[nodiscard]] Response transfer(const Request& request, std::string_view id) const;
    [[nodiscard]] Response pay_out(const Request& request, std::string_view id) const;
    /// 404 too where the party has no such record or payment; 409 too where it cannot be refunded so far.
    [[nodiscard]] Response refund(const Request& request, std::string_view id) const;

    /// What somebody paid, told of the party in the path or of the one that the body names: the same
    /// operation. 402 where the distributor who collected it would owe more than he may.
    [[nodiscard]] Response record_payment(const Request& request, std::string_view id) const;
    [[nodiscard]] Response record_payment_of(const Request& request) const;
    /// 402 beyond the reseller's limits.
    [[nodiscard]] Response refill(const Request& request, std::string_view id) const;
    [[nodiscard]] Response assign_distributor(const Request& request, std::string_view id) const;

    /// 200 with the events after a number, the oldest first, and where the next page begins.
    [[nodiscard]] Response threshold_events(const Request& request) const;

  private:
    template <typename Table>
    [[nodiscard]] Response record_by(const Request& request, std::string_view id, const Table& table) const;
    [[nodiscard]] Response record(const Request& request, std::string_view id,
                                  const MoneyFields& fields) const;
    [[nodiscard]] bool sells_to(const Actor& actor, balance::PartyId party) const;

    Services services_;
    mutable Sales sales_;
};

}  // namespace tollgate::daemon::admin
