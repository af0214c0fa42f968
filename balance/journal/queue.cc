#include "balance/journal/queue.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>
#include <ctime>
#include <new>
#include <thread>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tollgate::balance::journal {
namespace {

constexpr std::size_t kRingBytesMin = 1024;
constexpr std::size_t kRingAlignment = 4096;
constexpr int kSpinsBeforeYield = 100;
constexpr int kYieldsBeforeSleep = 100;
constexpr std::chrono::microseconds kFullSleep{50};

void pause() noexcept {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

std::uint32_t* word_of(std::atomic<std::uint32_t>& atomic) noexcept {
    static_assert(sizeof atomic == sizeof(std::uint32_t));
    return reinterpret_cast<std::uint32_t*>(&atomic);
}

}  // namespace

Queue::Queue(std::size_t bytes, Sequence after)
    : bytes_(bytes),
      ring_(static_cast<std::byte*>(::operator new (bytes, std::align_val_t{kRingAlignment}))),
      state_(after & kSequenceMask),
      released_sequence_(after),
      read_sequence_(after) {
    assert(std::has_single_bit(bytes) && bytes >= kRingBytesMin && bytes <= kQueueBytesMax);
    std::memset(ring_, 0, bytes);
}

Queue::~Queue() {
    ::operator delete (ring_, std::align_val_t{kRingAlignment});
}

Queue::Mark& Queue::mark_at(std::uint64_t place) const noexcept {
    return *reinterpret_cast<Mark*>(ring_ + (place * kUnitBytes & (bytes_ - 1)));
}

void Queue::copy_in(std::uint64_t offset, std::span<const std::byte> from) noexcept {
    const std::size_t at = offset & (bytes_ - 1);
    const std::size_t first = std::min(from.size(), bytes_ - at);
    std::memcpy(ring_ + at, from.data(), first);
    if (first < from.size()) std::memcpy(ring_, from.data() + first, from.size() - first);
}

void Queue::copy_out(std::uint64_t offset, std::byte* to, std::size_t size) const noexcept {
    const std::size_t at = offset & (bytes_ - 1);
    const std::size_t first = std::min(size, bytes_ - at);
    std::memcpy(to, ring_ + at, first);
    if (first < size) std::memcpy(to + first, ring_, size - first);
}

Sequence Queue::push(std::span<const std::byte> event) noexcept {
    assert(!event.empty() && event.size() <= bytes_ / 2);
    const std::uint64_t units = (kMarkBytes + event.size() + kUnitBytes - 1) / kUnitBytes;
    const std::uint64_t ring_units = bytes_ / kUnitBytes;
    std::uint64_t state = state_.load(std::memory_order_acquire);
    for (int waits = 0;;) {
        // Read after the state: if the exchange below succeeds nobody was faster, and the count read here
        // cannot have been beyond it.
        const std::uint64_t released = released_units_.load(std::memory_order_acquire);
        const std::uint64_t place = state >> kSequenceBits;
        const std::uint64_t used = (place - released) & kPlaceMask;
        if (used + units > ring_units) {
            if (given_up_.load(std::memory_order_acquire)) return last() + 1;
            ++waits;
            if (waits < kSpinsBeforeYield) {
                pause();
            } else if (waits < kSpinsBeforeYield + kYieldsBeforeSleep) {
                std::this_thread::yield();
            } else {
                wake();
                std::this_thread::sleep_for(kFullSleep);
            }
            state = state_.load(std::memory_order_acquire);
            continue;
        }
        const std::uint64_t next =
            ((place + units) & kPlaceMask) << kSequenceBits | ((state + 1) & kSequenceMask);
        if (!state_.compare_exchange_weak(state, next, std::memory_order_seq_cst, std::memory_order_acquire))
            continue;
        // Nothing is below what the consumer has released, and it can be at most a ring behind.
        const std::uint64_t base = released_sequence_.load(std::memory_order_relaxed);
        Sequence sequence = base + (((next & kSequenceMask) - base) & kSequenceMask);
        copy_in(place * kUnitBytes + kMarkBytes, event);
        mark_at(place).store(static_cast<std::uint32_t>(event.size()), std::memory_order_release);
        if (sleeping_.load(std::memory_order_seq_cst) != 0) wake();
        return sequence;
    }
}

Sequence Queue::last() const noexcept {
    const std::uint64_t base = released_sequence_.load(std::memory_order_acquire);
    const std::uint64_t state = state_.load(std::memory_order_seq_cst);
    return base + (((state & kSequenceMask) - base) & kSequenceMask);
}

std::size_t Queue::bytes_used() const noexcept {
    const std::uint64_t released = released_units_.load(std::memory_order_acquire);
    const std::uint64_t place = state_.load(std::memory_order_acquire) >> kSequenceBits;
    return ((place - released) & kPlaceMask) * kUnitBytes;
}

std::size_t Queue::next_bytes() const noexcept {
    // Acquire pairs with the release in push: a length means that the bytes are there.
    return mark_at(read_units_).load(std::memory_order_acquire);
}

void Queue::take(std::byte* to) noexcept {
    const std::size_t size = next_bytes();
    const std::uint64_t units = (kMarkBytes + size + kUnitBytes - 1) / kUnitBytes;
    copy_out(read_units_ * kUnitBytes + kMarkBytes, to, size);
    // Any unit may be the first of a later event, whose mark must not look set before it is.
    const std::size_t at = read_units_ * kUnitBytes & (bytes_ - 1);
    const std::size_t length = units * kUnitBytes;
    const std::size_t first = std::min(length, bytes_ - at);
    std::memset(ring_ + at, 0, first);
    std::memset(ring_, 0, length - first);
    read_units_ += units;
    ++read_sequence_;
}

void Queue::release() noexcept {
    released_sequence_.store(read_sequence_, std::memory_order_release);
    released_units_.store(read_units_, std::memory_order_release);
}

void Queue::wake() noexcept {
    if (sleeping_.exchange(0, std::memory_order_seq_cst) != 0)
        ::syscall(SYS_futex, word_of(sleeping_), FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

void Queue::sleep(std::chrono::nanoseconds time) noexcept {
    sleeping_.store(1, std::memory_order_seq_cst);
    if (empty()) {
        const auto whole = std::chrono::duration_cast<std::chrono::seconds>(time);
        const timespec wait{.tv_sec = whole.count(), .tv_nsec = (time - whole).count()};
        ::syscall(SYS_futex, word_of(sleeping_), FUTEX_WAIT_PRIVATE, 1, &wait, nullptr, 0);
    }
    sleeping_.store(0, std::memory_order_seq_cst);
}

}  // namespace tollgate::balance::journal
