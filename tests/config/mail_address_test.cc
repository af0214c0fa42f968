#include "config/mail_address.h"

#include <string>

#include <gtest/gtest.h>

namespace tollgate::config {
namespace {

TEST(IsMailAddress, TakesTheEverydayForm) {
    for (const char* text : {"a@b", "ops@localhost", "first.last@example.com", "a+tag@example.co.uk",
                             "o'hara@example.com", "x_-%{}~@xn--bcher-kva.example", "1@2.3"}) {
        EXPECT_TRUE(is_mail_address(text)) << text;
    }
}

// Goal: nothing passes that could end a command of SMTP or a header and begin another.
TEST(IsMailAddress, RefusesWhatIsNone) {
    for (const char* text :
         {"",       "a",       "@",       "a@",     "@b",     "a@b@c",      "a b@c",      "a@b c",
          " a@b",   "a@b ",    "a@b\r\n", "a\n@b",  "<a@b>",  "a@b>",       "a.@b",       ".a@b",
          "a..b@c", "a@.b",    "a@b.",    "a@b..c", "a@-b",   "a@b-",       "\"a\"@b",    "a@[127.0.0.1]",
          "a,b@c",  "a@b,c@d", "a;b@c",   "a:b@c",  "a(b)@c", "\xc3\xbc@b", "a@b\xc3\xbc"}) {
        EXPECT_FALSE(is_mail_address(text)) << text;
    }
    EXPECT_FALSE(is_mail_address(std::string{"a\0@b", 4}));
}

TEST(IsMailAddress, HasTheLengthsOfSmtp) {
    const std::string local(64, 'l');
    EXPECT_TRUE(is_mail_address(local + "@b"));
    EXPECT_FALSE(is_mail_address(local + "l@b"));
    const std::string label(63, 'd');
    EXPECT_TRUE(is_mail_address("a@" + label));
    EXPECT_FALSE(is_mail_address("a@" + label + 'd'));
    const std::string domain = label + '.' + label + '.' + label;  // 191
    EXPECT_TRUE(is_mail_address(std::string(62, 'l') + '@' + domain));
    EXPECT_FALSE(is_mail_address(std::string(63, 'l') + '@' + domain));
}

}  // namespace
}  // namespace tollgate::config
