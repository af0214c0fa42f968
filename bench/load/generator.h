/// One thread that makes calls over its own connections.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <queue>
#include <string>
#include <utility>
#include <vector>

#include "bench/load/client.h"
#include "bench/load/command_file.h"
#include "bench/load/figures.h"
#include "bench/load/histogram.h"
#include "bench/load/schedule.h"
#include "bench/load/session_check.h"
#include "bench/load/traffic.h"

namespace tollgate::bench::load {

/// Limits of what one run may ask for. The daemon carries out 1024 commands of a connection at once.
inline constexpr unsigned kThreadsMax = 64;
inline constexpr unsigned kConnectionsMax = 20'000;
inline constexpr unsigned kPipelineMax = 1'024;
/// Commands of one thread that are due and have no place on a connection: beyond it the daemon is so far
/// behind that nothing is learnt from more.
inline constexpr std::size_t kBacklogMax = 2'000'000;
/// How long a call of the pair mix lasts here, whatever length is reported.
inline constexpr std::chrono::milliseconds kPairLasts{20};
/// The most intervals that a run's course is shown in, and the shortest.
inline constexpr std::size_t kIntervals = 100;
inline constexpr std::chrono::milliseconds kIntervalLeast{100};

/// What all generators of a run share; they outlive them.
struct Settings {
    const Traffic& traffic;
    std::reference_wrapper<const Schedule> schedule;
    Peer peer;
    std::string run;  ///< Begins every session id.
    unsigned threads = 1;
    unsigned connections = 50;
    unsigned pipeline = 64;  ///< The most commands in flight on a connection.
    /// As many commands are in flight on each connection all the time, and nothing is scheduled; 0: by the
    /// schedule.
    unsigned saturate = 0;
    /// Saturated: instead of calls these commands, each connection its own part of them over and over;
    /// nullptr: calls.
    const CommandFile* commands = nullptr;
    std::chrono::seconds want{300};
    std::chrono::seconds extend{240};  ///< EXTEND comes each so many seconds of a call; 0: never.
    double speed = 1;                  ///< How much faster than in life calls ring, last and are extended.
    double repeat = 0;  ///< The share of commands that are sent once more, on another connection.
    std::uint64_t seed = 1;
    std::chrono::nanoseconds warm_up{0};                ///< Of the beginning, which is not measured.
    std::chrono::milliseconds answers_awaited{10'000};  ///< After the end of the run.
};

/// What a thread has done so far, for whoever watches. The generator writes, anyone reads; relaxed, because
/// each figure stands for itself.
struct Progress {
    std::atomic<std::uint64_t> sent{0};
    std::atomic<std::uint64_t> answered{0};
    std::atomic<std::uint64_t> refused{0};
    std::atomic<std::uint64_t> wrong{0};
    std::atomic<std::uint64_t> open{0};

    /// Latencies since the last look.
    [[nodiscard]] Histogram take_recent();

    std::mutex mutex;  // Of `recent`, which the generator adds to now and then, if nobody is reading.
    Histogram recent;
};

/// Makes its part of the calls of a run: each begins when the schedule says, whatever became of those before.
/// A call's later commands go one after another, each when it is due and the one before was answered; their
/// latency counts from when they were due, too. At the end calls that still go on are ended at once with what
/// they lasted so far; that is not measured.
class Generator {
  public:
    using Clock = std::chrono::steady_clock;

    /// Connects and logs in; throws std::runtime_error where that fails. `thread` counts from 0.
    Generator(const Settings& settings, unsigned thread);
    Generator(const Generator&) = delete;
    Generator& operator=(const Generator&) = delete;
    ~Generator();

    /// Makes the calls; returns once all commands are answered. Throws std::runtime_error where the daemon
    /// hangs up.
    void run(Clock::time_point begin);

    [[nodiscard]] const Figures& figures() const noexcept { return figures_; }
    [[nodiscard]] Progress& progress() noexcept { return progress_; }

  private:
    using Offset = Schedule::Offset;
    using Slot = std::uint32_t;  ///< A place in sessions_.

    struct Command {
        Offset due;
        Offset sent;
        Slot slot;
        Verb verb;
    };
    struct Connection {
        int socket = -1;
        bool is_blocked = false;  ///< The kernel takes nothing; epoll says when it does again.
        bool is_dirty = false;
        std::string out;
        std::string in;
        std::deque<Command> in_flight;
        std::deque<Slot> ready;  ///< Saturated: whose next command may go.
        /// Its part of the command file, which of it goes next, and how often it went through.
        std::size_t first_command = 0;
        std::size_t last_command = 0;
        std::size_t next_command = 0;
        std::uint64_t pass = 0;
    };

    [[nodiscard]] Offset now() const noexcept { return Clock::now() - begin_; }
    void begin_calls(Offset now);
    void begin_call(std::uint64_t number, Offset due, Connection* connection);
    void take_steps(Offset now);
    void end_open_calls(Offset now);
    void refill(Connection& connection);
    void write_from_file(Connection& connection);
    void take_from_file(const Answer& answer);

    /// Decides what a granted session does next and when.
    void plan_next(Slot slot, Offset due, Connection& connection);
    void later(Slot slot, Verb verb, std::chrono::seconds said, Offset due, Connection& connection);

    /// Sends what the session says next, here or where there is room, perhaps twice.
    void ask(Slot slot, Offset due, Connection* connection);
    void submit(Command command, Connection* connection);
    void write(Connection& connection, Command command);
    void count_sent(Connection& connection, const Command& command);
    void append(std::string& out, const Session& session, Verb verb);
    void empty_backlog();

    void flush();
    void flush(Connection& connection);
    void wait(Offset until);
    void read(Connection& connection);
    void take(Connection& connection, const Answer& answer, Offset now);
    void finish(Slot slot);
    void count_refused(std::string_view code);
    void found_wrong(std::string fault);
    void measure(const Command& command, Offset now);
    void report(Offset now);
    [[nodiscard]] std::string session_id(const Session& session) const;

    const Settings& settings_;
    unsigned thread_;
    Planner planner_;
    Random random_;
    Figures figures_;
    Progress progress_;
    Clock::time_point begin_{};
    /// Of what is at hand: reading the clock costs as much as encoding a command.
    Offset at_{};
    int epoll_ = -1;
    std::vector<Connection> connections_;
    std::vector<Connection*> dirty_;
    std::size_t turn_ = 0;
    std::size_t in_flight_ = 0;
    std::deque<Command> backlog_;
    std::vector<Session> sessions_;
    std::vector<Offset> talks_from_;  ///< Beside sessions_: when it was answered, by the plan.
    std::vector<Slot> free_;
    std::uint64_t next_call_;
    bool is_ending_ = false;
    struct Step {
        Offset due;
        Slot slot;
        bool operator>(const Step& other) const noexcept { return due > other.due; }
    };
    std::priority_queue<Step, std::vector<Step>, std::greater<>> steps_;
    Histogram recent_;
    Offset reported_{};
    std::vector<char> buffer_;
};

}  // namespace tollgate::bench::load
