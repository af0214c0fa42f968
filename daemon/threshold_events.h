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
#include "daemon/outbox.h"
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
    /// Who gets a mail of it. Called in the middle of a movement of money; it must not throw.
    using MailsOf = std::function<std::vector<MailDraft>(const ThresholdEvent&)>;

    /// Events go to the journal through `outbox`, which must outlive this, with their mails.
    ThresholdEvents(Outbox& outbox, Clock clock, Observer observer = {}, MailsOf mails_of = {})
        : outbox_(outbox),
          clock_(std::move(clock)),
          observer_(std::move(observer)),
          mails_of_(std::move(mails_of)) {}

    void crossed(const balance::Crossing& crossing) noexcept override;

    /// The rest of an event of the journal, which was told before a restart: the observer hears nothing of
    /// it, and its mails are in the outbox. In the order of their numbers. Whether a balance is beyond a
    /// threshold is seen from the balance, so there is nothing else to restore.
    [[nodiscard]] bool apply(balance::Moment at, balance::ByteReader& in);
    /// Events that say all that is kept, in order.
    void save(const std::function<void(std::span<const std::byte>)>& sink) const;

    /// Up to `count` of those with higher numbers, the oldest first.
    [[nodiscard]] std::vector<ThresholdEvent> after(std::uint64_t number, std::size_t count) const;

  private:
    void keep(const ThresholdEvent& event);

    Outbox& outbox_;
    Clock clock_;
    Observer observer_;
    MailsOf mails_of_;
    mutable std::mutex mutex_;
    std::deque<ThresholdEvent> kept_;
    std::uint64_t last_ = 0;
};

/// `percent`, `owed` or `balance`.
[[nodiscard]] std::string_view text_of(balance::Warning warning) noexcept;

}  // namespace tollgate::daemon
