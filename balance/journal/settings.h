/// How large, how many, how soon: everything about a journal that has a number.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "balance/event_log.h"

namespace tollgate::balance::journal {

/// What is written at once and never again; batches begin at multiples of it.
inline constexpr std::size_t kBlockBytes = 4096;

/// Segments that are kept ready ahead of the one in use; the last of them is for when the disk is full.
inline constexpr std::size_t kSegmentsReady = 3;

/// When an answer may leave.
enum class Reply : std::uint8_t {
    synced,   ///< Once its event is on the disk.
    written,  ///< Once the kernel has it: survives the death of the process, not of the machine.
};

struct Settings {
    Reply reply = Reply::synced;
    std::size_t segment_bytes = std::size_t{64} << 20;   ///< A multiple of kBlockBytes, at least 8 of them.
    std::size_t batch_bytes_max = std::size_t{1} << 20;  ///< Of events in a batch; a larger one goes alone.
    std::size_t queue_bytes = std::size_t{16} << 20;     ///< A power of two, at most kQueueBytesMax.

    std::chrono::nanoseconds seal_after = std::chrono::milliseconds{5};    ///< Idle that long: sealed.
    std::chrono::nanoseconds sync_within = std::chrono::milliseconds{10};  ///< For Reply::written.
    std::chrono::nanoseconds linger = std::chrono::milliseconds{1};        ///< Awake that long without work.
    std::chrono::nanoseconds retry_after = std::chrono::seconds{1};        ///< For a full disk.

    /// For an empty directory only: a journal that is made to continue what another one held.
    Sequence begin_after = 0;
    std::uint64_t begin_epoch = 1;
};

/// With the largest event in it a batch has to fit into a segment: what is appended to such a journal is at
/// most this long.
[[nodiscard]] constexpr std::size_t event_bytes_max(const Settings& settings) noexcept {
    const std::size_t fits = settings.segment_bytes - 2 * kBlockBytes;
    const std::size_t queued = settings.queue_bytes / 4;
    const std::size_t least = fits < queued ? fits : queued;
    return least < kEventBytesMax ? least : kEventBytesMax;
}

}  // namespace tollgate::balance::journal
