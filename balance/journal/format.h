/// The bytes of a journal, as docs/journal-format.md has them. All numbers are little-endian.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "balance/event_log.h"
#include "balance/journal/settings.h"

namespace tollgate::balance::journal {

static_assert(std::endian::native == std::endian::little, "the journal is written as it lies in memory");

/// Drawn once when a journal is made, and in all its files: files of two journals are never mixed up.
struct Instance {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    bool operator==(const Instance&) const = default;
};
std::string text_of(const Instance& instance);

/// Names one batch and all before it: batch n of a journal can only follow one batch n - 1.
struct Link {
    std::uint64_t batch = 0;  ///< 1, 2, 3 …; 0 is before the first.
    Sequence sequence = 0;    ///< The last event in it or before it.
    std::uint32_t header_checksum = 0;
    std::uint32_t body_checksum = 0;
    bool operator==(const Link&) const = default;
};

inline constexpr std::uint32_t kFormatVersion = 1;
inline constexpr std::array<char, 8> kSegmentMagic{'T', 'G', 'S', 'E', 'G', 'M', 'N', 'T'};
inline constexpr std::array<char, 8> kBatchMagic{'T', 'G', 'B', 'A', 'T', 'C', 'H', '1'};
inline constexpr std::array<char, 8> kInstanceMagic{'T', 'G', 'J', 'O', 'U', 'R', 'N', '1'};

/// The first bytes of a segment; the rest of its first block is zeros.
struct SegmentHeader {
    std::array<char, 8> magic = kSegmentMagic;
    std::uint32_t checksum = 0;  ///< Of what follows it in this struct.
    std::uint32_t version = kFormatVersion;
    Instance instance;
    std::uint64_t segment = 0;
    std::uint64_t epoch = 0;      ///< One higher after each recovery that wrote.
    Sequence first_sequence = 0;  ///< Of the first event in it, if there is one.
    Link previous;                ///< The last batch before this segment.
};
static_assert(sizeof(SegmentHeader) == 80);

/// The first bytes of a batch; its body follows at once, and zeros up to the next block.
struct BatchHeader {
    std::array<char, 8> magic = kBatchMagic;
    std::uint32_t checksum = 0;  ///< Of what follows it in this struct.
    std::uint32_t body_checksum = 0;
    std::uint32_t body_bytes = 0;
    std::uint32_t events = 0;  ///< 0: a seal.
    std::uint64_t instance_low = 0;
    std::uint64_t segment = 0;
    std::uint64_t epoch = 0;
    std::uint64_t batch = 0;
    Sequence first_sequence = 0;      ///< Of the first event; of the next one in a seal.
    Sequence durable_sequence = 0;    ///< The highest that was known to be on the disk when this was written.
    std::uint64_t durable_batch = 0;  ///< Likewise.
    std::uint32_t previous_header_checksum = 0;
    std::uint32_t previous_body_checksum = 0;
};
static_assert(sizeof(BatchHeader) == 88);

/// Before each event in a body.
using EventLength = std::uint32_t;

void seal_checksum(SegmentHeader& header) noexcept;
void seal_checksum(BatchHeader& header) noexcept;

/// The header, where magic, checksum and version are right; the rest is for the caller to judge.
[[nodiscard]] std::optional<SegmentHeader> segment_header(std::span<const std::byte> block) noexcept;
[[nodiscard]] std::optional<BatchHeader> batch_header(std::span<const std::byte> block) noexcept;

/// The link that names this batch.
[[nodiscard]] Link link_of(const BatchHeader& header) noexcept;

/// Calls `visit(sequence, event)` for each event of a body; false where lengths do not add up, or as soon as
/// `visit` says false.
template <typename Visit>
bool each_event(const BatchHeader& header, std::span<const std::byte> body, Visit&& visit) {
    Sequence sequence = header.first_sequence;
    for (std::uint32_t i = 0; i < header.events; ++i, ++sequence) {
        EventLength length = 0;
        if (body.size() < sizeof length) return false;
        std::memcpy(&length, body.data(), sizeof length);
        body = body.subspan(sizeof length);
        if (length > body.size()) return false;
        if (!visit(sequence, body.first(length))) return false;
        body = body.subspan(length);
    }
    return body.empty();
}

/// How many bytes of a file a batch with such a body takes.
[[nodiscard]] constexpr std::size_t batch_bytes(std::size_t body_bytes) noexcept {
    return (sizeof(BatchHeader) + body_bytes + kBlockBytes - 1) / kBlockBytes * kBlockBytes;
}

[[nodiscard]] bool all_zeros(std::span<const std::byte> bytes) noexcept;

inline constexpr std::string_view kInstanceFile = "instance";
inline constexpr std::string_view kLockFile = "lock";
inline constexpr std::string_view kSegmentPrefix = "segment-";

std::string segment_name(std::uint64_t segment);
/// Nothing where it is not the name of a segment.
[[nodiscard]] std::optional<std::uint64_t> segment_of(std::string_view name) noexcept;

std::array<std::byte, 32> encode_instance(const Instance& instance) noexcept;
[[nodiscard]] std::optional<Instance> decode_instance(std::span<const std::byte> bytes) noexcept;

}  // namespace tollgate::balance::journal
