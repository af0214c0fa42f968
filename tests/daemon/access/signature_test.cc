#include "daemon/access/signature.h"

#include <gtest/gtest.h>

namespace tollgate::daemon::access {
namespace {

// RFC 4231, test case 2.
constexpr std::string_view kText = "what do ya want for nothing?";
constexpr std::string_view kSecret = "Jefe";
constexpr std::string_view kSignature = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";

TEST(Signature, IsHmacSha256) {
    EXPECT_EQ(signature_of(kText, kSecret), kSignature);
    EXPECT_TRUE(is_signature(kSignature, kText, kSecret));
}

TEST(Signature, OfAnotherTextOrByAnotherSecretIsNone) {
    EXPECT_FALSE(is_signature(kSignature, "what do ya want for nothing", kSecret));
    EXPECT_FALSE(is_signature(kSignature, kText, "jefe"));
    EXPECT_FALSE(is_signature("", kText, kSecret));
    EXPECT_FALSE(is_signature(kSignature.substr(1), kText, kSecret));
}

}  // namespace
}  // namespace tollgate::daemon::access
