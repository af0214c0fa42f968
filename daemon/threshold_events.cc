#include "daemon/threshold_events.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>

namespace tollgate::daemon {

namespace {

void write(const ThresholdEvent& event, std::vector<std::byte>& bytes) {
    bytes.clear();
    balance::ByteWriter out{bytes};
    balance::EventHeader{balance::EventKind::threshold, event.at}.write(out);
    out.put(event.number);
    out.put(event.crossing.party);
    out.put(event.crossing.warning);
    out.put(event.crossing.balance);
    out.put(event.at.wall);
}

}  // namespace

void ThresholdEvents::keep(const ThresholdEvent& event) {
    // Two threads may write in another order than they were numbered.
    const auto place = std::partition_point(
        kept_.begin(), kept_.end(), [&event](const auto& other) { return other.number < event.number; });
    kept_.insert(place, event);
    if (kept_.size() > kEventsMax) kept_.pop_front();
}

void ThresholdEvents::crossed(const balance::Crossing& crossing) noexcept {
    const auto drawn = std::make_shared<const DrawnNumber>(numbers_);
    const ThresholdEvent event{drawn->number(), crossing, clock_()};
    std::vector<std::byte> bytes;
    write(event, bytes);
    std::optional<balance::JointEvent> own;
    balance::JointEvent* joint = balance::JointEvent::current();
    if (joint == nullptr) joint = &own.emplace();
    // Where the operation comes to nothing, this goes uncalled, and settles the number as well.
    joint->add(bytes, [this, event, drawn] {
        const std::lock_guard lock{mutex_};
        if (observer_) observer_(event);
        keep(event);
    });
    if (companion_) companion_(event, *joint);
    if (own) own->write(events_, event.at);
}

bool ThresholdEvents::apply(balance::ByteReader& in) {
    ThresholdEvent event;
    in.get(event.number);
    in.get(event.crossing.party);
    in.get(event.crossing.warning);
    in.get(event.crossing.balance);
    in.get(event.at.wall);
    if (!in.at_end() || event.number == 0 || event.crossing.warning > balance::Warning::balance) return false;
    numbers_.restore(event.number);
    const std::lock_guard lock{mutex_};
    keep(event);
    return true;
}

void ThresholdEvents::save(const std::function<void(std::span<const std::byte>)>& sink) const {
    const std::lock_guard lock{mutex_};
    std::vector<std::byte> bytes;
    for (ThresholdEvent event : kept_) {
        event.at.steady = {};  // Of another boot, perhaps.
        write(event, bytes);
        sink(bytes);
    }
}

std::vector<ThresholdEvent> ThresholdEvents::after(std::uint64_t number, std::size_t count) const {
    const std::lock_guard lock{mutex_};
    const auto first = std::partition_point(kept_.begin(), kept_.end(),
                                            [number](const auto& event) { return event.number <= number; });
    const auto left = static_cast<std::size_t>(kept_.end() - first);
    return {first, first + static_cast<std::ptrdiff_t>(std::min(count, left))};
}

std::vector<ThresholdEvent> ThresholdEvents::newest(std::size_t count) const {
    const std::lock_guard lock{mutex_};
    return {kept_.end() - static_cast<std::ptrdiff_t>(std::min(count, kept_.size())), kept_.end()};
}

std::string_view text_of(balance::Warning warning) noexcept {
    switch (warning) {
        case balance::Warning::percent:
            return "percent";
        case balance::Warning::owed:
            return "owed";
        case balance::Warning::balance:
            return "balance";
    }
    std::abort();  // Not an enumerator: memory is corrupt.
}

}  // namespace tollgate::daemon
