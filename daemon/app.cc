#include "daemon/app.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <random>
#include <stop_token>
#include <thread>
#include <vector>

#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include "daemon/access/authenticator.h"
#include "daemon/access/users.h"
#include "daemon/admin/http_server.h"
#include "daemon/admin/local_gateway.h"
#include "daemon/admin/services.h"
#include "daemon/background.h"
#include "daemon/catalog.h"
#include "daemon/charging.h"
#include "daemon/clock.h"
#include "daemon/commands/context.h"
#include "daemon/mail/mailer.h"
#include "daemon/mail/smtp_client.h"
#include "daemon/mail/templates.h"
#include "daemon/net/listener.h"
#include "daemon/net/tls.h"
#include "daemon/net/worker.h"
#include "daemon/payments.h"
#include "daemon/recovery.h"
#include "daemon/resync.h"
#include "daemon/snapshots.h"
#include "daemon/state.h"
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
    std::vector<std::string> start_required = config.session.start;
    for (const config::User& user : config.user) {
        if (!user.dial_plan.empty()) switches.push_back({user.name, user.dial_plan});
        if (user.start_required) start_required.push_back(user.name);
    }
    const auto has_own = [&switches](const std::string& name) {
        return std::any_of(switches.begin(), switches.end(),
                           [&name](const SwitchDialPlan& known) { return known.switch_name == name; });
    };
    for (const auto& [name, plan] : config.dial.switches) {
        if (!has_own(name)) switches.push_back({name, plan});
    }
    return {.want = config.session.want,
            .longest = config.session.longest,
            .shortest = config.session.shortest,
            .hold = config.session.hold,
            .grace = config.session.grace,
            .repeat = config.session.repeat,
            .charge_granted_at_expiry = config.session.expired == config::ExpiryCharge::granted,
            .start_required = std::move(start_required),
            .emergency_numbers = config.dial.emergency,
            .dial_plan = DialPlan{config.dial.plan},
            .dial_switches = std::move(switches),
            .dial_plans = &catalog.dial_plans(),
            .destination_groups = &catalog.destination_groups()};
}

net::ConnectionLimits connection_limits(const config::Config& config) {
    return {.resp = {.arguments_max = config.resp.arguments_max,
                     .command_bytes_max = config.resp.command_bytes_max},
            .resp_before_auth = {.arguments_max = config.resp.arguments_before_auth_max,
                                 .command_bytes_max = config.resp.command_bytes_before_auth_max},
            .command_bytes_max = config.resp.command_bytes_max,
            .commands_in_flight_max = config.resp.commands_in_flight_max,
            .unread_bytes_max = config.resp.unread_bytes_max,
            .connections_max = config.resp.connections_max};
}

balance::journal::Settings journal_settings(const config::Config& config) {
    return {.reply = config.journal.reply == config::JournalReply::synced ? balance::journal::Reply::synced
                                                                          : balance::journal::Reply::written,
            .segment_bytes =
                config.journal.segment_bytes / balance::journal::kBlockBytes * balance::journal::kBlockBytes};
}

/// Without a journal nothing is found and nothing is kept.
Recovered recover_state(const config::Config& config, std::unique_ptr<balance::journal::PosixDisk>& disk,
                        const FreshState& fresh_state) {
    if (config.journal.dir.empty()) {
        fresh_state();
        return {};
    }
    disk = std::make_unique<balance::journal::PosixDisk>(config.journal.dir);
    if (const auto error = disk->make_directory(); error != 0) {
        throw std::runtime_error{"journal.dir " + config.journal.dir +
                                 ": cannot be made: " + balance::journal::text_of(error)};
    }
    return recover(*disk, journal_settings(config), fresh_state);
}

/// How long is waited for the journal before it is asked again.
constexpr std::chrono::milliseconds kDurableSoon{200};

/// Sends mails and says in the log what became of each. nullptr where no relay is named.
std::unique_ptr<mail::Mailer> make_mailer(const config::Config& config, Outbox& outbox,
                                          balance::journal::Journal* journal) {
    if (config.mail.relay.host.empty()) return nullptr;
    // It must outlive each copy of the function that uses it.
    const auto client = std::make_shared<mail::SmtpClient>(
        mail::SmtpSettings{config.mail.relay, config.mail.tls, config.mail.timeout});
    const auto log = [](const MailRecord& mail, std::string_view state, const std::string& answer) {
        if (state == kMailSent) {
            spdlog::info("mail {} ({}) to {}: sent", mail.id, mail.reason, mail.to);
        } else {
            spdlog::warn("mail {} ({}) to {}: {}: {}", mail.id, mail.reason, mail.to, state, answer);
        }
    };
    return std::make_unique<mail::Mailer>(
        outbox,
        mail::MailerSettings{config.mail.from, config.mail.retry_first, config.mail.retry_longest,
                             config.mail.give_up},
        mail::Mailer::Hooks{
            .send = [client](const std::string& from, const std::string& to, const std::string& message,
                             const std::stop_token& stop) { return client->send(from, to, message, stop); },
            .now = [] { return Clock::now(); },
            .is_durable =
                [journal](balance::Sequence sequence) {
                    return journal == nullptr || journal->wait(sequence, kDurableSoon);
                },
            .on_attempt = log});
}

/// What is done from time to time, away from calls: bundles, packages, plans and numbers are renewed whose
/// month is over, versions of tariffs are freed that no call pins any more, mails are forgotten, snapshots
/// are made.
void keep_house(const std::stop_token& stop, Catalog& catalog, Shop& shop, Outbox& outbox,
                Snapshots* snapshots, std::uint64_t snapshot_segments) {
    work_in_background();
    constexpr std::chrono::seconds kPause{1};
    std::mutex mutex;
    std::condition_variable_any bell;
    std::unique_lock lock{mutex};
    while (!bell.wait_for(lock, stop, kPause, [&stop] { return stop.stop_requested(); })) {
        catalog.renew_bundles(Clock::now());
        shop.renew_due(Clock::now());
        catalog.tariffs().reclaim();
        outbox.trim(Clock::now());
        if (snapshots != nullptr) snapshots->keep_up(snapshot_segments);
    }
}

/// Through which people pay online. Throws where the secret cannot be read.
OnlinePayments::Gateways gateways(const config::Config::Gateway& config) {
    if (config.secret_file.empty()) return {};
    std::ifstream file{config.secret_file};
    std::string secret;
    if (!std::getline(file, secret) || secret.empty())
        throw std::runtime_error("gateway.secret_file: " + config.secret_file +
                                 " has no secret in its first line, or cannot be read");
    return {std::make_shared<const admin::LocalGateway>(std::move(secret), config.url)};
}

}  // namespace

struct App::Parts {
    explicit Parts(const config::Config& config)
        : templates(std::make_shared<mail::Templates>(config.mail.templates)),
          recovered(recover_state(config, disk,
                                  [this, &config]() -> State& {
                                      made.reset();  // There is not room for two.
                                      made = std::make_unique<State>(with_thresholds(state_settings(config)));
                                      return *made;
                                  })),
          state(*made),
          charging(state.tariffs, state.parties, state.ledger, state.sessions, state.events,
                   charging_settings(config, state.catalog)),
          resync(charging, state.resync_tokens, state.events),
          users(config.user),
          authenticator(users, random_key()),
          counters(worker_count(config)),
          http(config.http,
               admin::make_router(
                   {.catalog = state.catalog,
                    .payments = state.payments,
                    .threshold_events = state.threshold_events,
                    .registry = state.registry,
                    .outbox = state.outbox,
                    .notices = state.notices,
                    .sessions = state.sessions,
                    .profile_index = state.profile_index,
                    .shop = state.shop,
                    .ledger = state.ledger,
                    .events = state.events,
                    .deck_limits = {.rows_max = config.deck.rows_max, .faults_max = config.deck.faults_max},
                    .body_bytes_max = config.http.body_bytes_max,
                    .steady_now = [] { return Clock::now().steady; },
                    .wall_now = [] { return Clock::now().wall; },
                    .gateways = gateways(config.gateway),
                    .on_unexpected = [](std::string_view what) { spdlog::error("HTTP: {}", what); },
                    .commands = &services,
                    .call_counters = &http_counters}),
               recovered.journal.get()) {
        if (!users.is_empty()) users.declared_at_start(Clock::now().steady);
        mailer = make_mailer(config, state.outbox, recovered.journal.get());
        // A journal that is new remembers no call that a switch could report on.
        if (recovered.restarted) charging.expire_from(Clock::now().steady + config.restart.grace);
        if (recovered.journal != nullptr) {
            snapshots =
                std::make_unique<Snapshots>(*recovered.journal, state_settings(config), state,
                                            [](const std::string& what) { spdlog::warn("{}", what); });
            snapshots->count_from(recovered.segment);
            snapshot_segments = config.journal.snapshot_segments;
        }
        for (const auto& of_worker : counters)
            counter_views.push_back(&of_worker);
        counter_views.push_back(&http_counters);
        const auto listeners = net::listen_tcp(config.resp.listen, counters.size());
        facts = {.version = kVersion,
                 .resp_port = listeners.port,
                 .unix_path = config.resp.unix,
                 .workers = counters.size(),
                 .started_at = Clock::now().steady,
                 .journal = recovered.journal.get(),
                 .synced = config.journal.reply == config::JournalReply::synced};
        for (std::size_t i = 0; i < counters.size(); ++i) {
            workers.push_back(std::make_unique<net::Worker>(services, counters[i], connection_limits(config),
                                                            recovered.journal.get(), i, counters.size(),
                                                            &authenticator));
            workers.back()->listen_tcp(listeners.descriptors[i], listeners.ipv6);
        }
        if (!config.resp.tls_listen.host.empty()) {
            const config::Config::Resp& resp = config.resp;
            tls.emplace("resp", net::TlsFiles{resp.tls_certificate, resp.tls_key, resp.tls_client_ca});
            const auto by_tls = net::listen_tcp(resp.tls_listen, counters.size(), "resp.tls_listen");
            resp_tls_port = by_tls.port;
            for (std::size_t i = 0; i < workers.size(); ++i)
                workers[i]->listen_tls(by_tls.descriptors[i], by_tls.ipv6, *tls);
        }
        if (!config.resp.unix.empty()) {
            const auto descriptors = net::listen_unix(config.resp.unix, workers.size());
            for (std::size_t i = 0; i < workers.size(); ++i)
                workers[i]->listen_unix(descriptors[i]);
        }
    }

    /// Thresholds have the time, a line in the log each, and mails in the operator's words.
    StateSettings with_thresholds(StateSettings settings) const {
        settings.clock = [] { return Clock::now(); };
        settings.mail_templates = templates;
        settings.on_threshold = [this](const ThresholdEvent& event) {
            const auto& [party, warning, balance] = event.crossing;
            spdlog::warn("threshold {}: party {} crossed {}, balance {}", event.number,
                         made->parties.get(party).id, text_of(warning), rating::format(balance).view());
        };
        return settings;
    }

    std::shared_ptr<const mail::Templates> templates;
    std::unique_ptr<balance::journal::PosixDisk> disk;
    std::unique_ptr<State> made;
    Recovered recovered;
    State& state;
    Charging charging;
    Resync resync;
    access::Users users;
    access::Authenticator authenticator;  // Its last logins may still name workers: stop() it before they go.
    commands::ClientRegistry clients;
    commands::ServerFacts facts;
    // A cache line or more apart: each is written by one worker at every command.
    struct alignas(64) Counters : commands::WorkerCounters {};
    std::vector<Counters> counters;
    Counters http_counters;
    std::vector<const commands::WorkerCounters*> counter_views;
    commands::Services services{charging,      state.catalog,  state.payments, resync,
                                state.ledger,  state.sessions, clients,        facts,
                                counter_views, state.registry, &users,         &authenticator.figures()};
    std::optional<net::TlsIdentity> tls;
    std::uint16_t resp_tls_port = 0;
    std::vector<std::unique_ptr<net::Worker>> workers;
    admin::HttpServer http;
    std::unique_ptr<Snapshots> snapshots;
    std::uint64_t snapshot_segments = 0;
    std::unique_ptr<mail::Mailer> mailer;
    std::jthread housekeeping;  // Last: it is the first to go.
};

StateSettings state_settings(const config::Config& config) {
    return {.versions_kept = config.deck.versions_kept,
            .parties_max = config.party.max,
            .sessions = session_limits(config),
            .remember_requests = config.request.remember,
            .hash_key = random_key(),
            .mails_max = config.mail.outbox_max};
}

App::App(const config::Config& config) {
    raise_descriptor_limit();
    parts_ = std::make_unique<Parts>(config);
}

App::~App() {
    stop();
}

void App::start() {
    if (auto* const journal = parts_->recovered.journal.get()) {
        journal->on_durable([this] {
            for (const auto& worker : parts_->workers)
                worker->durable_moved();
        });
        journal->on_failure([](const std::string& why) {
            // What is not durable must not be answered, and what failed must not be tried again.
            spdlog::critical("the journal failed, so the process stops: {}", why);
            spdlog::shutdown();
            std::_Exit(EXIT_FAILURE);
        });
        journal->start();
    }
    if (parts_->mailer != nullptr) parts_->mailer->start();
    for (const auto& worker : parts_->workers)
        worker->start();
    parts_->http.start();
    parts_->housekeeping = std::jthread{[this](const std::stop_token& stop) {
        keep_house(stop, parts_->state.catalog, parts_->state.shop, parts_->state.outbox,
                   parts_->snapshots.get(), parts_->snapshot_segments);
    }};
}

void App::stop() {
    parts_->housekeeping = {};
    parts_->http.stop();
    for (const auto& worker : parts_->workers)
        worker->stop();
    parts_->authenticator.stop();
    if (parts_->mailer != nullptr) parts_->mailer->stop();
    auto* const journal = parts_->recovered.journal.get();
    if (journal != nullptr && !journal->stop()) spdlog::error("the journal could not be sealed");
}

const Recovered& App::recovered() const noexcept {
    return parts_->recovered;
}

std::uint16_t App::resp_port() const noexcept {
    return parts_->facts.resp_port;
}
std::uint16_t App::http_port() const noexcept {
    return parts_->http.port();
}
std::uint16_t App::resp_tls_port() const noexcept {
    return parts_->resp_tls_port;
}
std::uint16_t App::http_tls_port() const noexcept {
    return parts_->http.tls_port();
}

void App::reload_users(const config::Config& config) {
    parts_->users.replace(config.user, Clock::now().steady);
}

void App::reload_certificates() {
    if (parts_->tls) parts_->tls->reload();
    parts_->http.reload_certificate();
}

std::size_t App::workers() const noexcept {
    return parts_->workers.size();
}

}  // namespace tollgate::daemon
