#include "daemon/access/permission.h"

#include <array>

#include <gtest/gtest.h>

namespace tollgate::daemon::access {
namespace {

using enum Permission;

constexpr std::array kAllRoles = {Role::viewer, Role::clerk, Role::finance, Role::admin};

TEST(Permission, TextsReadBack) {
    for (std::size_t number = 0; number < kPermissions; ++number) {
        const auto permission = static_cast<Permission>(number);
        EXPECT_EQ(parse_permission(text_of(permission)), permission);
    }
    EXPECT_EQ(text_of(view), "view");
    EXPECT_EQ(text_of(tariffs), "tariffs");
    EXPECT_FALSE(parse_permission("everything"));
    EXPECT_FALSE(parse_permission("View"));
    EXPECT_FALSE(parse_permission(""));
}

TEST(Role, TextsReadBack) {
    for (const Role role : kAllRoles)
        EXPECT_EQ(parse_role(text_of(role)), role);
    EXPECT_EQ(parse_role("operator"), Role::clerk);
    EXPECT_FALSE(parse_role("clerk"));
    EXPECT_FALSE(parse_role("root"));
}

TEST(Permissions, KnowWhatIsInThem) {
    const Permissions both{view, collect};
    EXPECT_TRUE(both.has(view));
    EXPECT_TRUE(both.has(collect));
    EXPECT_FALSE(both.has(prices));
    EXPECT_TRUE(Permissions{view}.within(both));
    EXPECT_TRUE(Permissions{}.within(Permissions{}));
    EXPECT_FALSE(both.within(Permissions{view}));
    EXPECT_EQ(Permissions::from_bits(both.bits()), both);
    EXPECT_EQ(Permissions::from_bits(2047), Permissions::all());
    EXPECT_EQ(Permissions::from_bits(2048), std::nullopt);
}

TEST(Permissions, AreAListOfNamesAndAnEmptyOneIsAll) {
    const std::vector<std::string> names{"collect", "view"};
    EXPECT_EQ(permissions_from(names), (Permissions{view, collect}));
    EXPECT_EQ(names_of(Permissions{view, collect}), (std::vector<std::string>{"view", "collect"}));
    EXPECT_EQ(permissions_from({}), Permissions::all());
    EXPECT_EQ(permissions_from(std::vector<std::string>{"view", "all"}), std::nullopt);
}

TEST(Role, ViewersOnlyLook) {
    EXPECT_EQ(permissions_of(Role::viewer), Permissions{view});
}

TEST(Role, OperatorsTouchNoMoneyAndFinanceNoCustomers) {
    EXPECT_TRUE(permissions_of(Role::clerk).has(customers));
    EXPECT_TRUE(permissions_of(Role::clerk).has(activate));
    EXPECT_FALSE(permissions_of(Role::clerk).has(collect));
    EXPECT_FALSE(permissions_of(Role::clerk).has(prices));
    EXPECT_TRUE(permissions_of(Role::finance).has(collect));
    EXPECT_FALSE(permissions_of(Role::finance).has(customers));
    EXPECT_FALSE(permissions_of(Role::finance).has(activate));
}

TEST(Role, OnlyAdminsHavePeopleResellersAndTariffs) {
    for (const Permission permission : {people, resellers, tariffs}) {
        for (const Role role : kAllRoles)
            EXPECT_EQ(permissions_of(role).has(permission), role == Role::admin);
    }
}

TEST(Effective, IsTheRoleWhereNobodyTakesAnythingAway) {
    const std::array path{Permissions::all(), Permissions::all()};
    for (const Role role : kAllRoles)
        EXPECT_EQ(effective(role, Permissions::all(), path), permissions_of(role));
}

TEST(Effective, AnyLevelTakesAwayAndNoneGivesBack) {
    const Permissions no_collect{view, customers, activate, renew};
    // Taken by the party itself, by the one above it, by the person's own bits: each alone is enough.
    EXPECT_EQ(effective(Role::admin, Permissions::all(), std::array{no_collect, Permissions::all()}),
              no_collect);
    EXPECT_EQ(effective(Role::admin, Permissions::all(), std::array{Permissions::all(), no_collect}),
              no_collect);
    EXPECT_EQ(effective(Role::admin, no_collect, std::array{Permissions::all(), Permissions::all()}),
              no_collect);
    // A party below that says it has everything does not have what was taken above.
    EXPECT_FALSE(
        effective(Role::admin, Permissions::all(), std::array{Permissions::all(), no_collect}).has(collect));
    EXPECT_EQ(effective(Role::admin, Permissions{view, collect}, std::array{no_collect}), Permissions{view});
}

TEST(Effective, NoBitsMakeMoreOfARole) {
    EXPECT_EQ(effective(Role::viewer, Permissions::all(), {}), Permissions{view});
    EXPECT_EQ(effective(Role::viewer, Permissions{collect}, {}), Permissions{});
}

}  // namespace
}  // namespace tollgate::daemon::access
