#include "daemon/partners/sales.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <utility>

#include "balance/partner/commission.h"
#include "balance/partner/refill.h"

namespace tollgate::daemon {
namespace {

using balance::kNoParty;
using balance::Ledger;
using balance::Party;
using balance::PartyId;
using balance::PartyKind;
using balance::Posting;
using balance::PostingPlace;
using balance::Transaction;
using balance::TransactionKind;
using rating::Money;
using rating::Percent;

constexpr auto kLiftedByMoney =
    static_cast<std::uint8_t>(balance::Status::kOverdue | balance::Status::kLimit);

std::string text_of(Money amount) {
    return std::string{rating::format(amount).view()};
}

/// The first that says something.
Percent first_of(std::optional<Percent> first, std::optional<Percent> second,
                 std::optional<Percent> third = {}) noexcept {
    return first ? *first : second ? *second : third.value_or(Percent{});
}

std::optional<Percent> payment_commission_of(const std::optional<Profile>& profile) noexcept {
    return profile ? profile->payment_commission : std::nullopt;
}

std::optional<Percent> sales_commission_of(const std::optional<Profile>& profile) noexcept {
    return profile ? profile->sales_commission : std::nullopt;
}

/// What a distributor owes of an amount that he took, and his commission, which his seller gives. Nothing is
/// said of nothing.
void add_collection(Transaction& transaction, PartyId distributor, PartyId seller, rating::Currency currency,
                    const balance::CommissionSplit& split) {
    if (split.rest != Money{})
        transaction.postings.push_back({distributor, PostingPlace::balance, currency, -split.rest});
    if (split.commission != Money{})
        transaction.postings.push_back({seller, PostingPlace::commission, currency, -split.commission});
}

}  // namespace

Money money_of_customers(const balance::PartyTable& parties, PartyId reseller, PartyId customer,
                         Money more) noexcept {
    Money sum;
    for (PartyId at = parties.first_child(reseller); at != kNoParty;) {
        const Party& party = parties.get(at);
        if (party.kind == PartyKind::customer) {
            const Money balance = party.account.balance() + (at == customer ? more : Money{});
            sum = std::min(sum + std::max(balance, Money{}), rating::kBalanceMax);
        }
        // Distributors sell for him; whoever is below another reseller is that one's.
        at = party.kind == PartyKind::distributor ? parties.next_in_subtree(at, reseller)
                                                  : parties.next_beside(at, reseller);
    }
    return sum;
}

PartyId Sales::account(std::string_view party) const noexcept {
    const PartyId id = catalog_.parties().find(party);
    if (id == kNoParty) return kNoParty;
    const Party& found = catalog_.parties().get(id);
    return found.has_account() && !found.status().closed() ? id : kNoParty;
}

/// A suspended distributor's sales stop with his logins.
PaymentCode Sales::check_distributor(PartyId distributor) const noexcept {
    return catalog_.parties().get(distributor).status().active() ? PaymentCode::ok : PaymentCode::suspended;
}

bool Sales::sells_to(PartyId distributor, PartyId customer,
                     const std::optional<Profile>& profile) const noexcept {
    const auto& parties = catalog_.parties();
    if (parties.get(distributor).kind != PartyKind::distributor) return false;
    return parties.get(customer).parent == distributor ||
           (profile && profile->distributor == parties.get(distributor).id);
}

Sales::Answer Sales::answer_of(PaymentAnswer&& payment, std::vector<Fault>&& faults) const {
    Answer answer{.payment = std::move(payment), .faults = std::move(faults)};
    if (answer.payment.code != PaymentCode::ok) return answer;
    const auto done = payments_.transactions().find(answer.payment.transaction);
    if (done == nullptr) return answer;
    if (done->postings.empty()) answer.payment.transaction = 0;
    const auto& parties = catalog_.parties();
    for (const Posting& posting : done->postings) {
        if (posting.place == PostingPlace::commission) {
            answer.commission = answer.commission.value_or(Money{}) - posting.amount;
        } else if (posting.place == PostingPlace::balance && posting.amount < Money{} &&
                   parties.get(posting.party).kind == PartyKind::distributor) {
            answer.collected_by = parties.get(posting.party).id;
            answer.owed = std::max(-posting.after, Money{});
            answer.commission = answer.commission.value_or(Money{});
        }
    }
    return answer;
}

// ---- A distributor sells an account ----

Sales::Answer Sales::sell(const Sale& sale, std::uint64_t fingerprint, const PaymentRequest& request) {
    std::vector<Fault> faults;
    const auto fault = [&faults](std::string field, std::string message) {
        faults.push_back({.field = std::move(field), .message = std::move(message)});
        return PaymentCode::faulty;
    };
    const auto decide = [&](Transaction& transaction, std::vector<Ledger::Funds>&) {
        const auto& parties = catalog_.parties();
        const PartyId distributor = account(sale.distributor);
        if (distributor == kNoParty || parties.get(distributor).kind != PartyKind::distributor)
            return fault("distributor", "no such distributor");
        if (const PaymentCode code = check_distributor(distributor); code != PaymentCode::ok) return code;
        if (sale.drafts.empty() || sale.drafts[0].kind != PartyKind::customer ||
            sale.drafts[0].parent != sale.distributor)
            return fault("parent", "expected a customer of the distributor");
        const rating::Currency currency = parties.get(distributor).currency;
        if (sale.drafts[0].currency && !(*sale.drafts[0].currency == currency))
            return fault("currency", "expected the distributor's, " + std::string{currency.view()});
        balance::JointEvent& joint = *balance::JointEvent::current();
        const auto customer = static_cast<PartyId>(parties.size());
        faults = catalog_.add(sale.drafts, request.now, joint);
        if (!faults.empty()) return PaymentCode::faulty;
        if (sale.also) sale.also(joint);
        transaction.subject = sale.drafts[0].id;
        if (sale.opening == Money{}) return PaymentCode::ok;
        const auto profile = registry_.profiles.find(sale.distributor);
        const Percent percent = first_of(sale.commission, sales_commission_of(profile));
        transaction.postings.push_back({customer, PostingPlace::balance, currency, sale.opening});
        add_collection(transaction, distributor, ledger_.seller_of(distributor), currency,
                       balance::split_commission(sale.opening, percent));
        return PaymentCode::ok;
    };
    auto payment = payments_.transact(TransactionKind::sale, fingerprint, request, decide);
    return answer_of(std::move(payment), std::move(faults));
}

// ---- Payments ----

PaymentCode Sales::post_payment(std::string_view party, Money amount, Transaction& transaction) const {
    const PartyId payer = account(party);
    if (payer == kNoParty) return PaymentCode::unknown_account;
    const auto& parties = catalog_.parties();
    const rating::Currency currency = parties.get(payer).currency;
    const PartyId seller = ledger_.seller_of(payer);
    transaction.lifted = kLiftedByMoney;
    transaction.postings = {{payer, PostingPlace::balance, currency, amount},
                            {seller, PostingPlace::cash, currency, -amount}};
    // An agent: he sells for a commission, and earns one of what his customers pay.
    const Party& agent = parties.get(seller);
    if (parties.get(payer).kind != PartyKind::customer || agent.kind != PartyKind::reseller ||
        agent.terms != balance::Terms::commission || !(agent.currency == currency) || agent.status().closed())
        return PaymentCode::ok;
    const Percent percent = first_of(payment_commission_of(registry_.profiles.find(party)),
                                     payment_commission_of(registry_.profiles.find(agent.id)));
    const Money commission = balance::split_commission(amount, percent).commission;
    if (commission == Money{}) return PaymentCode::ok;
    transaction.postings.push_back({seller, PostingPlace::balance, currency, commission});
    transaction.postings.push_back(
        {ledger_.seller_of(seller), PostingPlace::commission, currency, -commission});
    return PaymentCode::ok;
}

Sales::Answer Sales::record_payment(const Payment& payment, const PaymentRequest& request) {
    const std::lock_guard lock{registry_.mutex};
    std::vector<Fault> faults;
    const auto fault = [&faults](std::string field, std::string message) {
        faults.push_back({.field = std::move(field), .message = std::move(message)});
        return PaymentCode::faulty;
    };
    const auto collect = [&](Transaction& transaction) {
        const auto& parties = catalog_.parties();
        const PartyId payer = account(payment.party);
        const PartyId distributor = account(payment.collected_by);
        const auto profile = registry_.profiles.find(payment.party);
        if (distributor == kNoParty || !sells_to(distributor, payer, profile))
            return fault("collected_by", "expected a distributor who sells to the party");
        if (const PaymentCode code = check_distributor(distributor); code != PaymentCode::ok) return code;
        const rating::Currency currency = parties.get(payer).currency;
        if (!(parties.get(distributor).currency == currency))
            return fault("collected_by", "has another currency than the party");
        if (payment.rate) return fault("paid_currency", "a distributor collects in the party's currency");
        const Percent percent =
            first_of(payment_commission_of(profile),
                     payment_commission_of(registry_.profiles.find(payment.collected_by)));
        transaction.lifted = kLiftedByMoney;
        transaction.postings = {{payer, PostingPlace::balance, currency, payment.amount}};
        add_collection(transaction, distributor, ledger_.seller_of(distributor), currency,
                       balance::split_commission(payment.amount, percent));
        return PaymentCode::ok;
    };
    const auto exchange = [&](Transaction& transaction) {
        Posting& cash = transaction.postings[1];
        if (!(payment.rate->price() == cash.currency))
            return fault("paid_currency", "expected another than the party's own, which needs no rate");
        const auto worth = payment.rate->convert(*payment.paid, payment.rate->unit());
        if (!worth || *worth != payment.amount) {
            return fault("amount", "expected what was paid at that rate" +
                                       (worth ? ", \"" + text_of(*worth) + '"' : std::string{}));
        }
        // The seller has what was paid, and his exchange account both sides of it.
        cash.place = PostingPlace::exchange;
        const PartyId seller = cash.party;
        transaction.postings.push_back({seller, PostingPlace::exchange, payment.rate->unit(), *payment.paid});
        transaction.postings.push_back({seller, PostingPlace::cash, payment.rate->unit(), -*payment.paid});
        return PaymentCode::ok;
    };
    const auto decide = [&](Transaction& transaction, std::vector<Ledger::Funds>&) {
        if (account(payment.party) == kNoParty) return PaymentCode::unknown_account;
        transaction.subject = payment.method;
        if (!payment.collected_by.empty()) return collect(transaction);
        const PaymentCode code = post_payment(payment.party, payment.amount, transaction);
        return code == PaymentCode::ok && payment.rate ? exchange(transaction) : code;
    };
    const std::string amount = text_of(payment.amount);
    const std::string paid = payment.paid ? text_of(*payment.paid) : std::string{};
    const std::string rate =
        payment.rate ? std::string{payment.rate->unit().view()} + std::to_string(payment.rate->nanos())
                     : std::string{};
    const std::array<std::string_view, 8> arguments = {
        "payment", payment.party, amount, payment.method, payment.collected_by, paid, rate, request.memo};
    auto done =
        payments_.transact(TransactionKind::payment, Payments::fingerprint(arguments), request, decide);
    return answer_of(std::move(done), std::move(faults));
}

Sales::Answer Sales::refill(std::string_view customer, Money amount, const PaymentRequest& request) {
    const std::lock_guard lock{registry_.mutex};
    std::vector<Fault> faults;
    const auto fault = [&faults](std::string field, std::string message) {
        faults.push_back({.field = std::move(field), .message = std::move(message)});
        return PaymentCode::faulty;
    };
    const auto decide = [&](Transaction& transaction, std::vector<Ledger::Funds>& funds) {
        const auto& parties = catalog_.parties();
        const PartyId party = account(customer);
        if (party == kNoParty) return PaymentCode::unknown_account;
        const PartyId seller = ledger_.seller_of(party);
        const Party& reseller = parties.get(seller);
        if (parties.get(party).kind != PartyKind::customer || reseller.kind != PartyKind::reseller)
            return fault("", "only the customer of a reseller is refilled");
        const rating::Currency currency = parties.get(party).currency;
        if (!(reseller.currency == currency))
            return fault("", "the customer has another currency than his reseller");
        const Profile profile = registry_.profiles.find(reseller.id).value_or(Profile{});
        if (profile.overcommit_percent &&
            parties.get(party).account.balance() + amount >
                balance::overcommit_ceiling(reseller.account.balance(), *profile.overcommit_percent))
            return PaymentCode::refill_limit;
        transaction.lifted = kLiftedByMoney;
        transaction.postings = {{party, PostingPlace::balance, currency, amount}};
        if (refills_by_transfer(profile.refill_policy, reseller.terms)) {
            transaction.subject = "transfer";
            transaction.postings.push_back({seller, PostingPlace::balance, currency, -amount});
            funds = {Ledger::Funds::own};
            return PaymentCode::ok;
        }
        transaction.subject = "mint";
        transaction.postings.push_back({seller, PostingPlace::funds, currency, -amount});
        if (profile.mint_limit) {
            const auto limit = balance::Multiple::from_millionths(profile.mint_limit->micros());
            if (!balance::within_mint_limit(money_of_customers(parties, seller, party, amount), limit,
                                            reseller.account.available()))
                return PaymentCode::refill_limit;
        }
        return PaymentCode::ok;
    };
    const std::string text = text_of(amount);
    const std::array<std::string_view, 4> arguments = {"refill", customer, text, request.memo};
    auto done =
        payments_.transact(TransactionKind::refill, Payments::fingerprint(arguments), request, decide);
    return answer_of(std::move(done), std::move(faults));
}

Sales::Answer Sales::assign_distributor(std::string_view customer, std::string_view distributor,
                                        const PaymentRequest& request) {
    const std::lock_guard lock{registry_.mutex};
    std::vector<Fault> faults;
    const auto fault = [&faults](std::string field, std::string message) {
        faults.push_back({.field = std::move(field), .message = std::move(message)});
        return PaymentCode::faulty;
    };
    const auto decide = [&](Transaction& transaction, std::vector<Ledger::Funds>&) {
        const auto& parties = catalog_.parties();
        const PartyId party = account(customer);
        if (party == kNoParty) return PaymentCode::unknown_account;
        const PartyId seller = account(distributor);
        if (seller == kNoParty || parties.get(seller).kind != PartyKind::distributor)
            return fault("distributor", "no such distributor");
        if (const PaymentCode code = check_distributor(seller); code != PaymentCode::ok) return code;
        const Party& owner = parties.get(party);
        if (owner.kind != PartyKind::customer) return fault("", "only a customer has a distributor");
        if (parties.get(owner.parent).kind == PartyKind::distributor)
            return fault("distributor", "the customer stands below a distributor already");
        if (!(parties.get(seller).currency == owner.currency) ||
            ledger_.seller_of(seller) != ledger_.seller_of(party))
            return fault("distributor", "expected one of the customer's seller and currency");
        Profile profile = registry_.profiles.find(customer).value_or(Profile{});
        profile.id = customer;
        // Whoever was assigned first was charged for what there was.
        const Money unpaid =
            profile.distributor.empty() ? std::max(owner.account.balance(), Money{}) : Money{};
        const Percent percent =
            first_of(sales_commission_of(profile), sales_commission_of(registry_.profiles.find(distributor)));
        profile.distributor = distributor;
        registry_.profiles.put(*balance::JointEvent::current(), profile, request.now);
        transaction.subject = distributor;
        // What he collected is no longer his seller's cash.
        transaction.postings = {{party, PostingPlace::balance, owner.currency, Money{}}};
        if (unpaid != Money{}) {
            add_collection(transaction, seller, ledger_.seller_of(seller), owner.currency,
                           balance::split_commission(unpaid, percent));
            transaction.postings.push_back(
                {ledger_.seller_of(party), PostingPlace::cash, owner.currency, unpaid});
        }
        return PaymentCode::ok;
    };
    const std::array<std::string_view, 3> arguments = {"distributor", customer, distributor};
    auto done = payments_.transact(TransactionKind::sale, Payments::fingerprint(arguments), request, decide);
    return answer_of(std::move(done), std::move(faults));
}

bool Sales::refills_are_limited(PartyId customer) const {
    const auto& parties = catalog_.parties();
    if (parties.get(customer).kind != PartyKind::customer) return false;
    const Party& seller = parties.get(ledger_.seller_of(customer));
    if (seller.kind != PartyKind::reseller) return false;
    const Profile profile = registry_.profiles.find(seller.id).value_or(Profile{});
    return profile.mint_limit || profile.overcommit_percent ||
           refills_by_transfer(profile.refill_policy, seller.terms);
}

// ---- Refills by transfer ----

bool refills_by_transfer(std::string_view policy, balance::Terms terms) noexcept {
    // Who pays for the calls of his customers himself may give them money that is not there.
    return policy.empty() ? terms == balance::Terms::commission : policy == "transfer";
}

void credit_refills(Registry& registry, const balance::PartyTable& parties) {
    registry.profiles.on_change = [&parties, next = std::move(registry.profiles.on_change)](
                                      const Profile* before, const Profile* after) {
        if (next) next(before, after);
        const Profile& either = after != nullptr ? *after : *before;
        const PartyId id = parties.find(either.id);
        if (id == kNoParty) return;
        Party& party = parties.get(id);
        party.credited_by_calls.store(after != nullptr && party.kind == PartyKind::reseller &&
                                          party.terms == balance::Terms::margin &&
                                          refills_by_transfer(after->refill_policy, party.terms),
                                      std::memory_order_relaxed);
        const Percent earned = after == nullptr ? Percent{} : after->calls_commission.value_or(Percent{});
        party.calls_commission.store(
            static_cast<std::uint32_t>(std::min(earned, balance::kCommissionMax).millionths()),
            std::memory_order_relaxed);
        party.splits_per_level.store(after != nullptr && after->commission_split == "per_level",
                                     std::memory_order_relaxed);
    };
}

}  // namespace tollgate::daemon
