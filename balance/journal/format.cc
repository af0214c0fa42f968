#include "balance/journal/format.h"

#include <algorithm>
#include <charconv>

#include "balance/journal/checksum.h"

namespace tollgate::balance::journal {
namespace {

constexpr std::size_t kNumberDigits = 12;

/// The checksum of everything behind the field `checksum`.
template <typename Header>
std::uint32_t checksum_of(const Header& header) noexcept {
    constexpr std::size_t kBefore = sizeof header.magic + sizeof header.checksum;
    return checksum(std::as_bytes(std::span{&header, 1}).subspan(kBefore));
}

template <typename Header>
std::optional<Header> header_in(std::span<const std::byte> block, const std::array<char, 8>& magic) noexcept {
    Header header;
    if (block.size() < sizeof header) return std::nullopt;
    if (std::memcmp(block.data(), magic.data(), magic.size()) != 0) return std::nullopt;
    std::memcpy(&header, block.data(), sizeof header);
    if (header.checksum != checksum_of(header)) return std::nullopt;
    return header;
}

std::string hexadecimal(std::uint64_t number) {
    char text[16];
    for (std::size_t digit = sizeof text; digit-- > 0; number >>= 4)
        text[digit] = "0123456789abcdef"[number & 0xFU];
    return {text, sizeof text};
}

struct InstanceFile {
    std::array<char, 8> magic = kInstanceMagic;
    std::uint32_t checksum = 0;
    std::uint32_t version = kFormatVersion;
    Instance instance;
};
static_assert(sizeof(InstanceFile) == 32);

}  // namespace

std::string text_of(const Instance& instance) {
    return hexadecimal(instance.high) + hexadecimal(instance.low);
}

void seal_checksum(SegmentHeader& header) noexcept {
    header.checksum = checksum_of(header);
}
void seal_checksum(BatchHeader& header) noexcept {
    header.checksum = checksum_of(header);
}

std::optional<SegmentHeader> segment_header(std::span<const std::byte> block) noexcept {
    auto header = header_in<SegmentHeader>(block, kSegmentMagic);
    if (header && header->version != kFormatVersion) return std::nullopt;
    return header;
}

std::optional<BatchHeader> batch_header(std::span<const std::byte> block) noexcept {
    return header_in<BatchHeader>(block, kBatchMagic);
}

Link link_of(const BatchHeader& header) noexcept {
    return {.batch = header.batch,
            .sequence = header.first_sequence + header.events - 1,
            .header_checksum = header.checksum,
            .body_checksum = header.body_checksum};
}

bool all_zeros(std::span<const std::byte> bytes) noexcept {
    if (bytes.empty()) return true;
    return bytes.front() == std::byte{} && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0;
}

std::string segment_name(std::uint64_t segment) {
    std::string digits = std::to_string(segment);
    if (digits.size() < kNumberDigits) digits.insert(0, kNumberDigits - digits.size(), '0');
    return std::string{kSegmentPrefix} + digits;
}

std::optional<std::uint64_t> segment_of(std::string_view name) noexcept {
    if (!name.starts_with(kSegmentPrefix)) return std::nullopt;
    name.remove_prefix(kSegmentPrefix.size());
    if (name.size() < kNumberDigits) return std::nullopt;
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error != std::errc{} || end != name.data() + name.size() || number == 0) return std::nullopt;
    return number;
}

std::array<std::byte, 32> encode_instance(const Instance& instance) noexcept {
    InstanceFile file;
    file.instance = instance;
    file.checksum = checksum_of(file);
    std::array<std::byte, 32> bytes{};
    std::memcpy(bytes.data(), &file, sizeof file);
    return bytes;
}

std::optional<Instance> decode_instance(std::span<const std::byte> bytes) noexcept {
    if (bytes.size() != sizeof(InstanceFile)) return std::nullopt;
    const auto file = header_in<InstanceFile>(bytes, kInstanceMagic);
    if (!file) return std::nullopt;
    return file->instance;
}

}  // namespace tollgate::balance::journal
