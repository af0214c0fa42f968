#include "daemon/flush/postgres_rows.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <chrono>
#include <cstring>
#include <limits>

#include "daemon/utf8.h"

namespace tollgate::daemon::flush {
namespace {

constexpr std::string_view kSignature{"PGCOPY\n\377\r\n\0", 11};
/// 2000-01-01, from where PostgreSQL counts.
constexpr std::chrono::sys_days kPostgresEpoch{std::chrono::year{2000} / 1 / 1};
/// Of a numeric: how many decimal digits one of its digits has.
constexpr unsigned kDigitPlaces = 4;
constexpr std::uint64_t kDigitBase = 10'000;
constexpr std::uint16_t kNegative = 0x4000;
constexpr unsigned kMoneyPlaces = 6;

}  // namespace

bool is_sql_text(std::string_view bytes) noexcept {
    if (bytes.starts_with("\\x")) return false;
    while (!bytes.empty()) {
        const char first = bytes.front();
        const bool is_ascii = first > 0 && first < 0x7f;  // Nearly always, so that nothing is called for it.
        const std::size_t count = is_ascii ? 1 : first == '\0' ? 0 : utf8_bytes(bytes);
        if (count == 0) return false;
        bytes.remove_prefix(count);
    }
    return true;
}

std::string sql_text(std::string_view bytes) {
    if (is_sql_text(bytes)) return std::string{bytes};
    std::string text = "\\x";
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        text += "0123456789abcdef"[byte >> 4U];
        text += "0123456789abcdef"[byte & 0xFU];
    }
    return text;
}

void PostgresRows::grow(std::size_t count) {
    constexpr std::size_t kLeast = std::size_t{1} << 17;
    bytes_.resize(std::max(kLeast, 2 * (used_ + count)));
}

template <typename Number>
void PostgresRows::put(Number value) {
    std::byte* const at = room(sizeof value);
    for (std::size_t i = 0; i < sizeof value; ++i)
        at[i] =
            static_cast<std::byte>(static_cast<std::uint64_t>(value) >> (8 * (sizeof value - 1 - i)) & 0xFFU);
}

void PostgresRows::put_bytes(std::span<const std::byte> bytes) {
    if (!bytes.empty()) std::memcpy(room(bytes.size()), bytes.data(), bytes.size());
}

PostgresRows& PostgresRows::flag(bool value) {
    put(std::int32_t{1});
    put(static_cast<std::uint8_t>(value ? 1 : 0));
    return *this;
}

PostgresRows& PostgresRows::small(std::int16_t value) {
    put(std::int32_t{sizeof value});
    put(value);
    return *this;
}

PostgresRows& PostgresRows::whole(std::int32_t value) {
    put(std::int32_t{sizeof value});
    put(value);
    return *this;
}

PostgresRows& PostgresRows::number(std::uint64_t value) {
    assert(value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()));
    put(std::int32_t{sizeof value});
    put(value);
    return *this;
}

PostgresRows& PostgresRows::money(rating::Money amount) {
    return decimal(amount.micros(), kMoneyPlaces);
}

// A numeric is digits to the base 10,000: how many there are, the power of the first, the sign, and how many
// decimal places are shown.
PostgresRows& PostgresRows::decimal(std::int64_t units, unsigned places) {
    constexpr std::size_t kDigitsMax = 8;
    std::array<std::uint16_t, kDigitsMax> digits{};  // The last one first.
    const auto size = static_cast<std::uint64_t>(units);
    std::uint64_t rest = units < 0 ? std::uint64_t{0} - size : size;
    std::size_t count = 0;
    int weight = -static_cast<int>((places + kDigitPlaces - 1) / kDigitPlaces);  // Of the last.
    if (const unsigned over = places % kDigitPlaces; over != 0) {
        std::uint64_t unit = 1;  // The last digit holds `over` places and zeros behind them.
        for (unsigned i = 0; i < over; ++i)
            unit *= 10;
        digits.at(count++) = static_cast<std::uint16_t>(rest % unit * (kDigitBase / unit));
        rest /= unit;
    }
    for (; rest != 0; rest /= kDigitBase)
        digits.at(count++) = static_cast<std::uint16_t>(rest % kDigitBase);
    std::size_t first = 0;
    while (first < count && digits.at(first) == 0)
        ++first;
    while (count > first && digits.at(count - 1) == 0)
        --count;
    const auto used = static_cast<std::int16_t>(count - first);
    const int top = used == 0 ? 0 : weight + static_cast<int>(count) - 1;
    constexpr std::int32_t kHeadBytes = 8;
    put(kHeadBytes + 2 * std::int32_t{used});
    put(used);
    put(static_cast<std::int16_t>(top));
    put(units < 0 ? kNegative : std::uint16_t{0});
    put(static_cast<std::uint16_t>(places));
    for (std::size_t i = count; i-- > first;)
        put(digits.at(i));
    return *this;
}

PostgresRows& PostgresRows::instant(rating::Instant at) {
    const auto since = std::chrono::floor<std::chrono::microseconds>(at) - kPostgresEpoch;
    put(std::int32_t{sizeof(std::int64_t)});
    put(std::int64_t{since.count()});
    return *this;
}

PostgresRows& PostgresRows::text(std::string_view value) {
    if (!is_sql_text(value)) {
        const std::string escaped = sql_text(value);
        put(static_cast<std::int32_t>(escaped.size()));
        put_bytes(std::as_bytes(std::span{escaped}));
        return *this;
    }
    put(static_cast<std::int32_t>(value.size()));
    put_bytes(std::as_bytes(std::span{value}));
    return *this;
}

PostgresRows& PostgresRows::json(std::string_view value) {
    constexpr std::uint8_t kJsonbVersion = 1;
    put(static_cast<std::int32_t>(value.size() + 1));
    put(kJsonbVersion);
    put_bytes(std::as_bytes(std::span{value}));
    return *this;
}

PostgresRows& PostgresRows::bytes(std::span<const std::byte> value) {
    put(static_cast<std::int32_t>(value.size()));
    put_bytes(value);
    return *this;
}

std::span<const std::byte> PostgresRows::finish() {
    put(std::int16_t{-1});
    return so_far();
}

PostgresArrays::PostgresArrays(std::initializer_list<std::string_view> types) : columns_(types.size(), "{") {
    std::size_t number = 0;
    for (const std::string_view type : types) {
        unnest_ += number == 0 ? "unnest($" : ", $";
        unnest_ += std::to_string(++number) + "::";
        unnest_ += type;
        unnest_ += "[]";
    }
    unnest_ += ')';
}

std::string& PostgresArrays::next() {
    std::string& column = *columns_[std::exchange(next_, (next_ + 1) % columns_.size())];
    if (column.size() > 1) column += ',';
    return column;
}

PostgresArrays& PostgresArrays::add(std::string_view element) {
    next() += element;
    size_ += element.size();
    return *this;
}

PostgresArrays& PostgresArrays::add_quoted(std::string_view element) {
    std::string& column = next();
    column += '"';
    for (const char c : element) {
        if (c == '"' || c == '\\') column += '\\';
        column += c;
    }
    column += '"';
    size_ += element.size();
    return *this;
}

PostgresArrays& PostgresArrays::text(std::string_view value) {
    return is_sql_text(value) ? add_quoted(value) : add_quoted(sql_text(value));
}

PostgresArrays& PostgresArrays::instant(rating::Instant at) {
    return add_quoted(rating::format(std::chrono::floor<std::chrono::microseconds>(at)).view());
}

std::span<const std::optional<std::string>> PostgresArrays::finish() {
    assert(next_ == 0);
    for (auto& column : columns_)
        *column += '}';
    return columns_;
}

void PostgresArrays::clear() {
    for (auto& column : columns_)
        column->assign(1, '{');
    size_ = 0;
}

void PostgresRows::clear() {
    used_ = 0;
    rows_ = 0;
    put_bytes(std::as_bytes(std::span{kSignature}));
    put(std::int32_t{0});  // Flags.
    put(std::int32_t{0});  // Bytes of an extension.
}

}  // namespace tollgate::daemon::flush
