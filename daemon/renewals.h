/// Renews, the moment a month is over, what is paid or given by the month.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "daemon/catalog.h"
#include "daemon/partners/shop.h"

namespace tollgate::daemon {

/// Bundles, packages, plans and numbers. A call that comes before its bundle is renewed is paid with money,
/// so this is done before the first call of a process, and then by a thread that asks for a processor as
/// those do that answer calls.
///
/// A clock on the wall that goes ahead by months all at once is believed only after kBelievedAfter: who sets
/// it right within that has renewed nothing too early. One that went ahead by less, or was wrong when the
/// process began, is believed; when it is right again, bundles are due when they should be.
class Renewals {
  public:
    /// By more than this within one look.
    static constexpr std::chrono::hours kAhead{24 * 60};
    static constexpr std::chrono::minutes kBack{1};
    static constexpr std::chrono::minutes kBelievedAfter{5};
    /// A look, where nothing is due before.
    static constexpr std::chrono::seconds kLook{1};
    /// How long the first call waits at most for what fell due while no process ran.
    static constexpr std::chrono::seconds kCatchUp{5};

    using Now = std::function<Moment()>;
    /// For the log. By the thread of this.
    using Say = std::function<void(const std::string& what)>;

    /// All must outlive this.
    Renewals(Catalog& catalog, Shop& shop, Now now, Say say);

    /// Before any other thread.
    void catch_up();
    void start();
    /// Returns within a few renewals.
    void request_stop() { thread_.request_stop(); }
    void stop() { thread_ = {}; }

    /// Renews some of what is due, if anything is. How long there is nothing to do.
    [[nodiscard]] std::chrono::nanoseconds step();

  private:
    [[nodiscard]] bool believes(Moment now);

    Catalog& catalog_;
    Shop& shop_;
    Now now_;
    Say say_;
    std::optional<std::chrono::nanoseconds> ahead_;  // The clock on the wall, of the steady one.
    balance::Steady believed_from_{};
    std::jthread thread_;
};

}  // namespace tollgate::daemon
