/// Where events go: whatever changes parties, tariffs, sessions or money is one event, in one order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tollgate::balance {

/// The number of an event: 1, 2, 3 … without gaps, for the life of a journal. 0 is none.
using Sequence = std::uint64_t;

/// An event of more bytes than this is not appended; what is large goes into a file beside the journal.
inline constexpr std::size_t kEventBytesMax = 1024 * 1024;

/// What may be begun now, as far as there is room for events.
enum class Admission : std::uint8_t {
    open,       ///< Anything.
    ends_only,  ///< The disk is full: what ends or releases calls, and nothing else.
    closed,     ///< Nothing that makes an event.
};

/// A journal, or what stands in for one in tests. Any thread may call any member at any time.
///
/// Order is what makes a prefix of the events a state that can have been: what raises the available funds of
/// anybody is appended before it becomes visible to other threads; what lowers them is done before it is
/// appended; parties, statuses and versions are appended before they are published.
class EventLog {
  public:
    EventLog() = default;
    EventLog(const EventLog&) = delete;
    EventLog& operator=(const EventLog&) = delete;
    virtual ~EventLog() = default;

    /// Takes a copy of the event and gives it its number; whoever appends later gets a higher one. Waits only
    /// where the queue is full, which is longer than a disk should ever take. Requires: 1 to kEventBytesMax
    /// bytes, and that admission() allowed it shortly before.
    virtual Sequence append(std::span<const std::byte> event) noexcept = 0;

    /// The number of the newest event: an answer that waits for it relies on nothing that could be lost.
    [[nodiscard]] virtual Sequence last() const noexcept = 0;

    [[nodiscard]] virtual Admission admission() const noexcept = 0;

    /// Writes and syncs a file beside the segments, for an event that names it. Blocks; for administration.
    /// The name it can be read by. Throws std::runtime_error where it cannot be written.
    virtual std::string put_aside(std::string_view kind, std::span<const std::byte> bytes) = 0;
};

/// Passes everything on to a log that is there later than those who append: nothing is appended before. Where
/// there is none, as in most tests, events go nowhere.
class EventRelay final : public EventLog {
  public:
    /// Before any other thread appends.
    void connect(EventLog& log) noexcept { log_ = &log; }

    Sequence append(std::span<const std::byte> event) noexcept override {
        return log_ == nullptr ? 0 : log_->append(event);
    }
    [[nodiscard]] Sequence last() const noexcept override { return log_ == nullptr ? 0 : log_->last(); }
    [[nodiscard]] Admission admission() const noexcept override {
        return log_ == nullptr ? Admission::open : log_->admission();
    }
    std::string put_aside(std::string_view kind, std::span<const std::byte> bytes) override {
        return log_ == nullptr ? std::string{} : log_->put_aside(kind, bytes);
    }

  private:
    EventLog* log_ = nullptr;
};

}  // namespace tollgate::balance
