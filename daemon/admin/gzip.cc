#include "daemon/admin/gzip.h"

#include <algorithm>
#include <limits>
#include <new>
#include <vector>

#include <zlib.h>

namespace tollgate::daemon::admin {
namespace {

constexpr std::size_t kStepBytes = std::size_t{64} * 1024;
/// The largest window (15 bits), and 16 for gzip alone: a bare zlib stream is refused.
constexpr int kWindowBits = 15 + 16;

/// zlib's state, given back however the work ends.
class Inflater {
  public:
    Inflater() {
        if (inflateInit2(&stream, kWindowBits) != Z_OK) throw std::bad_alloc{};
    }
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;
    ~Inflater() { inflateEnd(&stream); }

    z_stream stream{};
};

}  // namespace

bool is_gzip(std::string_view text) noexcept {
    return text.starts_with("\x1F\x8B");
}

GunzipResult gunzip(std::string_view packed, std::size_t bytes_max) {
    Inflater inflater;
    z_stream& stream = inflater.stream;
    GunzipResult result;
    std::vector<unsigned char> step(kStepBytes);
    for (;;) {
        if (stream.avail_in == 0 && !packed.empty()) {
            // zlib counts in 32 bits, a body in 64.
            const auto bytes = std::min<std::size_t>(packed.size(), std::numeric_limits<uInt>::max());
            stream.next_in = reinterpret_cast<z_const Bytef*>(const_cast<char*>(packed.data()));
            stream.avail_in = static_cast<uInt>(bytes);
            packed.remove_prefix(bytes);
        }
        stream.next_out = step.data();
        stream.avail_out = static_cast<uInt>(step.size());
        const int outcome = inflate(&stream, Z_NO_FLUSH);
        const std::size_t bytes = step.size() - stream.avail_out;
        if (outcome != Z_OK && outcome != Z_STREAM_END) return {GunzipStatus::damaged, {}};
        if (bytes > bytes_max - result.text.size()) return {GunzipStatus::too_large, {}};
        result.text.append(reinterpret_cast<const char*>(step.data()), bytes);
        if (outcome == Z_STREAM_END) {
            if (stream.avail_in == 0 && packed.empty()) return result;
            inflateReset(&stream);
        }
    }
}

}  // namespace tollgate::daemon::admin
