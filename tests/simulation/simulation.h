/// The whole core in one thread: state, charging, payments, catalog, journal and snapshots over a simulated
/// disk and simulated clocks, with switches and operators that repeat, reorder and lose what they say.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "balance/journal/journal.h"
#include "daemon/charging.h"
#include "daemon/recovery.h"
#include "daemon/snapshots.h"
#include "daemon/state.h"
#include "tests/simulation/audit.h"
#include "tests/support/sim_disk.h"

namespace tollgate::tests {

/// Something that must hold does not.
class Violation : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// What a simulation has gone through.
struct SimulationFigures {
    std::uint64_t steps = 0;
    std::uint64_t recoveries = 0;    ///< Starts from a disk that was crashed, killed or had failed.
    std::uint64_t power_losses = 0;  ///< Of them, with any subset of what was not synced.
    std::uint64_t events_lost = 0;   ///< That nobody had been answered.
    std::uint64_t torn_blocks = 0;
    std::uint64_t failures = 0;  ///< Errors of the disk that stopped the process.
    std::uint64_t failed_starts = 0;
    std::uint64_t requests = 0;  ///< Repeats included.
    std::uint64_t repeats = 0;   ///< Answered as such.
    std::uint64_t events = 0;
    std::uint64_t snapshots = 0;
    std::uint64_t full_disks = 0;
    std::uint64_t live_digests = 0;  ///< Live states compared with their events.
    std::array<std::uint64_t, 32> codes{};

    void add(const SimulationFigures& other);
};

/// One life of a journal: a world is made, and the process starts and ends again and again. Everything
/// follows from the seed.
class Simulation {
  public:
    explicit Simulation(std::uint64_t seed);
    ~Simulation();

    /// Goes on until there were so many recoveries. Throws a Violation.
    void run(std::uint64_t recoveries);

    [[nodiscard]] const SimulationFigures& figures() const noexcept { return figures_; }
    [[nodiscard]] std::uint64_t step() const noexcept { return figures_.steps; }

  private:
    using Sequence = balance::Sequence;
    using Money = rating::Money;
    using Seconds = std::chrono::seconds;
    using Nanoseconds = std::chrono::nanoseconds;

    /// Everything that happened to a request but for the instant at which it was answered.
    using Answer = std::vector<std::int64_t>;

    enum class Kind : std::uint8_t {
        authorize,
        start,
        extend,
        stop,
        release,
        rate,
        top_up,
        debit,
        adjust,
        transfer,
        pay_out,
        refund,
    };
    /// What somebody wants, and sends until he has sent it often enough.
    struct Operation {
        Kind kind = Kind::authorize;
        std::string id;      ///< Of the session or the request.
        std::string party;   ///< Line or account.
        std::string other;   ///< Destination, target, original, or VIA.
        Seconds duration{};  ///< WANT or USED.
        std::optional<Seconds> want;
        rating::Instant when{};  ///< AT.
        Money amount;
        bool force = false;
        std::uint32_t left = 0;  ///< Deliveries.
        // The one effect that it may have.
        std::optional<Answer> effect;
        Sequence sequence = 0;
        balance::Steady at{};
        std::uint64_t generation = 0;  ///< Of the session id: an id that was forgotten may be used anew.
        bool answered = false;         ///< The effect's answer has left.
    };
    struct Waiting {
        std::shared_ptr<Operation> operation;
        Sequence sequence = 0;
        Answer answer;
    };
    struct Effect {
        Sequence sequence = 0;
        std::string party;
        Money amount;
        std::string refunded;  ///< A record, or nothing.
    };

    struct Recorder;
    struct Process;

    // ---- Chance ----
    std::uint64_t below(std::uint64_t n) { return random_() % n; }
    bool one_in(std::uint64_t n) { return below(n) == 0; }
    template <typename T>
    const T& one_of(const std::vector<T>& all) {
        return all[below(all.size())];
    }

    // ---- Time ----
    [[nodiscard]] balance::Moment now() const;
    void pass(Nanoseconds time);
    [[nodiscard]] daemon::StateSettings state_settings() const;
    [[nodiscard]] daemon::StartClocks clocks();

    // ---- The process ----
    void start();
    void found_world();
    void take_up(Sequence recovered);
    void end_process(bool power_loss);
    void crash();
    void heal();
    void spoil_snapshot();
    /// False where the process ended.
    bool pump();
    void advance_audit(Sequence to);
    void let_answers_leave();
    void quiesce_and_compare();
    void compare(const char* what);
    [[nodiscard]] bool room_for_events();

    // ---- What happens ----
    void do_something();
    void administer();
    void send();
    void deliver(const std::shared_ptr<Operation>& operation);
    [[nodiscard]] std::shared_ptr<Operation> fresh_operation();
    void carry_out(Operation& operation, Answer& answer, bool& duplicate, bool& done);
    void check_session_answer(const Operation& operation, const Answer& answer, bool duplicate, bool done,
                              const balance::Session* before_session);
    void snapshot();
    void sweep();

    [[noreturn]] void violate(const std::string& what) const;
    std::string doing_;  ///< What is being done, for a violation.
    void expect(bool good, const char* what) const {
        if (!good) violate(what);
    }

    std::mt19937_64 random_;
    SimulationFigures figures_;
    SimDisk disk_;

    // Clocks: of the wall, of the kernel, and by how much the daemon's is ahead of that.
    rating::Instant wall_;
    Nanoseconds booted_for_{};
    Nanoseconds ahead_{};
    std::uint64_t boot_ = 1;

    std::uint64_t hash_key_;
    bool charge_granted_;
    std::unique_ptr<Audit> audit_;
    std::unique_ptr<daemon::State> notes_;  // Writes the events that a start appends, once more.
    std::map<std::string, std::vector<std::byte>, std::less<>> asides_;
    std::deque<std::vector<std::byte>> tail_;  // Events above audit_->last().
    Sequence promised_ = 0;                    // The highest durable() that anybody saw.
    bool injected_ = false;                    // The disk may fail.
    bool full_ = false;

    std::vector<std::shared_ptr<Operation>> under_way_;
    std::deque<std::shared_ptr<Operation>> past_;
    std::deque<Waiting> waiting_;
    std::vector<std::string> calls_;
    std::map<std::string, std::uint64_t> generations_;
    std::vector<std::string> payment_ids_;
    std::vector<std::uint64_t> records_;
    std::map<std::uint64_t, Sequence> record_numbers_;  // And the events that gave them.
    std::vector<Effect> effects_;                       // Of money operations, by number.
    std::map<std::string, Money> moved_;
    std::uint64_t names_ = 0;
    std::uint64_t parties_made_ = 0;
    std::map<std::string, Money> record_charges_;  // By record, what it said.
    bool rotten_ = false;                          // A snapshot was spoilt.
    std::uint64_t started_ = 0;                    // Processes.

    std::unique_ptr<Process> process_;  // Last: it uses the rest.
};

}  // namespace tollgate::tests
