#include "daemon/partners/shop.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <chrono>

#include "balance/partner/refill.h"
#include "balance/scaled.h"
#include "daemon/partners/sales.h"

namespace tollgate::daemon {
namespace {

using balance::kNoParty;
using balance::Ledger;
using balance::Party;
using balance::PartyId;
using balance::PartyKind;
using balance::Posting;
using balance::PostingPlace;
using balance::Rounding;
using balance::Transaction;
using balance::TransactionKind;
using rating::Instant;
using rating::Money;

/// Requests that nobody sent. No login can be this.
constexpr std::string_view kRenewals = "\x01renewals";
/// When a month that could not be paid is tried again.
constexpr std::chrono::minutes kRetryEvery{1};
/// So many are renewed before others get the lock.
constexpr std::size_t kRenewalsAtOnce = 500;
/// Of BundleSource::seconds.
constexpr std::int64_t kBundleSecondsMax = balance::kBundleSecondsMax;

constexpr std::string_view kSubscriptionPrefix = "s-";
constexpr std::string_view kPlanPrefix = "plan-";
constexpr std::string_view kDraftPrefix = "draft-";

bool is_price(Money amount) noexcept {
    return amount >= Money{} && amount <= rating::kAmountMax;
}
constexpr std::string_view kPriceExpected = "expected an amount from 0 to 10000000000";

bool sets_prices(const Party& party) noexcept {
    return party.kind == PartyKind::provider ||
           (party.kind == PartyKind::reseller && party.terms == balance::Terms::margin);
}

ShopFault invalid(std::string field, std::string message) {
    return {ShopFault::Kind::invalid, std::move(field), std::move(message)};
}
ShopFault conflict(std::string message) {
    return {ShopFault::Kind::conflict, {}, std::move(message)};
}

std::string shortened(std::string_view text) {
    return '"' + std::string{text.substr(0, 80)} + '"';
}

/// What so many cost; nullopt beyond what one operation may cost.
std::optional<Money> times(Money price, std::int64_t count) noexcept {
    const auto cost = balance::checked_scaled(price, count, 1, Rounding::down);
    return cost && *cost <= rating::kAmountMax ? cost : std::nullopt;
}

/// Days on the wall from one moment's to another's.
std::int64_t days_between(const rating::TimeZone& zone, Instant from, Instant until) noexcept {
    const auto day_of = [&zone](Instant moment) {
        using std::chrono::floor;
        const auto second = floor<std::chrono::seconds>(moment).time_since_epoch().count();
        return floor<std::chrono::days>(std::chrono::seconds{second + zone.at(second).offset}).count();
    };
    return day_of(until) - day_of(from);
}

/// The number behind a prefix; 0 where it is none.
std::uint64_t number_of(std::string_view id, std::string_view prefix) noexcept {
    if (!id.starts_with(prefix)) return 0;
    return rating::parse_unsigned(id.substr(prefix.size()), INT64_MAX).value_or(0);
}

bool is_due_some_day(Instant paid_until) noexcept {
    return paid_until != Instant{};
}

}  // namespace

/// What is sold at one time, while it is put together.
struct Shop::Cart {
    PartyId customer = kNoParty;
    PartyId first = kNoParty;  ///< Who sells to him: the nearest reseller or provider.
    rating::Currency currency{};
    bool owes = false;          ///< The customer is charged whatever he has.
    bool customer_made = true;  ///< False: he is about to be made.
    std::string zone{};         ///< The customer's.
    std::string subject{};
    std::vector<Posting> postings{};
    std::vector<PartyId> resellers{};  ///< Who pay: a prepaid one needs something left.
    PartyId transfers = kNoParty;      ///< Whose own money is put on the customer's account.
    std::uint8_t lifted = 0;
    Money paid_online{};  ///< By the customer, through a gateway; 0: from his account.
    std::unique_lock<std::recursive_mutex> settings{};  ///< Held where lines are counted.
    std::optional<ShopFault> fault{};
    PaymentCode refused = PaymentCode::ok;
    PartyId level = kNoParty;

    void refuse(ShopFault why) {
        if (!fault) fault = std::move(why);
    }
};

Shop::Shop(Registry& registry, Catalog& catalog, Payments& payments, const Ledger& ledger,
           balance::EventLog& events)
    : registry_(registry),
      catalog_(catalog),
      payments_(payments),
      ledger_(ledger),
      events_(events),
      parties_(catalog.parties()) {
    registry_.subscriptions.on_change = [this](const Subscription* before, const Subscription* after) {
        const std::lock_guard lock{index_mutex_};
        const std::string& id = (after != nullptr ? after : before)->id;
        if (before != nullptr) subscriptions_[before->customer].erase(id);
        if (after != nullptr) subscriptions_[after->customer].insert(id);
        subscription_last_ = std::max(subscription_last_, number_of(id, kSubscriptionPrefix));
        const bool due = after != nullptr && after->automatic && after->state != "cancelled" &&
                         is_due_some_day(after->paid_until);
        plan_renewal({Kind::subscription, id}, due ? std::optional{after->paid_until} : std::nullopt);
    };
    registry_.plans.on_change = [this](const ServicePlan* before, const ServicePlan* after) {
        const std::lock_guard lock{index_mutex_};
        const std::string& id = (after != nullptr ? after : before)->id;
        if (before != nullptr) plans_[before->customer].erase(id);
        plan_last_ = std::max(plan_last_, number_of(id, kPlanPrefix));
        const bool goes_on = after != nullptr && after->state != "cancelled";
        if (after != nullptr) {
            plans_[after->customer].insert(id);
            plan_names_.emplace(std::pair{after->seller, after->name}, after->customer);
        }
        // One that had ended already says nothing of the customer's present one.
        if (goes_on) {
            users_[after->customer] = after->users;
        } else if (before != nullptr && before->state != "cancelled") {
            users_.erase(before->customer);
        }
        plan_renewal({Kind::plan, id}, goes_on ? std::optional{after->paid_until} : std::nullopt);
    };
    registry_.numbers.on_change = [this](const PoolNumber* before, const PoolNumber* after) {
        const std::lock_guard lock{index_mutex_};
        const std::string& id = (after != nullptr ? after : before)->id;
        if (before != nullptr && !before->customer.empty()) numbers_[before->customer].erase(id);
        const bool assigned = after != nullptr && !after->customer.empty();
        if (assigned) numbers_[after->customer].insert(id);
        const bool due = assigned && is_due_some_day(after->paid_until);
        plan_renewal({Kind::number, id}, due ? std::optional{after->paid_until} : std::nullopt);
    };
    registry_.drafts.on_change = [this](const AccountDraft* before, const AccountDraft* after) {
        const std::lock_guard lock{index_mutex_};
        draft_last_ = std::max(draft_last_, number_of((after != nullptr ? after : before)->id, kDraftPrefix));
    };
    catalog_.limit_lines([this](PartyId customer) -> std::optional<std::int64_t> {
        const std::lock_guard lock{index_mutex_};
        const auto found = users_.find(parties_.get(customer).id);
        return found == users_.end() ? std::nullopt : std::optional{found->second};
    });
}

Shop::Cart Shop::cart_of(PartyId customer) const {
    const Party& party = parties_.get(customer);
    return {.customer = customer,
            .first = seller_above(customer),
            .currency = party.currency,
            .zone = std::string{party.time_zone}};
}

PartyId Shop::seller_above(PartyId party) const noexcept {
    const PartyId parent = parties_.get(party).parent;
    return parent == kNoParty ? kNoParty : seller_at(parent);
}

PartyId Shop::seller_at(PartyId party) const noexcept {
    while (parties_.get(party).kind != PartyKind::reseller && parties_.get(party).kind != PartyKind::provider)
        party = parties_.get(party).parent;
    return party;
}

bool Shop::is_open_customer(PartyId party) const noexcept {
    return parties_.get(party).kind == PartyKind::customer && !parties_.get(party).status().closed();
}

balance::CommissionPolicy Shop::policy_of(PartyId seller) const {
    const auto profile = registry_.profiles.find(parties_.get(seller).id);
    return profile && profile->commission_split == "per_level" ? balance::CommissionPolicy::per_level
                                                               : balance::CommissionPolicy::cascade;
}

// ---- Prices ----

std::optional<ShopFault> Shop::fault_of(const Package& package) const {
    if (!balance::is_id(package.id)) return invalid("id", "expected " + std::string{kIdExpected});
    const PartyId owner = parties_.find(package.owner);
    if (owner == kNoParty || !sets_prices(parties_.get(owner)))
        return invalid("owner", "expected the provider or a margin reseller");
    if (parties_.get(owner).currency.view() != package.currency) {
        return invalid("currency", shortened(package.currency) + ": expected the owner's, " +
                                       std::string{parties_.get(owner).currency.view()});
    }
    if (!is_price(package.price)) return invalid("price", std::string{kPriceExpected});
    if (!is_price(package.setup) || package.price + package.setup > rating::kAmountMax)
        return invalid("setup", std::string{kPriceExpected} + " together with the price");
    if (package.bundle_seconds > kBundleSecondsMax)
        return invalid("bundle_seconds", "expected at most " + std::to_string(kBundleSecondsMax));
    return std::nullopt;
}

std::optional<ShopFault> Shop::fault_of(const Offer& offer) const {
    const PartyId id = parties_.find(offer.reseller);
    const Party& reseller = parties_.get(id);
    if (reseller.kind != PartyKind::reseller || reseller.status().closed())
        return conflict(shortened(reseller.id) + " is no reseller who sells packages");
    if (reseller.terms == balance::Terms::commission) {
        constexpr std::string_view kFixed = "a commission reseller sells at the price of the one above him";
        if (offer.price) return invalid("price", std::string{kFixed});
        if (offer.setup) return invalid("setup", std::string{kFixed});
    }
    if (offer.price && !is_price(*offer.price)) return invalid("price", std::string{kPriceExpected});
    if (offer.setup &&
        (!is_price(*offer.setup) || *offer.setup + offer.price.value_or(Money{}) > rating::kAmountMax))
        return invalid("setup", std::string{kPriceExpected} + " together with the price");
    const auto package = registry_.packages.find(offer.package);
    std::optional<ShopFault> fault;
    if (package) (void)levels(*package, id, Buyer::fresh, fault);
    if (!package || fault || package->owner == offer.reseller) {
        return ShopFault{
            ShopFault::Kind::unknown,
            {},
            "no package " + shortened(offer.package) + " is offered to " + shortened(offer.reseller)};
    }
    return std::nullopt;
}

std::vector<Shop::Level> Shop::levels(const Package& package, PartyId buyer, Buyer how,
                                      std::optional<ShopFault>& fault) const {
    const auto refuse = [&](std::string_view why) {
        fault = invalid("package", shortened(package.id) + ' ' + std::string{why});
        return std::vector<Level>{};
    };
    // As of one that is not there: whose it is concerns only those below him.
    if (!parties_.is_below(buyer, parties_.find(package.owner))) return refuse("is not offered");
    if (package.retired && how == Buyer::fresh) return refuse("is not sold any more");
    std::vector<Level> levels;
    std::vector<std::pair<std::optional<Money>, std::optional<Money>>> asked;
    PartyId payer = buyer;
    for (PartyId seller = seller_above(buyer);; seller = seller_above(seller)) {
        if (seller == kNoParty) return refuse("is not offered to " + shortened(parties_.get(buyer).id));
        const Party& party = parties_.get(seller);
        if (parties_.get(payer).currency.view() != package.currency ||
            party.currency.view() != package.currency)
            return refuse("is sold in " + package.currency + ", which is not everybody's currency");
        if (party.id == package.owner) {
            levels.push_back({payer, seller, package.price, package.setup});
            asked.emplace_back(package.price, package.setup);
            break;
        }
        // Whoever has opted out still renews what he sold, at the price of the one above.
        const auto offer = registry_.offers.find(std::string{party.id} + '/' + package.id);
        if (!offer && how == Buyer::fresh) return refuse("is not offered by " + shortened(party.id));
        if (!sets_prices(party)) continue;
        levels.push_back({payer, seller, {}, {}});
        asked.emplace_back(offer ? offer->price : std::nullopt, offer ? offer->setup : std::nullopt);
        payer = seller;
    }
    for (std::size_t i = levels.size() - 1; i-- > 0;) {
        levels[i].price = asked[i].first.value_or(levels[i + 1].price);
        levels[i].setup = asked[i].second.value_or(levels[i + 1].setup);
    }
    // A catalogue says what the customer may buy, and at which price of his seller's.
    const auto profile = parties_.get(buyer).kind == PartyKind::customer
                             ? registry_.profiles.find(parties_.get(buyer).id)
                             : std::nullopt;
    if (!profile || profile->catalogue.empty()) return levels;
    const auto catalogue = registry_.catalogues.find(profile->catalogue);
    if (!catalogue) return levels;
    const auto listed = std::find(catalogue->packages.begin(), catalogue->packages.end(), package.id);
    if (listed == catalogue->packages.end()) {
        return how == Buyer::known ? std::move(levels)
                                   : refuse("is not in the customer's catalogue " + shortened(catalogue->id));
    }
    if (catalogue->owner == parties_.get(levels.front().seller).id) {
        const auto place = static_cast<std::size_t>(listed - catalogue->packages.begin());
        const auto own = [place](const std::vector<std::string>& texts) {
            return place < texts.size() ? rating::parse_money(texts[place]) : std::nullopt;
        };
        levels.front().price = own(catalogue->prices).value_or(levels.front().price);
        levels.front().setup = own(catalogue->setups).value_or(levels.front().setup);
    }
    return levels;
}

std::vector<Shop::Sold> Shop::sold_to(PartyId customer) const {
    std::vector<Package> all;
    registry_.packages.visit([&all](const Package& package) { all.push_back(package); });
    std::vector<Sold> sold;
    for (Package& package : all) {
        std::optional<ShopFault> fault;
        const auto chain = levels(package, customer, Buyer::fresh, fault);
        if (!fault) sold.push_back({std::move(package), chain.front().price, chain.front().setup});
    }
    return sold;
}

// ---- Carts ----

/// `payer` pays `seller`, and the commission resellers from `first` up to him earn of it.
void Shop::pay(Cart& cart, PartyId payer, PartyId first, PartyId seller, Money price) const {
    balance::SaleLevel level{.payer = payer, .seller = seller, .price = price};
    for (PartyId agent = first; agent != seller; agent = seller_above(agent)) {
        const auto profile = registry_.profiles.find(parties_.get(agent).id);
        // As with calls: nobody earns in a currency that is not his.
        const bool earns = profile && parties_.get(agent).currency == cart.currency;
        const auto percent =
            earns ? profile->sales_commission.value_or(rating::Percent{}) : rating::Percent{};
        level.agents.insert(level.agents.begin(), {agent, percent});
    }
    level.credits_seller = payer == cart.customer && parties_.get(seller).currency == cart.currency &&
                           parties_.get(seller).credited_by_calls.load(std::memory_order_relaxed);
    const auto postings = balance::postings_of({&level, 1}, cart.currency, policy_of(seller));
    cart.postings.insert(cart.postings.end(), postings.begin(), postings.end());
    if (payer != cart.customer) cart.resellers.push_back(payer);
}

void Shop::pay_seller(Cart& cart, Money price) const {
    PartyId seller = cart.first;
    while (!sets_prices(parties_.get(seller)))
        seller = seller_above(seller);
    pay(cart, cart.customer, cart.first, seller, price);
}

/// As Sales::refill does for a customer who is there already.
void Shop::put_credit(Cart& cart, Money credit) const {
    if (credit == Money{}) return;
    if (!is_price(credit)) return cart.refuse(invalid("credit", std::string{kPriceExpected}));
    const Party& seller = parties_.get(cart.first);
    const auto put = [&](PostingPlace place) {
        cart.postings.push_back({cart.customer, PostingPlace::balance, cart.currency, credit});
        cart.postings.push_back({cart.first, place, cart.currency, -credit});
    };
    if (seller.kind != PartyKind::reseller) return put(PostingPlace::cash);
    if (!(seller.currency == cart.currency))
        return cart.refuse(invalid("credit", "the customer has another currency than his reseller"));
    const Profile profile = registry_.profiles.find(seller.id).value_or(Profile{});
    if (profile.overcommit_percent &&
        credit > balance::overcommit_ceiling(seller.account.balance(), *profile.overcommit_percent)) {
        cart.refused = PaymentCode::refill_limit;
        return;
    }
    if (refills_by_transfer(profile.refill_policy, seller.terms)) {
        cart.transfers = cart.first;
        return put(PostingPlace::balance);
    }
    put(PostingPlace::funds);
    if (!profile.mint_limit) return;
    Money sum = credit;
    for (PartyId at = parties_.first_child(cart.first); at != kNoParty;) {
        const Party& party = parties_.get(at);
        if (party.kind == PartyKind::customer)
            sum = std::min(sum + std::max(party.account.balance(), Money{}), rating::kBalanceMax);
        at = party.kind == PartyKind::distributor ? parties_.next_in_subtree(at, cart.first)
                                                  : parties_.next_beside(at, cart.first);
    }
    const auto limit = balance::Multiple::from_millionths(profile.mint_limit->micros());
    if (!balance::within_mint_limit(sum, limit, seller.account.available()))
        cart.refused = PaymentCode::refill_limit;
}

/// Whoever lacks what he is to pay is named, as far as it can be known before it is taken.
/// The gateway's money is the provider's cash. What a reseller would have earned by his customer, less what
/// he would have paid for him and given to those who sell for a commission, is his margin.
void Shop::pay_online(Cart& cart) const {
    if (cart.postings[0].amount != -cart.paid_online)
        return cart.refuse(conflict("its price is not what was paid"));
    cart.postings[0].amount = Money{};
    for (Posting& posting : cart.postings) {
        const bool his = posting.place == PostingPlace::revenue || posting.place == PostingPlace::commission;
        if (his && posting.party != parties_.root()) posting.place = PostingPlace::balance;
    }
    cart.postings.push_back({parties_.root(), PostingPlace::cash, cart.currency, -cart.paid_online});
    cart.postings = balance::merged(cart.postings);
    cart.resellers.clear();
}

PaymentCode Shop::finish(Cart& cart, Transaction& transaction, std::vector<Ledger::Funds>& funds) const {
    if (cart.fault) return PaymentCode::faulty;
    if (cart.refused != PaymentCode::ok) return cart.refused;
    if (cart.postings.empty()) {
        if (!cart.customer_made) {
            transaction.subject = cart.subject;
            return PaymentCode::ok;
        }
        cart.postings.push_back({cart.customer, PostingPlace::balance, cart.currency, Money{}});
    }
    if (!balance::can_be_merged(cart.postings)) return PaymentCode::out_of_bounds;
    cart.postings = balance::merged(cart.postings);
    if (cart.paid_online != Money{}) pay_online(cart);
    if (cart.fault) return PaymentCode::faulty;
    for (const PartyId reseller : cart.resellers) {
        const Party& party = parties_.get(reseller);
        // A prepaid one must have something even for what costs him nothing.
        if (party.billing == balance::Billing::prepaid && party.account.available() <= Money{})
            cart.level = reseller;
    }
    for (const Posting& posting : cart.postings) {
        const bool takes = posting.place == PostingPlace::balance && posting.amount < Money{};
        const bool owes = cart.owes && posting.party == cart.customer;
        funds.push_back(owes                              ? Ledger::Funds::any
                        : posting.party == cart.transfers ? Ledger::Funds::own
                                                          : Ledger::Funds::available);
        if (!takes || owes) continue;
        if (posting.party == cart.customer && !cart.customer_made) {
            cart.level = cart.customer;
        } else if (const Party& party = parties_.get(posting.party);
                   party.kind != PartyKind::provider && party.account.available() < -posting.amount) {
            cart.level = posting.party;
        }
    }
    if (cart.level != kNoParty) return PaymentCode::credit_limit;
    transaction.postings = cart.postings;
    transaction.subject = cart.subject;
    transaction.lifted = cart.lifted;
    return PaymentCode::ok;
}

Shop::Answer Shop::sell(Cart& cart, TransactionKind kind, std::uint64_t fingerprint,
                        const PaymentRequest& request, const std::function<void(Cart&)>& fill) {
    Answer answer;
    answer.payment = payments_.transact(kind, fingerprint, request,
                                        [&](Transaction& transaction, std::vector<Ledger::Funds>& funds) {
                                            fill(cart);
                                            return finish(cart, transaction, funds);
                                        });
    if (answer.payment.code == PaymentCode::faulty) answer.fault = std::move(cart.fault);
    if (answer.payment.code == PaymentCode::credit_limit && cart.customer_made) answer.level = cart.level;
    return answer;
}

balance::Period Shop::month_at(std::string_view time_zone, Instant anchor, Instant moment) const {
    static const rating::TimeZone utc;
    const auto zone = catalog_.time_zones().find(time_zone);
    return balance::BillingCalendar{balance::BillingPeriod::anniversary, zone ? *zone : utc, anchor}.at(
        moment);
}

// ---- Packages ----

/// One month of a package, or all of it: what everyone pays, and the customer's free seconds.
bool Shop::put_package(Cart& cart, const Package& package, Subscription& subscription, Buyer how,
                       Moment now) {
    std::optional<ShopFault> fault;
    const auto chain = levels(package, cart.customer, how, fault);
    if (fault) {
        cart.refuse(*std::move(fault));
        return false;
    }
    for (const Level& level : chain) {
        const Money price = how == Buyer::fresh ? level.price + level.setup : level.price;
        if (!is_price(price)) {
            cart.refuse(invalid("package", "price and setup are more than 10000000000"));
            return false;
        }
        pay(cart, level.payer, seller_above(level.payer), level.seller, price);
    }
    subscription.price = chain.front().price;
    ++subscription.periods;
    if (package.bundle_seconds == 0) return true;
    BundleDraft bundle{.id = subscription.id + '.' + std::to_string(subscription.periods),
                       .seconds = static_cast<std::uint32_t>(package.bundle_seconds),
                       .prefixes = package.bundle_prefixes,
                       .countries = package.bundle_countries,
                       .groups = {},
                       .expires = {}};
    if (subscription.paid_until != Instant{}) bundle.expires = subscription.paid_until;
    const auto faults = catalog_.add_bundles(cart.customer, parties_.get(cart.customer).time_zone,
                                             {&bundle, 1}, now, *balance::JointEvent::current());
    if (!faults.empty()) cart.refuse(conflict("its free seconds: " + faults.front().message));
    return faults.empty();
}

Shop::Answer Shop::activate(PartyId customer, const Activation& wanted, const PaymentRequest& request) {
    const Party& party = parties_.get(customer);
    Cart cart = cart_of(customer);
    const std::array<std::string_view, 6> arguments = {
        "activate",  party.id, wanted.package, wanted.renewal, wanted.automatic ? "automatic" : "by hand",
        request.memo};
    cart.paid_online = wanted.paid_online;
    const bool order = wanted.paid_online != Money{};
    return sell(cart, order ? TransactionKind::order : TransactionKind::activation,
                Payments::fingerprint(arguments), request, [&](Cart& sold) {
                    if (!is_open_customer(customer))
                        return sold.refuse(conflict("only a customer that is open has packages"));
                    const auto package = registry_.packages.find(wanted.package);
                    if (!package)
                        return sold.refuse(invalid("package", shortened(wanted.package) + " is not offered"));
                    for (const Subscription& other : subscriptions_of(party.id)) {
                        if (other.package == package->id && other.state != "cancelled")
                            return sold.refuse(
                                conflict("the customer has it as " + other.id + ", which may be renewed"));
                    }
                    const Instant now = request.now.wall;
                    Subscription subscription;
                    subscription.customer = party.id;
                    subscription.package = package->id;
                    subscription.state = "active";
                    subscription.renewal = wanted.renewal;
                    {
                        const std::lock_guard lock{index_mutex_};
                        subscription.id =
                            std::string{kSubscriptionPrefix} + std::to_string(subscription_last_ + 1);
                    }
                    subscription.started = subscription.anchor = now;
                    if (package->period != "once") {
                        subscription.automatic = wanted.automatic;
                        subscription.paid_until = month_at(party.time_zone, now, now).until;
                    }
                    if (!put_package(sold, *package, subscription, Buyer::fresh, request.now)) return;
                    if (wanted.also) wanted.also(*balance::JointEvent::current());
                    sold.subject = subscription.id;
                    registry_.subscriptions.put(*balance::JointEvent::current(), subscription, request.now);
                });
}

Shop::Answer Shop::renew(const Subscription& known, const PaymentRequest& request) {
    const PartyId customer = parties_.find(known.customer);
    const Party& party = parties_.get(customer);
    Cart cart = cart_of(customer);
    const bool by_itself = request.scope == kRenewals;
    cart.owes = by_itself && known.renewal == "owe";
    const std::array<std::string_view, 3> arguments = {"renew", known.id, request.memo};
    return sell(cart, TransactionKind::renewal, Payments::fingerprint(arguments), request, [&](Cart& sold) {
        if (!is_open_customer(customer)) return sold.refuse(conflict("the customer is closed"));
        if (known.state == "cancelled") return sold.refuse(conflict("it is cancelled"));
        if (known.paid_until == Instant{}) return sold.refuse(conflict("it was paid once and for all"));
        const auto package = registry_.packages.find(known.package);
        if (!package) return sold.refuse(conflict("its package is not there any more"));
        Subscription subscription = known;
        const Instant now = request.now.wall;
        // What waited begins anew; what is paid goes on behind what is paid.
        if (known.paid_until <= now && known.state != "active") subscription.anchor = now;
        const Instant from = std::max(known.paid_until, now);
        subscription.paid_until = month_at(party.time_zone, subscription.anchor, from).until;
        subscription.state = "active";
        if (!put_package(sold, *package, subscription, Buyer::known, request.now)) return;
        sold.subject = subscription.id;
        registry_.subscriptions.put(*balance::JointEvent::current(), subscription, request.now);
    });
}

// ---- Plans ----

void Shop::put_plan(Cart& cart, ServicePlan plan, std::size_t lines, Moment now) {
    if (plan.name.empty()) return cart.refuse(invalid("name", "missing; expected the plan's name"));
    if (plan.users < 1) return cart.refuse(invalid("users", "expected at least 1"));
    if (!is_price(plan.cost_per_user))
        return cart.refuse(invalid("cost_per_user", std::string{kPriceExpected}));
    const auto cost = times(plan.cost_per_user, plan.users);
    if (!cost) return cart.refuse(invalid("users", "all of them cost more than 10000000000"));
    if (static_cast<std::size_t>(plan.users) < lines) {
        return cart.refuse(invalid("users", "the customer has " + std::to_string(lines) +
                                                " lines; expected at least as many users"));
    }
    plan.seller = parties_.get(cart.first).id;
    {
        const std::lock_guard lock{index_mutex_};
        const auto named = plan_names_.find({plan.seller, plan.name});
        if (named != plan_names_.end() && named->second != plan.customer)
            return cart.refuse(conflict("plan " + shortened(plan.name) + " is another customer's"));
        if (users_.contains(plan.customer)) return cart.refuse(conflict("the customer has a plan"));
        plan.id = std::string{kPlanPrefix} + std::to_string(plan_last_ + 1);
    }
    plan.state = "active";
    plan.started = plan.anchor = now.wall;
    plan.paid_until = month_at(cart.zone, now.wall, now.wall).until;
    plan.users_paid = plan.users;
    plan.users_next.reset();
    pay_seller(cart, *cost);
    cart.subject = plan.id;
    registry_.plans.put(*balance::JointEvent::current(), plan, now);
}

Shop::Answer Shop::add_plan(PartyId customer, const ServicePlan& plan, const PaymentRequest& request) {
    const Party& party = parties_.get(customer);
    Cart cart = cart_of(customer);
    const std::string users = std::to_string(plan.users);
    const std::string cost{rating::format(plan.cost_per_user).view()};
    const std::array<std::string_view, 8> arguments = {
        "plan", party.id, plan.name, users, cost, plan.renewal, plan.change_policy, request.memo};
    return sell(cart, TransactionKind::plan, Payments::fingerprint(arguments), request, [&](Cart& sold) {
        if (!is_open_customer(customer))
            return sold.refuse(conflict("only a customer that is open has a plan"));
        sold.settings = catalog_.hold_settings();
        ServicePlan made = plan;
        made.customer = party.id;
        put_plan(sold, std::move(made), catalog_.open_lines(customer), request.now);
    });
}

Shop::Answer Shop::change_plan(const ServicePlan& plan, ServicePlan wanted, std::string_view asked,
                               const PaymentRequest& request) {
    const PartyId customer = parties_.find(plan.customer);
    const Party& party = parties_.get(customer);
    Cart cart = cart_of(customer);
    const std::array<std::string_view, 3> arguments = {"change", plan.id, asked};
    return sell(cart, TransactionKind::plan, Payments::fingerprint(arguments), request, [&](Cart& sold) {
        sold.settings = catalog_.hold_settings();
        if (plan.state != "active" || !is_open_customer(customer))
            return sold.refuse(conflict("the plan is not active; it can be changed once its month is paid"));
        if (wanted.users < 1) return sold.refuse(invalid("users", "expected at least 1"));
        if (!is_price(wanted.cost_per_user))
            return sold.refuse(invalid("cost_per_user", std::string{kPriceExpected}));
        if (!times(wanted.cost_per_user, wanted.users))
            return sold.refuse(invalid("users", "all of them cost more than 10000000000"));
        const std::size_t lines = catalog_.open_lines(customer);
        if (static_cast<std::size_t>(wanted.users) < lines) {
            return sold.refuse(invalid("users", "the customer has " + std::to_string(lines) +
                                                    " lines; expected at least as many users"));
        }
        sold.subject = plan.id;
        if (wanted.users != plan.users && wanted.change_policy == "next") {
            wanted.users_next = wanted.users;
            wanted.users = plan.users;
        } else {
            if (wanted.users != plan.users) wanted.users_next.reset();
            if (wanted.users > plan.users_paid) {
                static const rating::TimeZone utc;
                const auto found = catalog_.time_zones().find(party.time_zone);
                const rating::TimeZone& zone = found ? *found : utc;
                const auto month =
                    month_at(party.time_zone, plan.anchor, plan.paid_until - std::chrono::nanoseconds{1});
                const std::int64_t days =
                    std::max<std::int64_t>(days_between(zone, month.begin, month.until), 1);
                const std::int64_t left =
                    std::clamp<std::int64_t>(days_between(zone, request.now.wall, month.until), 1, days);
                const Money more = *times(wanted.cost_per_user, wanted.users - plan.users_paid);
                pay_seller(sold, balance::scaled(more, left, days, Rounding::down));
                wanted.users_paid = wanted.users;
            }
        }
        registry_.plans.put(*balance::JointEvent::current(), wanted, request.now);
    });
}

Shop::Answer Shop::renew_plan(ServicePlan plan, const PaymentRequest& request) {
    const PartyId customer = parties_.find(plan.customer);
    const Party& party = parties_.get(customer);
    Cart cart = cart_of(customer);
    cart.owes = plan.renewal == "owe";
    const std::array<std::string_view, 2> arguments = {"renew", plan.id};
    return sell(cart, TransactionKind::renewal, Payments::fingerprint(arguments), request, [&](Cart& sold) {
        const Instant now = request.now.wall;
        if (plan.state != "active") {
            plan.anchor = now;
            sold.lifted = balance::Status::kLimit;  // With which it was suspended.
        }
        plan.paid_until = month_at(party.time_zone, plan.anchor, std::max(plan.paid_until, now)).until;
        plan.state = "active";
        if (plan.users_next) plan.users = *std::exchange(plan.users_next, std::nullopt);
        plan.users_paid = plan.users;
        pay_seller(sold, times(plan.cost_per_user, plan.users).value_or(rating::kAmountMax));
        sold.subject = plan.id;
        registry_.plans.put(*balance::JointEvent::current(), plan, request.now);
    });
}

std::vector<Shop::PlanLine> Shop::monthly_lines(PartyId customer) const {
    const std::string_view id = parties_.get(customer).id;
    std::vector<PlanLine> lines;
    for (const ServicePlan& plan : plans_of(id)) {
        if (plan.state == "cancelled") continue;
        const std::int64_t users = plan.users_next.value_or(plan.users);
        lines.push_back({"plan", plan.id, plan.name, users, plan.cost_per_user,
                         times(plan.cost_per_user, users).value_or(Money{})});
    }
    for (const PoolNumber& number : numbers_of(id)) {
        if (number.period == "once") continue;
        lines.push_back({"number", number.id, {}, 1, number.price, number.price});
    }
    for (const Subscription& subscription : subscriptions_of(id)) {
        const auto package = registry_.packages.find(subscription.package);
        if (!package || package->period == "once" || subscription.state == "cancelled" ||
            !subscription.automatic)
            continue;
        std::optional<ShopFault> fault;
        const auto chain = levels(*package, customer, Buyer::known, fault);
        const Money price = fault ? subscription.price : chain.front().price;
        lines.push_back({"package", subscription.id, package->name, 1, price, price});
    }
    return lines;
}

// ---- Numbers ----

bool Shop::is_spare(const PoolNumber& number) const {
    if (number.customer.empty()) return true;
    const PartyId customer = parties_.find(number.customer);
    return customer == kNoParty || parties_.get(customer).status().closed();
}

/// A number is in the pool of the customer's seller, or of whoever sets that one's prices.
void Shop::put_number(Cart& cart, std::string_view id, const Assignment& wanted,
                      std::span<const PartyDraft> fresh_lines, Moment now) {
    auto number = registry_.numbers.find(id);
    PartyId pricing = cart.first;
    while (!sets_prices(parties_.get(pricing)))
        pricing = seller_above(pricing);
    const bool in_pool =
        number && (number->owner == parties_.get(cart.first).id || number->owner == parties_.get(pricing).id);
    if (!in_pool || !is_spare(*number)) {
        return cart.refuse(conflict("number " + shortened(id) + " is not among the spare numbers of " +
                                    shortened(parties_.get(cart.first).id)));
    }
    if (!(parties_.get(parties_.find(number->owner)).currency == cart.currency))
        return cart.refuse(conflict("number " + shortened(id) + " is priced in another currency"));
    if (!wanted.line.empty()) {
        const PartyId line = parties_.find(wanted.line);
        const bool his = line != kNoParty && parties_.get(line).kind == PartyKind::line &&
                         parties_.get(line).parent == cart.customer;
        const bool fresh = std::any_of(fresh_lines.begin(), fresh_lines.end(), [&](const PartyDraft& draft) {
            return draft.kind == PartyKind::line && draft.id == wanted.line;
        });
        if (!his && !fresh)
            return cart.refuse(invalid("line", shortened(wanted.line) + ": expected a line of the customer"));
    }
    number->customer = wanted.customer;
    number->line = wanted.line;
    number->renewal = wanted.renewal;
    number->assigned = number->anchor = now.wall;
    number->paid_until = number->period == "once" ? Instant{} : month_at(cart.zone, now.wall, now.wall).until;
    pay_seller(cart, number->price);
    registry_.numbers.put(*balance::JointEvent::current(), *number, now);
}

Shop::Answer Shop::assign(std::string_view number, const Assignment& wanted, const PaymentRequest& request) {
    const PartyId customer = parties_.find(wanted.customer);
    Cart cart = cart_of(customer);
    const std::array<std::string_view, 6> arguments = {"number",    number,         wanted.customer,
                                                       wanted.line, wanted.renewal, request.memo};
    return sell(cart, TransactionKind::number, Payments::fingerprint(arguments), request, [&](Cart& sold) {
        if (!is_open_customer(customer))
            return sold.refuse(invalid("customer", "expected a customer that is open"));
        sold.subject = number;
        put_number(sold, number, wanted, {}, request.now);
    });
}

void Shop::give_back(PoolNumber number, Moment now) {
    number.customer.clear();
    number.line.clear();
    number.renewal.clear();
    number.assigned = number.paid_until = number.anchor = Instant{};
    registry_.numbers.put(*balance::JointEvent::current(), number, now);
}

Shop::Answer Shop::renew_number(PoolNumber number, const PaymentRequest& request) {
    const PartyId customer = parties_.find(number.customer);
    const Party& party = parties_.get(customer);
    Cart cart = cart_of(customer);
    cart.owes = number.renewal == "owe";
    const std::array<std::string_view, 2> arguments = {"renew", number.id};
    return sell(cart, TransactionKind::renewal, Payments::fingerprint(arguments), request, [&](Cart& sold) {
        const Instant now = request.now.wall;
        // It waited for longer than its month: it begins anew.
        if (month_at(party.time_zone, number.anchor, number.paid_until).until <= now) number.anchor = now;
        number.paid_until = month_at(party.time_zone, number.anchor, std::max(number.paid_until, now)).until;
        pay_seller(sold, number.price);
        sold.subject = number.id;
        registry_.numbers.put(*balance::JointEvent::current(), number, request.now);
    });
}

// ---- Whole accounts ----

std::string Shop::next_draft_id() const {
    const std::lock_guard lock{index_mutex_};
    return std::string{kDraftPrefix} + std::to_string(draft_last_ + 1);
}

Shop::Answer Shop::open(const Account& account, std::string_view draft, std::uint64_t fingerprint,
                        const PaymentRequest& request) {
    Cart cart{.customer_made = false};
    return sell(cart, TransactionKind::account, fingerprint, request, [&](Cart& sold) {
        balance::JointEvent& joint = *balance::JointEvent::current();
        const auto known = registry_.drafts.find(draft);
        if (!known || !known->submitted.empty())
            return sold.refuse({ShopFault::Kind::unknown, {}, "there is no such draft any more"});
        assert(!account.drafts.empty());
        const PartyDraft& first = account.drafts.front();
        const PartyId parent = parties_.find(first.parent);
        if (parent == kNoParty) return sold.refuse(invalid("parent", "missing; expected who sells to him"));
        const auto faults = catalog_.add(account.drafts, request.now, joint);
        if (!faults.empty()) {
            const Fault& fault = faults.front();
            std::string field = fault.item == 0
                                    ? fault.field
                                    : "lines[" + std::to_string(fault.item - 1) + "]." + fault.field;
            return sold.refuse({fault.exists ? ShopFault::Kind::conflict : ShopFault::Kind::invalid,
                                std::move(field), fault.message});
        }
        // From here on nobody else adds a party.
        sold.customer = static_cast<PartyId>(parties_.size());
        sold.first = seller_at(parent);
        sold.currency = first.currency.value_or(parties_.get(parent).currency);
        sold.zone = first.time_zone.value_or(std::string{parties_.get(parent).time_zone});
        for (Profile profile : account.profiles) {
            if (profile.id.empty()) continue;
            profile.made = request.now.wall;
            registry_.profiles.put(joint, profile, request.now);
        }
        put_credit(sold, account.credit);
        if (account.plan) {
            ServicePlan plan = *account.plan;
            plan.customer = first.id;
            put_plan(sold, std::move(plan), account.drafts.size() - 1, request.now);
        }
        std::set<std::string_view> numbers;
        for (const Account::Number& number : account.numbers) {
            if (!numbers.insert(number.id).second)
                return sold.refuse(invalid("numbers", shortened(number.id) + " stands there twice"));
            put_number(sold, number.id, {first.id, number.line, number.renewal}, account.drafts, request.now);
        }
        if (!account.bundles.empty()) {
            const auto wrong =
                catalog_.add_bundles(sold.customer, sold.zone, account.bundles, request.now, joint);
            if (!wrong.empty()) {
                return sold.refuse(
                    invalid("bundles[" + std::to_string(wrong.front().item) + "]." + wrong.front().field,
                            wrong.front().message));
            }
        }
        sold.subject = first.id;
        AccountDraft done = *known;
        done.body.clear();
        done.submitted = first.id;
        registry_.drafts.put(joint, done, request.now);
    });
}

// ---- From time to time ----

void Shop::plan_renewal(const Key& key, std::optional<Instant> at) {
    if (const auto before = due_at_.find(key); before != due_at_.end()) {
        due_.erase({before->second, key});
        due_at_.erase(before);
    }
    if (!at) return;
    due_.emplace(*at, key);
    due_at_.emplace(key, *at);
}

std::size_t Shop::renew_due(Moment now) {
    // What a full disk puts off is made up for: it is due until it is done.
    if (events_.admission() != balance::Admission::open) return 0;
    std::vector<Key> due;
    {
        const std::lock_guard lock{index_mutex_};
        for (auto at = due_.begin();
             at != due_.end() && at->first <= now.wall && due.size() < kRenewalsAtOnce; ++at)
            due.push_back(at->second);
    }
    for (const Key& key : due) {
        const std::scoped_lock lock{registry_.mutex};
        renew_one(key, now);
    }
    return due.size();
}

Instant Shop::next_renewal() const {
    const std::lock_guard lock{index_mutex_};
    return due_.empty() ? rating::kNever : due_.begin()->first;
}

void Shop::renew_one(const Key& key, Moment now) {
    const Kind kind = key.first;
    const std::string& id = key.second;
    const auto renewed = [&]() -> bool {
        const balance::JointEvent joint;
        const auto request_of = [&](Instant paid_until) {
            return id + '/' + std::to_string(paid_until.time_since_epoch().count());
        };
        const auto ask = [&](const std::string& request) {
            return PaymentRequest{request, {}, now, kRenewals, {}};
        };
        // Somebody may have paid, ended or returned it since it was found to be due.
        const auto is_due = [&](Instant paid_until) {
            return is_due_some_day(paid_until) && paid_until <= now.wall;
        };
        const auto may_pay = [&](std::string_view customer) {
            return is_open_customer(parties_.find(customer));
        };
        const auto done = [](const Answer& answer) { return answer.payment.code == PaymentCode::ok; };
        switch (kind) {
            case Kind::subscription: {
                const auto found = registry_.subscriptions.find(id);
                if (!found || found->state == "cancelled" || !is_due(found->paid_until)) return true;
                if (!may_pay(found->customer)) return false;
                const std::string request = request_of(found->paid_until);
                return done(renew(*found, ask(request)));
            }
            case Kind::plan: {
                const auto found = registry_.plans.find(id);
                if (!found || found->state == "cancelled" || !is_due(found->paid_until)) return true;
                if (!may_pay(found->customer)) return false;
                const std::string request = request_of(found->paid_until);
                return done(renew_plan(*found, ask(request)));
            }
            case Kind::number: {
                const auto found = registry_.numbers.find(id);
                if (!found || found->customer.empty() || !is_due(found->paid_until)) return true;
                if (!may_pay(found->customer)) return false;
                const std::string request = request_of(found->paid_until);
                return done(renew_number(*found, ask(request)));
            }
        }
        std::abort();  // Not an enumerator: memory is corrupt.
    }();
    if (renewed) return;
    lapse(key, now);
    const std::lock_guard lock{index_mutex_};
    if (const auto at = due_at_.find(key); at != due_at_.end() && at->second <= now.wall)
        plan_renewal(key, now.wall + kRetryEvery);
}

/// The month of something could not be paid, or its customer is closed.
void Shop::lapse(const Key& key, Moment now) {
    const auto& [kind, id] = key;
    balance::JointEvent joint;
    const auto suspends = [](const auto& record) { return record.renewal != "drop"; };
    const auto is_closed = [this](std::string_view customer) {
        const PartyId party = parties_.find(customer);
        return party == kNoParty || parties_.get(party).status().closed();
    };
    switch (kind) {
        case Kind::subscription: {
            auto found = registry_.subscriptions.find(id);
            if (!found || found->state == "cancelled") return;
            const std::string state =
                is_closed(found->customer) || !suspends(*found) ? "cancelled" : "suspended";
            if (found->state == state) return;
            found->state = state;
            registry_.subscriptions.put(joint, *found, now);
            break;
        }
        case Kind::plan: {
            auto found = registry_.plans.find(id);
            if (!found || found->state == "cancelled") return;
            const bool closed = is_closed(found->customer);
            const std::string state = closed || !suspends(*found) ? "cancelled" : "suspended";
            const auto held = catalog_.hold_settings();
            const auto statuses = catalog_.hold_statuses();
            const PartyId customer = parties_.find(found->customer);
            const std::uint8_t bits = parties_.get(customer).status().bits();
            // Whoever was paid for less than a month is suspended again.
            const bool lifted = state == "suspended" && (bits & balance::Status::kLimit) == 0;
            if (found->state == state && !lifted) return;
            found->state = state;
            if (lifted) {
                PartyChange change;
                change.status = balance::Status{static_cast<std::uint8_t>(bits | balance::Status::kLimit)};
                (void)catalog_.change(customer, change, now, joint);
            }
            registry_.plans.put(joint, *found, now);
            joint.write(events_, now);
            return;
        }
        case Kind::number: {
            const auto found = registry_.numbers.find(id);
            if (!found || found->customer.empty()) return;
            if (!is_closed(found->customer) && suspends(*found)) return;
            give_back(*found, now);
            break;
        }
    }
    joint.write(events_, now);
}

// ---- Looks ----

namespace {

/// A customer's records of one kind, in the order of their ids.
template <typename T, typename Index>
std::vector<T> records_of(const RecordBook<T>& book, std::mutex& mutex, const Index& index,
                          std::string_view customer) {
    std::set<std::string> ids;
    {
        const std::lock_guard lock{mutex};
        if (const auto of = index.find(customer); of != index.end()) ids = of->second;
    }
    std::vector<T> found;
    for (const std::string& id : ids) {
        if (auto record = book.find(id)) found.push_back(*std::move(record));
    }
    return found;
}

}  // namespace

std::vector<Subscription> Shop::subscriptions_of(std::string_view customer) const {
    return records_of(registry_.subscriptions, index_mutex_, subscriptions_, customer);
}

std::vector<ServicePlan> Shop::plans_of(std::string_view customer) const {
    return records_of(registry_.plans, index_mutex_, plans_, customer);
}

std::vector<PoolNumber> Shop::numbers_of(std::string_view customer) const {
    return records_of(registry_.numbers, index_mutex_, numbers_, customer);
}

}  // namespace tollgate::daemon
