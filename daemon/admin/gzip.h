/// Unpacks what a client has packed with gzip.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tollgate::daemon::admin {

enum class GunzipStatus : std::uint8_t {
    unpacked,
    damaged,    ///< Not gzip, cut short, or a checksum does not fit.
    too_large,  ///< Unpacked it would be beyond the limit.
};

struct GunzipResult {
    GunzipStatus status = GunzipStatus::unpacked;
    std::string text;  ///< Empty unless unpacked.
};

/// Whether the text begins as every gzip file does.
[[nodiscard]] bool is_gzip(std::string_view text) noexcept;

/// Unpacks one gzip file, or several behind each other as gzip allows. Takes memory as it unpacks, at most
/// `bytes_max` and a little, whatever the file says of its size.
[[nodiscard]] GunzipResult gunzip(std::string_view packed, std::size_t bytes_max);

}  // namespace tollgate::daemon::admin
