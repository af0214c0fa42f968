/// What people may do: roles, and the bits that a party or a person may have less of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::daemon::access {

/// One kind of thing that may be done. The numbers stand in journals.
enum class Permission : std::uint8_t {
    view,       ///< Look at parties, balances, statements, history.
    customers,  ///< Create customers and lines, change, suspend and delete them.
    activate,   ///< Activate packages, plans and bundles.
    renew,      ///< Renew them.
    collect,    ///< Record payments, put money on and take it off.
    prices,     ///< Set sell prices, credit limits and commissions of those below.
    people,     ///< Create people, give them roles, revoke their tokens.
    resellers,  ///< Create resellers, distributors and partners, change and delete them.
    numbers,    ///< Assign numbers of the pool and take them back.
    tariffs,    ///< Tariffs, decks, destination groups and dial plans.
    calls,      ///< Authorise, extend and end calls, as a switch does.
};
inline constexpr std::size_t kPermissions = 11;

[[nodiscard]] std::string_view text_of(Permission permission) noexcept;
[[nodiscard]] std::optional<Permission> parse_permission(std::string_view text) noexcept;

/// A set of them.
class Permissions {
  public:
    constexpr Permissions() noexcept = default;
    constexpr Permissions(std::initializer_list<Permission> permissions) noexcept {
        for (const Permission permission : permissions)
            add(permission);
    }
    /// nullopt where a bit is none of a permission.
    [[nodiscard]] static constexpr std::optional<Permissions> from_bits(std::uint16_t bits) noexcept {
        if ((bits & ~all().bits_) != 0) return std::nullopt;
        Permissions permissions;
        permissions.bits_ = bits;
        return permissions;
    }
    [[nodiscard]] static constexpr Permissions all() noexcept {
        Permissions every;
        every.bits_ = (1U << kPermissions) - 1;
        return every;
    }

    constexpr void add(Permission permission) noexcept {
        bits_ = static_cast<std::uint16_t>(bits_ | 1U << static_cast<unsigned>(permission));
    }
    [[nodiscard]] constexpr bool has(Permission permission) const noexcept {
        return (bits_ >> static_cast<unsigned>(permission) & 1U) != 0;
    }
    /// All of these are in the others too.
    [[nodiscard]] constexpr bool within(Permissions others) const noexcept {
        return (bits_ & ~others.bits_) == 0;
    }
    [[nodiscard]] constexpr std::uint16_t bits() const noexcept { return bits_; }

    friend constexpr Permissions operator&(Permissions a, Permissions b) noexcept {
        Permissions both;
        both.bits_ = a.bits_ & b.bits_;
        return both;
    }
    friend constexpr bool operator==(Permissions, Permissions) noexcept = default;

  private:
    std::uint16_t bits_ = 0;
};

/// A list of names as parties and people have it: empty is all. nullopt: one of them is no permission.
[[nodiscard]] std::optional<Permissions> permissions_from(std::span<const std::string> names) noexcept;
/// The reverse: in the order of the permissions.
[[nodiscard]] std::vector<std::string> names_of(Permissions permissions);

/// What a person is there for.
enum class Role : std::uint8_t {
    viewer,   ///< Looks on.
    clerk,    ///< `operator`, which is a word of C++: customers and what they use, but no money.
    finance,  ///< Money and prices, but no customers.
    admin,    ///< Everything that the party may.
};

/// `viewer`, `operator`, `finance`, `admin`.
[[nodiscard]] std::string_view text_of(Role role) noexcept;
[[nodiscard]] std::optional<Role> parse_role(std::string_view text) noexcept;

[[nodiscard]] constexpr Permissions permissions_of(Role role) noexcept {
    using enum Permission;
    switch (role) {
        case Role::viewer:
            return {view};
        case Role::clerk:
            return {view, customers, activate, renew, numbers, calls};
        case Role::finance:
            return {view, collect, prices};
        case Role::admin:
            return Permissions::all();
    }
    return {};
}

/// What a person may do: what his role has, less what was taken from himself, from his party or from anybody
/// above it. Each may take away, none may give back what somebody above took: `path` are the bits of the
/// person's party and of all above it, in any order.
[[nodiscard]] constexpr Permissions effective(Role role, Permissions own,
                                              std::span<const Permissions> path) noexcept {
    Permissions left = permissions_of(role) & own;
    for (const Permissions level : path)
        left = left & level;
    return left;
}

}  // namespace tollgate::daemon::access
