/// CRC-32C (Castagnoli), by the processor's own instruction where it has one: about 8 GB/s.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace tollgate::balance::journal {

/// The checksum of `bytes` behind what `before` is the checksum of.
[[nodiscard]] std::uint32_t checksum(std::span<const std::byte> bytes, std::uint32_t before = 0) noexcept;

/// The same by table, for processors without the instruction and for the test that holds both together.
[[nodiscard]] std::uint32_t checksum_by_table(std::span<const std::byte> bytes,
                                              std::uint32_t before = 0) noexcept;

/// Which single bit (number 8 * byte + bit, lowest bit first) of `size` bytes was flipped, where `found` is
/// their checksum now and `expected` what it was. Nothing where no single bit explains it.
[[nodiscard]] std::optional<std::uint64_t> flipped_bit(std::size_t size, std::uint32_t found,
                                                       std::uint32_t expected) noexcept;

/// The same of a header, by trying each bit until `good(header)` is so. Nothing where it is good already.
template <typename Good>
std::optional<std::uint64_t> flipped_bit(std::span<std::byte> header, const Good& good) {
    if (good(header)) return std::nullopt;
    for (std::uint64_t bit = 0; bit < 8 * header.size(); ++bit) {
        const auto mask = static_cast<std::byte>(1U << (bit % 8));
        header[bit / 8] ^= mask;
        const bool right = good(header);
        header[bit / 8] ^= mask;
        if (right) return bit;
    }
    return std::nullopt;
}

}  // namespace tollgate::balance::journal
