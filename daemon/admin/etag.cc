#include "daemon/admin/etag.h"

#include <cstdint>
#include <utility>

#include "balance/hash.h"

namespace tollgate::daemon::admin {

std::string etag_of(std::string_view bytes) {
    constexpr balance::KeyedHash kHash{0};
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::uint64_t hash = kHash(bytes);
    std::string tag{"\"0123456789abcdef\""};
    for (std::size_t i = 16; i > 0; --i, hash >>= 4)
        tag[i] = kDigits[hash & 0xF];
    return tag;
}

std::optional<Response> refusal_of(const Request& request, std::string_view etag) {
    if (request.if_match.empty() || request.if_match == "*") return std::nullopt;
    // A list of tags behind commas; none of ours has a comma in it, and a weak one matches nothing.
    for (std::string_view left = request.if_match; !left.empty();) {
        const std::size_t comma = left.find(',');
        std::string_view tag = left.substr(0, comma);
        left.remove_prefix(comma == std::string_view::npos ? left.size() : comma + 1);
        while (!tag.empty() && (tag.front() == ' ' || tag.front() == '\t'))
            tag.remove_prefix(1);
        while (!tag.empty() && (tag.back() == ' ' || tag.back() == '\t'))
            tag.remove_suffix(1);
        if (tag == etag) return std::nullopt;
    }
    return problem({.status = 412,
                    .detail = "If-Match: it has been changed since; get it again, it is " +
                              std::string{etag} + " by now"});
}

Response with_etag(Response response, std::string etag) {
    response.headers.emplace_back("ETag", std::move(etag));
    return response;
}

}  // namespace tollgate::daemon::admin
