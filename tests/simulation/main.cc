// The whole core, simulated from a seed: docs/durability.md says what is shown.
//
//   simulation RECOVERIES [SEED]   lives of a journal until there were so many crash-recoveries, on all
//   processors simulation --life SEED         one life again, as a failure has named it
//
// Exit 1 at the first thing that does not hold, with the seed of its life and the step.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include "tests/simulation/simulation.h"

namespace {

using tollgate::tests::Simulation;
using tollgate::tests::SimulationFigures;

constexpr std::uint64_t kRecoveriesPerLife = 100;

const char* program = "simulation";
std::uint64_t life_seed = 0;
const Simulation* running = nullptr;

std::uint64_t mixed(std::uint64_t value) {
    value += 0x9E37'79B9'7F4A'7C15ULL;
    value = (value ^ (value >> 30)) * 0xBF58'476D'1CE4'E5B9ULL;
    value = (value ^ (value >> 27)) * 0x94D0'49BB'1331'11EBULL;
    return value ^ (value >> 31);
}

void tell(const char* what) {
    std::fprintf(stderr, "simulation: step %llu: %s\n  again: %s --life %llu\n",
                 running == nullptr ? 0ULL : static_cast<unsigned long long>(running->step()), what, program,
                 static_cast<unsigned long long>(life_seed));
}

void on_abort(int) {
    tell("an assertion failed");
    std::_Exit(1);
}

/// False where something does not hold, which has been told.
bool live(std::uint64_t seed, std::uint64_t recoveries, SimulationFigures& figures) {
    life_seed = seed;
    Simulation simulation{seed};
    running = &simulation;
    try {
        simulation.run(recoveries);
    } catch (const std::exception& violation) {
        tell(violation.what());
        running = nullptr;
        return false;
    }
    running = nullptr;
    figures.add(simulation.figures());
    return true;
}

void print(const SimulationFigures& figures, double took, std::size_t processes) {
    const auto line = [](const char* name, std::uint64_t value) {
        std::printf("  %-28s %12llu\n", name, static_cast<unsigned long long>(value));
    };
    line("crash-recoveries", figures.recoveries);
    line("  power losses", figures.power_losses);
    line("  errors that stopped it", figures.failures);
    line("  starts that failed first", figures.failed_starts);
    line("steps", figures.steps);
    line("requests", figures.requests);
    line("  answered as repeats", figures.repeats);
    line("events", figures.events);
    line("  lost, unanswered", figures.events_lost);
    line("torn blocks", figures.torn_blocks);
    line("snapshots", figures.snapshots);
    line("disks that filled up", figures.full_disks);
    line("live states compared", figures.live_digests);
    for (std::size_t i = 0; i < figures.codes.size(); ++i) {
        if (figures.codes[i] == 0) continue;
        const auto name = (i < 16 ? "call code " : "payment code ") + std::to_string(i % 16);
        line(name.c_str(), figures.codes[i]);
    }
    std::printf("  %-28s %12.1f s in %zu processes, %.2f ms of a processor a recovery\n", "took", took,
                processes,
                figures.recoveries == 0
                    ? 0.0
                    : took * 1000 * static_cast<double>(processes) / static_cast<double>(figures.recoveries));
}

/// Lives number `first`, `first + stride` … until `recoveries` are done; figures go to the pipe.
int work(std::uint64_t seed, std::uint64_t first, std::uint64_t stride, std::uint64_t recoveries, int pipe) {
    SimulationFigures figures;
    for (std::uint64_t life = first; figures.recoveries < recoveries; life += stride) {
        if (!live(mixed(seed + life), std::min(kRecoveriesPerLife, recoveries), figures)) return 1;
    }
    return ::write(pipe, &figures, sizeof figures) == sizeof figures ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    program = argv[0];
    (void)std::signal(SIGABRT, on_abort);
    if (argc == 3 && std::strcmp(argv[1], "--life") == 0) {
        SimulationFigures figures;
        if (!live(std::strtoull(argv[2], nullptr, 10), kRecoveriesPerLife, figures)) return 1;
        print(figures, 0, 1);
        return 0;
    }
    if (argc < 2 || argc > 3) {
        std::fprintf(stderr, "usage: %s RECOVERIES [SEED] | --life SEED\n", argv[0]);
        return 1;
    }
    const std::uint64_t recoveries = std::strtoull(argv[1], nullptr, 10);
    const std::uint64_t day = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::hours>(std::chrono::system_clock::now().time_since_epoch())
            .count() /
        24);
    const std::uint64_t seed = argc == 3 ? std::strtoull(argv[2], nullptr, 10) : day;
    std::printf("simulation: %llu crash-recoveries, seed %llu\n", static_cast<unsigned long long>(recoveries),
                static_cast<unsigned long long>(seed));
    std::fflush(stdout);
    const auto began = std::chrono::steady_clock::now();
    const std::size_t processes = std::max(1U, std::thread::hardware_concurrency());
    int ends[2];
    if (::pipe(ends) != 0) return 1;
    for (std::size_t i = 0; i < processes; ++i) {
        if (::fork() == 0)
            std::_Exit(work(seed, i, processes, (recoveries + processes - 1) / processes, ends[1]));
    }
    ::close(ends[1]);
    bool good = true;
    SimulationFigures all;
    for (std::size_t i = 0; i < processes; ++i) {
        int status = 0;
        ::wait(&status);
        good = good && status == 0;
    }
    SimulationFigures one;
    while (::read(ends[0], &one, sizeof one) == sizeof one)
        all.add(one);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    print(all, took.count(), processes);
    return good ? 0 : 1;
}
