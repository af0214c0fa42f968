/// A body as its resource wants it: one JSON object, or plain text that may have come packed.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/admin/fields.h"
#include "daemon/admin/gzip.h"
#include "daemon/admin/json.h"
#include "daemon/admin/router.h"

namespace tollgate::daemon::admin {

/// Whether a Content-Encoding, in small letters, names gzip.
[[nodiscard]] bool says_gzip(std::string_view content_encoding) noexcept;
/// 415 for an encoding that is neither gzip nor none.
[[nodiscard]] std::optional<Response> refusal_of_encoding(std::string_view content_encoding);
/// 413 or 422 for what could not be unpacked within `bytes_max`.
[[nodiscard]] std::optional<Response> refusal_of(GunzipStatus status, std::size_t bytes_max);

/// The body, unpacked where it was packed with gzip: said by Content-Encoding or by the body's first bytes.
class PlainBody {
  public:
    PlainBody(const Request& request, std::size_t bytes_max);
    PlainBody(const PlainBody&) = delete;
    PlainBody& operator=(const PlainBody&) = delete;

    /// Why there is no text: 413, 415 or 422.
    [[nodiscard]] const std::optional<Response>& refusal() const noexcept { return refusal_; }
    /// Lives as long as this and the request. Requires: no refusal.
    [[nodiscard]] std::string_view text() const noexcept { return text_; }

  private:
    std::optional<Response> refusal_;
    std::string unpacked_;
    std::string_view text_;
};

/// 422 for a body that is no JSON.
[[nodiscard]] Response not_json(const JsonReader& reader);

/// A fault where `id`, the one in a path, cannot be that of a resource.
void check_id(std::string_view id, FieldFaults& faults);

/// 422 with every fault; the detail says how many.
[[nodiscard]] Response invalid(std::span<const RequestFault> faults);

}  // namespace tollgate::daemon::admin
