#include "rating/decimal.h"

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "rating/duration.h"
#include "rating/money.h"

namespace tollgate::rating {
namespace {

// Goal: text becomes a scaled integer exactly, or nothing.
// Method: by hand, up to the last representable value and one beyond.
TEST(Decimal, ReadsExactly) {
    EXPECT_EQ(parse_decimal("12.5", 6), 12'500'000);
    EXPECT_EQ(parse_decimal("-0.000001", 6), -1);
    EXPECT_EQ(parse_decimal("0", 6), 0);
    EXPECT_EQ(parse_decimal("007", 0), 7);
    EXPECT_EQ(parse_decimal("9223372036854.775807", 6), std::numeric_limits<std::int64_t>::max());
    EXPECT_EQ(parse_decimal("9223372036854.775808", 6), std::nullopt);
    EXPECT_EQ(parse_decimal("99999999999999999999999", 0), std::nullopt);
}

// Goal: what only looks like a number is refused.
TEST(Decimal, RefusesWhatIsNoPlainDecimal) {
    for (const char* text : {"", "-", "+1", "1e5", "1E5", "NaN", "inf", " 1", "1 ", ".5", "5.", "1.2.3",
                             "--1", "0x10", "1,5", "1.0000001", "-.5"}) {
        EXPECT_EQ(parse_decimal(text, 6), std::nullopt) << text;
    }
}

// Goal: what is written is the shortest text that reads back as the same number.
TEST(Decimal, WritesWithoutTrailingZeros) {
    EXPECT_EQ(format_decimal(380'000, 6).view(), "0.38");
    EXPECT_EQ(format_decimal(-1, 6).view(), "-0.000001");
    EXPECT_EQ(format_decimal(0, 6).view(), "0");
    EXPECT_EQ(format_decimal(12'000'000, 6).view(), "12");
    EXPECT_EQ(format_decimal(61'200, 3).view(), "61.2");
    EXPECT_EQ(format_decimal(-5, 0).view(), "-5");
    EXPECT_EQ(format_decimal(100, 0).view(), "100");
    EXPECT_EQ(format_decimal(std::numeric_limits<std::int64_t>::min(), 6).view(), "-9223372036854.775808");
}

// Goal: numbers of every length are written right, with any number of places.
// Method: around every power of ten and of two; read back, and beside what the same digits are as text.
TEST(Decimal, WritesEveryLength) {
    std::vector<std::int64_t> values{INT64_MIN + 1, INT64_MAX};
    for (std::int64_t power = 1; power <= INT64_MAX / 10; power *= 10)
        for (const std::int64_t value : {power - 1, power, power + 1, 7 * power, 123'456'789 % power})
            values.insert(values.end(), {value, -value});
    for (int bit = 0; bit < 63; ++bit)
        values.insert(values.end(), {std::int64_t{1} << bit, (std::int64_t{1} << bit) - 1});
    for (const std::int64_t value : values) {
        for (int places = 0; places <= 18; ++places) {
            std::string digits = std::to_string(value < 0 ? -value : value);
            const auto after = static_cast<std::size_t>(places);
            if (digits.size() <= after) digits.insert(0, after + 1 - digits.size(), '0');
            std::string expected = (value < 0 ? "-" : "") + digits.substr(0, digits.size() - after);
            digits.erase(0, digits.size() - after);
            digits.erase(digits.find_last_not_of('0') + 1);
            if (!digits.empty()) expected += "." + digits;
            const auto written = format_decimal(value, places);
            EXPECT_EQ(written.view(), expected) << value << " with " << places;
            EXPECT_EQ(parse_decimal(written.view(), places), value) << written.view();
        }
    }
}

TEST(Decimal, UnsignedNumbersHaveNoSignAndABound) {
    EXPECT_EQ(parse_unsigned("65535", 65535), 65535U);
    EXPECT_EQ(parse_unsigned("65536", 65535), std::nullopt);
    EXPECT_EQ(parse_unsigned("18446744073709551616", UINT64_MAX), std::nullopt);
    EXPECT_EQ(parse_unsigned("18446744073709551615", UINT64_MAX), UINT64_MAX);
    EXPECT_EQ(parse_unsigned("184467440737095516150", UINT64_MAX), std::nullopt);
    EXPECT_EQ(parse_unsigned("0000000000000000000000000000042", 42), 42U) << "leading zeros are no digits";
    EXPECT_EQ(parse_unsigned("-1", 10), std::nullopt);
    EXPECT_EQ(parse_unsigned("", 10), std::nullopt);
}

// Goal: the largest values are read to the last digit, and what lies beyond them is refused, not wrapped.
TEST(Decimal, EndsWith64Bits) {
    EXPECT_EQ(parse_decimal("9223372036854.775807", 6), INT64_MAX);
    EXPECT_EQ(parse_decimal("9223372036854.775808", 6), std::nullopt);
    EXPECT_EQ(parse_decimal("-9223372036854.775807", 6), -INT64_MAX);
    EXPECT_EQ(parse_decimal("9223372036855", 6), std::nullopt);
    EXPECT_EQ(parse_decimal("18446744073709.551616", 6), std::nullopt) << "2^64 is not 0";
    EXPECT_EQ(parse_decimal("1844674407370955161600000", 0), std::nullopt);
    EXPECT_EQ(parse_decimal("10000000000000000000", 9), std::nullopt);
    EXPECT_EQ(parse_decimal("00000000000000000000000.5", 9), 500'000'000) << "leading zeros are no digits";
    EXPECT_EQ(parse_decimal("0000000000000000000000000", 9), 0);
    EXPECT_EQ(parse_decimal("-0.0", 9), 0);
}

TEST(Price, IsNeverNegativeAndHasNinePlaces) {
    EXPECT_EQ(parse_price("0.000000001"), Price::from_nanos(1));
    EXPECT_EQ(parse_price("1000000000"), kPriceMax);
    EXPECT_EQ(parse_price("1000000000.000000001"), std::nullopt);
    EXPECT_EQ(parse_price("-1"), std::nullopt);
    EXPECT_EQ(parse_price("-0"), std::nullopt);
    EXPECT_EQ(parse_price("0.0000000001"), std::nullopt);
}

// Goal: a second begun counts, and a duration has an end.
TEST(Duration, IsRoundedUpToWholeSeconds) {
    EXPECT_EQ(whole_seconds(*parse_duration("61.2")), std::chrono::seconds{62});
    EXPECT_EQ(whole_seconds(*parse_duration("61")), std::chrono::seconds{61});
    EXPECT_EQ(whole_seconds(*parse_duration("0.001")), std::chrono::seconds{1});
    EXPECT_EQ(parse_duration("1000000000"), kDurationMax);
    EXPECT_EQ(parse_duration("1000000000.001"), std::nullopt);
    EXPECT_EQ(parse_duration("9223372036854775808"), std::nullopt);
    EXPECT_EQ(parse_duration("-1"), std::nullopt);
    EXPECT_EQ(parse_duration("1.0001"), std::nullopt);
}

TEST(Money, StopsOnOverflow) {
    const Money largest = Money::from_micros(std::numeric_limits<std::int64_t>::max());
    EXPECT_DEATH((void)(largest + Money::from_micros(1)), "overflow");
    EXPECT_EQ(largest - Money::from_micros(1),
              Money::from_micros(std::numeric_limits<std::int64_t>::max() - 1));
}

}  // namespace
}  // namespace tollgate::rating
