/// What the resources work on, and the table of them.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "balance/session_table.h"
#include "daemon/access/password.h"
#include "daemon/admin/router.h"
#include "daemon/catalog.h"
#include "daemon/commands/context.h"
#include "daemon/notices.h"
#include "daemon/operation/readiness.h"
#include "daemon/outbox.h"
#include "daemon/partners/online_payments.h"
#include "daemon/partners/profile_index.h"
#include "daemon/partners/registry.h"
#include "daemon/partners/shop.h"
#include "daemon/payments.h"
#include "daemon/reserve.h"
#include "daemon/threshold_events.h"
#include "rating/deck_csv.h"

namespace tollgate::daemon::admin {

/// The references must outlive the router that is made from them.
struct Services {
    Catalog& catalog;
    Payments& payments;
    ThresholdEvents& threshold_events;
    Registry& registry;
    Outbox& outbox;
    Notices& notices;
    balance::SessionTable& sessions;
    const ProfileIndex& profile_index;
    Shop& shop;
    balance::Ledger& ledger;
    balance::EventLog& events;
    rating::DeckLimits deck_limits;
    std::size_t body_bytes_max = 0;               ///< Of a body once it is unpacked.
    std::function<balance::Steady()> steady_now;  ///< Called by any thread, as the next.
    std::function<rating::Instant()> wall_now;
    OnlinePayments::Gateways gateways = {};  ///< Through which people pay; none: nobody pays online.
    access::PasswordCost password_cost{};
    Router::Unexpected on_unexpected = {};  ///< Told what no handler should have thrown.
    // Both, or neither and `/v1/calls` is not served. The counters are written by the thread of the sockets.
    const commands::Services* commands = nullptr;
    commands::WorkerCounters* call_counters = nullptr;
    Reserve* reserve = nullptr;            ///< nullptr: `/v1/reserve` is not served.
    const Readiness* readiness = nullptr;  ///< Of the daemon; nullptr: it is ready.
    /// What `/metrics` says and as what; without it that is not served. Called by the thread of the sockets.
    std::function<std::string()> metrics = {};
    std::string_view metrics_type = {};
    HttpFigures* http_figures = nullptr;  ///< Where requests are counted.
};

[[nodiscard]] inline Moment now_of(const Services& services) {
    return {services.wall_now(), services.steady_now()};
}

/// Every resource of this version: `/healthz`, `/readyz`, `/openapi.yaml`, tariffs, dial plans, destination
/// groups, parties, money, bundles, calls.
[[nodiscard]] Router make_router(const Services& services);

}  // namespace tollgate::daemon::admin
