#include "balance/event_log.h"

#include <cassert>
#include <utility>

#include "balance/event.h"

namespace tollgate::balance {
namespace {

thread_local JointEvent* joint_of_thread = nullptr;

/// An event that names a file with the parts of another.
EventAndFile aside(EventLog& log, std::span<const std::byte> event) {
    ByteReader in{event};
    const Moment at = EventHeader::read(in).at;
    EventAndFile naming;
    naming.file = log.put_aside("event", event);
    ByteWriter out{naming.event};
    EventHeader{EventKind::together_aside, at}.write(out);
    out.text(naming.file.name);
    return naming;
}

Sequence append_any(EventLog& log, std::span<const std::byte> event) {
    if (event.size() <= kEventBytesMax) return log.append(event);
    const auto naming = aside(log, event);
    return log.append(naming.event);
}

/// The place of an event among its like, free again unless it was appended.
class Place {
  public:
    explicit Place(ChainedEvent* event) noexcept : event_(event) {}
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() {
        if (event_ != nullptr) event_->settle(false);
    }
    void keep() noexcept {
        if (event_ != nullptr) event_->settle(true);
        event_ = nullptr;
    }

  private:
    ChainedEvent* event_;
};

}  // namespace

JointEvent::JointEvent() noexcept {
    assert(joint_of_thread == nullptr);
    joint_of_thread = this;
}

JointEvent::~JointEvent() {
    if (joint_of_thread == this) joint_of_thread = nullptr;
}

JointEvent* JointEvent::current() noexcept {
    return joint_of_thread;
}

void JointEvent::add(std::span<const std::byte> event, std::function<void()> then) {
    assert(!written_);
    add_part(event, ByteWriter{after_});
    if (then) then_.push_back(std::move(then));
}

void JointEvent::add_before(std::span<const std::byte> event, std::function<void()> then) {
    assert(!written_);
    add_part(event, ByteWriter{before_});
    if (then) then_.push_back(std::move(then));
}

void JointEvent::add_chained(std::unique_ptr<ChainedEvent> event) {
    assert(!written_ && chained_ == nullptr);
    chained_ = std::move(event);
}

void JointEvent::abandon() {
    if (written_) return;
    chained_.reset();
    before_.clear();
    after_.clear();
    files_.clear();
    then_.clear();
}

void JointEvent::write(EventLog& log, Moment at) {
    if (before_.empty() && after_.empty() && chained_ == nullptr) return;
    std::vector<std::byte> nothing;
    begin_together(at, ByteWriter{nothing});
    append(log, nothing);
}

Sequence JointEvent::append(EventLog& log, std::span<const std::byte> main) {
    assert(!written_);
    joint_of_thread = nullptr;  // What is appended from now on is another event.
    written_ = true;
    Sequence sequence = 0;
    if (before_.empty() && after_.empty() && chained_ == nullptr) {
        sequence = log.append(main);
    } else {
        ByteReader in{main};
        const Moment at = EventHeader::read(in).at;
        std::vector<std::byte> event;
        begin_together(at, ByteWriter{event});
        event.insert(event.end(), before_.begin(), before_.end());
        if (!is_together(main)) add_part(main, ByteWriter{event});
        event.insert(event.end(), after_.begin(), after_.end());
        if (chained_ == nullptr) {
            sequence = append_any(log, event);
        } else {
            // A file is written before a place is taken: others of its like wait for that.
            EventAndFile naming;
            if (event.size() > kEventBytesMax - kChainedBytesMax) {
                naming = aside(log, event);
                event.clear();
                begin_together(at, ByteWriter{event});
                add_part(naming.event, ByteWriter{event});
            }
            const auto bytes = chained_->take_place();
            Place place{chained_.get()};
            add_part(bytes, ByteWriter{event});
            sequence = append_any(log, event);
            place.keep();
        }
    }
    files_.clear();
    for (const auto& then : std::exchange(then_, {}))
        then();
    return sequence;
}

void append_or_join(EventLog& log, std::span<const std::byte> event) {
    if (JointEvent* const joint = JointEvent::current()) {
        joint->add(event);
    } else {
        log.append(event);
    }
}

}  // namespace tollgate::balance
