#include "daemon/admin/json.h"

#include <gtest/gtest.h>

namespace tollgate::daemon::admin {
namespace {

using Kind = JsonValue::Kind;

/// The exact value of a JSON text in units of 10^-6; -1 where it has none.
std::int64_t micros_of(std::string_view text) {
    JsonReader reader;
    const JsonValue* const value = reader.read(text);
    return value == nullptr ? -1 : decimal_of(*value, 6).value_or(-1);
}

TEST(JsonReader, LaysOutAnObject) {
    JsonReader reader;
    const JsonValue* const root = reader.read(R"({"a":[1,{"b":"x\u00e9"}],"c":null, "d":true})");
    ASSERT_NE(root, nullptr) << reader.error();
    ASSERT_EQ(root->kind, Kind::object);
    auto at = root->children().begin();
    EXPECT_EQ((*at).name, "a");
    EXPECT_EQ((*at).kind, Kind::list);
    auto element = (*at).children().begin();
    EXPECT_EQ((*element).text, "1");
    ++element;
    EXPECT_EQ((*(*element).children().begin()).text, "x\xC3\xA9");
    ++at;
    EXPECT_EQ((*at).name, "c");
    EXPECT_TRUE((*at).is_null());
    ++at;
    EXPECT_EQ((*at).kind, Kind::boolean);
    EXPECT_EQ((*at).text, "true");
    ++at;
    EXPECT_TRUE(at == root->children().end());
}

// Goal: nothing that is not JSON gives a value, and a reader goes on after it.
TEST(JsonReader, RefusesWhatIsNoJson) {
    JsonReader reader;
    for (const std::string_view text :
         {"", "{", "{\"a\":1}x", "{\"a\":}", "{'a':1}", "[1,]", "nul", "\"\xFF\"", "{} {}"}) {
        EXPECT_EQ(reader.read(text), nullptr) << text;
        EXPECT_TRUE(reader.error().starts_with("not JSON: ")) << reader.error();
    }
    EXPECT_NE(reader.read(" {} \n"), nullptr);
}

// Goal: size, depth and number of values end where their names say.
TEST(JsonReader, KeepsItsLimits) {
    JsonReader reader;
    const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
    EXPECT_NE(reader.read(nested(kJsonDepthMax)), nullptr);
    EXPECT_EQ(reader.read(nested(kJsonDepthMax + 1)), nullptr);

    const auto list_of = [](std::size_t count) {
        std::string text = "[0";
        for (std::size_t i = 1; i < count; ++i)
            text += ",0";
        return text + "]";
    };
    EXPECT_NE(reader.read(list_of(kJsonValuesMax - 1)), nullptr);  // The list itself is one.
    EXPECT_EQ(reader.read(list_of(kJsonValuesMax)), nullptr);

    EXPECT_NE(reader.read('"' + std::string(kJsonBytesMax - 2, 'x') + '"'), nullptr);
    EXPECT_EQ(reader.read('"' + std::string(kJsonBytesMax - 1, 'x') + '"'), nullptr);
}

// Goal: a number's digits are what counts, not the nearest double: the last is off by one in a double.
TEST(DecimalOf, IsExact) {
    EXPECT_EQ(micros_of("12.5"), 12'500'000);
    EXPECT_EQ(micros_of("\"12.5\""), 12'500'000);
    EXPECT_EQ(micros_of("0.000001"), 1);
    EXPECT_EQ(micros_of("-3"), -3'000'000);
    EXPECT_EQ(micros_of("9007199254.740993"), 9'007'199'254'740'993);
}

// Goal: an exponent moves the point and nothing else.
TEST(DecimalOf, ReadsExponents) {
    EXPECT_EQ(micros_of("1e-06"), 1);
    EXPECT_EQ(micros_of("1.5E+2"), 150'000'000);
    EXPECT_EQ(micros_of("1.50e1"), 15'000'000);
    EXPECT_EQ(micros_of("-25e-1"), -2'500'000);
    EXPECT_EQ(micros_of("1e-07"), -1);  // A seventh place.
    EXPECT_EQ(micros_of("1e13"), -1);   // Beyond 64 bits.
    EXPECT_EQ(micros_of("1e400"), -1);
    EXPECT_EQ(micros_of("\"1e1\""), -1);  // A string is plain decimal text.
}

TEST(DecimalOf, RefusesWhatIsNoDecimal) {
    for (const std::string_view text :
         {"null", "true", "\"\"", "\"x\"", "\"1,5\"", "[1]", "{}", "0.0000001", "\" 1\""}) {
        EXPECT_EQ(micros_of(text), -1) << text;
    }
}

TEST(WholeOf, TakesWholeNumbersUpToTheMost) {
    JsonReader reader;
    const auto whole = [&](std::string_view text) { return whole_of(*reader.read(text), 6); };
    EXPECT_EQ(whole("0"), 0U);
    EXPECT_EQ(whole("6"), 6U);
    EXPECT_FALSE(whole("7"));
    EXPECT_FALSE(whole("-1"));
    EXPECT_FALSE(whole("1.0"));
    EXPECT_FALSE(whole("\"1\""));
}

TEST(JsonWriter, SeparatesAndQuotes) {
    JsonWriter json;
    json.open_object().name("a").open_list().whole(1).flag(false).null().close_list();
    json.name("b\"").text("\\ \n \x01 \xC3\xA9").name("c").open_object().close_object().close_object();
    EXPECT_EQ(json.take(), "{\"a\":[1,false,null],\"b\\\"\":\"\\\\ \\n \\u0001 \xC3\xA9\",\"c\":{}}\n");
}

// Goal: bytes that are no UTF-8 never reach a client's JSON parser.
// Method: a lone lead byte, a lone tail byte, an overlong slash, a surrogate, a value beyond Unicode; then
// good ones.
TEST(JsonWriter, ReplacesWhatIsNoUtf8) {
    const auto written = [](std::string_view text) {
        JsonWriter json;
        json.text(text);
        return json.take();
    };
    const std::string bad = "\xEF\xBF\xBD";
    EXPECT_EQ(written("\xC3"), '"' + bad + "\"\n");
    EXPECT_EQ(written("a\x80z"), "\"a" + bad + "z\"\n");
    EXPECT_EQ(written("\xC0\xAF"), '"' + bad + bad + "\"\n");
    EXPECT_EQ(written("\xED\xA0\x80"), '"' + bad + bad + bad + "\"\n");
    EXPECT_EQ(written("\xF4\x90\x80\x80"), '"' + bad + bad + bad + bad + "\"\n");
    EXPECT_EQ(written("\xE2\x82\xAC\xF0\x9F\x98\x80"), "\"\xE2\x82\xAC\xF0\x9F\x98\x80\"\n");
}

}  // namespace
}  // namespace tollgate::daemon::admin
