/// The thresholds that balances have crossed, the newest of them kept for whoever asks.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <span>
#include <string_view>
#include <vector>

#include "balance/crossing.h"
#include "balance/event.h"
#include "balance/event_log.h"
#include "rating/instant.h"

namespace tollgate::daemon {

struct ThresholdEvent {
    std::uint64_t number = 0;  ///< 1, 2, 3 … in the order in which they were told.
    balance::Crossing crossing;
    balance::Moment at{};
};

/// Any thread may call any member at any time. A lock is taken once a crossing, which is rare: a movement
/// that crosses nothing never comes here.
class ThresholdEvents final : public balance::CrossingSink {
  public:
    /// How many are kept.
    static constexpr std::size_t kEventsMax = 10'000;

    using Clock = std::function<balance::Moment()>;
    /// Told of each event in order. It must not throw.
    using Observer = std::function<void(const ThresholdEvent&)>;

    /// `events` must outlive this.
    ThresholdEvents(balance::EventLog& events, Clock clock, Observer observer = {})
        : events_(events), clock_(std::move(clock)), observer_(std::move(observer)) {}

    void crossed(const balance::Crossing& crossing) noexcept override;

    /// The rest of an event of the journal, which was told before a restart: the observer hears nothing of
    /// it. Whether a balance is beyond a threshold is seen from the balance,
    /// so there is nothing else to restore.
    [[nodiscard]] bool apply(balance::ByteReader& in);
    /// Events that say all that is kept, in order.
    void save(const std::function<void(std::span<const std::byte>)>& sink) const;

    /// Up to `count` of those with higher numbers, the oldest first.
    [[nodiscard]] std::vector<ThresholdEvent> after(std::uint64_t number, std::size_t count) const;

  private:
    void keep(const ThresholdEvent& event);

    balance::EventLog& events_;
    Clock clock_;
    Observer observer_;
    mutable std::mutex mutex_;
    std::deque<ThresholdEvent> kept_;
    std::uint64_t last_ = 0;
};

/// `percent`, `owed` or `balance`.
[[nodiscard]] std::string_view text_of(balance::Warning warning) noexcept;

}  // namespace tollgate::daemon
