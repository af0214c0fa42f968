/// The thresholds that balances have crossed, the newest of them kept for whoever asks.
#pragma once

#include <cstddef>
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
#include "daemon/number_series.h"
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
    /// Adds what is to stand in the journal together with an event, such as a mail. In the middle of a
    /// movement of money: it must be short, and it must not throw.
    using Companion = std::function<void(const ThresholdEvent&, balance::JointEvent&)>;

    /// `events` must outlive this.
    ThresholdEvents(balance::EventLog& events, Clock clock, Observer observer = {}, Companion companion = {})
        : events_(events),
          clock_(std::move(clock)),
          observer_(std::move(observer)),
          companion_(std::move(companion)) {}

    /// What belongs to an operation that has a JointEvent open is told with it, or not at all.
    void crossed(const balance::Crossing& crossing) noexcept override;

    /// The rest of an event of the journal, which was told before a restart: the observer hears nothing of
    /// it. Whether a balance is beyond a threshold is seen from the balance,
    /// so there is nothing else to restore.
    [[nodiscard]] bool apply(balance::ByteReader& in);
    /// Events that say all that is kept, in order.
    void save(const std::function<void(std::span<const std::byte>)>& sink) const;

    /// Up to `count` of those with higher numbers, the oldest first.
    [[nodiscard]] std::vector<ThresholdEvent> after(std::uint64_t number, std::size_t count) const;
    /// The `count` newest, the oldest first.
    [[nodiscard]] std::vector<ThresholdEvent> newest(std::size_t count) const;
    /// None with this number or a lower one will come any more.
    [[nodiscard]] std::uint64_t settled() const { return numbers_.settled(); }

  private:
    void keep(const ThresholdEvent& event);

    balance::EventLog& events_;
    Clock clock_;
    Observer observer_;
    Companion companion_;
    NumberSeries numbers_;  // One whose operation came to nothing is not used again before a restart.
    mutable std::mutex mutex_;
    std::deque<ThresholdEvent> kept_;
};

/// `percent`, `owed` or `balance`.
[[nodiscard]] std::string_view text_of(balance::Warning warning) noexcept;

}  // namespace tollgate::daemon
