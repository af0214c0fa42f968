/// Where events go: whatever changes parties, tariffs, sessions or money is one event, in one order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tollgate::balance {

struct Moment;

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

/// A file beside the segments, for the event that names it. It is not removed while a copy of this lives:
/// keep one until that event is appended.
struct AsideFile {
    std::string name;
    std::shared_ptr<const void> hold;
};

/// An event, and the file that it names where it names one.
struct EventAndFile {
    std::vector<std::byte> event;
    AsideFile file;
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
    /// Throws std::runtime_error where it cannot be written.
    virtual AsideFile put_aside(std::string_view kind, std::span<const std::byte> bytes) = 0;
};

/// No chained event is larger, but for odd ones: the file of such a one is written at its place.
inline constexpr std::size_t kChainedBytesMax = kEventBytesMax / 4;

/// An event that says something of all of its like that were appended before it, as the entries of the audit
/// log do: its bytes are not known before its place is.
class ChainedEvent {
  public:
    ChainedEvent() = default;
    ChainedEvent(const ChainedEvent&) = delete;
    ChainedEvent& operator=(const ChainedEvent&) = delete;
    virtual ~ChainedEvent() = default;

    /// Its bytes, at the place that is next; none of its like gets one before settle() was called.
    [[nodiscard]] virtual std::vector<std::byte> take_place() = 0;
    /// It is appended, or it is not and its place is free again. Called once for each place that was taken.
    virtual void settle(bool appended) noexcept = 0;
};

/// What goes into the journal with the next event of this thread, as one: all of it happened, or none.
///
///     JointEvent joint;
///     joint.add(who_did_it);
///     payments.top_up(…);  // One event holds both.
///
/// While it lives, what another part of the program appends beside the thread's main event (a threshold that
/// is crossed) is joined to it. Where nothing is appended, what was added is forgotten: nothing happened.
/// At most one a thread; for administration, not for calls.
class JointEvent {
  public:
    /// Beside a main event of any size there is room for parts of so many bytes. Whoever adds more lets
    /// `write` append all of it: a file may be made, and that may throw.
    static constexpr std::size_t kBytesMax = kEventBytesMax / 2;

    JointEvent() noexcept;
    JointEvent(const JointEvent&) = delete;
    JointEvent& operator=(const JointEvent&) = delete;
    ~JointEvent();

    /// The one of this thread whose event has not been written; nullptr without one.
    [[nodiscard]] static JointEvent* current() noexcept;

    /// Adds an event that follows the main one. `then` makes visible what it says: it is called once all is
    /// appended, in the order of the calls, and must not fail. Requires: not yet written.
    void add(std::span<const std::byte> event, std::function<void()> then = {});
    /// The same of one that the main event builds on.
    void add_before(std::span<const std::byte> event, std::function<void()> then = {});
    /// Adds one that follows all others. Requires: there is none yet.
    void add_chained(std::unique_ptr<ChainedEvent> event);
    /// Of an event that was added and names it.
    void keep(AsideFile file) { files_.push_back(std::move(file)); }
    [[nodiscard]] bool room(std::size_t bytes) const noexcept {
        return before_.size() + after_.size() + bytes <= kBytesMax;
    }
    [[nodiscard]] bool written() const noexcept { return written_; }
    /// Forgets all of it: what it belonged to was refused.
    void abandon();

    /// Appends what was added, without a main event; nothing where nothing was added. Throws
    /// std::runtime_error where it has to be put aside and cannot be: then nothing happened.
    void write(EventLog& log, Moment at);
    /// Appends all of it with its main event. For EventRelay.
    Sequence append(EventLog& log, std::span<const std::byte> main);

  private:
    std::vector<std::byte> before_;
    std::vector<std::byte> after_;
    std::vector<std::function<void()>> then_;
    std::vector<AsideFile> files_;
    std::unique_ptr<ChainedEvent> chained_;
    bool written_ = false;
};

/// Appends an event, or joins it to the one that this thread is about to append.
void append_or_join(EventLog& log, std::span<const std::byte> event);

/// Passes everything on to a log that is there later than those who append: nothing is appended before. Where
/// there is none, as in most tests, events go nowhere.
class EventRelay final : public EventLog {
  public:
    /// Before any other thread appends.
    void connect(EventLog& log) noexcept { log_ = &log; }

    Sequence append(std::span<const std::byte> event) noexcept override {
        if (JointEvent* const joint = JointEvent::current()) return joint->append(target(), event);
        return target().append(event);
    }
    [[nodiscard]] Sequence last() const noexcept override { return log_ == nullptr ? 0 : log_->last(); }
    [[nodiscard]] Admission admission() const noexcept override {
        return log_ == nullptr ? Admission::open : log_->admission();
    }
    AsideFile put_aside(std::string_view kind, std::span<const std::byte> bytes) override {
        return target().put_aside(kind, bytes);
    }

  private:
    /// Where there is no log.
    class Nowhere final : public EventLog {
      public:
        Sequence append(std::span<const std::byte> /*event*/) noexcept override { return 0; }
        [[nodiscard]] Sequence last() const noexcept override { return 0; }
        [[nodiscard]] Admission admission() const noexcept override { return Admission::open; }
        AsideFile put_aside(std::string_view /*kind*/, std::span<const std::byte> /*bytes*/) override {
            return {};
        }
    };
    [[nodiscard]] EventLog& target() noexcept { return log_ == nullptr ? nowhere_ : *log_; }

    Nowhere nowhere_;
    EventLog* log_ = nullptr;
};

}  // namespace tollgate::balance
