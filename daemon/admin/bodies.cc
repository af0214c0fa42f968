#include "daemon/admin/bodies.h"

#include <cstdlib>
#include <utility>

#include "balance/party.h"

namespace tollgate::daemon::admin {

bool says_gzip(std::string_view content_encoding) noexcept {
    return content_encoding == "gzip" || content_encoding == "x-gzip";
}

std::optional<Response> refusal_of_encoding(std::string_view content_encoding) {
    if (content_encoding.empty() || content_encoding == "identity" || says_gzip(content_encoding)) {
        return std::nullopt;
    }
    return problem({.status = 415,
                    .detail = "Content-Encoding \"" +
                              std::string{content_encoding.substr(0, kShownBytesMax)} +
                              "\": expected gzip or none"});
}

std::optional<Response> refusal_of(GunzipStatus status, std::size_t bytes_max) {
    switch (status) {
        case GunzipStatus::damaged:
            return problem({.status = 422, .detail = "the gzip data is damaged or cut short"});
        case GunzipStatus::too_large:
            return problem({.status = 413,
                            .detail = "unpacked it is larger than " + std::to_string(bytes_max) +
                                      " bytes (http.body_bytes_max)"});
        case GunzipStatus::unpacked:
            return std::nullopt;
    }
    std::abort();  // Not an enumerator: memory is corrupt.
}

PlainBody::PlainBody(const Request& request, std::size_t bytes_max)
    : refusal_(refusal_of_encoding(request.content_encoding)), text_(request.body) {
    if (refusal_ || (!says_gzip(request.content_encoding) && !is_gzip(text_))) return;
    auto [status, text] = gunzip(text_, bytes_max);
    refusal_ = refusal_of(status, bytes_max);
    unpacked_ = std::move(text);
    text_ = unpacked_;
}

Response not_json(const JsonReader& reader) {
    return problem({.status = 422, .detail = reader.error()});
}

void check_id(std::string_view id, FieldFaults& faults) {
    if (!balance::is_id(id)) faults.add("id", "expected 1 to 64 of A-Z a-z 0-9 . _ : @ + -");
}

Response invalid(std::span<const RequestFault> faults) {
    std::string detail = "nothing was changed: ";
    if (faults.size() == 1) {
        const auto& fault = faults.front();
        if (fault.line) detail += "line " + std::to_string(*fault.line) + ": ";
        if (!fault.place.empty()) detail += fault.place + ": ";
        detail += fault.message;
    } else {
        detail += std::to_string(faults.size()) + " faults";
    }
    return problem({.status = 422, .detail = detail, .errors = faults});
}

}  // namespace tollgate::daemon::admin
