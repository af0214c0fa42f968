/// The way of events from the threads that make them to the one thread that writes them.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "balance/event_log.h"

namespace tollgate::balance::journal {

inline constexpr std::size_t kQueueBytesMax = std::size_t{128} << 20;

/// A ring of bytes with many producers and one consumer, without a lock.
///
/// An event's number and its place in the ring are decided by one compare-exchange, so the order of numbers
/// is the order in the ring. Nothing is ever dropped: where the ring is full a producer waits for the
/// consumer. A producer makes no system call but to wake a consumer that really sleeps.
class Queue {
  public:
    /// The first event gets the number `after` + 1. Requires: `bytes` a power of two, 1 KiB to
    /// kQueueBytesMax.
    Queue(std::size_t bytes, Sequence after);
    Queue(const Queue&) = delete;
    Queue& operator=(const Queue&) = delete;
    ~Queue();

    // ---- For any thread ----

    /// Requires: 1 to bytes() / 2 bytes.
    Sequence push(std::span<const std::byte> event) noexcept;

    /// The highest number that was given so far.
    [[nodiscard]] Sequence last() const noexcept;

    /// From now on an event that finds no room gets a number and is forgotten: nobody takes events any more.
    void give_up() noexcept { given_up_.store(true, std::memory_order_release); }

    /// Ends a sleep() at once.
    void wake() noexcept;

    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
    /// How many bytes of it are in use. For display.
    [[nodiscard]] std::size_t bytes_used() const noexcept;

    // ---- For the consumer ----

    /// The size of the next event in order; 0 where there is none, or it is still being copied.
    [[nodiscard]] std::size_t next_bytes() const noexcept;
    /// Copies the next event. Requires: next_bytes() != 0, and `to` as long as that.
    void take(std::byte* to) noexcept;
    /// Gives the room of what was taken back to the producers.
    void release() noexcept;
    /// The number of the last event that was taken.
    [[nodiscard]] Sequence taken() const noexcept { return read_sequence_; }
    /// Whether numbers were given beyond what was taken.
    [[nodiscard]] bool empty() const noexcept { return last() == read_sequence_; }
    /// Until somebody pushes or wakes, or the time is over.
    void sleep(std::chrono::nanoseconds time) noexcept;

  private:
    /// Places are counted in units of this size; each event begins at one.
    static constexpr std::size_t kUnitBytes = 16;
    /// In front of each event: its length, or 0 as long as it is being copied.
    using Mark = std::atomic<std::uint32_t>;
    static constexpr std::size_t kMarkBytes = sizeof(std::uint32_t);

    // The state has the number of the last event in its low bits and the place behind it above them. Both
    // wrap; the consumer's full counts, never far behind, say what is missing.
    static constexpr int kSequenceBits = 40;
    static constexpr std::uint64_t kSequenceMask = (std::uint64_t{1} << kSequenceBits) - 1;
    static constexpr std::uint64_t kPlaceMask = (std::uint64_t{1} << (64 - kSequenceBits)) - 1;

    [[nodiscard]] Mark& mark_at(std::uint64_t place) const noexcept;
    void copy_in(std::uint64_t offset, std::span<const std::byte> from) noexcept;
    void copy_out(std::uint64_t offset, std::byte* to, std::size_t size) const noexcept;

    std::size_t bytes_;
    std::byte* ring_;

    // Written by producers, compare-exchange.
    alignas(64) std::atomic<std::uint64_t> state_;
    // Written by the consumer after it has zeroed the room (release), read by producers (acquire) before
    // they write there.
    alignas(64) std::atomic<std::uint64_t> released_units_{0};
    // Written by the consumer, read by last() before the state, which can only be further.
    std::atomic<std::uint64_t> released_sequence_;
    // 1 while the consumer sleeps or is about to. All accesses that matter are sequentially consistent, as is
    // the compare-exchange of the state: either the sleeper sees the new state, or the producer sees the 1.
    alignas(64) std::atomic<std::uint32_t> sleeping_{0};
    std::atomic<bool> given_up_{false};
    // The consumer's own.
    alignas(64) std::uint64_t read_units_ = 0;
    Sequence read_sequence_;
};

}  // namespace tollgate::balance::journal
