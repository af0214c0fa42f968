/// Payments through a gateway: somebody means to pay, goes to the gateway, and the gateway says what became
/// of it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/partners/payment_gateway.h"
#include "daemon/partners/sales.h"

namespace tollgate::daemon {

/// What an order of a package is to online payments.
struct Orders {
    /// What a customer pays for it, activation included; nullopt: it is not for sale to him.
    std::function<std::optional<rating::Money>(std::string_view customer, std::string_view package)> price;
    /// Pays and delivers it in one transaction: the provider's cash, what everyone on the way earns, and the
    /// records, with what `also` adds. The order charges nobody again. Registry::mutex is held.
    std::function<PaymentAnswer(std::string_view customer, std::string_view package, rating::Money paid,
                                const PaymentRequest& request,
                                const std::function<void(balance::JointEvent&)>& also)>
        deliver;
};

/// Any thread may call any member. Needs a balance::JointEvent of this thread.
class OnlinePayments {
  public:
    using Gateways = std::vector<std::shared_ptr<const PaymentGateway>>;

    /// The references must outlive this. Without gateways nothing is paid online.
    OnlinePayments(Catalog& catalog, Payments& payments, Registry& registry, balance::EventLog& events,
                   Sales sales, Gateways gateways, Orders orders = {})
        : catalog_(catalog),
          payments_(payments),
          registry_(registry),
          events_(events),
          sales_(sales),
          gateways_(std::move(gateways)),
          orders_(std::move(orders)) {}

    /// nullptr: there is none of that name. Empty: the first one.
    [[nodiscard]] const PaymentGateway* gateway(std::string_view name) const noexcept;

    // ---- Meaning to pay ----

    /// An open intent is shown as expired after this. What is paid all the same counts.
    static constexpr std::chrono::hours kIntentLife{24};

    struct Begun {
        PaymentAnswer payment;
        std::vector<Fault> faults{};
        std::optional<PaymentIntent> intent{};
    };
    /// `draft` has party, amount (0: the price of what is ordered), gateway, purpose, package and memo.
    /// Requires: a gateway of that name.
    [[nodiscard]] Begun begin(PaymentIntent draft, const PaymentRequest& request);
    /// As it is at a moment.
    [[nodiscard]] std::optional<PaymentIntent> find(std::string_view id, rating::Instant now) const;

    // ---- What the gateway says ----

    enum class Outcome : std::uint8_t {
        done,
        unknown,    ///< There is no such intent of this gateway.
        differs,    ///< Another amount or currency than the intent's, or it was paid by another reference, or
                    ///< the reference paid for another intent.
        impossible  ///< It cannot be put on the account now: `code` says why.
    };
    struct Settled {
        Outcome outcome = Outcome::done;
        PaymentCode code = PaymentCode::ok;
        std::string state{};  ///< The intent's.
        bool duplicate = false;
    };
    [[nodiscard]] Settled settle(const PaymentGateway& gateway, const GatewayNotice& notice, Moment now);

  private:
    Catalog& catalog_;
    Payments& payments_;
    Registry& registry_;
    balance::EventLog& events_;
    Sales sales_;
    Gateways gateways_;
    Orders orders_;
};

}  // namespace tollgate::daemon
