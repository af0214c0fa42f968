#include "balance/journal/checksum.h"

#include <array>
#include <cstring>

namespace tollgate::balance::journal {
namespace {

constexpr std::uint32_t kPolynomial = 0x82F63B78U;  // Reflected.
constexpr std::size_t kTables = 8;

using Tables = std::array<std::array<std::uint32_t, 256>, kTables>;

constexpr Tables make_tables() {
    Tables tables{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        std::uint32_t rest = byte;
        for (int bit = 0; bit < 8; ++bit)
            rest = (rest >> 1) ^ ((rest & 1U) != 0 ? kPolynomial : 0U);
        tables[0][byte] = rest;
    }
    for (std::size_t table = 1; table < kTables; ++table) {
        for (std::size_t byte = 0; byte < 256; ++byte) {
            const std::uint32_t rest = tables[table - 1][byte];
            tables[table][byte] = (rest >> 8) ^ tables[0][rest & 0xFFU];
        }
    }
    return tables;
}

constexpr Tables kTable = make_tables();

std::uint64_t load(const std::byte* at) noexcept {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    return word;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t by_instruction(const std::byte* at, std::size_t size,
                                                               std::uint32_t before) noexcept {
    std::uint64_t rest = ~before;
    for (; size >= 8; at += 8, size -= 8)
        rest = __builtin_ia32_crc32di(rest, load(at));
    auto last = static_cast<std::uint32_t>(rest);
    for (; size != 0; ++at, --size)
        last = __builtin_ia32_crc32qi(last, static_cast<unsigned char>(*at));
    return ~last;
}

bool has_instruction() noexcept {
    __builtin_cpu_init();
    return __builtin_cpu_supports("sse4.2") != 0;
}
const bool kHasInstruction = has_instruction();
#endif

}  // namespace

std::uint32_t checksum_by_table(std::span<const std::byte> bytes, std::uint32_t before) noexcept {
    const std::byte* at = bytes.data();
    std::size_t size = bytes.size();
    std::uint32_t rest = ~before;
    for (; size >= 8; at += 8, size -= 8) {
        const std::uint64_t word = load(at) ^ rest;
        rest = 0;
        for (std::size_t byte = 0; byte < 8; ++byte)
            rest ^= kTable[7 - byte][(word >> (8 * byte)) & 0xFFU];
    }
    for (; size != 0; ++at, --size)
        rest = (rest >> 8) ^ kTable[0][(rest ^ static_cast<std::uint32_t>(*at)) & 0xFFU];
    return ~rest;
}

std::uint32_t checksum(std::span<const std::byte> bytes, std::uint32_t before) noexcept {
#if defined(__x86_64__)
    if (kHasInstruction) return by_instruction(bytes.data(), bytes.size(), before);
#endif
    return checksum_by_table(bytes, before);
}

std::optional<std::uint64_t> flipped_bit(std::size_t size, std::uint32_t found,
                                         std::uint32_t expected) noexcept {
    // Checksums are linear: what a flipped bit changes depends on nothing but its distance from the end. The
    // last bit of all changes the checksum by the polynomial itself; each bit before it by one step more.
    const std::uint32_t wanted = found ^ expected;
    if (wanted == 0) return std::nullopt;
    std::uint32_t change = kPolynomial;
    for (std::uint64_t bit = std::uint64_t{8} * size; bit-- > 0;) {
        if (change == wanted) return bit;
        change = (change >> 1) ^ ((change & 1U) != 0 ? kPolynomial : 0U);
    }
    return std::nullopt;
}

}  // namespace tollgate::balance::journal
