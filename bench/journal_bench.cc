#include <array>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <unistd.h>

#include "balance/journal/checksum.h"
#include "balance/journal/journal.h"

namespace tollgate::bench {
namespace {

using namespace balance::journal;  // NOLINT(google-build-using-namespace)

/// A directory of its own that goes when the benchmark ends.
struct Directory {
    Directory() {
        std::filesystem::remove_all(path);
        disk.make_directory();
    }
    ~Directory() { std::filesystem::remove_all(path); }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;

    std::string path = (std::filesystem::temp_directory_path() / "tollgate_journal_bench").string();
    PosixDisk disk{path};
};

constexpr std::size_t kEventBytes = 200;

bool skip(balance::Sequence /*sequence*/, std::span<const std::byte> event) {
    benchmark::DoNotOptimize(event.data());
    return true;
}

// Guess: 8 GB/s, which is one instruction of three cycles for eight bytes.
void BM_Journal_Checksum(benchmark::State& state) {
    const std::vector<std::byte> bytes(1 << 20);
    for ([[maybe_unused]] auto _ : state)
        benchmark::DoNotOptimize(checksum(bytes));
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes.size()));
}
BENCHMARK(BM_Journal_Checksum);

// What an event costs the thread that makes it. Guess: 40 ns, a compare-exchange and a copy of 200 bytes.
// Events are dropped into a queue that a thread empties at once.
void BM_Queue_Push(benchmark::State& state) {
    Queue queue{std::size_t{16} << 20, 0};
    const std::array<std::byte, kEventBytes> event{};
    std::array<std::byte, kEventBytes> out{};
    std::jthread consumer{[&](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            int taken = 0;
            for (; queue.next_bytes() != 0 && taken < 256; ++taken)
                queue.take(out.data());
            queue.release();
            if (taken == 0) std::this_thread::yield();
        }
    }};
    for ([[maybe_unused]] auto _ : state)
        benchmark::DoNotOptimize(queue.push(event));
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Queue_Push);

// A list of events under a mutex instead, which a thread empties at once. Guess: 80 ns, an allocation and a
// lock that two want.
void BM_MutexQueue_Push(benchmark::State& state) {
    std::mutex mutex;
    std::vector<std::vector<std::byte>> events;
    const std::array<std::byte, kEventBytes> event{};
    std::jthread consumer{[&](const std::stop_token& stop) {
        std::vector<std::vector<std::byte>> taken;
        while (!stop.stop_requested()) {
            {
                const std::lock_guard lock{mutex};
                taken.swap(events);
            }
            benchmark::DoNotOptimize(taken.data());
            if (taken.empty()) std::this_thread::yield();
            taken.clear();
        }
    }};
    for ([[maybe_unused]] auto _ : state) {
        std::vector<std::byte> copy{event.begin(), event.end()};
        const std::lock_guard lock{mutex};
        events.push_back(std::move(copy));
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_MutexQueue_Push);

// A batch of so many events, written and synced. Guess: one event 60 µs, 64 the same, 1024 100 µs: the sync.
void BM_Journal_Batch(benchmark::State& state) {
    Directory directory;
    auto opened = Journal::open(directory.disk, {}, 0, skip);
    if (!opened.journal) return state.SkipWithError(opened.fault.text().c_str());
    Journal& journal = *opened.journal;
    const std::array<std::byte, kEventBytes> event{};
    for ([[maybe_unused]] auto _ : state) {
        for (std::int64_t i = 0; i < state.range(0); ++i)
            journal.append(event);
        while (journal.durable() < journal.last()) {
            if (journal.step({}) != Writer::Step::waiting) continue;
            state.PauseTiming();
            journal.prepare();
            state.ResumeTiming();
        }
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_Journal_Batch)->Arg(1)->Arg(64)->Arg(1024)->UseRealTime();

// The same bytes put at the end of a file that grows, written at once and synced: no checksums, no numbers,
// and the file's new length is one more thing for the disk to know. Guess: 70, 98, 141 µs.
void BM_GrowingFile_Batch(benchmark::State& state) {
    const Directory directory;
    const std::string path = directory.path + "/growing";
    const int file = ::open(path.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    const std::vector<std::byte> events(static_cast<std::size_t>(state.range(0)) * kEventBytes);
    for ([[maybe_unused]] auto _ : state) {
        const auto written = ::write(file, events.data(), events.size());
        if (written != static_cast<ssize_t>(events.size()) || ::fdatasync(file) != 0)
            state.SkipWithError("cannot be written");
    }
    ::close(file);
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_GrowingFile_Batch)->Arg(1)->Arg(64)->Arg(1024)->UseRealTime();

// Reading events of 200 bytes back, the files being in memory. Guess: 15 M a second.
void BM_Journal_Replay(benchmark::State& state) {
    Directory directory;
    constexpr std::size_t kEvents = 500'000;
    {
        auto opened = Journal::open(directory.disk, {}, 0, skip);
        if (!opened.journal) return state.SkipWithError(opened.fault.text().c_str());
        const std::array<std::byte, kEventBytes> event{};
        for (std::size_t i = 0; i < kEvents; ++i) {
            opened.journal->append(event);
            if (i % 2'000 != 0) continue;
            while (opened.journal->durable() < opened.journal->last()) {
                if (opened.journal->step({}) == Writer::Step::waiting) opened.journal->prepare();
            }
        }
    }
    std::uint64_t events = 0;
    for ([[maybe_unused]] auto _ : state)
        events += read_journal(directory.disk, {}, 0, skip).events;
    state.SetItemsProcessed(static_cast<std::int64_t>(events));
}
BENCHMARK(BM_Journal_Replay)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tollgate::bench
