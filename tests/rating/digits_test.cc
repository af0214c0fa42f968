#include "rating/digits.h"

#include <string>

#include <gtest/gtest.h>

namespace tollgate::rating {
namespace {

TEST(Digits, DropsOneLeadingPlus) {
    EXPECT_EQ(Digits::parse("+4915112345678")->view(), "4915112345678");
    EXPECT_EQ(Digits::parse("112")->view(), "112");
    EXPECT_EQ(Digits::parse(std::string(32, '9'))->view(), std::string(32, '9'));
}

TEST(Digits, RefusesWhatIsNoNumber) {
    for (const std::string& text :
         {std::string{}, std::string{"+"}, std::string{"++49"}, std::string{"49 151"}, std::string{"4x"},
          std::string{"*21#"}, std::string(33, '9'), std::string(1, '\0')}) {
        EXPECT_FALSE(Digits::parse(text)) << text;
    }
}

}  // namespace
}  // namespace tollgate::rating
