/// A keyed hash of bytes. Callers choose session ids and switches take them from the network, so the key is
/// drawn at start: nobody outside can aim many ids at one bucket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace tollgate::balance {

class KeyedHash {
  public:
    explicit constexpr KeyedHash(std::uint64_t key) noexcept : given_(key), key_(spread(key)) {}

    [[nodiscard]] std::uint64_t operator()(std::string_view bytes) const noexcept {
        std::uint64_t state = key_ ^ (bytes.size() * kOdd);
        const char* at = bytes.data();
        std::size_t left = bytes.size();
        for (; left >= 16; at += 16, left -= 16)
            state = fold(word(at) ^ state, word(at + 8) ^ key_);
        // The last bytes are read together with those before them, which are shifted out.
        const auto last = [bytes, at](std::size_t size) {
            return size == 0           ? 0
                   : bytes.size() >= 8 ? word(bytes.data() + bytes.size() - 8) >> 8 * (8 - size)
                                       : few(at, size);
        };
        if (left > 8) {
            state = fold(word(at) ^ state, last(left - 8) ^ key_);
        } else {
            state = fold(last(left) ^ state, kOdd ^ key_);
        }
        return fold(state, kOther);
    }

    /// What another process needs to hash alike.
    [[nodiscard]] constexpr std::uint64_t key() const noexcept { return given_; }

    /// Mixes one more number into a hash.
    [[nodiscard]] std::uint64_t mix(std::uint64_t hash, std::uint64_t value) const noexcept {
        return fold(hash ^ value, key_ ^ kOther);
    }

  private:
    static constexpr std::uint64_t kOdd = 0x9E37'79B9'7F4A'7C15ULL;
    static constexpr std::uint64_t kOther = 0xD6E8'FEB8'6659'FD93ULL;

    /// Any key, 0 too, becomes one of well-mixed bits: a factor of 0 below would hash everything alike.
    static constexpr std::uint64_t spread(std::uint64_t key) noexcept {
        key += kOdd;
        key = (key ^ (key >> 30)) * 0xBF58'476D'1CE4'E5B9ULL;
        key = (key ^ (key >> 27)) * 0x94D0'49BB'1331'11EBULL;
        return key ^ (key >> 31);
    }
    /// Bytes as a number, the first one lowest.
    static std::uint64_t word(const char* at) noexcept { return piece<std::uint64_t>(at); }
    /// 1 to 7 bytes: of two or three pieces that may overlap, where their bits are the same.
    static std::uint64_t few(const char* at, std::size_t size) noexcept {
        if (size >= 4)
            return piece<std::uint32_t>(at) | piece<std::uint32_t>(at + size - 4) << 8 * (size - 4);
        return piece<std::uint8_t>(at) | piece<std::uint8_t>(at + size / 2) << 8 * (size / 2) |
               piece<std::uint8_t>(at + size - 1) << 8 * (size - 1);
    }
    template <typename Piece>
    static std::uint64_t piece(const char* at) noexcept {
        Piece value = 0;
        std::memcpy(&value, at, sizeof value);
        return value;
    }
    /// Both halves of the 128-bit product.
    static std::uint64_t fold(std::uint64_t a, std::uint64_t b) noexcept {
        __extension__ typedef unsigned __int128 Wide;  // NOLINT(modernize-use-using)
        const Wide product = Wide{a} * b;
        return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
    }

    std::uint64_t given_;
    std::uint64_t key_;
};

}  // namespace tollgate::balance
