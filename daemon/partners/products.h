/// What is sold beside calls: packages, service plans, numbers.
#pragma once

#include "daemon/partners/record.h"
#include "daemon/partners/words.h"

namespace tollgate::daemon {

/// A package as its owner sells it.
struct Package {
    static constexpr RecordKind kKind = RecordKind::package;

    std::string id;
    std::string owner;  ///< The party that made it: the provider or a reseller.
    std::string name;
    std::string description;
    std::string currency;
    rating::Money price;              ///< A period, or once.
    rating::Money setup;              ///< With the activation.
    std::string period;               ///< `month`, or `once`: it is never renewed.
    std::int64_t bundle_seconds = 0;  ///< Free seconds a period.
    std::vector<std::string> bundle_countries;
    std::vector<std::string> bundle_prefixes;
    bool retired = false;  ///< Nobody may activate it any more.

    static constexpr auto fields() {
        using P = Package;
        using W = Writable;
        return std::to_array<RecordField<P>>({
            {"id", &P::id, W::once, balance::is_id, kIdExpected},
            {"owner", &P::owner, W::never},
            {"name", &P::name},
            {"description", &P::description},
            {"currency", &P::currency, W::once},
            {"price", &P::price},
            {"setup", &P::setup},
            {"period", &P::period, W::once,
             +[](std::string_view text) noexcept {
                 return is_one_of(text, {"month", "once"});
             },
             "month or once"},
            {"bundle_seconds", &P::bundle_seconds, W::always, nullptr, {}, 0, UINT32_MAX},
            {"bundle_countries", &P::bundle_countries},
            {"bundle_prefixes", &P::bundle_prefixes, W::always, is_number, "digits"},
            {"retired", &P::retired},
        });
    }
};

/// That a reseller sells a package of the one above him.
struct Offer {
    static constexpr RecordKind kKind = RecordKind::offer;

    std::string id;  ///< `reseller/package`.
    std::string reseller;
    std::string package;
    std::optional<rating::Money> price;  ///< A margin reseller's own; nothing: what he pays himself.
    std::optional<rating::Money> setup;

    static constexpr auto fields() {
        using O = Offer;
        using W = Writable;
        return std::to_array<RecordField<O>>({
            {"id", &O::id, W::hidden},
            {"reseller", &O::reseller, W::never},
            {"package", &O::package, W::never},
            {"price", &O::price},
            {"setup", &O::setup},
        });
    }
};

/// A package that a customer has.
struct Subscription {
    static constexpr RecordKind kKind = RecordKind::subscription;

    std::string id;  ///< `s-1`, …
    std::string customer;
    std::string package;
    std::string state;    ///< `active`, `suspended`, `cancelled`.
    std::string renewal;  ///< Without funds: `suspend`, `owe` or `drop`.
    bool automatic = false;
    rating::Instant started{};
    rating::Instant paid_until{};
    rating::Money price;  ///< The customer's, at the last charge.
    std::int64_t periods = 0;
    std::int64_t transaction = 0;  ///< Of the last charge.
    rating::Instant anchor{};      ///< By which its months are counted: when it began, or woke up.

    static constexpr auto fields() {
        using S = Subscription;
        using W = Writable;
        return std::to_array<RecordField<S>>({
            {"id", &S::id, W::never},
            {"customer", &S::customer, W::never},
            {"package", &S::package, W::once, balance::is_id, kIdExpected},
            {"state", &S::state, W::never},
            {"renewal", &S::renewal, W::always, is_renewal, kRenewalExpected},
            {"automatic", &S::automatic},
            {"started", &S::started, W::never},
            {"paid_until", &S::paid_until, W::never},
            {"price", &S::price, W::never},
            {"periods", &S::periods, W::never},
            {"transaction", &S::transaction, W::hidden},
            {"anchor", &S::anchor, W::hidden},
        });
    }
};

/// Users times cost a month, of one customer.
struct ServicePlan {
    static constexpr RecordKind kKind = RecordKind::service_plan;

    std::string id;    ///< `plan-1`, …
    std::string name;  ///< Unique among the seller's.
    std::string customer;
    std::string seller;
    std::int64_t users = 1;
    std::optional<std::int64_t> users_next;  ///< From the next period on.
    rating::Money cost_per_user;
    std::string change_policy;  ///< More users are charged `prorate` now, or from the `next` period on.
    std::string renewal;
    std::string state;  ///< `active`, `suspended`, `cancelled`.
    rating::Instant started{};
    rating::Instant paid_until{};
    std::int64_t transaction = 0;
    rating::Instant anchor{};     ///< By which its months are counted: when it began, or woke up.
    std::int64_t users_paid = 0;  ///< The most in the month that is paid.

    static constexpr auto fields() {
        using S = ServicePlan;
        using W = Writable;
        return std::to_array<RecordField<S>>({
            {"id", &S::id, W::never},
            {"name", &S::name, W::once},
            {"customer", &S::customer, W::never},
            {"seller", &S::seller, W::never},
            {"users", &S::users, W::always, nullptr, {}, 1, 100'000},
            {"users_next", &S::users_next, W::never},
            {"cost_per_user", &S::cost_per_user},
            {"change_policy", &S::change_policy, W::always,
             +[](std::string_view text) noexcept {
                 return is_one_of(text, {"prorate", "next"});
             },
             "prorate or next"},
            {"renewal", &S::renewal, W::always, is_renewal, kRenewalExpected},
            {"state", &S::state, W::never},
            {"started", &S::started, W::never},
            {"paid_until", &S::paid_until, W::never},
            {"transaction", &S::transaction, W::hidden},
            {"anchor", &S::anchor, W::hidden},
            {"users_paid", &S::users_paid, W::hidden},
        });
    }
};

/// A number that customers may have.
struct PoolNumber {
    static constexpr RecordKind kKind = RecordKind::pool_number;

    std::string id;     ///< The number.
    std::string owner;  ///< Whose pool it is in.
    std::string country;
    rating::Money price;
    std::string period;    ///< `month`, or `once`.
    std::string customer;  ///< Empty: it is spare.
    std::string line;
    rating::Instant assigned{};
    rating::Instant paid_until{};
    std::string renewal;
    std::int64_t transaction = 0;
    rating::Instant anchor{};  ///< By which its months are counted: when it was assigned, or woke up.

    static constexpr auto fields() {
        using N = PoolNumber;
        using W = Writable;
        return std::to_array<RecordField<N>>({
            {"id", &N::id, W::once, is_number, "1 to 32 digits"},
            {"owner", &N::owner, W::never},
            {"country", &N::country, W::once},
            {"price", &N::price},
            {"period", &N::period, W::always,
             +[](std::string_view text) noexcept {
                 return is_one_of(text, {"month", "once"});
             },
             "month or once"},
            {"customer", &N::customer, W::never},
            {"line", &N::line, W::never},
            {"assigned", &N::assigned, W::never},
            {"paid_until", &N::paid_until, W::never},
            {"renewal", &N::renewal, W::always, is_renewal, kRenewalExpected},
            {"transaction", &N::transaction, W::hidden},
            {"anchor", &N::anchor, W::hidden},
        });
    }
};

/// What is sold to those whom it is assigned to, and for how much.
struct Catalogue {
    static constexpr RecordKind kKind = RecordKind::catalogue;

    std::string id;
    std::string owner;
    std::string name;
    std::vector<std::string> packages;  ///< Ids, each with a price of its own in `prices` or an empty text.
    std::vector<std::string> prices;
    std::vector<std::string> setups;  ///< Likewise.

    static constexpr auto fields() {
        using C = Catalogue;
        using W = Writable;
        return std::to_array<RecordField<C>>({
            {"id", &C::id, W::once, balance::is_id, kIdExpected},
            {"owner", &C::owner, W::never},
            {"name", &C::name},
            {"packages", &C::packages, W::hidden},
            {"prices", &C::prices, W::hidden},
            {"setups", &C::setups, W::hidden},
        });
    }
};

/// An account that is being filled in: nothing of it exists before it is submitted.
struct AccountDraft {
    static constexpr RecordKind kKind = RecordKind::account_draft;

    std::string id;
    std::string seller;
    std::string body;  ///< JSON, as it was sent.
    rating::Instant made{};
    std::string submitted;  ///< The customer that came of it. Then there is no body any more.

    static constexpr auto fields() {
        using A = AccountDraft;
        using W = Writable;
        return std::to_array<RecordField<A>>({
            {"id", &A::id, W::never},
            {"seller", &A::seller, W::never},
            {"body", &A::body, W::hidden},
            {"made", &A::made, W::never},
            {"submitted", &A::submitted, W::hidden},
        });
    }
};

}  // namespace tollgate::daemon
