// tollgated: the daemon's command line.

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "config/config.h"
#include "daemon/access/password.h"
#include "daemon/access/users.h"
#include "daemon/app.h"
#include "daemon/journal_tool.h"
#include "daemon/mail/templates.h"
#include "daemon/offline_rater.h"
#include "daemon/recovery.h"
#include "daemon/version.h"

namespace {

using tollgate::config::Config;

constexpr int kExitBadStart = 1;
constexpr int kExitFaults = 1;  // Of `rate`: something in a file was faulty.

spdlog::level::level_enum level_of(tollgate::config::LogLevel level) {
    switch (level) {
        case tollgate::config::LogLevel::trace:
            return spdlog::level::trace;
        case tollgate::config::LogLevel::debug:
            return spdlog::level::debug;
        case tollgate::config::LogLevel::info:
            return spdlog::level::info;
        case tollgate::config::LogLevel::warn:
            return spdlog::level::warn;
        case tollgate::config::LogLevel::error:
            return spdlog::level::err;
    }
    std::abort();  // Not an enumerator: memory is corrupt.
}

/// To standard error, one line each; the journal of systemd adds time and unit, a terminal gets the time from
/// us.
void start_log(tollgate::config::LogLevel level) {
    auto logger = spdlog::stderr_logger_mt("tollgated");
    logger->set_pattern(std::getenv("JOURNAL_STREAM") != nullptr ? "%l %v" : "%Y-%m-%dT%H:%M:%S.%e%z %l %v");
    logger->set_level(level_of(level));
    spdlog::set_default_logger(std::move(logger));
}

/// Serves until SIGTERM or SIGINT.
void serve(const Config& config) {
    // Blocked before any thread is made, so that every thread inherits it and only sigwait sees them.
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP})
        sigaddset(&signals, signal);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    std::signal(SIGPIPE, SIG_IGN);

    tollgate::daemon::App app{config};
    app.start();
    if (app.resp_tls_port() != 0)
        spdlog::info("RESP by TLS on {}:{}", config.resp.tls_listen.host, app.resp_tls_port());
    if (app.http_tls_port() != 0)
        spdlog::info("HTTPS on {}:{}", config.http.tls_listen.host, app.http_tls_port());
    spdlog::info("tollgated {} serves RESP on {}:{}{} and HTTP on {}:{} with {} workers",
                 tollgate::daemon::kVersion, config.resp.listen.host, app.resp_port(),
                 config.resp.unix.empty() ? "" : " and " + config.resp.unix, config.http.listen.host,
                 app.http_port(), app.workers());
    if (const auto& recovered = app.recovered(); recovered.journal == nullptr) {
        spdlog::warn("there is no journal (journal.dir): all state is lost when this process ends");
    } else {
        const auto milliseconds = [](auto time) {
            return std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
        };
        spdlog::info(
            "journal {}: {} events read in {} ms, {} ms after the last one; answers wait until they are {}",
            config.journal.dir, recovered.events, milliseconds(recovered.took), milliseconds(recovered.away),
            config.journal.reply == tollgate::config::JournalReply::synced ? "synced" : "written");
        for (const auto& snapshot : recovered.passed_over) {
            spdlog::warn("a snapshot is damaged, an older one and the events after it were read instead: {}",
                         snapshot);
        }
        if (recovered.torn_blocks > 0) {
            spdlog::warn("journal {}: {} blocks of 4096 bytes that were never answered are cut off",
                         config.journal.dir, recovered.torn_blocks);
        }
    }
    for (;;) {
        int signal = 0;
        sigwait(&signals, &signal);
        if (signal != SIGHUP) {
            spdlog::info("signal {}: draining", signal);
            break;
        }
        spdlog::info(
            "SIGHUP: nothing can be reloaded yet in this version; restart to read the configuration again");
    }
    app.stop();
    spdlog::info("stopped");
}

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
    if (command.repair->parsed()) {
        const bool good = tollgate::daemon::repair_journal(command.dump.directory, command.cut, std::cout);
        return good ? EXIT_SUCCESS : tollgate::daemon::kExitDamaged;
    }
    const auto settings = tollgate::daemon::state_settings(Config{});
    if (command.verify->parsed()) {
        tollgate::daemon::verify_journal(command.dump.directory, settings, std::cout);
        return EXIT_SUCCESS;
    }
    command.dump.from = instant_of("--from", command.from);
    command.dump.until = instant_of("--until", command.until);
    tollgate::daemon::dump_journal(command.dump, settings, std::cout);
    return EXIT_SUCCESS;
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
    JournalCommand journal_command;
    const CLI::App* const journal = add_journal(command_line, journal_command);
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
        if (hash->parsed()) return hash_password();
        if (journal->parsed()) {
            return run_journal(journal_command);
        }
        const Config config = tollgate::config::load(path, overrides);
        if (verify) {
            if (config.journal.dir.empty())
                throw std::runtime_error{"--verify: there is no journal (journal.dir)"};
            const bool holds = tollgate::daemon::verify_state(
                config.journal.dir, tollgate::daemon::state_settings(config), std::cout);
            return holds ? EXIT_SUCCESS : kExitFaults;
        }
        if (check) {
            const tollgate::daemon::mail::Templates templates{config.mail.templates};
            const tollgate::daemon::access::Users users{config.user};
            std::cout << (path.empty() ? "the defaults" : path) << ": the configuration is good\n";
            return EXIT_SUCCESS;
        }
        start_log(config.log.level);
        serve(config);
        return EXIT_SUCCESS;
    } catch (const tollgate::daemon::DamagedJournal& damage) {
        std::cerr << damage.what() << '\n';
        return tollgate::daemon::kExitDamaged;
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return kExitBadStart;
    }
}
