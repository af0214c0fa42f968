#include "daemon/admin/access.h"

#include <gtest/gtest.h>

namespace tollgate::daemon::admin {
namespace {

bool served(const Caller& caller) {
    return !refusal_of(caller).has_value();
}

// Goal: this machine is served under each of its names, with any port.
TEST(Access, ServesThisMachine) {
    for (const std::string_view host :
         {"localhost", "LocalHost:7380", "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:65535"}) {
        EXPECT_TRUE(served({.loopback = true, .host = host})) << host;
    }
}

// Goal: a name that only begins like one of this machine's is another's; DNS rebinding says such names.
TEST(Access, RefusesEveryOtherHost) {
    for (const std::string_view host :
         {"", "local", "localhost.evil.example", "127.0.0.1.evil.example", "127.0.0.2", "evil.example",
          "localhost:", "localhost:80x", "localhost:123456", "::1", "[::1]x", "user@localhost", "0.0.0.0"}) {
        const auto refusal = refusal_of({.loopback = true, .host = host});
        ASSERT_TRUE(refusal) << host;
        EXPECT_EQ(refusal->status, 403U);
        EXPECT_EQ(refusal->content_type, "application/problem+json");
    }
}

TEST(Access, RefusesOtherMachines) {
    EXPECT_TRUE(refusal_of({.loopback = false, .host = "localhost"}).has_value());
}

// Goal: a page of another site cannot have a browser post a form here; a page served here can.
TEST(Access, RefusesPagesOfOtherOrigins) {
    const auto from = [](std::string_view origin) {
        return served({.loopback = true, .host = "localhost:7380", .origin = origin});
    };
    EXPECT_TRUE(from("http://localhost:7380"));
    EXPECT_FALSE(from("http://localhost:3000"));
    EXPECT_FALSE(from("https://localhost:7380"));
    EXPECT_FALSE(from("http://evil.example"));
    EXPECT_FALSE(from("null"));
    EXPECT_FALSE(from(""));
}

}  // namespace
}  // namespace tollgate::daemon::admin
