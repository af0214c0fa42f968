#include "daemon/access/permission.h"

#include <array>

namespace tollgate::daemon::access {
namespace {

/// By their numbers.
constexpr std::array<std::string_view, kPermissions> kPermissionNames = {
    "view",   "customers", "activate", "renew",   "collect", "prices",
    "people", "resellers", "numbers",  "tariffs", "calls"};
constexpr std::array<std::string_view, 4> kRoleNames = {"viewer", "operator", "finance", "admin"};

template <typename Enum, std::size_t N>
std::optional<Enum> parse(const std::array<std::string_view, N>& names, std::string_view text) noexcept {
    for (std::size_t at = 0; at < N; ++at) {
        if (names[at] == text) return static_cast<Enum>(at);
    }
    return std::nullopt;
}

}  // namespace

std::string_view text_of(Permission permission) noexcept {
    return kPermissionNames[static_cast<std::size_t>(permission)];
}

std::optional<Permission> parse_permission(std::string_view text) noexcept {
    return parse<Permission>(kPermissionNames, text);
}

std::optional<Permissions> permissions_from(std::span<const std::string> names) noexcept {
    if (names.empty()) return Permissions::all();
    Permissions permissions;
    for (const std::string& name : names) {
        const auto permission = parse_permission(name);
        if (!permission) return std::nullopt;
        permissions.add(*permission);
    }
    return permissions;
}

std::vector<std::string> names_of(Permissions permissions) {
    std::vector<std::string> names;
    for (std::size_t number = 0; number < kPermissions; ++number) {
        if (permissions.has(static_cast<Permission>(number))) names.emplace_back(kPermissionNames[number]);
    }
    return names;
}

std::string_view text_of(Role role) noexcept {
    return kRoleNames[static_cast<std::size_t>(role)];
}

std::optional<Role> parse_role(std::string_view text) noexcept {
    return parse<Role>(kRoleNames, text);
}

}  // namespace tollgate::daemon::access
