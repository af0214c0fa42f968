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
#include "daemon/app.h"
#include "daemon/version.h"

namespace {

using tollgate::config::Config;

constexpr int kExitBadStart = 1;

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
    spdlog::info("tollgated {} serves RESP on {}:{}{} and HTTP on {}:{} with {} workers",
                 tollgate::daemon::kVersion, config.resp.listen.host, app.resp_port(),
                 config.resp.unix.empty() ? "" : " and " + config.resp.unix, config.http.listen.host,
                 app.http_port(), app.workers());
    spdlog::warn("all state is in memory only: it is lost when this process ends");
    if (!config.journal.dir.empty()) {
        spdlog::warn(
            "journal.dir is set, but there is no journal yet in this version: nothing is written to {}",
            config.journal.dir);
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

}  // namespace

int main(int argc, char** argv) {
    CLI::App command_line{"tollgated authorises, meters and charges calls for VoIP switches.", "tollgated"};
    std::string path;
    std::vector<std::string> overrides;
    bool check = false;
    command_line.add_option("--config", path, "The configuration file; config/tollgate.toml is its manual");
    command_line.add_option("--set", overrides, "KEY=VALUE, over the file; may be repeated")->take_all();
    command_line.add_flag("--check", check, "Check the configuration and stop");
    command_line.set_version_flag("--version", std::string{"tollgated "} + tollgate::daemon::kVersion);
    try {
        command_line.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return command_line.exit(error) == 0 ? EXIT_SUCCESS : kExitBadStart;
    }
    try {
        const Config config = tollgate::config::load(path, overrides);
        if (check) {
            std::cout << (path.empty() ? "the defaults" : path) << ": the configuration is good\n";
            return EXIT_SUCCESS;
        }
        start_log(config.log.level);
        serve(config);
        return EXIT_SUCCESS;
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return kExitBadStart;
    }
}
