#include "config/changes.h"

#include <algorithm>
#include <array>
#include <unordered_map>

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

/// Those of a configuration, which must outlive it, by name.
class UsersByName {
  public:
    explicit UsersByName(const Config& config) {
        for (const User& user : config.user)
            users_.emplace(user.name, &user);
    }
    /// nullptr: there is none.
    [[nodiscard]] const User* find(std::string_view name) const {
        const auto found = users_.find(name);
        return found == users_.end() ? nullptr : found->second;
    }

  private:
    std::unordered_map<std::string_view, const User*> users_;
};

/// What a user has beside name and password, in the order of the manual; empty: what one has who says
/// nothing.
struct UserField {
    std::string_view name;
    std::string (*show)(const User&);
    bool live = true;
};
constexpr std::array<UserField, 8> kUserFields = {{
    {"role", [](const User& user) { return std::string{text_of(user.role)}; }},
    {"under", [](const User& user) { return user.under; }},
    {"sources",
     [](const User& user) {
         std::string text;
         for (const Network& network : user.sources)
             text.append(text.empty() ? "" : ",").append(network.text);
         return text;
     }},
    {"rate", [](const User& user) { return user.rate == 0 ? std::string{} : std::to_string(user.rate); }},
    {"want",
     [](const User& user) { return user.want ? std::to_string(user.want->count()) + "s" : std::string{}; }},
    {"clock", [](const User& user) { return std::string{user.our_clock ? "ours" : ""}; }},
    // Charging is made with these.
    {"start", [](const User& user) { return std::string{user.start_required ? "required" : ""}; }, false},
    {"dial_plan", [](const User& user) { return user.dial_plan; }, false},
}};

/// All that is live of one, on one line.
std::string shown(const User& user) {
    std::string text;
    for (const UserField& field : kUserFields) {
        const std::string value = field.live ? field.show(user) : std::string{};
        if (!value.empty()) text.append(text.empty() ? "" : " ").append(field.name).append("=").append(value);
    }
    return text;
}

/// What somebody who is declared anew has of what needs a restart: as he was made, which he may not have
/// been.
User made(User declared, const User* in_force) {
    declared.start_required = in_force != nullptr && in_force->start_required;
    declared.dial_plan = in_force == nullptr ? std::string{} : in_force->dial_plan;
    return declared;
}

/// What became of one who is declared now, or was, or both.
void add_user(const User* before, const User* after, Changes& found) {
    const std::string key = "user." + (after == nullptr ? before : after)->name;
    if (before == nullptr || after == nullptr) {
        found.live.push_back({key, before == nullptr ? std::string{} : shown(*before),
                              after == nullptr ? std::string{} : shown(*after)});
        if (after == nullptr) return;
    } else if (before->password != after->password) {
        found.live.push_back({key + ".password", std::string{kSecretShown}, "changed"});
    }
    const User as_made = made(*after, before);
    for (const UserField& field : kUserFields) {
        if (field.live && before == nullptr) continue;  // It was said with him.
        std::string from = field.show(field.live ? *before : as_made);
        std::string to = field.show(*after);
        if (from == to) continue;
        (field.live ? found.live : found.restart)
            .push_back({key + '.' + std::string{field.name}, std::move(from), std::move(to)});
    }
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
            .push_back({std::string{key.name}, std::move(from), std::move(to)});
    }
    const UsersByName before{in_force};
    const UsersByName after{wanted};
    for (const User& user : in_force.user)
        if (after.find(user.name) == nullptr) add_user(&user, nullptr, found);
    for (const User& user : wanted.user)
        add_user(before.find(user.name), &user, found);
    return found;
}

Config taken_over(const Config& in_force, const Config& wanted) {
    Config config = in_force;
    for (const Key& key : keys()) {
        if (is_live(key.name)) key.copy(wanted, config);
    }
    const UsersByName before{in_force};
    config.user.clear();
    for (const User& user : wanted.user)
        config.user.push_back(made(user, before.find(user.name)));
    return config;
}

}  // namespace tollgate::config
