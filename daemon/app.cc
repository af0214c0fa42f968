#include "daemon/app.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <random>
#include <stop_token>
#include <thread>
#include <vector>

#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include "daemon/admin/http_server.h"
#include "daemon/admin/services.h"
#include "daemon/background.h"
#include "daemon/catalog.h"
#include "daemon/charging.h"
#include "daemon/commands/context.h"
#include "daemon/net/listener.h"
#include "daemon/net/worker.h"
#include "daemon/payments.h"
#include "daemon/resync.h"
#include "daemon/version.h"

namespace tollgate::daemon {
namespace {

std::uint64_t random_key() {
    std::random_device device;
    return (std::uint64_t{device()} << 32) | device();
}

/// As many descriptors as the system lets us have: a connection each.
void raise_descriptor_limit() noexcept {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

std::size_t worker_count(const config::Config& config) noexcept {
    if (config.workers != 0) return config.workers;
    return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, config::kWorkersMax);
}

balance::SessionLimits session_limits(const config::Config& config) {
    return {.sessions_max = config.session.max,
            .remember_bytes = config.session.remember_bytes,
            .remember = config.session.remember,
            .late = config.session.late,
            .repeat = config.session.repeat};
}

ChargingSettings charging_settings(const config::Config& config, Catalog& catalog) {
    std::vector<SwitchDialPlan> switches;
    for (const auto& [name, plan] : config.dial.switches)
        switches.push_back({name, plan});
    return {.want = config.session.want,
            .longest = config.session.longest,
            .shortest = config.session.shortest,
            .hold = config.session.hold,
            .grace = config.session.grace,
            .repeat = config.session.repeat,
            .charge_granted_at_expiry = config.session.expired == config::ExpiryCharge::granted,
            .emergency_numbers = config.dial.emergency,
            .dial_plan = DialPlan{config.dial.plan},
            .dial_switches = std::move(switches),
            .dial_plans = &catalog.dial_plans(),
            .destination_groups = &catalog.destination_groups()};
}

net::ConnectionLimits connection_limits(const config::Config& config) {
    return {.resp = {.arguments_max = config.resp.arguments_max,
                     .command_bytes_max = config.resp.command_bytes_max},
            .command_bytes_max = config.resp.command_bytes_max,
            .commands_in_flight_max = config.resp.commands_in_flight_max,
            .unread_bytes_max = config.resp.unread_bytes_max,
            .connections_max = config.resp.connections_max};
}

/// What is done from time to time, away from calls: bundles are renewed whose month is over, and versions of
/// tariffs are freed that no call pins any more.
void keep_house(const std::stop_token& stop, Catalog& catalog) {
    work_in_background();
    constexpr std::chrono::seconds kPause{1};
    std::mutex mutex;
    std::condition_variable_any bell;
    std::unique_lock lock{mutex};
    while (!bell.wait_for(lock, stop, kPause, [&stop] { return stop.stop_requested(); })) {
        catalog.bundles().renew_due(net::Worker::now().wall);
        catalog.tariffs().reclaim();
    }
}

}  // namespace

struct App::Parts {
    explicit Parts(const config::Config& config)
        : tariffs(config.deck.versions_kept),
          parties(random_key(), config.party.max),
          ledger(parties),
          sessions(random_key(), session_limits(config)),
          catalog(tariffs, parties),
          payments(parties, ledger, config.request.remember),
          charging(tariffs, parties, ledger, sessions, charging_settings(config, catalog)),
          resync(charging),
          counters(worker_count(config)),
          http(config.http,
               admin::make_router(
                   {.catalog = catalog,
                    .payments = payments,
                    .deck_limits = {.rows_max = config.deck.rows_max, .faults_max = config.deck.faults_max},
                    .body_bytes_max = config.http.body_bytes_max,
                    .steady_now = [] { return net::Worker::now().steady; },
                    .wall_now = [] { return net::Worker::now().wall; },
                    .on_unexpected = [](std::string_view what) { spdlog::error("HTTP: {}", what); }})) {
        for (const auto& of_worker : counters)
            counter_views.push_back(&of_worker);
        const auto listeners = net::listen_tcp(config.resp.listen, counters.size());
        facts = {.version = kVersion,
                 .resp_port = listeners.port,
                 .unix_path = config.resp.unix,
                 .workers = counters.size(),
                 .started_at = net::Worker::now().steady};
        for (std::size_t i = 0; i < counters.size(); ++i) {
            workers.push_back(std::make_unique<net::Worker>(services, counters[i], connection_limits(config),
                                                            i, counters.size()));
            workers.back()->listen_tcp(listeners.descriptors[i], listeners.ipv6);
        }
        if (!config.resp.unix.empty()) {
            const auto descriptors = net::listen_unix(config.resp.unix, workers.size());
            for (std::size_t i = 0; i < workers.size(); ++i)
                workers[i]->listen_unix(descriptors[i]);
        }
    }

    rating::TariffBook tariffs;
    balance::PartyTable parties;
    balance::Ledger ledger;
    balance::SessionTable sessions;
    Catalog catalog;
    Payments payments;
    Charging charging;
    Resync resync;
    commands::ClientRegistry clients;
    commands::ServerFacts facts;
    // A cache line or more apart: each is written by one worker at every command.
    struct alignas(64) Counters : commands::WorkerCounters {};
    std::vector<Counters> counters;
    std::vector<const commands::WorkerCounters*> counter_views;
    commands::Services services{charging, catalog, payments, resync,       ledger,
                                sessions, clients, facts,    counter_views};
    std::vector<std::unique_ptr<net::Worker>> workers;
    admin::HttpServer http;
    std::jthread housekeeping;  // Last: it is the first to go.
};

App::App(const config::Config& config) {
    raise_descriptor_limit();
    parts_ = std::make_unique<Parts>(config);
}

App::~App() {
    stop();
}

void App::start() {
    for (const auto& worker : parts_->workers)
        worker->start();
    parts_->http.start();
    parts_->housekeeping =
        std::jthread{[this](const std::stop_token& stop) { keep_house(stop, parts_->catalog); }};
}

void App::stop() {
    parts_->housekeeping = {};
    parts_->http.stop();
    for (const auto& worker : parts_->workers)
        worker->stop();
}

std::uint16_t App::resp_port() const noexcept {
    return parts_->facts.resp_port;
}
std::uint16_t App::http_port() const noexcept {
    return parts_->http.port();
}
std::size_t App::workers() const noexcept {
    return parts_->workers.size();
}

}  // namespace tollgate::daemon
