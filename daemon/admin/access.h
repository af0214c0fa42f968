/// Who may talk to the administration as long as no user is declared: this machine alone, and no web page
/// through it.
#pragma once

#include <optional>
#include <string_view>

#include "daemon/admin/router.h"

namespace tollgate::daemon::admin {

/// What is known of a caller before its request is looked at.
struct Caller {
    bool loopback = false;                        ///< The peer's address is one of this machine.
    std::string_view host = {};                   ///< The Host header.
    std::optional<std::string_view> origin = {};  ///< The Origin header: only browsers send one.
};

/// A problem for those who are not served; nullopt for those who are.
///
/// The Host must be localhost, 127.0.0.1 or [::1], with any port, because a page whose own name was made to
/// resolve to this machine says its name there. An Origin must be that same host, because a browser lets
/// every page post a form anywhere and tells where the page is from.
[[nodiscard]] std::optional<Response> refusal_of(const Caller& caller);

}  // namespace tollgate::daemon::admin
