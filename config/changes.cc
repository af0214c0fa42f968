#include "config/changes.h"

#include <algorithm>
#include <array>

#include "config/keys.h"

namespace tollgate::config {

namespace {

/// App::reload takes these over; every other key needs a restart.
constexpr std::array<std::string_view, 23> kLive = {
    "resp.arguments_max",
    "resp.command_bytes_max",
    "resp.arguments_before_auth_max",
    "resp.command_bytes_before_auth_max",
    "resp.commands_in_flight_max",
    "resp.unread_bytes_max",
    "resp.connections_max",
    "resp.login_timeout",
    "http.connections_max",
    "http.timeout",
    "session.want",
    "session.hold",
    "session.grace",
    "session.expired",
    "restart.grace",
    "log.level",
    "log.format",
    "log.lines_a_minute",
    "memory.max",
    "shutdown.delay",
    "shutdown.timeout",
    "stores.lag_max",
    "users.file",
};

}  // namespace

bool is_live(std::string_view key) {
    return std::find(kLive.begin(), kLive.end(), key) != kLive.end();
}

namespace {

/// Names and roles; what stands for a password is nobody's to read.
std::string users_of(const Config& config) {
    std::string text;
    for (const User& user : config.user)
        text += (text.empty() ? "" : ",") + user.name + ':' + std::string{text_of(user.role)};
    return text;
}

}  // namespace

Changes changes(const Config& in_force, const Config& wanted) {
    Changes found;
    for (const Key& key : keys()) {
        std::string from = key.show(in_force);
        std::string to = key.show(wanted);
        if (from == to) continue;
        if (names_secret(key.name)) from = to = kSecretShown;
        (is_live(key.name) ? found.live : found.restart)
            .push_back({key.name, std::move(from), std::move(to)});
    }
    if (in_force.user != wanted.user) found.live.push_back({"user", users_of(in_force), users_of(wanted)});
    return found;
}

Config taken_over(const Config& in_force, const Config& wanted) {
    Config config = in_force;
    for (const Key& key : keys()) {
        if (is_live(key.name)) key.copy(wanted, config);
    }
    config.user = wanted.user;
    return config;
}

}  // namespace tollgate::config
