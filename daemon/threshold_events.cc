#include "daemon/threshold_events.h"

#include <algorithm>
#include <cstdlib>

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
    if (kept_.size() == kEventsMax) kept_.pop_front();
    kept_.push_back(event);
    last_ = event.number;
}

void ThresholdEvents::crossed(const balance::Crossing& crossing) noexcept {
    const std::lock_guard lock{mutex_};
    const ThresholdEvent event{last_ + 1, crossing, clock_()};
    std::vector<std::byte> bytes;
    write(event, bytes);
    outbox_.append(std::move(bytes), event.at, mails_of_ ? mails_of_(event) : std::vector<MailDraft>{});
    if (observer_) observer_(event);
    keep(event);
}

bool ThresholdEvents::apply(balance::Moment at, balance::ByteReader& in) {
    ThresholdEvent event;
    in.get(event.number);
    in.get(event.crossing.party);
    in.get(event.crossing.warning);
    in.get(event.crossing.balance);
    in.get(event.at.wall);
    const std::lock_guard lock{mutex_};
    if (!in.good() || event.number <= last_ || event.crossing.warning > balance::Warning::balance)
        return false;
    keep(event);
    return outbox_.apply_made(at, in);
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
