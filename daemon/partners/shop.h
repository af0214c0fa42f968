/// What is sold beside calls: packages at a price on every level, service plans, numbers, whole accounts, and
/// what renews them month after month. docs/partners.md tells it; balance/partner/sale.h has the postings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "balance/billing/period.h"
#include "balance/ledger.h"
#include "balance/partner/sale.h"
#include "daemon/catalog.h"
#include "daemon/partners/registry.h"
#include "daemon/payments.h"

namespace tollgate::daemon {

/// Why something is not sold.
struct ShopFault {
    enum class Kind : std::uint8_t {
        unknown,   ///< There is no such thing.
        conflict,  ///< Not as things stand: not spare, taken, ended, somebody else's.
        invalid,   ///< A field of the request.
    };
    Kind kind = Kind::invalid;
    std::string field;
    std::string message;
};

/// Any thread may call any member. Whatever sells or changes something requires that Registry::mutex is held,
/// and a balance::JointEvent of this thread, as every request has one.
///
/// Every sale is one transaction, done once for its request id; a repeat gets the same answer: its subject is
/// the id of what was sold.
class Shop {
  public:
    /// All must outlive this. It follows the books of the registry: nothing stands in them yet.
    Shop(Registry& registry, Catalog& catalog, Payments& payments, const balance::Ledger& ledger,
         balance::EventLog& events);
    Shop(const Shop&) = delete;
    Shop& operator=(const Shop&) = delete;

    struct Answer {
        PaymentAnswer payment;
        std::optional<ShopFault> fault{};            ///< Of PaymentCode::faulty.
        balance::PartyId level = balance::kNoParty;  ///< Of PaymentCode::credit_limit: who lacks it.
    };

    // ---- Prices ----

    /// Who pays whom for a package, the buyer first.
    struct Level {
        balance::PartyId payer = balance::kNoParty;
        balance::PartyId seller = balance::kNoParty;
        rating::Money price;
        rating::Money setup;
    };
    enum class Buyer : std::uint8_t {
        fresh,  ///< What is retired, or not offered any more, is not for him.
        known,  ///< He has it already, and it is renewed.
    };
    /// Empty, with the reason in `fault`, where somebody on the way does not sell it.
    [[nodiscard]] std::vector<Level> levels(const Package& package, balance::PartyId buyer, Buyer how,
                                            std::optional<ShopFault>& fault) const;
    /// What a customer may buy, at his price.
    struct Sold {
        Package package;
        rating::Money price;
        rating::Money setup;
    };
    [[nodiscard]] std::vector<Sold> sold_to(balance::PartyId customer) const;
    /// Whether it may be kept: who owns it, and that prices can be added up.
    [[nodiscard]] std::optional<ShopFault> fault_of(const Package& package) const;
    /// Whether the reseller may sell the package on like that.
    [[nodiscard]] std::optional<ShopFault> fault_of(const Offer& offer) const;

    // ---- Packages ----

    struct Activation {
        std::string_view package;
        std::string_view renewal = "suspend";
        bool automatic = true;
        /// What a gateway took for it; 0: the customer pays from his account. Paid online it is the
        /// provider's cash, everyone on the way has his margin of it on his balance, and nobody is charged.
        rating::Money paid_online{};
        /// Adds what else belongs to it to the joint event; empty: nothing.
        std::function<void(balance::JointEvent& joint)> also{};
    };
    [[nodiscard]] Answer activate(balance::PartyId customer, const Activation& wanted,
                                  const PaymentRequest& request);
    /// One more month at today's price: from the end of what is paid on, or from now on where that is over.
    [[nodiscard]] Answer renew(const Subscription& subscription, const PaymentRequest& request);

    // ---- Plans ----

    /// `plan`: name, users, cost_per_user, change_policy and renewal are given.
    [[nodiscard]] Answer add_plan(balance::PartyId customer, const ServicePlan& plan,
                                  const PaymentRequest& request);
    /// `wanted` is `plan` with what is to be changed of it, `asked` the change as it was sent. More users pay
    /// for the rest of the month, or come with the next one; fewer pay less from the next month on.
    [[nodiscard]] Answer change_plan(const ServicePlan& plan, ServicePlan wanted, std::string_view asked,
                                     const PaymentRequest& request);

    /// What a customer has and what each of it costs a month.
    struct PlanLine {
        std::string_view kind;  ///< `plan`, `number`, `package`.
        std::string id;
        std::string name;
        std::int64_t count = 1;
        rating::Money price;
        rating::Money charge;
    };
    [[nodiscard]] std::vector<PlanLine> monthly_lines(balance::PartyId customer) const;

    // ---- Numbers ----

    struct Assignment {
        std::string_view customer;
        std::string_view line{};
        std::string_view renewal = "suspend";
    };
    [[nodiscard]] Answer assign(std::string_view number, const Assignment& wanted,
                                const PaymentRequest& request);
    /// It is spare again. Adds it to the joint event.
    void give_back(PoolNumber number, Moment now);
    /// Whether nobody has it: its customer may be closed by now.
    [[nodiscard]] bool is_spare(const PoolNumber& number) const;

    // ---- Whole accounts ----

    /// A customer with all that he begins with.
    struct Account {
        std::vector<PartyDraft> drafts;  ///< The customer, whose parent is there, and his lines.
        std::vector<Profile> profiles;   ///< Those with an id are kept.
        rating::Money credit;            ///< As his reseller's refill_policy says; 0: none.
        std::optional<ServicePlan> plan{};
        struct Number {
            std::string id;
            std::string line;
            std::string renewal;
        };
        std::vector<Number> numbers{};
        std::vector<BundleDraft> bundles{};
    };
    /// All of it in one transaction, and the draft is gone. The subject is the customer's id.
    [[nodiscard]] Answer open(const Account& account, std::string_view draft, std::uint64_t fingerprint,
                              const PaymentRequest& request);
    /// The id of a draft that is about to be made.
    [[nodiscard]] std::string next_draft_id() const;

    // ---- From time to time ----

    /// Renews what is due. How many were looked at. Takes Registry::mutex and makes joint events itself.
    std::size_t renew_due(Moment now);
    /// When the next is due; kNever where there is none. Any thread.
    [[nodiscard]] rating::Instant next_renewal() const;

    /// Those of a customer, in the order of their ids.
    [[nodiscard]] std::vector<Subscription> subscriptions_of(std::string_view customer) const;
    [[nodiscard]] std::vector<ServicePlan> plans_of(std::string_view customer) const;
    [[nodiscard]] std::vector<PoolNumber> numbers_of(std::string_view customer) const;

  private:
    enum class Kind : std::uint8_t { subscription, plan, number };
    using Key = std::pair<Kind, std::string>;
    struct Cart;

    /// An empty one of a customer who is there.
    [[nodiscard]] Cart cart_of(balance::PartyId customer) const;
    [[nodiscard]] balance::PartyId seller_above(balance::PartyId party) const noexcept;
    /// The nearest reseller or provider that `party` is or stands below.
    [[nodiscard]] balance::PartyId seller_at(balance::PartyId party) const noexcept;
    [[nodiscard]] bool is_open_customer(balance::PartyId party) const noexcept;
    [[nodiscard]] const std::string& name_of(balance::PartyId party) const;
    [[nodiscard]] balance::CommissionPolicy policy_of(balance::PartyId seller) const;
    void pay(Cart& cart, balance::PartyId payer, balance::PartyId first, balance::PartyId seller,
             rating::Money price) const;
    /// What a customer pays his own seller alone.
    void pay_seller(Cart& cart, rating::Money price) const;
    void put_credit(Cart& cart, rating::Money credit) const;
    void pay_online(Cart& cart) const;
    [[nodiscard]] PaymentCode finish(Cart& cart, balance::Transaction& transaction,
                                     std::vector<balance::Ledger::Funds>& funds) const;
    [[nodiscard]] Answer sell(Cart& cart, balance::TransactionKind kind, std::uint64_t fingerprint,
                              const PaymentRequest& request, const std::function<void(Cart&)>& fill);
    [[nodiscard]] bool put_package(Cart& cart, const Package& package, Subscription& subscription, Buyer how,
                                   Moment now);
    void put_plan(Cart& cart, ServicePlan plan, std::size_t lines, Moment now);
    void put_number(Cart& cart, std::string_view id, const Assignment& wanted,
                    std::span<const PartyDraft> fresh_lines, Moment now);

    [[nodiscard]] balance::Period month_at(std::string_view time_zone, rating::Instant anchor,
                                           rating::Instant moment) const;
    [[nodiscard]] Answer renew_plan(ServicePlan plan, const PaymentRequest& request);
    [[nodiscard]] Answer renew_number(PoolNumber number, const PaymentRequest& request);
    void renew_one(const Key& key, Moment now);
    void lapse(const Key& key, Moment now);
    void plan_renewal(const Key& key, std::optional<rating::Instant> at);

    Registry& registry_;
    Catalog& catalog_;
    Payments& payments_;
    const balance::Ledger& ledger_;
    balance::EventLog& events_;
    const balance::PartyTable& parties_;

    mutable std::mutex index_mutex_;                                           // For all below: a leaf.
    std::map<std::string, std::set<std::string>, std::less<>> subscriptions_;  // By customer, as the next.
    std::map<std::string, std::set<std::string>, std::less<>> plans_;
    std::map<std::string, std::set<std::string>, std::less<>> numbers_;
    std::map<std::string, std::int64_t, std::less<>> users_;  // Of customers with a plan.
    // A plan's name is used up: by seller and name, the customer.
    std::map<std::pair<std::string, std::string>, std::string> plan_names_;
    std::set<std::pair<rating::Instant, Key>> due_;
    std::map<Key, rating::Instant> due_at_;
    std::uint64_t subscription_last_ = 0;
    std::uint64_t plan_last_ = 0;
    std::uint64_t draft_last_ = 0;
};

}  // namespace tollgate::daemon
