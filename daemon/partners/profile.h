/// What is known of a party beside what calls and money are decided by: who it is, how it wants to be dealt
/// with, what it earns. A party without any of it has no profile.
#pragma once

#include "daemon/partners/record.h"
#include "daemon/partners/words.h"

namespace tollgate::daemon {

struct Profile {
    static constexpr RecordKind kKind = RecordKind::profile;

    std::string id;  ///< The party's.
    std::string name;
    std::string company;
    std::string first_name;
    std::string last_name;
    std::string email;
    std::string phone;
    std::string address;
    std::string customer_class;  ///< Values that are not given here are the class's.
    std::string code;            ///< With which customers come: of a partner or a reseller.
    std::string came_with;       ///< Of a customer: somebody's code.
    std::string catalogue;       ///< Of a customer: what is sold to him.
    std::string distributor;     ///< Of a customer that stands elsewhere in the tree: who sells to him.
    std::string billing_period;
    std::optional<rating::Percent> sales_commission;
    std::optional<rating::Percent> payment_commission;
    std::string commission_split;  ///< Of a seller: how sales below him are shared, `cascade` or `per_level`.
    std::string accounting_email;
    std::string statistics;
    std::optional<bool> invoices_by_email;
    std::string language;
    std::string date_format;
    std::string time_format;
    std::vector<std::string> permissions;  ///< What those above allow; empty: whatever they have themselves.
    std::string refill_policy;             ///< `mint` or `transfer`.
    std::optional<rating::Money> mint_limit;  ///< So many times what is available to him; a plain number.
    std::optional<rating::Percent> overcommit_percent;
    std::optional<std::int64_t> grace_days;
    std::string invoice_template;
    std::string payment_collection;
    std::string default_code;  ///< Of the provider: for customers who come without one.
    std::string realm;
    std::string comment;  ///< Of those above, for themselves.
    std::optional<rating::Percent> calls_commission;
    bool code_inactive = false;
    rating::Instant made{};

    static constexpr auto fields() {
        using P = Profile;
        using W = Writable;
        return std::to_array<RecordField<P>>({
            {"id", &P::id, W::never},
            {"name", &P::name},
            {"company", &P::company},
            {"first_name", &P::first_name},
            {"last_name", &P::last_name},
            {"email", &P::email, W::always, is_email, kEmailExpected},
            {"phone", &P::phone, W::always, is_phone, kPhoneExpected},
            {"address", &P::address},
            {"class", &P::customer_class, W::always, balance::is_id, kIdExpected},
            {"code", &P::code, W::always, balance::is_id, kIdExpected},
            {"came_with", &P::came_with, W::once, balance::is_id, kIdExpected},
            {"catalogue", &P::catalogue, W::always, balance::is_id, kIdExpected},
            {"distributor", &P::distributor, W::never},
            {"billing_period", &P::billing_period, W::always, is_billing_period, kBillingPeriodExpected},
            {"sales_commission", &P::sales_commission, W::always, nullptr, {}, 0, rating::Percent::kWhole},
            {"payment_commission",
             &P::payment_commission,
             W::always,
             nullptr,
             {},
             0,
             rating::Percent::kWhole},
            {"commission_split", &P::commission_split, W::always,
             +[](std::string_view text) noexcept {
                 return is_one_of(text, {"cascade", "per_level"});
             },
             "cascade or per_level"},
            {"accounting_email", &P::accounting_email, W::always, is_email, kEmailExpected},
            {"statistics", &P::statistics, W::always, is_statistics, kStatisticsExpected},
            {"invoices_by_email", &P::invoices_by_email},
            {"language", &P::language, W::always, is_language, kLanguageExpected},
            {"date_format", &P::date_format, W::always, is_time_pattern, kTimePatternExpected},
            {"time_format", &P::time_format, W::always, is_time_pattern, kTimePatternExpected},
            {"permissions", &P::permissions},
            {"refill_policy", &P::refill_policy, W::always,
             +[](std::string_view text) noexcept {
                 return is_one_of(text, {"mint", "transfer"});
             },
             "mint or transfer"},
            {"mint_limit", &P::mint_limit},
            {"overcommit_percent", &P::overcommit_percent},
            {"grace_days", &P::grace_days, W::always, nullptr, {}, 0, 3650},
            {"invoice_template", &P::invoice_template, W::always, balance::is_id, kIdExpected},
            {"payment_collection", &P::payment_collection, W::always, is_payment_collection,
             kPaymentCollectionExpected},
            {"default_code", &P::default_code, W::always, balance::is_id, kIdExpected},
            {"realm", &P::realm},
            {"comment", &P::comment},
            {"calls_commission", &P::calls_commission, W::always, nullptr, {}, 0, rating::Percent::kWhole},
            {"code_inactive", &P::code_inactive},
            {"made", &P::made, W::never},
        });
    }
};

/// A policy that its members inherit: a member's own value goes before the class's.
struct CustomerClass {
    static constexpr RecordKind kKind = RecordKind::customer_class;

    std::string id;
    std::string name;
    std::string billing_period;
    std::string payment_collection;
    std::optional<std::int64_t> grace_days;
    std::string invoice_template;
    std::string statistics;
    std::optional<bool> invoices_by_email;
    std::string language;
    std::string owner;  ///< The party whose class it is: those below it may be members.

    static constexpr auto fields() {
        using C = CustomerClass;
        using W = Writable;
        return std::to_array<RecordField<C>>({
            {"id", &C::id, W::once, balance::is_id, kIdExpected},
            {"name", &C::name},
            {"billing_period", &C::billing_period, W::always, is_billing_period, kBillingPeriodExpected},
            {"payment_collection", &C::payment_collection, W::always, is_payment_collection,
             kPaymentCollectionExpected},
            {"grace_days", &C::grace_days, W::always, nullptr, {}, 0, 3650},
            {"invoice_template", &C::invoice_template, W::always, balance::is_id, kIdExpected},
            {"statistics", &C::statistics, W::always, is_statistics, kStatisticsExpected},
            {"invoices_by_email", &C::invoices_by_email},
            {"language", &C::language, W::always, is_language, kLanguageExpected},
            {"owner", &C::owner, W::never},
        });
    }
};

}  // namespace tollgate::daemon
