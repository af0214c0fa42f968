/// Who may speak RESP, as the operator declares it.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::config {

inline constexpr std::size_t kUserNameBytesMax = 64;
inline constexpr std::size_t kUsersMax = 10'000;
inline constexpr std::size_t kSourcesMax = 64;
inline constexpr std::uint32_t kRequestRateMax = 1'000'000;

/// What a user may do: docs/protocol.md has the commands.
enum class Role : std::uint8_t {
    switch_,  ///< Authorise, meter and end calls.
    monitor,  ///< Look.
    finance,  ///< And move money.
    admin,    ///< Everything.
};

/// A network that a user may come from: `192.0.2.0/24`, `2001:db8::/32`, or one address.
struct Network {
    std::array<std::uint8_t, 16> address{};  ///< IPv4 as ::ffff:a.b.c.d.
    std::uint8_t prefix_bits = 0;            ///< Of the 128.
    std::string text;                        ///< As it was written.

    /// nullopt for what is none, and where bits stand beyond the prefix.
    [[nodiscard]] static std::optional<Network> parse(std::string_view text);
    /// nullopt for what is no address.
    [[nodiscard]] static std::optional<std::array<std::uint8_t, 16>> parse_address(std::string_view text);
    [[nodiscard]] bool holds(const std::array<std::uint8_t, 16>& other) const noexcept;

    friend bool operator==(const Network&, const Network&) = default;
};

struct User {
    std::string name;      ///< 1 to kUserNameBytesMax of `A-Z a-z 0-9 . _ : @ + -`.
    std::string password;  ///< Its argon2id hash.
    Role role = Role::switch_;
    std::string under;             ///< A party: nothing outside its subtree exists for him; empty: all does.
    std::vector<Network> sources;  ///< Empty: from anywhere.
    std::uint32_t rate = 0;        ///< Requests a second; 0: as many as he likes.
    // What follows is for switches.
    std::optional<std::chrono::seconds> want;  ///< nullopt: session.want.
    bool start_required = false;               ///< His sessions end at session.hold unless started.
    bool our_clock = false;                    ///< Implausible durations are cut to what passed here.
    std::string dial_plan;                     ///< Empty: none of his own.

    friend bool operator==(const User&, const User&) = default;
};

/// Ids and names on the wire are made of these.
[[nodiscard]] bool is_user_name(std::string_view text) noexcept;

[[nodiscard]] std::string_view text_of(Role role) noexcept;
[[nodiscard]] std::optional<Role> role_of(std::string_view text) noexcept;

}  // namespace tollgate::config
