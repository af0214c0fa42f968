/// Who may log in, and with what.
#pragma once

#include "daemon/partners/record.h"
#include "daemon/partners/words.h"

namespace tollgate::daemon {

/// Somebody who logs in. Belongs to one party and sees nothing outside its subtree.
struct Person {
    static constexpr RecordKind kKind = RecordKind::person;

    std::string id;  ///< The login.
    std::string party;
    std::string name;
    std::string email;
    std::string role;                      ///< `viewer`, `operator`, `finance` or `admin`.
    std::vector<std::string> permissions;  ///< Of the role's, those that are left; empty: all of them.
    std::string password;                  ///< The argon2id hash, as libsodium writes it.
    bool disabled = false;
    std::string language;
    std::string time_zone;
    std::string date_format;
    std::string time_format;
    rating::Instant made{};

    static constexpr auto fields() {
        using P = Person;
        using W = Writable;
        return std::to_array<RecordField<P>>({
            {"login", &P::id, W::once, balance::is_id, kIdExpected},
            {"party", &P::party, W::once, balance::is_id, kIdExpected},
            {"name", &P::name},
            {"email", &P::email, W::always, is_email, kEmailExpected},
            {"role", &P::role, W::always,
             +[](std::string_view text) noexcept {
                 return is_one_of(text, {"viewer", "operator", "finance", "admin"});
             },
             "viewer, operator, finance or admin"},
            {"permissions", &P::permissions},
            {"password", &P::password, W::hidden},
            {"disabled", &P::disabled},
            {"language", &P::language, W::always, is_language, kLanguageExpected},
            {"time_zone", &P::time_zone},
            {"date_format", &P::date_format, W::always, is_time_pattern, kTimePatternExpected},
            {"time_format", &P::time_format, W::always, is_time_pattern, kTimePatternExpected},
            {"made", &P::made, W::never},
        });
    }
};

/// What a request shows instead of a password.
struct Token {
    static constexpr RecordKind kKind = RecordKind::token;

    std::string id;    ///< `k-1`, …
    std::string hash;  ///< BLAKE2b of the token, in hexadecimal: the token itself is nowhere.
    std::string person;
    std::string name;  ///< What it is for; empty: a login.
    rating::Instant made{};
    rating::Instant expires{};

    static constexpr auto fields() {
        using T = Token;
        using W = Writable;
        return std::to_array<RecordField<T>>({
            {"id", &T::id, W::never},
            {"hash", &T::hash, W::hidden},
            {"person", &T::person, W::never},
            {"name", &T::name, W::once},
            {"made", &T::made, W::never},
            {"expires", &T::expires, W::once},
        });
    }
};

/// How distributors make accounts: which fields they fill in, and what all others are.
struct QuickForm {
    static constexpr RecordKind kKind = RecordKind::quick_form;

    std::string id;
    std::string name;
    std::string owner;
    std::vector<std::string> distributors;            ///< Who may use it.
    std::vector<std::string> fields_open;             ///< What they fill in.
    std::string defaults;                             ///< JSON: a customer's and a line's fields.
    std::optional<rating::Percent> sales_commission;  ///< Instead of the distributor's.

    static constexpr auto fields() {
        using Q = QuickForm;
        using W = Writable;
        return std::to_array<RecordField<Q>>({
            {"id", &Q::id, W::once, balance::is_id, kIdExpected},
            {"name", &Q::name},
            {"owner", &Q::owner, W::never},
            {"distributors", &Q::distributors, W::always, balance::is_id, kIdExpected},
            {"fields", &Q::fields_open, W::always, balance::is_id, "names of fields"},
            {"defaults", &Q::defaults, W::hidden},
            {"sales_commission", &Q::sales_commission, W::always, nullptr, {}, 0, rating::Percent::kWhole},
        });
    }
};

}  // namespace tollgate::daemon
