/// How the stores behind the journal do: for INFO, metrics and `/readyz`. daemon/flush/follower.h fills it
/// in.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "balance/event_log.h"

namespace tollgate::daemon {

enum class StoreState : std::uint8_t {
    connecting,  ///< Not yet, for the first time.
    filling,     ///< It was empty and gets what there was before.
    following,
    waiting,  ///< Something failed; it is tried again later.
    refused,  ///< Somebody else has to do something first; tried again now and then.
    foreign,  ///< What is there belongs to another journal, or is ahead of this one: nothing is written.
    stopped,
};
[[nodiscard]] std::string_view text_of(StoreState state) noexcept;

struct StoreFigures {
    std::string_view name;  ///< `postgresql`, `redis`, `webhook`.
    StoreState state = StoreState::connecting;
    std::optional<balance::Sequence> position{};  ///< The last event it has; nullopt: nobody knows yet.
    std::uint64_t lag_events = 0;                 ///< Durable ones that it has not; all, where nobody knows.
    /// How long ago the oldest of them was; where that is not known, since when it has not had all.
    std::chrono::nanoseconds lag{};
    std::uint64_t batches = 0;
    std::uint64_t events = 0;
    std::uint64_t rows = 0;               ///< Written, those of refills too.
    std::uint64_t refills = 0;            ///< Begun.
    std::uint64_t failures = 0;           ///< All together.
    std::uint64_t failures_in_a_row = 0;  ///< Of a webhook: events that are being tried again.
    std::string last_failure{};           ///< One line, without secrets; empty: there was none.

    /// Of one that is given events one by one: a webhook.
    struct OneByOne {
        std::size_t pending = 0;     ///< Taken from the journal, and not yet by it.
        std::uint64_t given_up = 0;  ///< Never taken by it.
    };
    std::optional<OneByOne> one_by_one{};
};

/// Asks all of them. Any thread.
using AskStores = std::function<std::vector<StoreFigures>()>;

}  // namespace tollgate::daemon
