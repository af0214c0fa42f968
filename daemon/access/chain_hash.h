/// What makes a chain of entries: each carries the hash of all before it.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tollgate::daemon::access {

/// BLAKE2b with 256 bits; all zero stands before the first entry of a chain.
struct ChainHash {
    std::array<unsigned char, 32> bytes{};

    /// 64 hexadecimal digits in small letters, and the reverse.
    [[nodiscard]] std::string text() const;
    [[nodiscard]] static std::optional<ChainHash> parse(std::string_view text);

    friend bool operator==(const ChainHash&, const ChainHash&) = default;
};

/// The hash of an entry of these bytes that follows one of the hash `previous`.
[[nodiscard]] ChainHash chain_hash(const ChainHash& previous, std::span<const std::byte> entry) noexcept;

}  // namespace tollgate::daemon::access
