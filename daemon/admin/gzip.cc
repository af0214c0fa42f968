#include "daemon/admin/gzip.h"

#include <algorithm>
#include <limits>
#include <new>
#include <utility>
#include <vector>

#include <zlib.h>

namespace tollgate::daemon::admin {
namespace {

/// The largest window (15 bits), and 16 for gzip alone: a bare zlib stream is refused.
constexpr int kWindowBits = 15 + 16;

/// zlib counts in 32 bits, a body in 64.
std::string_view first_of(std::string_view text) noexcept {
    return text.substr(0, std::numeric_limits<uInt>::max());
}

const Bytef* bytes_of(std::string_view text) noexcept {
    return reinterpret_cast<const Bytef*>(text.data());
}

}  // namespace

/// zlib's state, given back however the work ends.
struct Gunzip::State {
    explicit State(std::size_t most) : bytes_max(most), step(kGunzipStepBytes) {
        if (inflateInit2(&stream, kWindowBits) != Z_OK) throw std::bad_alloc{};
    }
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() { inflateEnd(&stream); }

    z_stream stream{};
    const std::size_t bytes_max;
    std::size_t bytes = 0;
    std::size_t file_bytes = 0;  // Of the file under way, if there are several.
    uLong checksum = 0;          // Of those before it.
    bool between_files = false;  // One has just ended.
    std::vector<Bytef> step;
};

Gunzip::Gunzip(std::size_t bytes_max) : state_(std::make_unique<State>(bytes_max)) {}
Gunzip::Gunzip(Gunzip&&) noexcept = default;
Gunzip& Gunzip::operator=(Gunzip&&) noexcept = default;
Gunzip::~Gunzip() = default;

GunzipStatus Gunzip::feed(std::string_view packed, const Take& take) {
    State& state = *state_;
    z_stream& stream = state.stream;
    while (!packed.empty()) {
        const std::string_view input = first_of(packed);
        packed.remove_prefix(input.size());
        stream.next_in = const_cast<z_const Bytef*>(bytes_of(input));
        stream.avail_in = static_cast<uInt>(input.size());
        // Where a step was filled there may be more of it although the input is used up.
        for (bool filled = false; stream.avail_in > 0 || filled;) {
            if (std::exchange(state.between_files, false)) inflateReset(&stream);
            stream.next_out = state.step.data();
            stream.avail_out = static_cast<uInt>(state.step.size());
            const int outcome = inflate(&stream, Z_NO_FLUSH);
            const bool more_wanted = outcome == Z_BUF_ERROR && filled && stream.avail_in == 0;
            if (outcome != Z_OK && outcome != Z_STREAM_END && !more_wanted) return GunzipStatus::damaged;
            const std::size_t bytes = state.step.size() - stream.avail_out;
            if (bytes > state.bytes_max - state.bytes) return GunzipStatus::too_large;
            state.bytes += bytes;
            state.file_bytes += bytes;
            if (bytes > 0) take({reinterpret_cast<const char*>(state.step.data()), bytes});
            filled = stream.avail_out == 0 && outcome == Z_OK;
            if (outcome == Z_STREAM_END) {
                state.checksum = crc32_combine(state.checksum, stream.adler,
                                               static_cast<z_off_t>(std::exchange(state.file_bytes, 0)));
                state.between_files = true;
            }
        }
    }
    return GunzipStatus::unpacked;
}

GunzipStatus Gunzip::finish() const noexcept {
    return state_->between_files ? GunzipStatus::unpacked : GunzipStatus::damaged;
}

std::uint32_t Gunzip::checksum() const noexcept {
    return static_cast<std::uint32_t>(state_->checksum);
}

bool is_gzip(std::string_view text) noexcept {
    return text.starts_with("\x1F\x8B");
}

GunzipResult gunzip(std::string_view packed, std::size_t bytes_max) {
    Gunzip unpacker{bytes_max};
    GunzipResult result;
    result.status = unpacker.feed(packed, [&result](std::string_view text) { result.text.append(text); });
    if (result.status == GunzipStatus::unpacked) result.status = unpacker.finish();
    if (result.status != GunzipStatus::unpacked) result.text.clear();
    return result;
}

std::uint32_t checksum_of(std::string_view text, std::uint32_t before) noexcept {
    if (text.empty()) return before;  // zlib takes a null pointer for a wish to begin anew.
    return static_cast<std::uint32_t>(crc32_z(before, bytes_of(text), text.size()));
}

}  // namespace tollgate::daemon::admin
