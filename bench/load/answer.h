/// What the daemon answered, cut out of the bytes of a connection.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace tollgate::bench::load {

/// The most elements that a flat answer is read with, and the longest answer in bytes.
inline constexpr std::size_t kElementsMax = 256;
inline constexpr std::size_t kAnswerBytesMax = std::size_t{1024} * 1024;

/// One RESP answer. Its texts are views into what was read.
class Answer {
  public:
    enum class Kind : std::uint8_t { array, bulk, simple, error, integer };
    enum class Status : std::uint8_t {
        complete,
        incomplete,  ///< Read more and ask again from the same byte.
        malformed,   ///< This is no RESP, or an array that is not flat.
    };

    /// Reads the answer at the front of `text`; consumed() says how long it is.
    Status read(std::string_view text) noexcept;

    [[nodiscard]] std::size_t consumed() const noexcept { return consumed_; }
    [[nodiscard]] Kind kind() const noexcept { return kind_; }
    /// Of an array all; else the one text: an error's is without its `-`. A null is an empty bulk.
    [[nodiscard]] std::span<const std::string_view> elements() const noexcept {
        return {elements_.data(), count_};
    }
    [[nodiscard]] std::string_view text() const noexcept { return elements_[0]; }

  private:
    std::array<std::string_view, kElementsMax> elements_{};
    std::size_t count_ = 0;
    std::size_t consumed_ = 0;
    Kind kind_ = Kind::array;
};

}  // namespace tollgate::bench::load
