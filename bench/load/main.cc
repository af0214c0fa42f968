// tollgate-load: makes calls at a daemon on schedule, measures how late it answers, and checks what it says.
// docs/load.md is the manual.

#include <array>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <string>
#include <variant>

#include <CLI/CLI.hpp>
#include <sys/resource.h>
#include <unistd.h>

#include "bench/load/given.h"
#include "bench/load/report.h"
#include "bench/load/run.h"
#include "bench/load/word_list.h"
#include "rating/csv.h"

namespace {

using namespace tollgate;
using namespace tollgate::bench::load;

constexpr int kExitGood = 0;
constexpr int kExitWrong = 1;   ///< Answers or books were wrong, or answers are missing.
constexpr int kExitUsage = 2;   ///< The command line makes no sense.
constexpr int kExitFailed = 3;  ///< The daemon is not there, hung up or refused the login.

constexpr const char* kPasswordVariable = "TOLLGATE_LOAD_PASSWORD";
constexpr std::size_t kPasswordBytesMax = 1'024;

/// The command line as it was written.
struct Options {
    std::string connect = "127.0.0.1:7379";
    std::string user;
    std::string password_file;
    unsigned threads = 1;
    unsigned connections = 50;
    unsigned pipeline = 64;
    std::string rate;
    unsigned saturate = 0;
    std::string duration = "10s";
    std::string warm_up = "0s";
    std::string find_limit;
    std::uint64_t limit_from = 1'000;
    std::uint64_t limit_to = kRateMax;
    std::string calls;
    std::string commands;
    std::string lines;
    std::string numbers;
    std::string customers;
    double zipf_lines = 0;
    double zipf_numbers = 0;
    bool pair = false;
    double answered = 0.55;
    double hung_up = 0.1;
    double long_calls = 0;
    double repeat = 0;
    std::string lengths = "mean:180s";
    std::string ring = "8s";
    std::string want = "300s";
    std::string extend = "240s";
    double speed = 1;
    bool at = false;
    std::uint64_t seed = 1;
    std::string run;
    std::string json;
    std::string plots;
    bool quiet = false;
};

/// A command line that makes no sense: the option, what is wrong with it, and the way out.
struct Usage : std::runtime_error {
    Usage(const std::string& option, const std::string& what) : std::runtime_error(option + ": " + what) {}
};

std::chrono::milliseconds duration_of(const std::string& option, const std::string& text,
                                      std::chrono::milliseconds least = std::chrono::milliseconds{0}) {
    const auto read = config::Duration{least, kRunMax}.read(given(text));
    if (const auto* const problem = std::get_if<config::Problem>(&read)) throw Usage(option, problem->text);
    return std::get<std::chrono::milliseconds>(read);
}

std::chrono::seconds seconds_of(const std::string& option, const std::string& text,
                                std::chrono::seconds least) {
    const auto read = config::WholeSeconds{least, kCallLongest}.read(given(text));
    if (const auto* const problem = std::get_if<config::Problem>(&read)) throw Usage(option, problem->text);
    return std::get<std::chrono::seconds>(read);
}

/// The file's first line, else the environment's.
std::string password_of(const Options& options) {
    if (options.password_file.empty()) {
        const char* const value = std::getenv(kPasswordVariable);
        return value == nullptr ? std::string{} : std::string{value};
    }
    std::ifstream in{options.password_file};
    std::string password;
    std::getline(in, password);
    if (!password.empty() && password.back() == '\r') password.pop_back();
    if (password.empty() || password.size() > kPasswordBytesMax)
        throw Usage("--password-file",
                    options.password_file + ": has no password of 1 to 1024 bytes in its first line");
    return password;
}

Peer peer_of(const Options& options) {
    Peer peer;
    peer.user = options.user;
    peer.password = password_of(options);
    if (!peer.user.empty() && peer.password.empty())
        throw Usage("--user", "has no password; name a file with --password-file, or set " +
                                  std::string{kPasswordVariable});
    if (options.connect.starts_with('/')) {
        peer.unix_path = options.connect;
        return peer;
    }
    const auto read = config::Address::read(given(options.connect));
    if (const auto* const problem = std::get_if<config::Problem>(&read))
        throw Usage("--connect", problem->text);
    peer.endpoint = std::get<config::Endpoint>(read);
    return peer;
}

std::vector<std::string> words_of(const std::string& option, const std::string& text) {
    ReadWords read = read_words(text);
    if (!read.fault.empty()) throw Usage(option, read.fault);
    return std::move(read.words);
}

void check_share(const std::string& option, double share) {
    if (!(share >= 0 && share <= 1))
        throw Usage(option, "is no share; write a number from 0 to 1, such as 0.05");
}

Traffic traffic_of(const Options& options) {
    Traffic traffic;
    if (!options.commands.empty()) {
        // They name whom they want themselves.
    } else if (!options.calls.empty()) {
        const std::string fault = read_calls(
            options.calls, options.lines.empty() ? "{account}" : options.lines, options.customers, traffic);
        if (!fault.empty()) throw Usage("--calls", fault);
    } else {
        if (options.lines.empty() || options.numbers.empty())
            throw Usage(options.lines.empty() ? "--lines" : "--numbers",
                        "is missing; name lines and numbers (--lines 'l{0..999}' --numbers "
                        "'4930{000000..000999}'), or "
                        "calls with --calls");
        traffic.lines = words_of("--lines", options.lines);
        traffic.numbers = words_of("--numbers", options.numbers);
        if (!options.customers.empty()) traffic.customers = words_of("--customers", options.customers);
        if (!traffic.customers.empty() && traffic.customers.size() != traffic.lines.size())
            throw Usage("--customers",
                        std::to_string(traffic.customers.size()) + " names for " +
                            std::to_string(traffic.lines.size()) +
                            " lines; write the customer of each line, in the order of the lines");
    }
    check_share("--answered", options.answered);
    check_share("--hung-up", options.hung_up);
    check_share("--long", options.long_calls);
    check_share("--repeat", options.repeat);
    for (const auto& [option, exponent] :
         {std::pair{"--zipf-lines", options.zipf_lines}, std::pair{"--zipf-numbers", options.zipf_numbers}}) {
        constexpr double kExponentMax = 10;
        if (!(exponent >= 0 && exponent <= kExponentMax))
            throw Usage(option, "is no exponent from 0 (all alike) to 10; calls as in life have about 1");
    }
    ReadLengths lengths = read_lengths(options.lengths);
    if (!lengths.fault.empty()) throw Usage("--lengths", lengths.fault);
    traffic.lines_exponent = options.zipf_lines;
    traffic.numbers_exponent = options.zipf_numbers;
    traffic.lengths = lengths.lengths;
    traffic.ring_mean = duration_of("--ring", options.ring);
    traffic.answered = options.answered;
    traffic.hung_up = options.hung_up;
    traffic.outlasting = options.long_calls;
    traffic.is_pair = options.pair;
    traffic.says_instant = options.at;
    return traffic;
}

Schedule schedule_of(const Options& options, const Traffic& traffic) {
    if (options.saturate > 0) {
        if (!options.rate.empty()) throw Usage("--saturate", "has no rate; leave --rate away");
        return Schedule{{Step{0, duration_of("--for", options.duration, std::chrono::milliseconds{1})}}};
    }
    if (!options.rate.empty()) {
        // One rate alone lasts as long as the run.
        const bool is_plain = options.rate.find_first_not_of("0123456789") == std::string::npos;
        const ReadSteps read = read_steps(is_plain ? options.rate + ":" + options.duration : options.rate);
        if (!read.fault.empty()) throw Usage("--rate", read.fault);
        return Schedule{read.steps};
    }
    if (!traffic.listed.empty()) return Schedule{starts_of(traffic, options.speed)};
    throw Usage("--rate",
                "is missing; write calls a second (20000), steps (1000:5s,8000:1s), or take --saturate");
}

void check_numbers(const Options& options) {
    const auto check = [](const char* option, std::uint64_t value, std::uint64_t least, std::uint64_t most) {
        if (value < least || value > most)
            throw Usage(option, std::to_string(value) + " is not within " + std::to_string(least) + " to " +
                                    std::to_string(most));
    };
    check("--threads", options.threads, 1, kThreadsMax);
    check("--connections", options.connections, options.threads, kConnectionsMax);
    check("--pipeline", options.pipeline, 1, kPipelineMax);
    check("--saturate", options.saturate, 0, kPipelineMax);
    check("--limit-from", options.limit_from, 1, kRateMax);
    check("--limit-to", options.limit_to, options.limit_from, kRateMax);
    constexpr double kSpeedMax = 1e6;
    if (!(options.speed > 0 && options.speed <= kSpeedMax))
        throw Usage("--speed", "is not above 0 and at most 1000000; 1 is as in life");
    constexpr std::size_t kRunBytesMax = 64;
    if (options.run.size() > kRunBytesMax) throw Usage("--run", "is longer than 64 bytes");
    if (!options.find_limit.empty() && (options.saturate > 0 || !options.rate.empty()))
        throw Usage("--find-limit", "finds the rate itself; leave --rate and --saturate away");
}

/// As many files as this machine lets a process open.
void open_many_files() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

void write_file(const std::string& option, const std::string& path, const Report& report) {
    if (path == "-") {
        write_json(std::cout, report);
        return;
    }
    std::ofstream out{path};
    write_json(out, report);
    out.flush();
    if (!out) throw std::runtime_error(option + ": " + path + ": cannot be written; name another file");
}

int run(const Options& options) {
    check_numbers(options);
    const Traffic traffic = traffic_of(options);
    const bool is_search = !options.find_limit.empty();
    const auto length = duration_of("--for", options.duration, std::chrono::milliseconds{1});
    const Schedule schedule =
        is_search ? Schedule{{Step{options.limit_from, length}}} : schedule_of(options, traffic);
    Settings settings{traffic, schedule, peer_of(options), options.run};
    if (settings.run.empty()) {
        const auto now = std::chrono::system_clock::now().time_since_epoch();
        settings.run =
            "load-" + std::to_string(now / std::chrono::milliseconds{1}) + "-" + std::to_string(::getpid());
    }
    settings.threads = options.threads;
    settings.connections = options.connections;
    settings.pipeline = options.pipeline;
    settings.saturate = options.saturate;
    settings.want = seconds_of("--want", options.want, std::chrono::seconds{1});
    settings.extend = seconds_of("--extend", options.extend, std::chrono::seconds{0});
    settings.speed = options.speed;
    settings.repeat = options.repeat;
    settings.seed = options.seed;
    settings.warm_up = duration_of("--warm-up", options.warm_up);
    if (settings.warm_up >= schedule.length())
        throw Usage("--warm-up", "is as long as the run; nothing would be measured");
    const auto p99_max = is_search
                             ? duration_of("--find-limit", options.find_limit, std::chrono::milliseconds{1})
                             : std::chrono::milliseconds{0};
    CommandFile commands;
    if (!options.commands.empty()) {
        if (options.saturate == 0)
            throw Usage("--commands", "are sent without a schedule; say how many at once with --saturate");
        const std::string fault = commands.read(options.commands);
        if (!fault.empty()) throw Usage("--commands", fault);
        if (commands.size() < options.connections)
            throw Usage(
                "--commands",
                options.commands +
                    ": has fewer commands than there are connections; write more, or lower --connections");
        settings.commands = &commands;
    }
    open_many_files();

    Client client{settings.peer};
    const Books before = look_at_books(client, traffic);
    std::ostream* const progress = options.quiet ? nullptr : &std::cerr;
    Report report{settings, {}, 0, p99_max, {}};
    if (is_search) {
        Search search;
        search.p99_max = p99_max;
        search.rate_first = options.limit_from;
        search.rate_last = options.limit_to;
        std::size_t probes = 0;
        Limit limit = find_limit(search, [&](std::uint64_t rate) {
            const Schedule at_rate{{Step{rate, length}}};
            Settings probe = settings;
            probe.schedule = at_rate;
            probe.run.append("-").append(std::to_string(++probes));
            return make_calls(probe, progress);
        });
        report.limit = limit.rate;
        report.probes = std::move(limit.probes);
    } else {
        Figures figures = make_calls(settings, progress);
        report.probes.push_back({schedule.rate(0), true, std::move(figures)});
    }

    std::vector<rating::Money> charged(traffic.lines.size());
    std::uint64_t unsettled = 0;
    for (const Probe& probe : report.probes) {
        unsettled += probe.figures.unsettled;
        for (std::size_t i = 0; i < charged.size(); ++i)
            charged[i] = charged[i] + probe.figures.charged[i];
    }
    if (unsettled == 0) {
        report.books = compare(before, look_at_books(client, traffic), traffic, charged);
    } else {
        report.books.is_done = false;
        report.books.by =
            "nothing, as of " + std::to_string(unsettled) + " calls nobody knows what they cost";
    }
    if (options.json != "-") write_summary(std::cout, report);
    if (!options.json.empty()) write_file("--json", options.json, report);
    if (!options.plots.empty()) write_plots(options.plots, report);
    return report.is_good() ? kExitGood : kExitWrong;
}

void declare(CLI::App& app, Options& options) {
    app.add_option("--connect", options.connect, "IP:PORT or the path of a Unix socket")->type_name("WHERE");
    app.add_option("--user", options.user, "Who logs in")->type_name("NAME");
    app.add_option(
           "--password-file", options.password_file,
           "Its first line is the password; without it the environment's TOLLGATE_LOAD_PASSWORD counts")
        ->type_name("FILE");
    app.add_option("--threads", options.threads, "Threads that make calls, each over its own connections");
    app.add_option("--connections", options.connections, "Connections of all threads");
    app.add_option("--pipeline", options.pipeline, "The most commands in flight on a connection");
    app.add_option("--rate", options.rate,
                   "Calls a second: 20000, or steps: 1000:5s,8000:500ms,1000:5s or 1000..5000/1000:3s")
        ->type_name("RATE");
    app.add_option("--saturate", options.saturate,
                   "Instead of a rate: so many commands are in flight on each connection all the time")
        ->type_name("P");
    app.add_option("--for", options.duration,
                   "How long, where --rate does not say it; of each probe of a search")
        ->type_name("DURATION");
    app.add_option("--warm-up", options.warm_up, "Of the beginning: not measured")->type_name("DURATION");
    app.add_option("--find-limit", options.find_limit, "Search the highest rate whose p99 is at most this")
        ->type_name("DURATION");
    app.add_option("--limit-from", options.limit_from, "The first rate of the search");
    app.add_option("--limit-to", options.limit_to, "The highest rate of the search");
    app.add_option("--calls", options.calls, "A CSV of calls; without --rate they begin when it says")
        ->type_name("FILE");
    app.add_option("--commands", options.commands,
                   "With --saturate, instead of calls: a command a line, for any server that speaks RESP")
        ->type_name("FILE");
    app.add_option(
           "--lines", options.lines,
           "Lines: l{0..999}, or @FILE with one in each line. With --calls: how a line is called, {account}")
        ->type_name("NAMES");
    app.add_option("--numbers", options.numbers, "Numbers to dial: 4930{000000..000999}, or @FILE")
        ->type_name("NAMES");
    app.add_option("--customers", options.customers,
                   "The customers of the lines, in their order: their balances are compared at the end")
        ->type_name("NAMES");
    app.add_option("--zipf-lines", options.zipf_lines, "How uneven lines are: 0 all alike, 1 as in life");
    app.add_option("--zipf-numbers", options.zipf_numbers, "How uneven numbers are");
    app.add_flag("--pair", options.pair, "Only AUTHORIZE and STOP, 20 ms later");
    app.add_option("--answered", options.answered, "The share of calls that somebody answers");
    app.add_option("--hung-up", options.hung_up, "Of the others, the share that is given up at once");
    app.add_option("--long", options.long_calls, "The share of calls that last longer than the run");
    app.add_option("--repeat", options.repeat,
                   "The share of commands that are sent once more, on another connection");
    app.add_option("--lengths", options.lengths, "Of answered calls: 60s, 1s..299s or mean:180s")
        ->type_name("LENGTHS");
    app.add_option("--ring", options.ring, "How long it rings on average")->type_name("DURATION");
    app.add_option("--want", options.want, "WANT of AUTHORIZE and EXTEND")->type_name("DURATION");
    app.add_option("--extend", options.extend, "EXTEND comes each so much of a call; 0s: never")
        ->type_name("DURATION");
    app.add_option("--speed", options.speed,
                   "How much faster than in life calls ring, last and are extended");
    app.add_flag("--at", options.at, "AUTHORIZE says the start of the CSV as AT");
    app.add_option("--seed", options.seed, "The same seed makes the same calls");
    app.add_option("--run", options.run, "Begins every session id; no two runs may share one")
        ->type_name("NAME");
    app.add_option("--json", options.json,
                   "Everything for programs; - is standard output, without the summary")
        ->type_name("FILE");
    app.add_option("--plots", options.plots,
                   "Draws PREFIX-latency.svg and PREFIX-throughput.svg with gnuplot")
        ->type_name("PREFIX");
    app.add_flag("--quiet", options.quiet, "No progress");
}

}  // namespace

int main(int count, char** words) {
    CLI::App app{
        "Makes calls at a tollgate daemon on schedule, measures and checks; docs/load.md is the manual."};
    app.name("tollgate-load");
    app.set_version_flag("--version", "tollgate-load " TOLLGATE_VERSION);
    Options options;
    declare(app, options);
    try {
        app.parse(count, words);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? kExitGood : kExitUsage;
    }
    try {
        return run(options);
    } catch (const Usage& error) {
        std::cerr << "tollgate-load: " << error.what() << '\n';
        return kExitUsage;
    } catch (const std::exception& error) {
        std::cerr << "tollgate-load: " << error.what() << '\n';
        return kExitFailed;
    }
}
