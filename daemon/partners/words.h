/// Texts that several records have.
#pragma once

#include <algorithm>
#include <string_view>

#include "balance/party.h"

namespace tollgate::daemon {

/// One of the words.
template <std::size_t N>
constexpr bool is_one_of(std::string_view text, const std::string_view (&words)[N]) noexcept {  // NOLINT
    return std::find(std::begin(words), std::end(words), text) != std::end(words);
}

/// Without control characters, up to kRecordTextMax bytes.
[[nodiscard]] bool is_plain_text(std::string_view text) noexcept;
/// As RFC 5321 has addresses in ASCII, without quotes and literals: `ann@example.org`.
[[nodiscard]] bool is_email(std::string_view text) noexcept;
/// 3 to 32 digits, spaces, `-`, `(`, `)`, with or without a plus sign in front.
[[nodiscard]] bool is_phone(std::string_view text) noexcept;
/// 1 to 32 digits.
[[nodiscard]] bool is_number(std::string_view text) noexcept;
/// `daily`, `weekly`, `semimonthly`, `monthly` or `anniversary`.
[[nodiscard]] bool is_billing_period(std::string_view text) noexcept;
inline constexpr std::string_view kBillingPeriodExpected =
    "daily, weekly, semimonthly, monthly or anniversary";
/// `none`, `summary` or `full`.
[[nodiscard]] bool is_statistics(std::string_view text) noexcept;
inline constexpr std::string_view kStatisticsExpected = "none, summary or full";
/// `manual` or `automatic`.
[[nodiscard]] bool is_payment_collection(std::string_view text) noexcept;
inline constexpr std::string_view kPaymentCollectionExpected = "manual or automatic";
/// `suspend`, `owe` or `drop`.
[[nodiscard]] bool is_renewal(std::string_view text) noexcept;
inline constexpr std::string_view kRenewalExpected = "suspend, owe or drop";
/// A language tag of BCP 47 such as `en` or `pt-BR`.
[[nodiscard]] bool is_language(std::string_view text) noexcept;
inline constexpr std::string_view kLanguageExpected = "a language such as en or pt-BR";
/// strftime's letters for a date or a time: `%Y-%m-%d`.
[[nodiscard]] bool is_time_pattern(std::string_view text) noexcept;
inline constexpr std::string_view kTimePatternExpected = "a pattern such as %Y-%m-%d or %H:%M:%S";

inline constexpr std::string_view kIdExpected = "1 to 64 of A-Z a-z 0-9 . _ : @ + -";
inline constexpr std::string_view kEmailExpected = "an address such as ann@example.org";
inline constexpr std::string_view kPhoneExpected = "a phone number such as +49 30 1234";

}  // namespace tollgate::daemon
