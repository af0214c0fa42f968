#include "config/user.h"

#include <gtest/gtest.h>

namespace tollgate::config {
namespace {

bool holds(const char* network, const char* address) {
    const auto known = Network::parse(network);
    const auto asked = Network::parse_address(address);
    EXPECT_TRUE(known) << network;
    EXPECT_TRUE(asked) << address;
    return known && asked && known->holds(*asked);
}

TEST(Network, HoldsItsAddressesAndNoOther) {
    EXPECT_TRUE(holds("192.0.2.0/24", "192.0.2.255"));
    EXPECT_FALSE(holds("192.0.2.0/24", "192.0.3.0"));
    EXPECT_TRUE(holds("192.0.2.128/25", "192.0.2.200"));
    EXPECT_FALSE(holds("192.0.2.128/25", "192.0.2.127"));
    EXPECT_TRUE(holds("192.0.2.7", "192.0.2.7"));
    EXPECT_FALSE(holds("192.0.2.7", "192.0.2.8"));
    EXPECT_TRUE(holds("0.0.0.0/0", "203.0.113.9"));
    EXPECT_FALSE(holds("0.0.0.0/0", "2001:db8::1"));
    EXPECT_TRUE(holds("2001:db8::/33", "2001:db8:7fff::1"));
    EXPECT_FALSE(holds("2001:db8::/33", "2001:db8:8000::1"));
    EXPECT_TRUE(holds("192.0.2.0/24", "::ffff:192.0.2.9")) << "IPv4 on a socket of both";
}

TEST(Network, RefusesWhatIsNone) {
    for (const char* const text : {"", "192.0.2.0/33", "192.0.2.1/24", "192.0.2.0/", "192.0.2.0/x", "host",
                                   "2001:db8::/129", "2001:db8::1/64", "192.0.2.0/24/8"})
        EXPECT_FALSE(Network::parse(text)) << text;
}

TEST(Role, HasAWordEach) {
    for (const Role role : {Role::switch_, Role::monitor, Role::finance, Role::admin})
        EXPECT_EQ(role_of(text_of(role)), role);
    EXPECT_FALSE(role_of("Admin"));
}

TEST(UserName, IsMadeOfWhatIdsAre) {
    EXPECT_TRUE(is_user_name("kamailio-1.example:a@b+c_d"));
    EXPECT_FALSE(is_user_name(""));
    EXPECT_FALSE(is_user_name("a b"));
    EXPECT_FALSE(is_user_name(std::string(65, 'x')));
}

}  // namespace
}  // namespace tollgate::config
