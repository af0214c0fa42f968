/// Unpacks what a client has packed with gzip, and counts the checksum that gzip shows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace tollgate::daemon::admin {

/// How much is unpacked at once.
inline constexpr std::size_t kGunzipStepBytes = std::size_t{64} * 1024;

enum class GunzipStatus : std::uint8_t {
    unpacked,
    damaged,    ///< Not gzip, cut short, or a checksum does not fit.
    too_large,  ///< Unpacked it would be beyond the limit.
};

/// Unpacks one gzip file, or several behind each other as gzip allows, piece by piece as it arrives; it may
/// be cut anywhere. Takes some 100 KiB of memory, whatever the file says of its size. One thread at a time.
class Gunzip {
  public:
    /// Gets the plain text in order, at most kGunzipStepBytes at once.
    using Take = std::function<void(std::string_view text)>;

    /// `bytes_max`: of the text.
    explicit Gunzip(std::size_t bytes_max);
    Gunzip(Gunzip&&) noexcept;
    Gunzip& operator=(Gunzip&&) noexcept;
    ~Gunzip();

    /// `unpacked` as far as the piece goes. After anything else it is spent.
    [[nodiscard]] GunzipStatus feed(std::string_view packed, const Take& take);

    /// The end of the file: `unpacked` if it was whole.
    [[nodiscard]] GunzipStatus finish() const noexcept;

    /// Of all the text. Requires: finish() said `unpacked`.
    [[nodiscard]] std::uint32_t checksum() const noexcept;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

struct GunzipResult {
    GunzipStatus status = GunzipStatus::unpacked;
    std::string text;  ///< Empty unless unpacked.
};

/// Whether the text begins as every gzip file does.
[[nodiscard]] bool is_gzip(std::string_view text) noexcept;
/// How many bytes is_gzip looks at.
inline constexpr std::size_t kGzipMagicBytes = 2;

/// A file that is there as a whole.
[[nodiscard]] GunzipResult gunzip(std::string_view packed, std::size_t bytes_max);

/// The CRC-32 of a text whose beginning has the checksum `before`: what `gzip -lv` shows.
[[nodiscard]] std::uint32_t checksum_of(std::string_view text, std::uint32_t before = 0) noexcept;

}  // namespace tollgate::daemon::admin
