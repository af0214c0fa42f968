// tollgated: the daemon's command line.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "config/changes.h"
#include "config/config.h"
#include "daemon/access/password.h"
#include "daemon/access/users.h"
#include "daemon/app.h"
#include "daemon/flush/restore.h"
#include "daemon/journal_tool.h"
#include "daemon/mail/templates.h"
#include "daemon/offline_rater.h"
#include "daemon/operation/logging.h"
#include "daemon/operation/service_manager.h"
#include "daemon/recovery.h"
#include "daemon/turns.h"
#include "daemon/version.h"

namespace {

using tollgate::config::Config;
using tollgate::config::LogLevel;
namespace logging = tollgate::daemon::logging;

constexpr int kExitBadStart = 1;
constexpr int kExitFaults = 1;  // Of `rate`: something in a file was faulty.

/// How often the one who waits for signals looks after the log and the service manager.
constexpr std::chrono::milliseconds kTick{1000};
/// Of shutdown.timeout, the end of it in which nobody is waited for: a quarter, but not more than this.
constexpr std::chrono::milliseconds kHurryMost{3000};

/// SIGTERM, SIGINT and SIGHUP go to whoever waits for them here.
class Signals {
  public:
    /// Blocks them: before any thread is made, so that every thread inherits it.
    Signals() {
        sigemptyset(&set_);
        for (const int signal : {SIGTERM, SIGINT, SIGHUP})
            sigaddset(&set_, signal);
        pthread_sigmask(SIG_BLOCK, &set_, nullptr);
        std::signal(SIGPIPE, SIG_IGN);
    }

    /// The next one; 0 where none comes in time.
    [[nodiscard]] int wait(std::chrono::milliseconds longest) const {
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(longest);
        const timespec time{.tv_sec = seconds.count(),
                            .tv_nsec = std::chrono::nanoseconds{longest - seconds}.count()};
        const int signal = sigtimedwait(&set_, nullptr, &time);
        return signal < 0 ? 0 : signal;
    }

  private:
    sigset_t set_{};
};

/// Where the configuration comes from, to be read again.
struct Source {
    std::string path;
    std::vector<std::string> overrides;
};

/// One running daemon, from its start to its end.
class Serving {
  public:
    Serving(const Source& source, Config config, const Signals& signals)
        : source_(source), config_(std::move(config)), signals_(signals), app_(config_) {}

    /// Returns when everything has ended; false where the journal could not be sealed.
    bool run() {
        app_.start();
        tell_start();
        manager_.ready("serving");
        const auto tick =
            manager_.watchdog()
                ? std::min<std::chrono::milliseconds>(
                      kTick, std::chrono::duration_cast<std::chrono::milliseconds>(*manager_.watchdog() / 3))
                : kTick;
        for (;;) {
            const int signal = signals_.wait(tick);
            if (signal == SIGHUP) {
                reload();
            } else if (signal != 0) {
                return stop(signal);
            }
            logging::settle();
            if (app_.is_alive()) manager_.alive();
        }
    }

  private:
    void tell_start() {
        if (app_.resp_tls_port() != 0)
            logging::event(LogLevel::info, "serving_tls",
                           "RESP by TLS on " + config_.resp.tls_listen.host + ":" +
                               std::to_string(app_.resp_tls_port()));
        if (app_.http_tls_port() != 0)
            logging::event(
                LogLevel::info, "serving_tls",
                "HTTPS on " + config_.http.tls_listen.host + ":" + std::to_string(app_.http_tls_port()));
        logging::event(LogLevel::info, "serving",
                       "tollgated " + std::string{tollgate::daemon::kVersion} + " serves RESP on " +
                           config_.resp.listen.host + ":" + std::to_string(app_.resp_port()) +
                           (config_.resp.unix.empty() ? "" : " and " + config_.resp.unix) + " and HTTP on " +
                           config_.http.listen.host + ":" + std::to_string(app_.http_port()) + " with " +
                           std::to_string(app_.workers()) + " workers");
        const auto& recovered = app_.recovered();
        if (recovered.journal == nullptr) {
            logging::event(LogLevel::warn, "no_journal",
                           "there is no journal (journal.dir): all state is lost when this process ends");
            return;
        }
        const auto milliseconds = [](auto time) {
            return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(time).count());
        };
        logging::event(
            LogLevel::info, "recovered",
            "journal " + config_.journal.dir + ": " + std::to_string(recovered.events) + " events read in " +
                milliseconds(recovered.took) + " ms, " + milliseconds(recovered.away) +
                " ms after the last one; answers wait until they are " +
                (config_.journal.reply == tollgate::config::JournalReply::synced ? "synced" : "written"),
            {{"events", std::to_string(recovered.events)},
             {"took_ms", milliseconds(recovered.took)},
             {"away_ms", milliseconds(recovered.away)}});
        for (const auto& snapshot : recovered.passed_over) {
            logging::event(
                LogLevel::warn, "snapshot_damaged",
                "a snapshot is damaged, an older one and the events after it were read instead: " + snapshot);
        }
        if (recovered.torn_blocks > 0) {
            logging::event(LogLevel::warn, "torn_tail",
                           "journal " + config_.journal.dir + ": " + std::to_string(recovered.torn_blocks) +
                               " blocks of 4096 bytes that were never answered are cut off");
        }
    }

    /// Reads the configuration again. A faulty one changes nothing.
    void reload() {
        manager_.reloading();
        try {
            const Config wanted = tollgate::config::load(source_.path, source_.overrides);
            const auto changes = tollgate::config::changes(config_, wanted);
            auto in_force = tollgate::config::taken_over(config_, wanted);
            // What may refuse comes first.
            tollgate::daemon::check_stores(wanted);
            tollgate::daemon::check_files(wanted);
            app_.reload_files(in_force);
            config_ = std::move(in_force);
            logging::change(config_.log);
            app_.reload(config_, changes.live);
            for (const auto& change : changes.live)
                tell_change("reloaded", change, "");
            for (const auto& change : changes.restart)
                tell_change("needs_restart", change, "; a restart is needed for it");
            logging::event(LogLevel::info, "reload",
                           "SIGHUP: " + std::to_string(changes.live.size()) + " settings are in force, " +
                               std::to_string(changes.restart.size()) + " need a restart",
                           {{"changed", std::to_string(changes.live.size())},
                            {"need_restart", std::to_string(changes.restart.size())}});
            manager_.ready("serving; the configuration was read again");
        } catch (const std::exception& error) {
            logging::event(LogLevel::error, "reload_refused",
                           "SIGHUP: nothing was changed: " + std::string{error.what()});
            manager_.ready("serving; the configuration that was to be reloaded is faulty");
        }
    }

    static void tell_change(std::string_view kind, const tollgate::config::Change& change,
                            const std::string& rest) {
        logging::event(LogLevel::info, kind,
                       std::string{change.key} + ": \"" + change.from + "\" -> \"" + change.to + "\"" + rest,
                       {{"key", std::string{change.key}}});
    }

    /// Ends everything within shutdown.delay and shutdown.timeout; a second signal takes the delay away, and
    /// then the patience. Does not return where that is not enough.
    bool stop(int signal) {
        using Steady = std::chrono::steady_clock;
        const auto longest = config_.shutdown.delay + config_.shutdown.timeout;
        logging::event(LogLevel::info, "stopping", "signal " + std::to_string(signal) + ": draining");
        manager_.stopping(longest, "draining");
        app_.announce_stop();
        const auto stop_from = Steady::now() + config_.shutdown.delay;
        while (Steady::now() < stop_from && !is_hurried(stop_from - Steady::now())) {}
        const auto timeout = config_.shutdown.timeout;
        const auto end = Steady::now() + timeout;
        const auto hurry = end - std::min<std::chrono::milliseconds>(timeout / 4, kHurryMost);
        std::atomic<bool> stopped{false};  // Synchronised by join().
        std::thread stopping{[this, &stopped] {
            app_.stop();
            stopped = true;
            // The one who waits for signals is woken by one.
            ::kill(::getpid(), SIGTERM);
        }};
        bool in_a_hurry = false;
        while (!stopped && Steady::now() < end) {
            const bool asked = is_hurried((in_a_hurry ? end : hurry) - Steady::now());
            if (stopped || in_a_hurry || (!asked && Steady::now() < hurry)) continue;
            in_a_hurry = true;
            logging::event(LogLevel::warn, "hurrying",
                           asked ? "a second signal: clients are not waited for any more"
                                 : "shutdown.timeout is nearly over: clients are not waited for any more");
            app_.hurry();
        }
        if (!stopped) {
            const bool sealed = app_.is_sealed();
            logging::last_words("forced", sealed
                                              ? "what is left to end is not waited for; the journal is sealed"
                                              : "the journal could not be sealed within shutdown.timeout; "
                                                "the next start reads what it has");
            std::_Exit(sealed ? EXIT_SUCCESS : EXIT_FAILURE);
        }
        stopping.join();
        logging::event(LogLevel::info, "stopped", "stopped");
        return app_.is_sealed();
    }

    /// Whether another SIGTERM or SIGINT came within that time.
    [[nodiscard]] bool is_hurried(std::chrono::steady_clock::duration longest) const {
        const auto wait = std::clamp(std::chrono::duration_cast<std::chrono::milliseconds>(longest),
                                     std::chrono::milliseconds{1}, kTick);
        const int signal = signals_.wait(wait);
        return signal == SIGTERM || signal == SIGINT;
    }

    const Source& source_;
    Config config_;  // In force.
    const Signals& signals_;
    tollgate::daemon::ServiceManager manager_;
    tollgate::daemon::App app_;
};

/// Adds the command `rate`, which needs none of the daemon's options and refuses them.
CLI::App* add_rate(CLI::App& command_line, tollgate::daemon::OfflineRating& rating) {
    CLI::App* const rate = command_line.add_subcommand(
        "rate", "Rates a file of calls without a daemon, to CSV; docs/offline-rating.md is its manual");
    rate->add_option("--deck", rating.deck, "The rate deck: CSV, may be packed with gzip")->required();
    rate->add_option(
            "--calls", rating.calls,
            "The calls: CSV with call_id, destination, start_time, answered and duration_seconds, may "
            "be packed with gzip")
        ->required();
    rate->add_option("--tariff", rating.tariff,
                     "Settings of the tariff, as PUT /v1/tariffs/{id} takes them: JSON");
    rate->add_option("--out", rating.out, "Where the results go; standard output without it");
    rate->add_option("--threads", rating.threads, "How many threads rate; one a processor without it")
        ->check(CLI::Range(1U, tollgate::daemon::kOfflineThreadsMax));
    rate->add_option("--faults", rating.faults_max, "How many faults of a file are shown")
        ->capture_default_str();
    for (CLI::Option* const option : command_line.get_options()) {
        if (option != command_line.get_help_ptr()) rate->excludes(option);
    }
    return rate;
}

/// `restore --from-postgres [CONNINFO] --set journal.dir=DIR`.
struct RestoreCommand {
    std::string url;
};

CLI::App* add_restore(CLI::App& command_line, RestoreCommand& command) {
    CLI::App* const restore = command_line.add_subcommand(
        "restore", "Makes a lost journal folder (journal.dir) anew; docs/operating.md is its manual");
    restore
        ->add_option("--from-postgres", command.url,
                     "Where it is kept, as libpq takes it; without a value: postgres.url")
        ->expected(0, 1)
        ->required();
    restore->fallthrough();  // --config and --set may stand behind it.
    return restore;
}

void run_restore(const RestoreCommand& command, const Config& config) {
    namespace flush = tollgate::daemon::flush;
    const std::string& url = command.url.empty() ? config.postgres.url : command.url;
    if (url.empty()) throw std::runtime_error{"restore: no PostgreSQL is named (postgres.url)"};
    const auto restored =
        flush::restore_from_postgres({.url = url,
                                      .password_file = config.postgres.password_file,
                                      .directory = config.journal.dir,
                                      .reserve = config.restore.reserve,
                                      .state = tollgate::daemon::state_settings(config),
                                      .journal = tollgate::daemon::journal_settings(config)},
                                     std::chrono::system_clock::now());
    std::cout << config.journal.dir << ": restored up to event " << restored.before.sequence << " of "
              << tollgate::rating::format(restored.last_at).view() << ", the last one there is\n"
              << config.journal.dir << ": " << restored.parties << " parties, " << restored.open_sessions
              << " open sessions, digest " << std::hex << restored.digest << std::dec << "; epoch "
              << restored.after.epoch << '\n';
    if (restored.held_back > 0) {
        std::cout << tollgate::rating::format(config.restore.reserve).view() << " of each of "
                  << restored.held_back
                  << " active parties is held back (restore.reserve) until `tollgatectl reserve release`\n";
    }
}

/// `journal verify|repair|dump DIR`.
struct JournalCommand {
    tollgate::daemon::JournalDump dump;  // The directory of all of them.
    std::string from;
    std::string until;
    CLI::App* verify = nullptr;
    CLI::App* write = nullptr;
    CLI::App* repair = nullptr;
    bool cut = false;
};

CLI::App* add_journal(CLI::App& command_line, JournalCommand& command) {
    CLI::App* const journal = command_line.add_subcommand(
        "journal", "Looks at a journal's folder; docs/operating.md is its manual");
    journal->require_subcommand(1);
    command.verify =
        journal->add_subcommand("verify", "Reads all of it and says what is there, or what is damaged");
    command.write =
        journal->add_subcommand("dump", "Writes its events, or the records of calls, to standard output");
    command.repair = journal->add_subcommand(
        "repair", "Turns flipped bits back, with the daemon stopped; every file it changes is saved first");
    command.repair->add_flag("--cut", command.cut,
                             "Cut off, and lose, what cannot be repaired and all after it");
    for (CLI::App* const sub : {command.verify, command.write, command.repair})
        sub->add_option("directory", command.dump.directory, "The folder: journal.dir")->required();
    command.write->add_flag("--records", command.dump.records, "Records of calls as CSV, one line a leg");
    command.write->add_option("--from", command.from, "Records of calls that ended then or later: RFC 3339");
    command.write->add_option("--until", command.until, "… and before then");
    return journal;
}

/// `audit verify DIR`.
struct AuditCommand {
    std::string directory;
    std::string expect;
    CLI::App* verify = nullptr;
};

CLI::App* add_audit(CLI::App& command_line, AuditCommand& command) {
    CLI::App* const audit =
        command_line.add_subcommand("audit", "Looks at the audit log of a journal; a daemon may be at work");
    audit->require_subcommand(1);
    command.verify = audit->add_subcommand(
        "verify", "Does every entry follow the one before it? Says which is the first that does not");
    command.verify->add_option("directory", command.directory, "The folder: journal.dir")->required();
    command.verify->add_option("--expect", command.expect,
                               "A hash that was noted earlier: an entry must have it");
    return audit;
}

int run_audit(const AuditCommand& command) {
    std::optional<tollgate::daemon::access::ChainHash> expected;
    if (!command.expect.empty()) {
        expected = tollgate::daemon::access::ChainHash::parse(command.expect);
        if (!expected)
            throw std::runtime_error{"--expect \"" + command.expect + "\": expected 64 hexadecimal digits"};
    }
    const bool good = tollgate::daemon::verify_audit(command.directory, expected,
                                                     tollgate::daemon::state_settings(Config{}), std::cout);
    return good ? EXIT_SUCCESS : tollgate::daemon::kExitDamaged;
}

/// Throws std::runtime_error naming the option.
std::optional<tollgate::rating::Instant> instant_of(const char* option, const std::string& text) {
    if (text.empty()) return std::nullopt;
    const auto instant = tollgate::rating::parse_instant(text);
    if (!instant) {
        throw std::runtime_error{std::string{option} + " \"" + text +
                                 "\": expected a time such as 2026-03-01T00:00:00Z, or Unix seconds"};
    }
    return instant;
}

int run_journal(JournalCommand& command) {
    const auto settings = tollgate::daemon::state_settings(Config{});
    if (command.repair->parsed()) {
        const bool good =
            tollgate::daemon::repair_journal(command.dump.directory, command.cut, settings, std::cout);
        return good ? EXIT_SUCCESS : tollgate::daemon::kExitDamaged;
    }
    if (command.verify->parsed()) {
        tollgate::daemon::verify_journal(command.dump.directory, settings, std::cout);
        return EXIT_SUCCESS;
    }
    command.dump.from = instant_of("--from", command.from);
    command.dump.until = instant_of("--until", command.until);
    tollgate::daemon::dump_journal(command.dump, settings, std::cout);
    return EXIT_SUCCESS;
}

/// The status of a command whose answer is on standard output: a full disk must not pass for an answer.
int said(int status) {
    std::cout.flush();
    if (std::cout) return status;
    throw std::runtime_error{"standard output cannot be written: what is there is not all"};
}

/// Reads a password from standard input and prints what stands for it in the configuration.
int hash_password() {
    namespace access = tollgate::daemon::access;
    std::string password;
    std::getline(std::cin, password);
    // Users are programs: of what people may choose only the length is asked.
    const access::PasswordRule rule = access::rule_of(password, {});
    if (rule != access::PasswordRule::kept)
        throw std::runtime_error{"hash-password: the password (one line of standard input): " +
                                 std::string{access::text_of(rule)}};
    const auto hash = access::Passwords{}.hash(password);
    access::wipe(password);
    if (!hash) throw std::runtime_error{"hash-password: there is no memory for it at the moment"};
    std::cout << hash->text << '\n';
    return EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App command_line{"tollgated authorises, meters and charges calls for VoIP switches.", "tollgated"};
    std::string path;
    std::vector<std::string> overrides;
    bool check = false;
    bool verify = false;
    command_line.add_option("--config", path, "The configuration file; config/tollgate.toml is its manual");
    command_line.add_option("--set", overrides, "KEY=VALUE, over the file; may be repeated")->take_all();
    command_line.add_flag("--check", check, "Check the configuration and stop");
    command_line.add_flag("--verify", verify,
                          "Replay the journal, check that every invariant holds, and stop");
    command_line.set_version_flag("--version", std::string{"tollgated "} + tollgate::daemon::kVersion);
    tollgate::daemon::OfflineRating rating;
    const CLI::App* const rate = add_rate(command_line, rating);
    RestoreCommand restore_command;
    const CLI::App* const restore = add_restore(command_line, restore_command);
    JournalCommand journal_command;
    const CLI::App* const journal = add_journal(command_line, journal_command);
    AuditCommand audit_command;
    add_audit(command_line, audit_command);
    const CLI::App* const hash = command_line.add_subcommand(
        "hash-password",
        "Reads a user's password from standard input and prints its hash for the configuration");
    try {
        command_line.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return command_line.exit(error) == 0 ? EXIT_SUCCESS : kExitBadStart;
    }
    try {
        if (rate->parsed()) return tollgate::daemon::rate_offline(rating) ? EXIT_SUCCESS : kExitFaults;
        if (hash->parsed()) return said(hash_password());
        if (journal->parsed()) return said(run_journal(journal_command));
        if (audit_command.verify->parsed()) return said(run_audit(audit_command));
        const Config config = tollgate::config::load(path, overrides);
        if (restore->parsed()) {
            run_restore(restore_command, config);
            return said(EXIT_SUCCESS);
        }
        if (verify) {
            if (config.journal.dir.empty())
                throw std::runtime_error{"--verify: there is no journal (journal.dir)"};
            const bool holds = tollgate::daemon::verify_state(
                config.journal.dir, tollgate::daemon::state_settings(config), std::cout);
            return said(holds ? EXIT_SUCCESS : kExitFaults);
        }
        if (check) {
            const tollgate::daemon::access::Users users{config.user};
            tollgate::daemon::check_stores(config);
            tollgate::daemon::check_files(config);
            std::cout << (path.empty() ? "the defaults" : path) << ": the configuration is good\n";
            return said(EXIT_SUCCESS);
        }
        const Signals signals;
        tollgate::daemon::work_promptly();
        logging::start(config.log);
        const Source source{path, overrides};
        bool sealed = false;
        try {
            sealed = Serving{source, config, signals}.run();
        } catch (...) {
            logging::stop();
            throw;
        }
        logging::stop();
        return sealed ? EXIT_SUCCESS : EXIT_FAILURE;
    } catch (const tollgate::daemon::DamagedJournal& damage) {
        std::cerr << logging::redacted(damage.what()) << '\n';
        return tollgate::daemon::kExitDamaged;
    } catch (const std::exception& error) {
        std::cerr << logging::redacted(error.what()) << '\n';
        return kExitBadStart;
    }
}
