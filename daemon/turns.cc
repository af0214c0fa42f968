#include "daemon/turns.h"

#include <chrono>
#include <cstdint>

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tollgate::daemon {
namespace {

/// As the kernel wants it: sched_setattr(2). The C library has no name for it before 2.41.
struct Attributes {
    std::uint32_t size = sizeof(Attributes);
    std::uint32_t policy = SCHED_OTHER;
    std::uint64_t flags = 0;
    std::int32_t nice = 0;
    std::uint32_t priority = 0;
    std::uint64_t runtime = 0;  // ns: of a turn; 0: the system's own.
    std::uint64_t deadline = 0;
    std::uint64_t period = 0;
};

void ask_for_turns(std::chrono::nanoseconds of, int nice) noexcept {
    Attributes wanted;
    wanted.nice = nice;
    wanted.runtime = static_cast<std::uint64_t>(of.count());
    (void)::syscall(SYS_sched_setattr, 0, &wanted, 0);
}

void be_nice(int nice) noexcept {
    ask_for_turns(std::chrono::nanoseconds{0}, nice);
    // Where the system forbids the other. It never fails to become nicer; if it did, work would be done as
    // any other.
    (void)::setpriority(PRIO_PROCESS, 0, nice);
}

}  // namespace

void work_promptly() noexcept {
    // The operator has chosen another policy.
    if (::sched_getscheduler(0) != SCHED_OTHER) return;
    constexpr std::chrono::microseconds kShortest{100};  // What the kernel allows.
    ask_for_turns(kShortest, ::getpriority(PRIO_PROCESS, 0));
}

void work_behind_calls() noexcept {
    be_nice(10);
}

void work_in_background() noexcept {
    be_nice(19);
}

}  // namespace tollgate::daemon
