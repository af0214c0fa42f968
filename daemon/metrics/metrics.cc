#include "daemon/metrics/metrics.h"

#include <algorithm>
#include <array>
#include <utility>

#include <prometheus/collectable.h>
#include <prometheus/text_serializer.h>

#include "daemon/access/authenticator.h"
#include "daemon/clock.h"
#include "daemon/commands/slow_log.h"
#include "daemon/commands/table.h"
#include "daemon/commands/words.h"
#include "daemon/letters.h"

namespace tollgate::daemon::metrics {
namespace {

using commands::AnswerCode;
using commands::LatencyHistogram;
using commands::WorkerCounters;
using prometheus::MetricFamily;
using prometheus::MetricType;

using Label = prometheus::ClientMetric::Label;
using Labels = std::vector<Label>;

constexpr double kNanosecondsASecond = 1e9;
constexpr double kMicrosecondsASecond = 1e6;
constexpr double kMicrosAUnit = 1e6;  // Of money.

/// What is held of money is added up no more often than this, nor for more than this share of the time.
constexpr std::chrono::seconds kHeldEvery{5};
constexpr int kHeldShare = 20;

double seconds_of(std::chrono::nanoseconds time) noexcept {
    return static_cast<double>(time.count()) / kNanosecondsASecond;
}

/// One family, being filled.
class Family {
  public:
    Family(MetricFamily& family) noexcept : family_(family) {}  // NOLINT(google-explicit-constructor)

    Family& add(double value, Labels labels = {}) {
        prometheus::ClientMetric metric;
        metric.label = std::move(labels);
        (family_.type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
        family_.metric.push_back(std::move(metric));
        return *this;
    }
    Family& add(std::uint64_t value, Labels labels = {}) {
        return add(static_cast<double>(value), std::move(labels));
    }
    /// `bounds[i]` is the upper bound of bucket i in seconds; the last bucket has none.
    void add_histogram(const std::vector<double>& bounds, const std::vector<std::uint64_t>& counts,
                       double sum, Labels labels = {}) {
        prometheus::ClientMetric metric;
        metric.label = std::move(labels);
        std::uint64_t so_far = 0;
        for (std::size_t i = 0; i < bounds.size(); ++i) {
            so_far += counts[i];
            metric.histogram.bucket.push_back({so_far, bounds[i]});
        }
        metric.histogram.sample_count = so_far + counts.back();
        metric.histogram.sample_sum = sum;
        family_.metric.push_back(std::move(metric));
    }

  private:
    MetricFamily& family_;
};

}  // namespace

/// All families, made anew at each question.
class Metrics::Collection final : public prometheus::Collectable {
  public:
    explicit Collection(const Metrics& metrics) : metrics_(metrics), services_(metrics.services_) {}

    [[nodiscard]] std::vector<MetricFamily> Collect() const override {
        Collection filled{metrics_};
        filled.collect();
        return std::move(filled.families_);
    }

  private:
    void collect() {
        families_.reserve(kFamiliesUsual);
        process();
        clients();
        requests();
        decisions();
        sessions();
        calls();
        house();
        journal();
        stores();
    }

    Family counter(const char* name, const char* help) { return make(name, help, MetricType::Counter); }
    Family gauge(const char* name, const char* help) { return make(name, help, MetricType::Gauge); }
    Family histogram(const char* name, const char* help) { return make(name, help, MetricType::Histogram); }
    /// Another one may make this one move: fill a family before the next is made.
    Family make(const char* name, const char* help, MetricType type) {
        families_.push_back({name, help, type, {}});
        return families_.back();
    }

    static constexpr std::size_t kFamiliesUsual = 96;

    template <typename Read>
    [[nodiscard]] std::uint64_t sum(const Read& read) const {
        std::uint64_t total = 0;
        for (const WorkerCounters* const worker : services_.counters)
            total += read(*worker).load(std::memory_order_relaxed);
        return total;
    }

    void process() {
        const ProcessFigures process = process_figures();
        gauge("tollgate_build_info", "The version that runs; always 1.")
            .add(1.0, {{"version", services_.facts.version}});
        gauge("process_start_time_seconds", "When the process began, in Unix time.").add(process.started_at);
        counter("process_cpu_seconds_total", "Processor time in user space and in the kernel.")
            .add(process.cpu_seconds);
        const auto in_use = services_.facts.memory_in_use;
        gauge("process_resident_memory_bytes", "Memory that the process has.")
            .add(in_use == nullptr ? 0 : in_use());
        gauge("process_virtual_memory_bytes", "Address space that the process has.")
            .add(process.virtual_bytes);
        gauge("process_threads", "Threads of the process.").add(process.threads);
        gauge("process_open_fds", "Descriptors in use.").add(process.open_descriptors);
        gauge("process_max_fds", "Descriptors that the process may have.").add(process.descriptors_max);
        const Sources& sources = metrics_.sources_;
        gauge(
            "tollgate_memory_limit_bytes",
            "Memory that there is: memory.max, or what the control group allows; 0 where there is no limit.")
            .add(sources.memory_max ? sources.memory_max() : 0);
        gauge("tollgate_memory_refusal_bytes",
              "Memory beyond which new calls and imports are refused; 0 where there is no limit.")
            .add(sources.memory_level ? sources.memory_level() : 0);
        counter("tollgate_log_lines_suppressed_total",
                "Lines of the log that were not written: too many of their kind, or nobody read them.")
            .add(sources.lines_suppressed ? sources.lines_suppressed() : 0);
        gauge("tollgate_workers", "Threads that serve the RESP port.")
            .add(std::uint64_t{services_.facts.workers});
    }

    void clients() {
        gauge("tollgate_connections", "Open connections of the RESP port and the Unix socket.")
            .add(std::uint64_t{services_.clients.size()});
        gauge("tollgate_connections_limit", "How many there may be: resp.connections_max.")
            .add(metrics_.sources_.connections_max ? metrics_.sources_.connections_max() : 0);
        counter("tollgate_connections_total", "Connections of the RESP port and the Unix socket so far.")
            .add(services_.clients.entered());
    }

    void requests() {
        const auto table = commands::command_table();
        const auto name_of = [table](std::size_t place) {
            return place < table.size() ? in_small_letters(table[place].name) : std::string{"unknown"};
        };
        Family answers = counter("tollgate_requests_total",
                                 "Commands of the RESP port and of /v1/calls, by the code they were answered "
                                 "with.");
        for (std::size_t place = 0; place <= commands::kUnknownCommand; ++place) {
            for (std::size_t code = 0; code < commands::kAnswerCodes; ++code) {
                const auto count = sum([=](const WorkerCounters& of) -> auto& {
                    return of.by_command[place].answers[code];
                });
                if (count == 0) continue;
                answers.add(count, {{"command", name_of(place)},
                                    {"code", std::string{commands::text_of(static_cast<AnswerCode>(code))}}});
            }
        }
        Family latency = histogram("tollgate_request_duration_seconds",
                                   "From reading a command to having its answer, without the wait for the "
                                   "journal; what stood before it in a pipeline included.");
        const std::vector<double> bounds = latency_bounds();
        for (std::size_t place = 0; place <= commands::kUnknownCommand; ++place) {
            std::vector<std::uint64_t> counts(LatencyHistogram::kBuckets);
            std::uint64_t all = 0;
            std::uint64_t sum_ns = 0;
            for (const WorkerCounters* const worker : services_.counters) {
                const LatencyHistogram& of_worker = worker->by_command[place].latency;
                for (std::size_t i = 0; i < counts.size(); ++i) {
                    counts[i] += of_worker.count(i);
                    all += of_worker.count(i);
                }
                sum_ns += of_worker.sum_ns();
            }
            if (all == 0) continue;
            latency.add_histogram(bounds, counts, static_cast<double>(sum_ns) / kNanosecondsASecond,
                                  {{"command", name_of(place)}});
        }
        counter("tollgate_slow_requests_total", "Commands that took longer than slowlog.threshold.")
            .add(services_.slow_logs == nullptr ? 0 : services_.slow_logs->noted());

        const auto http = metrics_.sources_.http ? metrics_.sources_.http() : std::vector<HttpFigure>{};
        Family of_http = counter("tollgate_http_requests_total",
                                 "Requests of the HTTP port, by the contract's operation and the status.");
        std::uint64_t unauthorized = 0;
        std::uint64_t throttled = 0;
        for (const HttpFigure& figure : http) {
            of_http.add(figure.requests,
                        {{"operation", std::string{figure.operation.empty() ? kOther : figure.operation}},
                         {"code", std::string{figure.code}}});
            if (figure.code == "401") unauthorized += figure.requests;
            if (figure.code == "429") throttled += figure.requests;
        }
        const auto errors = [this](AnswerCode code) {
            std::uint64_t count = 0;
            for (std::size_t place = 0; place <= commands::kUnknownCommand; ++place) {
                count += sum([=](const WorkerCounters& of) -> auto& {
                    return of.by_command[place].answers[static_cast<std::size_t>(code)];
                });
            }
            return count;
        };
        // A log-in is answered later than its command returns, so it is counted where it is judged.
        const access::LoginFigures* const logins = services_.logins;
        const auto of_logins = [logins](std::atomic<std::uint64_t> access::LoginFigures::*figure) {
            return logins == nullptr ? 0 : (logins->*figure).load(std::memory_order_relaxed);
        };
        counter(
            "tollgate_auth_failures_total",
            "Requests that were refused because of who sent them: a wrong password or token, none at all, "
            "too many guesses, or no right to it (RESP only).")
            .add(of_logins(&access::LoginFigures::wrong), {{"port", "resp"}, {"reason", "wrong"}})
            .add(of_logins(&access::LoginFigures::throttled) + of_logins(&access::LoginFigures::busy),
                 {{"port", "resp"}, {"reason", "throttled"}})
            .add(errors(AnswerCode::noauth), {{"port", "resp"}, {"reason", "missing"}})
            .add(errors(AnswerCode::noperm), {{"port", "resp"}, {"reason", "forbidden"}})
            .add(unauthorized, {{"port", "http"}, {"reason", "wrong"}})
            .add(throttled, {{"port", "http"}, {"reason", "throttled"}});
    }

    void decisions() {
        counter("tollgate_grants_total", "AUTHORIZE that were answered with seconds, repeated ones included.")
            .add(sum([](const WorkerCounters& of) -> auto& { return of.granted; }));
        Family refusals = counter("tollgate_refusals_total",
                                  "AUTHORIZE that were refused, repeated ones included, by code and reason.");
        for (std::size_t code = 0; code < commands::kCodes; ++code) {
            for (std::size_t reason = 0; reason < commands::kReasons; ++reason) {
                const auto count =
                    sum([=](const WorkerCounters& of) -> auto& { return of.refusals[code][reason]; });
                if (count == 0) continue;
                refusals.add(count,
                             {{"code", std::string{commands::text_of(static_cast<Code>(code))}},
                              {"reason", std::string{commands::text_of(static_cast<Reason>(reason))}}});
            }
        }
        counter("tollgate_repeats_total",
                "AUTHORIZE that were answered as before: a switch sent the same again.")
            .add(sum([](const WorkerCounters& of) -> auto& { return of.repeated; }));
    }

    void sessions() {
        const auto counts = services_.sessions.counts();
        gauge("tollgate_sessions_open", "Calls that were granted and have not ended.")
            .add(std::uint64_t{counts.open});
        gauge("tollgate_sessions_remembered", "Ended calls that are remembered for repeats and late reports.")
            .add(std::uint64_t{counts.remembered});
        gauge("tollgate_sessions_limit", "How many there may be of both: session.max.")
            .add(std::uint64_t{metrics_.sources_.sessions_max});
        gauge("tollgate_sessions_memory_bytes", "Memory of all of them.")
            .add(std::uint64_t{counts.memory_bytes});
        counter("tollgate_sessions_forgotten_early_total",
                "Ended calls forgotten before session.remember, because session.remember_bytes was full.")
            .add(std::uint64_t{counts.forgotten_early});
        const balance::Steady now = Clock::now().steady;
        const balance::Steady remember = services_.sessions.limits().remember;
        gauge("tollgate_sessions_horizon_seconds", "Whatever ended since so long ago is remembered.")
            .add(seconds_of(counts.forgotten_until < now - remember ? remember
                                                                    : now - counts.forgotten_until));

        Family held = gauge("tollgate_money_held",
                            "Money held for calls under way, in units of the currency, by the kind of party "
                            "whose it is: what is at risk.");
        const std::lock_guard lock{metrics_.mutex_};
        for (const Held& sum : metrics_.held_) {
            held.add(
                static_cast<double>(sum.micros) / kMicrosAUnit,
                {{"currency", std::string{sum.currency.view()}}, {"kind", std::string{text_of(sum.kind)}}});
        }
    }

    void calls() {
        const CallFigures::Figures figures = metrics_.calls_.figures();
        Family ended =
            counter("tollgate_calls_ended_total", "Calls that have ended, by how and by destination group.");
        for (const auto& row : figures.calls) {
            ended.add(row.calls, {{"how", std::string{CallFigures::text_of(row.how)}},
                                  {"destination_group", row.group}});
        }
        counter("tollgate_calls_settled_again_total",
                "Calls that had expired and were settled by a late STOP; they are counted as expired too.")
            .add(figures.settled_again);

        const auto of_legs = [&](const char* name, const char* help, bool earns, auto&& value_of,
                                 bool with_currency) {
            Family family = counter(name, help);
            // Without the currency several rows are one.
            std::vector<std::pair<Labels, double>> rows;
            for (const auto& row : figures.legs) {
                if (row.earns != earns) continue;
                Labels labels = {{"kind", std::string{text_of(row.kind)}}, {"destination_group", row.group}};
                if (!earns) labels.insert(labels.begin(), {"level", row.level});
                if (with_currency) labels.push_back({"currency", std::string{row.currency.view()}});
                const auto known = std::find_if(rows.begin(), rows.end(),
                                                [&labels](const auto& one) { return one.first == labels; });
                if (known != rows.end()) {
                    known->second += value_of(row);
                } else {
                    rows.emplace_back(std::move(labels), value_of(row));
                }
            }
            for (auto& [labels, value] : rows)
                family.add(value, std::move(labels));
        };
        using Row = CallFigures::LegRow;
        of_legs(
            "tollgate_call_legs_total",
            "Legs of calls that have ended: one a level that pays, the customer's being level 1.", false,
            [](const Row& row) { return static_cast<double>(row.legs); }, false);
        of_legs(
            "tollgate_call_seconds_total", "Seconds that these calls lasted, by level.", false,
            [](const Row& row) { return static_cast<double>(row.seconds); }, false);
        of_legs(
            "tollgate_call_revenue_total",
            "What levels were charged for these calls, in units of the currency: revenue of whoever sells "
            "to them.",
            false, [](const Row& row) { return static_cast<double>(row.charged_micros) / kMicrosAUnit; },
            true);
        of_legs(
            "tollgate_call_revenue_returned_total",
            "What late settlements took back of it, in units of the currency.", false,
            [](const Row& row) { return static_cast<double>(row.returned_micros) / kMicrosAUnit; }, true);
        of_legs(
            "tollgate_call_commission_total",
            "What commission resellers earned by these calls, in units of the currency.", true,
            [](const Row& row) { return static_cast<double>(row.charged_micros) / kMicrosAUnit; }, true);
        counter("tollgate_call_figures_lost_total",
                "Rows of the figures above that found no room among their labels.")
            .add(figures.lost);
    }

    void house() {
        const auto& parties = services_.catalog.parties();
        gauge("tollgate_parties", "Parties of every kind, closed ones too.")
            .add(std::uint64_t{parties.size()});
        gauge("tollgate_parties_limit", "How many there may be: party.max.")
            .add(std::uint64_t{metrics_.sources_.parties_max});
        gauge("tollgate_parties_memory_bytes", "Memory of parties and of their index.")
            .add(std::uint64_t{parties.bytes()});
        const auto tariffs = services_.catalog.tariffs().counts();
        gauge("tollgate_tariffs", "Tariffs.").add(std::uint64_t{tariffs.tariffs});
        gauge("tollgate_deck_versions",
              "Versions of tariffs' decks in memory: in force, kept, or in use by a "
              "call.")
            .add(std::uint64_t{tariffs.versions});
        gauge("tollgate_deck_prefixes", "Prefixes of all decks together.")
            .add(std::uint64_t{tariffs.tree_prefixes});
        gauge("tollgate_decks_memory_bytes", "Memory of what calls are rated by.")
            .add(std::uint64_t{tariffs.tree_bytes});
    }

    void journal() {
        const auto* const journal = services_.facts.journal;
        const bool synced = services_.facts.synced;
        gauge("tollgate_journal_reply_mode",
              "1 for what an answer waits for: the disk (synced), the kernel "
              "(written), or nothing, because there is no journal (none).")
            .add(journal != nullptr && synced ? 1.0 : 0.0, {{"mode", "synced"}})
            .add(journal != nullptr && !synced ? 1.0 : 0.0, {{"mode", "written"}})
            .add(journal == nullptr ? 1.0 : 0.0, {{"mode", "none"}});
        const auto figures = journal == nullptr ? balance::journal::Statistics{} : journal->statistics();
        gauge("tollgate_journal_up", "0 where nothing becomes durable any more.")
            .add(figures.failure.empty() ? 1.0 : 0.0);
        gauge("tollgate_journal_disk_full", "1 where the disk is full: calls can end, and nothing else.")
            .add(figures.full_because.empty() ? 0.0 : 1.0);
        gauge("tollgate_journal_lag_events", "Events that are not durable yet.")
            .add(figures.last > figures.durable ? figures.last - figures.durable : 0);
        gauge("tollgate_journal_queue_bytes", "Bytes that wait to be written.").add(figures.queue_bytes);
        gauge("tollgate_journal_last_event", "The number of the newest event.").add(figures.last);
        gauge("tollgate_journal_epoch", "How often the journal was begun anew.").add(figures.epoch);
        counter("tollgate_journal_events_total", "Events written since the start.").add(figures.events);
        counter("tollgate_journal_batches_total", "Batches written since the start.").add(figures.batches);
        counter("tollgate_journal_written_bytes_total", "Bytes written since the start.").add(figures.bytes);
        gauge("tollgate_journal_segments_ready", "Segments that are ready to be written to.")
            .add(figures.segments_ready);
        gauge("tollgate_journal_torn_blocks", "Blocks of an unfinished write that the last start cut off.")
            .add(figures.torn_blocks);
        std::vector<double> bounds;
        for (std::size_t i = 0; i + 1 < figures.syncs_by_us.size(); ++i)
            bounds.push_back(static_cast<double>(std::uint64_t{1} << i) / kMicrosecondsASecond);
        histogram("tollgate_journal_sync_duration_seconds", "How long the disk took to sync a batch.")
            .add_histogram(bounds, {figures.syncs_by_us.begin(), figures.syncs_by_us.end()},
                           seconds_of(figures.sync_time));
    }

    void stores() {
        const auto& ask = services_.facts.stores;
        const auto stores = ask ? ask() : std::vector<StoreFigures>{};
        const auto of_stores = [&](Family family, auto&& value_of) {
            for (const StoreFigures& store : stores)
                family.add(value_of(store), {{"store", std::string{store.name}}});
        };
        of_stores(gauge("tollgate_store_up", "Whether the store takes what the journal has."),
                  [](const StoreFigures& of) {
                      const bool up = of.state == StoreState::following || of.state == StoreState::filling;
                      return up ? 1.0 : 0.0;
                  });
        of_stores(gauge("tollgate_store_lag_events", "Durable events that the store has not taken."),
                  [](const StoreFigures& of) { return of.lag_events; });
        of_stores(gauge("tollgate_store_lag_seconds", "Age of the oldest of them."),
                  [](const StoreFigures& of) { return seconds_of(of.lag); });
        of_stores(counter("tollgate_store_events_total", "Events that the store has taken since the start."),
                  [](const StoreFigures& of) { return of.events; });
        of_stores(
            counter("tollgate_store_batches_total", "Batches that the store has taken since the start."),
            [](const StoreFigures& of) { return of.batches; });
        of_stores(counter("tollgate_store_failures_total",
                          "Batches and connections that failed; of a webhook every attempt."),
                  [](const StoreFigures& of) { return of.failures; });
        of_stores(counter("tollgate_store_rows_total", "Rows written, those of refills included."),
                  [](const StoreFigures& of) { return of.rows; });
        of_stores(counter("tollgate_store_refills_total", "Refills begun: the store was empty."),
                  [](const StoreFigures& of) { return of.refills; });
        Family pending =
            gauge("tollgate_store_pending_events", "Events that wait to be taken one by one: a webhook's.");
        for (const StoreFigures& store : stores) {
            if (store.one_by_one)
                pending.add(std::uint64_t{store.one_by_one->pending}, {{"store", std::string{store.name}}});
        }
        Family given_up = counter("tollgate_store_given_up_events_total",
                                  "Events that were never taken: webhook.give_up was over.");
        for (const StoreFigures& store : stores) {
            if (store.one_by_one)
                given_up.add(store.one_by_one->given_up, {{"store", std::string{store.name}}});
        }
    }

    static std::vector<double> latency_bounds() {
        std::vector<double> bounds;
        for (std::size_t i = 0; i < LatencyHistogram::kBounds; ++i)
            bounds.push_back(static_cast<double>(LatencyHistogram::bound_of(i).count()) /
                             kMicrosecondsASecond);
        return bounds;
    }

    const Metrics& metrics_;
    const commands::Services& services_;
    std::vector<MetricFamily> families_;
};

Metrics::Metrics(const commands::Services& services, CallFigures& calls, Sources sources)
    : services_(services), calls_(calls), sources_(std::move(sources)) {}

std::string Metrics::text() const {
    return prometheus::TextSerializer{}.Serialize(Collection{*this}.Collect());
}

void Metrics::refresh() {
    calls_.refresh(services_.catalog.destination_groups());
    const auto now = std::chrono::steady_clock::now();
    if (now < held_due_) return;
    add_up_held();
    const auto done = std::chrono::steady_clock::now();
    held_due_ = done + std::max<std::chrono::nanoseconds>(kHeldEvery, kHeldShare * (done - now));
}

void Metrics::add_up_held() {
    std::vector<Held> sums;
    const auto& parties = services_.catalog.parties();
    const std::size_t count = parties.size();
    for (std::size_t i = 0; i < count; ++i) {
        const balance::Party& party = parties.get(static_cast<balance::PartyId>(i));
        if (!party.has_account()) continue;
        const std::int64_t held = party.account.held().micros();
        const auto known = std::find_if(sums.begin(), sums.end(), [&party](const Held& sum) {
            return sum.kind == party.kind && sum.currency == party.currency;
        });
        if (known != sums.end()) {
            known->micros += held;
        } else {
            sums.push_back({party.currency, party.kind, held});
        }
    }
    const std::lock_guard lock{mutex_};
    held_ = std::move(sums);
}

}  // namespace tollgate::daemon::metrics
