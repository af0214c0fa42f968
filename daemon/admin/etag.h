/// Tags of what is shown, so that nobody changes what he has not seen: RFC 9110.
///
///     const std::string tag = etag_of(image_of(record));
///     if (auto refused = refusal_of(request, tag)) return *std::move(refused);
///     …
///     with_etag(response, etag_of(image_of(changed)));
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "daemon/admin/router.h"

namespace tollgate::daemon::admin {

/// `"0123456789abcdef"`: the same for the same bytes. They are to hold all that administration may change,
/// and nothing that moves by itself, such as a balance.
[[nodiscard]] std::string etag_of(std::string_view bytes);

/// 412 where the request has an If-Match and this is none of its tags; nullopt where it may go on. Whoever
/// asks holds the lock that keeps the thing as it is until it is changed.
[[nodiscard]] std::optional<Response> refusal_of(const Request& request, std::string_view etag);

[[nodiscard]] Response with_etag(Response response, std::string etag);

}  // namespace tollgate::daemon::admin
