/// Money that passes through those who sell: payments that are recorded, accounts that distributors sell,
/// refills by resellers. docs/money.md has the postings.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "balance/billing/currency.h"
#include "balance/event_log.h"
#include "balance/ledger.h"
#include "daemon/catalog.h"
#include "daemon/partners/profile.h"
#include "daemon/partners/registry.h"
#include "daemon/payments.h"
#include "rating/money.h"
#include "rating/percent.h"

namespace tollgate::daemon {

/// Any thread may call any member. Each operation is one transaction, done once for its request id; a repeat
/// gets the same answer. Needs a balance::JointEvent of this thread, as every request has one.
class Sales {
  public:
    /// All must outlive this.
    Sales(Catalog& catalog, Payments& payments, Registry& registry, const balance::Ledger& ledger)
        : catalog_(catalog), payments_(payments), registry_(registry), ledger_(ledger) {}

    struct Answer {
        PaymentAnswer payment;
        std::vector<Fault> faults{};  ///< Of PaymentCode::faulty: what is wrong with the arguments.
        std::optional<rating::Money> commission{};  ///< What somebody earned by it; nullopt: nobody did.
        std::optional<rating::Money> owed{};        ///< By the distributor who collected it, afterwards.
        std::string collected_by{};                 ///< That distributor, or empty.
    };

    // ---- A distributor sells an account ----

    struct Sale {
        std::string_view distributor;
        /// The customer first, whose parent is the distributor, then his lines. They are checked as any
        /// others.
        std::span<const PartyDraft> drafts;
        rating::Money opening{};  ///< Paid to the distributor in cash; 0: no money passes, no commission.
        /// Instead of the distributor's own `sales_commission`: a quick form's.
        std::optional<rating::Percent> commission{};
        /// Adds what else belongs to the account (profiles) to the joint event. Called once, where the sale
        /// goes through as far as can be seen then; empty: nothing.
        std::function<void(balance::JointEvent& joint)> also{};
    };
    /// The account and its money, or neither: `credit_limit` where he would owe more than he may, `suspended`
    /// where he is. `fingerprint` is of the arguments as given. Requires: Registry::mutex is held.
    /// payment.subject is the customer's id, also where it is a duplicate.
    [[nodiscard]] Answer sell(const Sale& sale, std::uint64_t fingerprint, const PaymentRequest& request);

    // ---- Payments ----

    struct Payment {
        std::string_view party;
        rating::Money amount;             ///< In the party's currency.
        std::string_view method{};        ///< `cash`, `bank`, …: in the operator's own words.
        std::string_view collected_by{};  ///< A distributor who sells to the party; empty: its seller.
        /// What was paid, where that was in another currency, and what one unit of it was worth in the
        /// party's. Both or none.
        std::optional<rating::Money> paid{};
        std::optional<balance::ExchangeRate> rate{};
    };
    /// Lifts `overdue` and `limit`.
    [[nodiscard]] Answer record_payment(const Payment& payment, const PaymentRequest& request);

    /// Puts money on the account of a reseller's customer, as the reseller's refill_policy says.
    [[nodiscard]] Answer refill(std::string_view customer, rating::Money amount,
                                const PaymentRequest& request);

    /// From now on the distributor sells to this customer; he is charged for the balance that nobody was
    /// charged for, once.
    [[nodiscard]] Answer assign_distributor(std::string_view customer, std::string_view distributor,
                                            const PaymentRequest& request);

    /// Whether his seller may put only so much on a customer's account, or only his own money.
    [[nodiscard]] bool refills_are_limited(balance::PartyId customer) const;

    /// Of a payment that came in by another way (a gateway): who earns a commission of it, and the postings.
    /// Requires: Registry::mutex is held.
    [[nodiscard]] PaymentCode post_payment(std::string_view party, rating::Money amount,
                                           balance::Transaction& transaction) const;

  private:
    [[nodiscard]] balance::PartyId account(std::string_view party) const noexcept;
    [[nodiscard]] PaymentCode check_distributor(balance::PartyId distributor) const noexcept;
    [[nodiscard]] bool sells_to(balance::PartyId distributor, balance::PartyId customer,
                                const std::optional<Profile>& profile) const noexcept;
    /// What a transaction says of itself, also a repeated one.
    [[nodiscard]] Answer answer_of(PaymentAnswer&& payment, std::vector<Fault>&& faults) const;

    Catalog& catalog_;
    Payments& payments_;
    Registry& registry_;
    const balance::Ledger& ledger_;
};

/// What a reseller's customers have between them, each that has something; with `more` for one of them, if
/// any.
[[nodiscard]] rating::Money money_of_customers(const balance::PartyTable& parties, balance::PartyId reseller,
                                               balance::PartyId customer = balance::kNoParty,
                                               rating::Money more = {}) noexcept;

/// Whether a reseller's refills move his own money. `policy` is his profile's refill_policy.
[[nodiscard]] bool refills_by_transfer(std::string_view policy, balance::Terms terms) noexcept;

/// Has each reseller's Party::credited_by_calls, and what is earned by calls, follow the profiles. Before
/// anything is put or applied; both must outlive each other.
void credit_refills(Registry& registry, const balance::PartyTable& parties);

}  // namespace tollgate::daemon
