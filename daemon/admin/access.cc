#include "daemon/admin/access.h"

#include <algorithm>
#include <array>
#include <string>

#include "daemon/letters.h"

namespace tollgate::daemon::admin {
namespace {

constexpr std::array<std::string_view, 3> kHosts = {"localhost", "127.0.0.1", "[::1]"};
constexpr std::size_t kPortDigitsMax = 5;

/// Nothing, or a colon and a port.
bool is_port_part(std::string_view text) noexcept {
    if (text.empty()) return true;
    if (text.front() != ':') return false;
    text.remove_prefix(1);
    return !text.empty() && text.size() <= kPortDigitsMax &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_this_machine(std::string_view host) noexcept {
    return std::any_of(kHosts.begin(), kHosts.end(), [host](std::string_view name) {
        return same_letters(host.substr(0, name.size()), name) &&
               is_port_part(host.substr(std::min(name.size(), host.size())));
    });
}

}  // namespace

std::optional<Response> refusal_of(const Caller& caller) {
    if (!caller.loopback) {
        return problem(
            {.status = 403, .detail = "as long as no user is declared only this machine is served"});
    }
    if (!is_this_machine(caller.host)) {
        return problem({.status = 403,
                        .detail = "Host \"" + std::string{caller.host.substr(0, 80)} +
                                  "\": expected localhost, 127.0.0.1 or [::1]"});
    }
    if (caller.origin && !same_letters(*caller.origin, "http://" + std::string{caller.host})) {
        return problem({.status = 403,
                        .detail = "Origin \"" + std::string{caller.origin->substr(0, 80)} +
                                  "\": pages of other origins are not served"});
    }
    return std::nullopt;
}

}  // namespace tollgate::daemon::admin
