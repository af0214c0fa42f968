/// For benchmarks with several threads.
#pragma once

#include <cstddef>

#include <benchmark/benchmark.h>
#include <sched.h>

namespace tollgate::bench {

/// Keeps a benchmark's thread on a processor of its own while it lives, where there are as many: two on one
/// never meet.
class OwnProcessor {
  public:
    explicit OwnProcessor(const benchmark::State& state) {
        CPU_ZERO(&before_);
        if (::sched_getaffinity(0, sizeof before_, &before_) != 0) return;
        int wanted = state.thread_index();
        for (std::size_t processor = 0; processor < std::size_t{CPU_SETSIZE}; ++processor) {
            if (!CPU_ISSET(processor, &before_) || wanted-- > 0) continue;
            cpu_set_t mine;
            CPU_ZERO(&mine);
            CPU_SET(processor, &mine);
            (void)::sched_setaffinity(0, sizeof mine, &mine);
            return;
        }
    }
    OwnProcessor(const OwnProcessor&) = delete;
    OwnProcessor& operator=(const OwnProcessor&) = delete;
    ~OwnProcessor() { (void)::sched_setaffinity(0, sizeof before_, &before_); }

  private:
    cpu_set_t before_;
};

}  // namespace tollgate::bench
