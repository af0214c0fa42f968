/// An empty daemon without sockets, and requests to its router.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "daemon/admin/services.h"
#include "daemon/state.h"

namespace tollgate::daemon::admin {

inline constexpr std::size_t kTestBodyBytesMax = std::size_t{64} * 1024 * 1024;

struct House {
    State state{{.parties_max = 200'000, .hash_key = 1}};
    rating::TariffBook& tariffs = state.tariffs;
    balance::PartyTable& parties = state.parties;
    Catalog& catalog = state.catalog;
    balance::Ledger& ledger = state.ledger;
    Payments& payments = state.payments;
    balance::Steady now = std::chrono::hours{1};
    Router router = make_router({.catalog = catalog,
                                 .payments = payments,
                                 .threshold_events = state.threshold_events,
                                 .registry = state.registry,
                                 .outbox = state.outbox,
                                 .notices = state.notices,
                                 .sessions = state.sessions,
                                 .profile_index = state.profile_index,
                                 .shop = state.shop,
                                 .ledger = state.ledger,
                                 .events = state.events,
                                 .deck_limits = {.rows_max = 1'000, .faults_max = 2},
                                 .body_bytes_max = kTestBodyBytesMax,
                                 .steady_now = [this] { return now; },
                                 .wall_now = [] { return rating::Instant{}; },
                                 .on_unexpected = {}});

    [[nodiscard]] Response send(std::string_view method, std::string_view target, std::string_view body = {},
                                Request request = {}) const {
        request.method = method;
        if (!request.set_target(target)) return {};
        request.body = body;
        return router.handle(request);
    }
    [[nodiscard]] unsigned status(std::string_view method, std::string_view target,
                                  std::string_view body = {}) const {
        return send(method, target, body).status;
    }

    /// A provider `root` and a tariff `retail`, both in EUR.
    void furnish() const {
        (void)send("PUT", "/v1/tariffs/retail", R"({"currency":"EUR"})");
        (void)send("POST", "/v1/parties", R"({"id":"root","kind":"provider","currency":"EUR"})");
    }
};

/// Puts a deck of the tariff `retail`.
inline Response put_deck(const House& house, std::string_view deck, std::string type = "text/csv",
                         std::string encoding = {}) {
    Request request;
    request.content_type = std::move(type);
    request.content_encoding = std::move(encoding);
    return house.send("PUT", "/v1/tariffs/retail/deck", deck, std::move(request));
}

inline bool has(const Response& response, std::string_view text) {
    return response.body.find(text) != std::string::npos;
}

}  // namespace tollgate::daemon::admin
