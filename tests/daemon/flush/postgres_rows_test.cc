#include "daemon/flush/postgres_rows.h"

#include <string>

#include <gtest/gtest.h>

namespace tollgate::daemon::flush {
namespace {

/// The bytes of one field, in hexadecimal, without the header of the COPY and the row's.
std::string field_of(PostgresRows& rows) {
    constexpr std::size_t kHeaderBytes = 11 + 4 + 4 + 2;
    std::string text;
    for (const std::byte byte : rows.so_far().subspan(kHeaderBytes)) {
        constexpr std::string_view kDigits = "0123456789abcdef";
        text += kDigits[std::to_integer<unsigned>(byte) >> 4U];
        text += kDigits[std::to_integer<unsigned>(byte) & 0xFU];
    }
    return text;
}

/// Without the blanks that make it readable.
std::string hex(std::string text) {
    std::erase(text, ' ');
    return text;
}

std::string money_of(std::int64_t micros) {
    PostgresRows rows;
    rows.begin_row(1).money(rating::Money::from_micros(micros));
    return field_of(rows);
}

std::string decimal_of(std::int64_t units, unsigned places) {
    PostgresRows rows;
    rows.begin_row(1).decimal(units, places);
    return field_of(rows);
}

// Goal: an amount is the numeric that PostgreSQL itself would send.
// Method: bytes as PostgreSQL 15 gave them (COPY (SELECT 1.5::numeric(20,6)) TO … (FORMAT binary)): length,
// then 16 bits each: how many digits to the base 10,000, the weight of the first, the sign, six places, the
// digits.
TEST(PostgresRows, MoneyIsANumericOfSixPlaces) {
    EXPECT_EQ(money_of(0), hex("00000008 0000 0000 0000 0006"));
    EXPECT_EQ(money_of(1'500'000), hex("0000000c 0002 0000 0000 0006 0001 1388"));  // 1, 5000
    EXPECT_EQ(money_of(-1'500'000), hex("0000000c 0002 0000 4000 0006 0001 1388"));
    EXPECT_EQ(money_of(1), hex("0000000a 0001 fffe 0000 0006 0064"));                    // 0.0000 0100
    EXPECT_EQ(money_of(100), hex("0000000a 0001 ffff 0000 0006 0001"));                  // 0.0001
    EXPECT_EQ(money_of(12'345'000'000), hex("0000000c 0002 0001 0000 0006 0001 0929"));  // 1 2345
    EXPECT_EQ(money_of(10'000'000'000), hex("0000000a 0001 0001 0000 0006 0001"));       // 10000
    // The least there is: -9223372036854.775808 is 9 2233 7203 6854 . 7758 0800.
    EXPECT_EQ(money_of(INT64_MIN), hex("00000014 0006 0003 4000 0006 0009 08b9 1c23 1ac6 1e4e 0320"));
}

TEST(PostgresRows, PricesHaveNinePlaces) {
    EXPECT_EQ(decimal_of(600'000'000, 9), hex("0000000a 0001 ffff 0000 0009 1770"));  // 0.6000
    EXPECT_EQ(decimal_of(1, 9), hex("0000000a 0001 fffd 0000 0009 03e8"));            // 0.0000 0000 1000
    EXPECT_EQ(decimal_of(-7, 0), hex("0000000a 0001 0000 4000 0000 0007"));
}

TEST(PostgresRows, TimesAreMicrosecondsSince2000) {
    PostgresRows rows;
    rows.begin_row(1).instant(rating::Instant{std::chrono::seconds{946'684'801}} +
                              std::chrono::nanoseconds{1'999});
    EXPECT_EQ(field_of(rows), hex("00000008 00000000000f4241"));  // 1 000 001
    PostgresRows earlier;
    earlier.begin_row(1).instant(rating::Instant{std::chrono::seconds{946'684'800}} -
                                 std::chrono::nanoseconds{1});
    EXPECT_EQ(field_of(earlier), hex("00000008 ffffffffffffffff"));
    PostgresRows never;
    never.begin_row(1).instant_or_null(rating::kAlways);
    EXPECT_EQ(field_of(never), "ffffffff");
}

TEST(SqlText, StaysWhatItIsWhereItCan) {
    for (const std::string text :
         {"", "plain@host", "größe", "\xF0\x9F\x93\x9E", "back\\slash", "\\", "x\\x00"}) {
        EXPECT_TRUE(is_sql_text(text)) << text;
        EXPECT_EQ(sql_text(text), text);
    }
}

// Goal: whatever else there is has a form of its own, so that two texts are never one.
TEST(SqlText, IsHexadecimalWhereItCannot) {
    EXPECT_EQ(sql_text(std::string{"a\0", 2}), "\\x6100");
    EXPECT_EQ(sql_text("\xFF"), "\\xff");
    EXPECT_EQ(sql_text("\xC3"), "\\xc3");                    // Cut off.
    EXPECT_EQ(sql_text("\xC0\x80"), "\\xc080");              // Longer than it need be.
    EXPECT_EQ(sql_text("\xED\xA0\x80"), "\\xeda080");        // Half of a pair.
    EXPECT_EQ(sql_text("\xF4\x90\x80\x80"), "\\xf4908080");  // Beyond Unicode.
    EXPECT_EQ(sql_text("\\xff"), "\\x5c786666");             // As if it were one.
}

// Goal: each column is an array as PostgreSQL reads it, whatever is in a text.
TEST(PostgresArrays, AColumnIsAParameter) {
    PostgresArrays rows{"text", "numeric", "timestamptz", "boolean"};
    EXPECT_EQ(rows.unnest(), "unnest($1::text[], $2::numeric[], $3::timestamptz[], $4::boolean[])");
    rows.text("alice")
        .money(rating::Money::from_micros(-1'500'000))
        .instant_or_null(rating::kAlways)
        .flag(true);
    rows.text(R"(a "b", {\c})")
        .null()
        .instant(*rating::parse_instant("2026-03-01T12:00:31.123456789Z"))
        .flag(false);
    rows.text("NULL").number(7).null().null();
    rows.text("\xff").number(8).null().null();
    rows.text_or_null({}).number(9).null().null();
    const auto columns = rows.finish();
    ASSERT_EQ(columns.size(), 4U);
    EXPECT_EQ(columns[0], R"({"alice","a \"b\", {\\c}","NULL","\\xff",NULL})");
    EXPECT_EQ(columns[1], "{-1.5,NULL,7,8,9}");
    EXPECT_EQ(columns[2], R"({NULL,"2026-03-01T12:00:31.123456Z",NULL,NULL,NULL})");
    EXPECT_EQ(columns[3], "{t,f,NULL,NULL,NULL}");
    rows.clear();
    EXPECT_EQ(rows.size(), 0U);
    rows.text("bob").null().null().null();
    EXPECT_EQ(rows.size(), 3U + 3 * 4);
    EXPECT_EQ(rows.finish()[0], R"({"bob"})");
}

}  // namespace
}  // namespace tollgate::daemon::flush
