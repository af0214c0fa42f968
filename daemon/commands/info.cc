#include <algorithm>
#include <array>

#include <unistd.h>

#include "daemon/commands/arguments.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/sender.h"
#include "daemon/commands/slow_log.h"
#include "daemon/commands/table.h"
#include "daemon/letters.h"
#include "protocol/resp_writer.h"

namespace tollgate::daemon::commands {
namespace {

class Lines {
  public:
    void section(std::string_view name) {
        if (!text_.empty()) text_ += "\r\n";
        text_ += "# " + std::string{name} + "\r\n";
    }
    void line(std::string_view name, std::string_view value) {
        text_.append(name).append(":").append(value).append("\r\n");
    }
    void line(std::string_view name, std::uint64_t value) {
        line(name, std::string_view{std::to_string(value)});
    }
    [[nodiscard]] const std::string& text() const noexcept { return text_; }

  private:
    std::string text_;
};

std::uint64_t sum(const Services& services, std::atomic<std::uint64_t> WorkerCounters::*counter) {
    std::uint64_t total = 0;
    for (const auto* const worker : services.counters)
        total += (worker->*counter).load(std::memory_order_relaxed);
    return total;
}

void server(const Context& context, Lines& lines) {
    const ServerFacts& facts = context.services.facts;
    lines.line("redis_version", "7.0.0");
    lines.line("redis_mode", "standalone");
    lines.line("tollgate_version", facts.version);
    lines.line("process_id", static_cast<std::uint64_t>(::getpid()));
    lines.line("tcp_port", facts.resp_port);
    lines.line("unix_socket", facts.unix_path);
    lines.line("worker_threads", facts.workers);
    const auto uptime = std::chrono::floor<std::chrono::seconds>(context.now.steady - facts.started_at);
    lines.line("uptime_in_seconds", static_cast<std::uint64_t>(uptime.count()));
}

void clients(const Context& context, Lines& lines) {
    lines.line("connected_clients", context.services.clients.size());
    if (const auto* const logins = context.services.logins) {
        lines.line("logins_accepted", logins->accepted.load(std::memory_order_relaxed));
        lines.line("logins_wrong", logins->wrong.load(std::memory_order_relaxed));
        lines.line("logins_throttled", logins->throttled.load(std::memory_order_relaxed));
        lines.line("logins_busy", logins->busy.load(std::memory_order_relaxed));
    }
}

void memory(const Context& context, Lines& lines) {
    const Services& services = context.services;
    const auto in_use = services.facts.memory_in_use;
    if (in_use != nullptr) lines.line("used_memory_rss", in_use());
    lines.line("party_bytes", services.catalog.parties().bytes());
    lines.line("session_bytes", services.sessions.counts().memory_bytes);
    lines.line("tree_bytes", services.catalog.tariffs().counts().tree_bytes);
}

void persistence(const Context& context, Lines& lines) {
    lines.line("loading", "0");
    const auto* const journal = context.services.facts.journal;
    if (journal == nullptr) {
        lines.line("journal", "none");
        lines.line("durability", "none: all state is in memory only and is lost when the process ends");
        return;
    }
    const auto figures = journal->statistics();
    lines.line("journal", figures.failure.empty() ? "good" : figures.failure);
    lines.line("durability", context.services.facts.synced
                                 ? "synced: answers wait until the disk has their events"
                                 : "written: answers wait until the kernel has their events");
    lines.line("journal_epoch", figures.epoch);
    lines.line("journal_last_event", figures.last);
    lines.line("journal_durable_event", figures.durable);
    lines.line("journal_events", figures.events);
    lines.line("journal_batches", figures.batches);
    lines.line("journal_bytes", figures.bytes);
    lines.line("journal_syncs", figures.syncs);
    const auto microseconds = [](std::chrono::nanoseconds time) {
        return static_cast<std::uint64_t>(
            std::chrono::duration_cast<std::chrono::microseconds>(time).count());
    };
    lines.line("journal_sync_us_total", microseconds(figures.sync_time));
    lines.line("journal_sync_us_max", microseconds(figures.sync_time_max));
    lines.line("journal_queue_bytes", figures.queue_bytes);
    lines.line("journal_segment", figures.segment);
    lines.line("journal_segments_ready", figures.segments_ready);
    lines.line("journal_torn_blocks", figures.torn_blocks);
    lines.line("journal_disk", figures.full_because.empty() ? "good" : "full: " + figures.full_because);
}

/// One line a store, as Redis shows its databases.
void stores(const Context& context, Lines& lines) {
    const auto& ask = context.services.facts.stores;
    const auto all = ask ? ask() : std::vector<StoreFigures>{};
    lines.line("stores", all.size());
    for (const StoreFigures& store : all) {
        const std::string name = "store_" + std::string{store.name};
        const auto lag = std::chrono::duration_cast<std::chrono::milliseconds>(store.lag);
        std::string line =
            "state=" + std::string{text_of(store.state)} +
            ",position=" + (store.position ? std::to_string(*store.position) : "unknown") +
            ",lag_events=" + std::to_string(store.lag_events) + ",lag_ms=" + std::to_string(lag.count()) +
            ",batches=" + std::to_string(store.batches) + ",events=" + std::to_string(store.events) +
            ",rows=" + std::to_string(store.rows) + ",refills=" + std::to_string(store.refills) +
            ",failures=" + std::to_string(store.failures);
        if (store.one_by_one) {
            line += ",pending=" + std::to_string(store.one_by_one->pending);
            line += ",given_up=" + std::to_string(store.one_by_one->given_up);
        }
        lines.line(name, line);
        if (store.failures_in_a_row != 0) lines.line(name + "_failure", store.last_failure);
    }
}

void replication(const Context&, Lines& lines) {
    lines.line("role", "master");
    lines.line("connected_slaves", "0");
}

void stats(const Context& context, Lines& lines) {
    lines.line("total_commands_processed", sum(context.services, &WorkerCounters::commands));
    lines.line("total_error_replies", sum(context.services, &WorkerCounters::errors));
    lines.line("calls_granted", sum(context.services, &WorkerCounters::granted));
    lines.line("calls_refused", sum(context.services, &WorkerCounters::refused));
    lines.line("calls_ended", sum(context.services, &WorkerCounters::ended));
    lines.line("calls_expired", sum(context.services, &WorkerCounters::expired));
    lines.line("calls_repeated", sum(context.services, &WorkerCounters::repeated));
    lines.line("total_connections_received", context.services.clients.entered());
    const auto* const slow_logs = context.services.slow_logs;
    lines.line("slow_commands", slow_logs == nullptr ? 0 : slow_logs->noted());
}

/// What all workers counted of one command.
struct CommandSum {
    std::uint64_t calls = 0;
    std::uint64_t errors = 0;
    std::uint64_t refusals = 0;  ///< Codes that say no.
    std::uint64_t sum_ns = 0;
    std::array<std::uint64_t, LatencyHistogram::kBuckets> latency{};
};

CommandSum sum_of_command(const Services& services, std::size_t place) {
    CommandSum sum;
    for (const auto* const worker : services.counters) {
        const auto& of_worker = worker->by_command[place];
        for (std::size_t i = 0; i < kAnswerCodes; ++i) {
            const auto code = static_cast<AnswerCode>(i);
            const std::uint64_t count = of_worker.answers[i].load(std::memory_order_relaxed);
            sum.calls += count;
            if (is_error(code)) sum.errors += count;
            if (!is_error(code) && code != AnswerCode::ok && code != AnswerCode::free) sum.refusals += count;
        }
        sum.sum_ns += of_worker.latency.sum_ns();
        for (std::size_t i = 0; i < sum.latency.size(); ++i)
            sum.latency[i] += of_worker.latency.count(i);
    }
    return sum;
}

/// Calls `write` for each command that there were any of, by its name in small letters.
template <typename Write>
void for_each_command(const Services& services, const Write& write) {
    const auto table = command_table();
    for (std::size_t place = 0; place <= kUnknownCommand; ++place) {
        const CommandSum sum = sum_of_command(services, place);
        if (sum.calls == 0) continue;
        write(in_small_letters(place < table.size() ? table[place].name : "unknown"), sum);
    }
}

/// With the names that Redis has: rejected are those that were answered with an error.
void command_stats(const Context& context, Lines& lines) {
    for_each_command(context.services, [&lines](const std::string& name, const CommandSum& sum) {
        constexpr std::uint64_t kNanosecondsAMicrosecond = 1'000;
        const std::uint64_t microseconds = sum.sum_ns / kNanosecondsAMicrosecond;
        lines.line("cmdstat_" + name,
                   "calls=" + std::to_string(sum.calls) + ",usec=" + std::to_string(microseconds) +
                       ",usec_per_call=" + std::to_string(microseconds / sum.calls) + ",rejected_calls=" +
                       std::to_string(sum.errors) + ",refused_calls=" + std::to_string(sum.refusals));
    });
}

/// In microseconds, the upper bound of the bucket that has it.
std::string percentile(const CommandSum& sum, std::uint64_t per_mille) {
    constexpr std::uint64_t kWhole = 1'000;
    std::uint64_t wanted = (sum.calls * per_mille + kWhole - 1) / kWhole;
    for (std::size_t i = 0; i < LatencyHistogram::kBounds; ++i) {
        if (sum.latency[i] >= wanted) return std::to_string(LatencyHistogram::bound_of(i).count());
        wanted -= sum.latency[i];
    }
    return "inf";
}

void latency_stats(const Context& context, Lines& lines) {
    for_each_command(context.services, [&lines](const std::string& name, const CommandSum& sum) {
        lines.line("latency_percentiles_usec_" + name, "p50=" + percentile(sum, 500) +
                                                           ",p99=" + percentile(sum, 990) +
                                                           ",p99.9=" + percentile(sum, 999));
    });
}

void tollgate(const Context& context, Lines& lines) {
    const auto& parties = context.services.catalog.parties();
    const auto counts = context.services.sessions.counts();
    lines.line("parties", parties.size());
    lines.line("party_bytes", parties.bytes());
    const auto tariffs = context.services.catalog.tariffs().counts();
    lines.line("tariffs", tariffs.tariffs);
    lines.line("tariff_versions", tariffs.versions);
    lines.line("tree_prefixes", tariffs.tree_prefixes);
    lines.line("tree_bytes", tariffs.tree_bytes);
    lines.line("sessions_open", counts.open);
    lines.line("sessions_remembered", counts.remembered);
    lines.line("session_bytes", counts.memory_bytes);
    lines.line("sessions_forgotten_early", counts.forgotten_early);
    // Whatever ended since then is known. Compared before it is subtracted: nothing forgotten is long ago.
    const balance::Steady remember = context.services.sessions.limits().remember;
    const balance::Steady horizon = counts.forgotten_until < context.now.steady - remember
                                        ? remember
                                        : context.now.steady - counts.forgotten_until;
    lines.line("sessions_horizon_seconds",
               static_cast<std::uint64_t>(std::chrono::floor<std::chrono::seconds>(horizon).count()));
}

std::string decimal(balance::Ledger::TrialBalance::Sum micros) {
    const bool negative = micros < 0;
    if (negative) micros = -micros;
    const auto fraction = static_cast<std::int64_t>(micros % 1'000'000);
    std::string whole = std::to_string(static_cast<std::uint64_t>(micros / 1'000'000));
    if (fraction != 0) whole += rating::format_decimal(fraction, rating::Money::kPlaces).view().substr(1);
    return (negative ? "-" : "") + whole;
}

/// Walks all parties, so it is shown only where it is asked for by name.
void books(const Context& context, Lines& lines) {
    for (const auto& sum : context.services.ledger.trial_balance()) {
        lines.line("books_" + std::string{sum.currency.view()},
                   "balances=" + decimal(sum.balances) + ",held=" + decimal(sum.held) +
                       ",revenue=" + decimal(sum.revenue) + ",cash=" + decimal(sum.cash) +
                       ",termination=" + decimal(sum.termination) + ",commission=" + decimal(sum.commission) +
                       ",customer_funds=" + decimal(sum.funds) + ",exchange=" + decimal(sum.exchange) +
                       ",sum=" + decimal(sum.sum()));
    }
}

struct Section {
    std::string_view title;
    std::string_view name;  ///< As it is asked for, in capitals.
    void (*write)(const Context&, Lines&);
    bool on_request_only = false;
    bool of_commands = false;
};

constexpr std::array kSections = {
    Section{"Server", "SERVER", server},
    Section{"Clients", "CLIENTS", clients},
    Section{"Memory", "MEMORY", memory},
    Section{"Persistence", "PERSISTENCE", persistence},
    Section{"Stores", "STORES", stores},
    Section{"Stats", "STATS", stats},
    Section{"Replication", "REPLICATION", replication},
    Section{"Tollgate", "TOLLGATE", tollgate},
    Section{"Commandstats", "COMMANDSTATS", command_stats, true, true},
    Section{"Latencystats", "LATENCYSTATS", latency_stats, true, true},
    Section{"Books", "BOOKS", books, true},
};

/// What clients need to know before they go on; the rest tells of everybody's calls and money.
bool is_for_everybody(const Section& section) noexcept {
    constexpr std::array<std::string_view, 4> kNames = {"SERVER", "CLIENTS", "PERSISTENCE", "REPLICATION"};
    return std::find(kNames.begin(), kNames.end(), section.name) != kNames.end();
}

}  // namespace

void info(Context& context, Words words, std::string& out) {
    const Words names = words.subspan(1);
    const auto asked = [names](std::string_view name) {
        return std::any_of(names.begin(), names.end(),
                           [name](std::string_view word) { return is_word(word, name); });
    };
    const bool all = names.empty() || asked("ALL") || asked("EVERYTHING") || asked("DEFAULT");
    const bool may_see_all = may(context.client, Need::daemon);
    Lines lines;
    for (const Section& section : kSections) {
        if (!may_see_all && !is_for_everybody(section)) continue;
        // EVERYTHING has these too, but not the books, which walk all parties.
        const bool with_all =
            all && (!section.on_request_only || (section.of_commands && asked("EVERYTHING")));
        if (!asked(section.name) && !with_all) continue;
        lines.section(section.title);
        section.write(context, lines);
    }
    protocol::RespWriter{out}.bulk(lines.text());
}

}  // namespace tollgate::daemon::commands
