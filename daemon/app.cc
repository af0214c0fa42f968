#include "daemon/app.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <random>
#include <stop_token>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <sys/resource.h>
#include <unistd.h>

#include "daemon/access/authenticator.h"
#include "daemon/access/users.h"
#include "daemon/admin/http_figures.h"
#include "daemon/admin/http_server.h"
#include "daemon/admin/json.h"
#include "daemon/admin/local_gateway.h"
#include "daemon/admin/services.h"
#include "daemon/catalog.h"
#include "daemon/charging.h"
#include "daemon/clock.h"
#include "daemon/commands/context.h"
#include "daemon/commands/slow_log.h"
#include "daemon/flush/follower.h"
#include "daemon/flush/postgres_connection.h"
#include "daemon/flush/postgres_sink.h"
#include "daemon/flush/redis_sink.h"
#include "daemon/flush/webhook_sink.h"
#include "daemon/mail/mailer.h"
#include "daemon/mail/smtp_client.h"
#include "daemon/mail/templates.h"
#include "daemon/metrics/metrics.h"
#include "daemon/net/listener.h"
#include "daemon/net/tls.h"
#include "daemon/net/worker.h"
#include "daemon/operation/first_line.h"
#include "daemon/operation/logging.h"
#include "daemon/operation/memory_guard.h"
#include "daemon/operation/readiness.h"
#include "daemon/operation/store_lag.h"
#include "daemon/payments.h"
#include "daemon/recovery.h"
#include "daemon/renewals.h"
#include "daemon/resync.h"
#include "daemon/snapshots.h"
#include "daemon/state.h"
#include "daemon/turns.h"
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

ChargingSettings charging_settings(const config::Config& config, Catalog& catalog, CallObserver& on_ended) {
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
            .destination_groups = &catalog.destination_groups(),
            .on_ended = &on_ended};
}

net::ConnectionLimits connection_limits(const config::Config& config) {
    return {.resp = {.arguments_max = config.resp.arguments_max,
                     .command_bytes_max = config.resp.command_bytes_max},
            .resp_before_auth = {.arguments_max = config.resp.arguments_before_auth_max,
                                 .command_bytes_max = config.resp.command_bytes_before_auth_max},
            .command_bytes_max = config.resp.command_bytes_max,
            .commands_in_flight_max = config.resp.commands_in_flight_max,
            .unread_bytes_max = config.resp.unread_bytes_max,
            .connections_max = config.resp.connections_max,
            .login_timeout = config.resp.login_timeout};
}

ChargingTimes charging_times(const config::Config& config) {
    return {.want = config.session.want,
            .hold = config.session.hold,
            .grace = config.session.grace,
            .charge_granted_at_expiry = config.session.expired == config::ExpiryCharge::granted};
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
        const std::string what =
            "mail " + mail.id + " (" + mail.reason + ") to " + mail.to + ": " + std::string{state};
        if (state == kMailSent) {
            logging::event(config::LogLevel::info, "mail_sent", what);
        } else {
            logging::event(config::LogLevel::warn, "mail_not_sent", what + ": " + answer);
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

/// Does something about once a second, away from calls, until it is to stop.
template <typename Work>
void from_time_to_time(const std::stop_token& stop, const Work& work) {
    work_in_background();
    constexpr std::chrono::seconds kPause{1};
    std::mutex mutex;
    std::condition_variable_any bell;
    std::unique_lock lock{mutex};
    while (!bell.wait_for(lock, stop, kPause, [&stop] { return stop.stop_requested(); }))
        work();
}

std::string mebibytes(std::size_t bytes) {
    return std::to_string(bytes / config::kMiB) + " MiB";
}

/// Names and values of what was changed, as JSON.
std::string image_of(const std::vector<config::Change>& changes, std::string config::Change::*side) {
    admin::JsonWriter json;
    json.open_object();
    for (const config::Change& change : changes)
        json.name(change.key).text(logging::redacted(change.*side));
    json.close_object();
    std::string image = json.take();
    if (!image.empty() && image.back() == '\n') image.pop_back();
    return image.size() <= AuditLog::kImageBytesMax ? image
                                                    : "{\"cut\":" + std::to_string(image.size()) + "}";
}

/// Through which people pay online. Throws where the secret cannot be read.
OnlinePayments::Gateways gateways(const config::Config::Gateway& config) {
    if (config.secret_file.empty()) return {};
    return {std::make_shared<const admin::LocalGateway>(secret_in("gateway.secret_file", config.secret_file),
                                                        config.url)};
}

flush::FollowerSettings follower_settings(const config::Config& config) {
    flush::FollowerSettings settings;
    settings.retry_first = config.stores.retry_first;
    settings.retry_longest = config.stores.retry_longest;
    settings.batch_bytes_max = config.stores.batch_bytes_max;
    return settings;
}

/// The stores that are configured, as check_stores() found them good: so there is a journal. Throws where a
/// secret cannot be read.
std::vector<std::unique_ptr<flush::Sink>> make_sinks(const config::Config& config,
                                                     balance::journal::Disk* disk) {
    std::vector<std::unique_ptr<flush::Sink>> sinks;
    if (!config.postgres.url.empty()) {
        sinks.push_back(std::make_unique<flush::PostgresSink>(
            flush::PostgresSettings{.url = config.postgres.url,
                                    .password_file = config.postgres.password_file,
                                    .timeout = config.postgres.timeout,
                                    .snapshot_bytes = config.postgres.snapshot_bytes,
                                    .months_ahead = config.postgres.months_ahead}));
    }
    if (!config.redis.url.empty()) {
        sinks.push_back(std::make_unique<flush::RedisSink>(
            flush::RedisSettings{.address = flush::parse_redis_url(config.redis.url),
                                 .user = config.redis.user,
                                 .password_file = config.redis.password_file,
                                 .prefix = config.redis.prefix,
                                 .stream_max = config.redis.stream_max,
                                 .timeout = config.redis.timeout}));
    }
    if (!config.webhook.url.empty()) {
        sinks.push_back(std::make_unique<flush::WebhookSink>(
            flush::WebhookSettings{.url = config.webhook.url,
                                   .secret = secret_in("webhook.secret_file", config.webhook.secret_file),
                                   .pending_max = config.webhook.pending_max,
                                   .connections = config.webhook.connections,
                                   .timeout = config.webhook.timeout,
                                   .retry_first = config.stores.retry_first,
                                   .retry_longest = config.stores.retry_longest,
                                   .give_up = config.webhook.give_up},
            *disk, [] { return Clock::now(); },
            [](const std::string& what) { logging::event(config::LogLevel::warn, "webhook", what); }));
    }
    return sinks;
}

void say_of_store(flush::Follower::Urgency urgency, const std::string& what) {
    switch (urgency) {
        case flush::Follower::Urgency::notice:
            return logging::event(config::LogLevel::info, "store", what);
        case flush::Follower::Urgency::warning:
            return logging::event(config::LogLevel::warn, "store", what);
        case flush::Follower::Urgency::error:
            return logging::event(config::LogLevel::error, "store", what);
    }
}

metrics::Sources metric_sources(const config::Config& config, const admin::HttpFigures& http,
                                const MemoryGuard& memory,
                                const std::atomic<std::uint64_t>& connections_max) {
    return {.http =
                [&http] {
                    std::vector<metrics::HttpFigure> figures;
                    http.visit(
                        [&figures](std::string_view operation, std::string_view status, std::uint64_t count) {
                            figures.push_back({operation, status, count});
                        });
                    return figures;
                },
            .memory_max = [&memory] { return memory.ceiling(); },
            .memory_level = [&memory] { return memory.full_from(); },
            .lines_suppressed = logging::suppressed,
            .connections_max = [&connections_max] { return connections_max.load(std::memory_order_relaxed); },
            .sessions_max = config.session.max,
            .parties_max = config.party.max};
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
          guarded(recovered.journal.get(), memory),
          call_figures(state.parties, config.metrics.destination_groups),
          charging(state.tariffs, state.parties, state.ledger, state.sessions, state.events,
                   charging_settings(config, state.catalog, call_figures)),
          resync(charging, state.resync_tokens, state.events, [this] { return memory.is_full(); }),
          users(config.user),
          authenticator(users, random_key()),
          counters(worker_count(config)),
          slow_logs({.threshold = config.slowlog.threshold, .commands_max = config.slowlog.max},
                    counters.size() + 1),
          metrics(services, call_figures, metric_sources(config, http_figures, memory, connections_max)),
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
                    .on_unexpected =
                        [](std::string_view what) {
                            logging::event(config::LogLevel::error, "http", "HTTP: " + std::string{what});
                        },
                    .commands = &services,
                    .call_counters = &http_counters,
                    .reserve = &state.reserve,
                    .readiness = &readiness,
                    .metrics = [this] { return metrics.text(); },
                    .metrics_type = metrics::Metrics::kContentType,
                    .http_figures = &http_figures}),
               recovered.journal.get(), &guarded) {
        state.events.connect(guarded);
        memory.set_ceiling(config.memory.max);
        memory.look();
        store_lag_max.store(config.stores.lag_max, std::memory_order_relaxed);
        connections_max.store(config.resp.connections_max, std::memory_order_relaxed);
        readiness.add([this] { return why_not_ready(); });
        if (!users.is_empty()) users.declared_at_start(Clock::now().steady);
        mailer = make_mailer(config, state.outbox, recovered.journal.get());
        // A journal that is new remembers no call that a switch could report on.
        if (recovered.restarted) charging.expire_from(Clock::now().steady + config.restart.grace);
        if (recovered.journal != nullptr) {
            snapshots = std::make_unique<Snapshots>(
                *recovered.journal, state_settings(config), state,
                [](const std::string& what) { logging::event(config::LogLevel::warn, "snapshot", what); });
            snapshots->count_from(recovered.segment);
            snapshot_segments = config.journal.snapshot_segments;
        }
        for (auto& sink : make_sinks(config, disk.get())) {
            followers.push_back(std::make_unique<flush::Follower>(
                std::move(sink), *recovered.journal, state_settings(config), state, follower_settings(config),
                [] { return Clock::now(); }, say_of_store));
        }
        if (!followers.empty()) snapshots->keep_for([this] { return taken_by_stores(); });
        for (std::size_t i = 0; i < counters.size(); ++i) {
            counters[i].slow_log = &slow_logs.of(i);
            counter_views.push_back(&counters[i]);
        }
        http_counters.slow_log = &slow_logs.of(counters.size());
        counter_views.push_back(&http_counters);
        // What a recovered state has is told from the first question on.
        metrics.refresh();
        const auto listeners = net::listen_tcp(config.resp.listen, counters.size());
        facts = {.version = kVersion,
                 .resp_port = listeners.port,
                 .unix_path = config.resp.unix,
                 .workers = counters.size(),
                 .started_at = Clock::now().steady,
                 .journal = recovered.journal.get(),
                 .synced = config.journal.reply == config::JournalReply::synced,
                 .memory_in_use = memory_in_use,
                 .stores = [this] { return store_figures(); }};
        for (std::size_t i = 0; i < counters.size(); ++i) {
            workers.push_back(std::make_unique<net::Worker>(services, counters[i], connection_limits(config),
                                                            recovered.journal.get(), i, counters.size(),
                                                            &authenticator));
            workers.back()->listen_tcp(listeners.descriptors[i], listeners.ipv6);
        }
        turns = std::vector<std::atomic<std::uint64_t>>(workers.size());
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

    /// Empty where it is.
    std::string why_not_ready() const {
        if (memory.is_full()) {
            return mebibytes(memory.in_use()) + " of memory are in use, the ceiling is " +
                   mebibytes(memory.ceiling()) + " (memory.max)";
        }
        if (recovered.journal == nullptr || recovered.journal->admission() == balance::Admission::open)
            return too_far_behind(store_figures(), store_lag_max.load(std::memory_order_relaxed));
        const auto figures = recovered.journal->statistics();
        return "the journal's disk is full" +
               (figures.full_because.empty() ? std::string{} : ": " + figures.full_because);
    }

    std::vector<StoreFigures> store_figures() const {
        std::vector<StoreFigures> all;
        all.reserve(followers.size());
        for (const auto& follower : followers)
            all.push_back(follower->figures());
        return all;
    }
    /// What all stores have for good, for the snapshots.
    std::optional<balance::Sequence> taken_by_stores() const {
        std::optional<balance::Sequence> least;
        for (const auto& follower : followers) {
            if (const auto taken = follower->taken()) least = std::min(least.value_or(*taken), *taken);
        }
        return least;
    }

    /// By one thread, now and then.
    void tell_of_disk() {
        if (recovered.journal == nullptr) return;
        const std::string why = recovered.journal->statistics().full_because;
        if (why.empty() == disk_full.empty()) return;
        disk_full = why;
        if (why.empty()) {
            logging::event(config::LogLevel::info, "disk_free", "there is room for the journal again");
        } else {
            logging::event(config::LogLevel::error, "disk_full",
                           "there is no room for the journal: calls may end, nothing new begins: " + why);
        }
    }

    /// Thresholds have the time, a line in the log each, and mails in the operator's words.
    StateSettings with_thresholds(StateSettings settings) const {
        settings.clock = [] { return Clock::now(); };
        settings.mail_templates = templates;
        settings.on_threshold = [this](const ThresholdEvent& event) {
            const auto& [party, warning, balance] = event.crossing;
            logging::event(config::LogLevel::warn, "threshold",
                           "threshold " + std::to_string(event.number) + ": party " +
                               std::string{made->parties.get(party).id} + " crossed " +
                               std::string{text_of(warning)} + ", balance " +
                               std::string{rating::format(balance).view()});
        };
        return settings;
    }

    std::shared_ptr<const mail::Templates> templates;
    std::unique_ptr<balance::journal::PosixDisk> disk;
    std::unique_ptr<State> made;
    MemoryGuard memory;
    Readiness readiness;
    std::atomic<std::chrono::milliseconds> store_lag_max{};  // A word of its own, as the next.
    std::atomic<std::uint64_t> connections_max{0};
    Recovered recovered;
    State& state;
    GuardedLog guarded;
    metrics::CallFigures call_figures;
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
    commands::SlowLogs slow_logs;  // The last is that of calls over HTTP.
    commands::Services services{
        charging, state.catalog, state.payments, resync,     state.ledger, state.sessions,          clients,
        facts,    counter_views, state.registry, &slow_logs, &users,       &authenticator.figures()};
    admin::HttpFigures http_figures;
    metrics::Metrics metrics;
    std::optional<net::TlsIdentity> tls;
    std::uint16_t resp_tls_port = 0;
    std::vector<std::unique_ptr<net::Worker>> workers;
    admin::HttpServer http;
    Renewals renewals{
        state.catalog, state.shop, [] { return Clock::now(); },
        [](const std::string& what) { logging::event(config::LogLevel::warn, "clock_ahead", what); }};
    std::unique_ptr<Snapshots> snapshots;
    std::uint64_t snapshot_segments = 0;
    std::string disk_full;  // Why, as it was told last.
    std::unique_ptr<mail::Mailer> mailer;
    // One a worker: the last round of is_alive() that it had a turn in. Says nothing of other memory.
    std::vector<std::atomic<std::uint64_t>> turns;
    std::uint64_t round = 0;  // Of whoever asks.
    bool stopped = false;
    std::atomic<bool> sealed{false};  // Written once all that it says has happened; read by another thread.
    std::vector<std::unique_ptr<flush::Follower>> followers;
    // Last: they are the first to go.
    std::jthread snapshotting;
    std::jthread housekeeping;
};

StateSettings state_settings(const config::Config& config) {
    return {.versions_kept = config.deck.versions_kept,
            .parties_max = config.party.max,
            .sessions = session_limits(config),
            .remember_requests = config.request.remember,
            .hash_key = random_key(),
            .mails_max = config.mail.outbox_max};
}

balance::journal::Settings journal_settings(const config::Config& config) {
    return {.reply = config.journal.reply == config::JournalReply::synced ? balance::journal::Reply::synced
                                                                          : balance::journal::Reply::written,
            .segment_bytes =
                config.journal.segment_bytes / balance::journal::kBlockBytes * balance::journal::kBlockBytes};
}

void check_stores(const config::Config& config) {
    for (const auto& [key, url] : {std::pair{"postgres.url", &config.postgres.url},
                                   {"redis.url", &config.redis.url},
                                   {"webhook.url", &config.webhook.url}}) {
        if (config.journal.dir.empty() && !url->empty()) {
            throw std::runtime_error{std::string{key} +
                                     ": stores follow a journal, and there is none; set journal.dir"};
        }
    }
    if (!config.postgres.url.empty()) flush::check_postgres_url("postgres.url", config.postgres.url);
    if (!config.redis.url.empty()) (void)flush::parse_redis_url(config.redis.url);
    if (!config.webhook.url.empty()) flush::check_webhook_url(config.webhook.url);
}

void check_files(const config::Config& config) {
    const mail::Templates templates{config.mail.templates};
    if (!config.resp.tls_listen.host.empty()) {
        const net::TlsIdentity identity{
            "resp", {config.resp.tls_certificate, config.resp.tls_key, config.resp.tls_client_ca}};
    }
    if (!config.http.tls_listen.host.empty())
        const net::TlsIdentity identity{"http", {config.http.tls_certificate, config.http.tls_key, {}}};
    if (!config.webhook.url.empty()) (void)secret_in("webhook.secret_file", config.webhook.secret_file);
    for (const auto& [key, file] : {std::pair{"gateway.secret_file", &config.gateway.secret_file},
                                    {"postgres.password_file", &config.postgres.password_file},
                                    {"redis.password_file", &config.redis.password_file}}) {
        if (!file->empty()) (void)secret_in(key, *file);
    }
    if (config.journal.dir.empty()) return;
    // It is made where only its last part is missing.
    std::error_code error;
    const std::filesystem::path directory = std::filesystem::absolute(config.journal.dir, error);
    const bool is_there = std::filesystem::exists(directory, error);
    const auto& place = is_there ? directory : directory.parent_path();
    if (!std::filesystem::is_directory(place, error) || ::access(place.c_str(), W_OK | X_OK) != 0) {
        throw std::runtime_error{"journal.dir: " + config.journal.dir + ": " + place.string() +
                                 " is no folder that can be written"};
    }
}

App::App(const config::Config& config) {
    check_stores(config);  // Before a journal is read, which may take long.
    raise_descriptor_limit();
    commands::Ticks::calibrate();
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
            logging::last_words("journal_failed", "the journal failed, so the process stops: " + why);
            std::_Exit(EXIT_FAILURE);
        });
        journal->start();
    }
    if (parts_->mailer != nullptr) parts_->mailer->start();
    for (const auto& follower : parts_->followers)
        follower->start();
    parts_->renewals.catch_up();
    parts_->renewals.start();
    for (const auto& worker : parts_->workers)
        worker->start();
    parts_->http.start();
    parts_->memory.start([](bool full, std::size_t in_use, std::size_t ceiling) {
        const std::vector<logging::Field> figures = {{"in_use", std::to_string(in_use)},
                                                     {"ceiling", std::to_string(ceiling)}};
        if (full) {
            logging::event(config::LogLevel::error, "memory_full",
                           "memory nears its ceiling: calls may end, nothing new begins", figures);
        } else {
            logging::event(config::LogLevel::info, "memory_free", "there is memory again", figures);
        }
    });
    parts_->housekeeping = std::jthread{[this](const std::stop_token& stop) {
        from_time_to_time(stop, [this] {
            parts_->state.catalog.tariffs().reclaim();  // Versions that no call pins any more.
            parts_->state.outbox.trim(Clock::now());
            parts_->resync.sweep(Clock::now());
            parts_->tell_of_disk();
            parts_->metrics.refresh();
        });
    }};
    if (parts_->snapshots == nullptr) return;
    parts_->snapshotting = std::jthread{[this](const std::stop_token& stop) {
        from_time_to_time(stop, [this] { parts_->snapshots->keep_up(parts_->snapshot_segments); });
    }};
}

void App::reload(const config::Config& config, const std::vector<config::Change>& changes) {
    Parts& parts = *parts_;
    parts.charging.change(charging_times(config));
    for (const auto& worker : parts.workers)
        worker->change(connection_limits(config));
    parts.http.change(config.http);
    parts.memory.set_ceiling(config.memory.max);
    parts.store_lag_max.store(config.stores.lag_max, std::memory_order_relaxed);
    parts.connections_max.store(config.resp.connections_max, std::memory_order_relaxed);
    if (changes.empty()) return;
    if (parts.state.events.admission() == balance::Admission::closed) {
        logging::event(config::LogLevel::error, "audit_full",
                       "the journal has no room to note who changed the configuration");
        return;
    }
    const Moment now = Clock::now();
    balance::JointEvent joint;
    parts.state.registry.audit.add(joint,
                                   {.actor = "system",
                                    .operation = "reloadConfiguration",
                                    .target = "SIGHUP",
                                    .before = image_of(changes, &config::Change::from),
                                    .after = image_of(changes, &config::Change::to)},
                                   now);
    joint.write(parts.state.events, now);
}

bool App::is_alive() {
    Parts& parts = *parts_;
    bool all = true;
    for (std::size_t i = 0; i < parts.workers.size(); ++i) {
        all = all && parts.turns[i].load(std::memory_order_relaxed) == parts.round;
    }
    if (!all) return false;
    ++parts.round;
    for (std::size_t i = 0; i < parts.workers.size(); ++i) {
        parts.workers[i]->later(
            [&turn = parts.turns[i], round = parts.round] { turn.store(round, std::memory_order_relaxed); });
    }
    return true;
}

void App::announce_stop() noexcept {
    parts_->readiness.stop();
}

void App::stop() {
    Parts& parts = *parts_;
    if (std::exchange(parts.stopped, true)) return;
    announce_stop();
    parts.snapshotting.request_stop();
    parts.housekeeping.request_stop();
    parts.renewals.request_stop();
    // Switches first: until the end HTTP answers who asks how it goes.
    for (const auto& worker : parts.workers)
        worker->begin_stop();
    for (const auto& worker : parts.workers)
        worker->stop();
    parts.authenticator.stop();
    parts.http.stop();
    if (parts.mailer != nullptr) parts.mailer->stop();
    parts.housekeeping = {};
    parts.renewals.stop();
    parts.memory.stop();
    auto* const journal = parts.recovered.journal.get();
    const bool sealed = journal == nullptr || journal->stop();
    if (!sealed) {
        const auto figures = journal->statistics();
        logging::event(config::LogLevel::error, "not_sealed",
                       "the journal could not be sealed, it has all that was answered: " +
                           (figures.failure.empty() ? figures.full_because : figures.failure));
    }
    parts.sealed.store(sealed, std::memory_order_release);
    // What they have not taken is in the journal.
    for (const auto& follower : parts.followers)
        follower->stop();
    // A snapshot of a large state takes long, and one that is not finished is not missed.
    parts.snapshotting = {};
}

void App::hurry() {
    for (const auto& worker : parts_->workers)
        worker->hurry();
    parts_->http.hurry();
}

bool App::is_sealed() const noexcept {
    return parts_->sealed.load(std::memory_order_acquire);
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

void App::reload_files(const config::Config& config) {
    net::TlsIdentity* const resp = parts_->tls ? &*parts_->tls : nullptr;
    net::TlsIdentity* const http = parts_->http.tls();
    auto of_resp = resp == nullptr ? nullptr : resp->read();
    auto of_http = http == nullptr ? nullptr : http->read();
    // Nothing refuses once users are replaced. Who stays as he is stays logged in.
    parts_->users.replace(config.user, Clock::now().steady);
    if (resp != nullptr) resp->use(std::move(of_resp));
    if (http != nullptr) http->use(std::move(of_http));
}

std::size_t App::workers() const noexcept {
    return parts_->workers.size();
}

}  // namespace tollgate::daemon
