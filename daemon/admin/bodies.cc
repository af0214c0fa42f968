#include "daemon/admin/bodies.h"

#include <utility>

#include "daemon/admin/gzip.h"

namespace tollgate::daemon::admin {

PlainBody::PlainBody(const Request& request, std::size_t bytes_max) : text_(request.body) {
    const std::string_view encoding = request.content_encoding;
    const bool packed = encoding == "gzip" || encoding == "x-gzip";
    if (!packed && !encoding.empty() && encoding != "identity") {
        refusal_ =
            problem({.status = 415,
                     .detail = "Content-Encoding \"" + std::string{encoding.substr(0, kShownBytesMax)} +
                               "\": expected gzip or none"});
        return;
    }
    if (!packed && !is_gzip(text_)) return;
    auto [status, text] = gunzip(text_, bytes_max);
    switch (status) {
        case GunzipStatus::damaged:
            refusal_ = problem({.status = 422, .detail = "the gzip data is damaged or cut short"});
            return;
        case GunzipStatus::too_large:
            refusal_ = problem({.status = 413,
                                .detail = "unpacked it is larger than " + std::to_string(bytes_max) +
                                          " bytes (http.body_bytes_max)"});
            return;
        case GunzipStatus::unpacked:
            break;
    }
    unpacked_ = std::move(text);
    text_ = unpacked_;
}

Response not_json(const JsonReader& reader) {
    return problem({.status = 422, .detail = reader.error()});
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
