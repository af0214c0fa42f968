#include "daemon/operation/memory_guard.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <utility>

#include <malloc.h>
#include <unistd.h>

#include "daemon/operation/first_line.h"
#include "rating/decimal.h"

namespace tollgate::daemon {
namespace {

constexpr const char* kControlGroups = "/sys/fs/cgroup";

std::optional<std::size_t> number_in(const std::string& path) {
    const auto text = first_line(path);
    const auto number = text ? rating::parse_unsigned(*text, INT64_MAX) : std::nullopt;
    if (!number) return std::nullopt;  // `max`.
    return static_cast<std::size_t>(*number);
}

/// `/system.slice/tollgate.service`: the group of version 2.
std::string own_group() {
    std::ifstream file{"/proc/self/cgroup"};
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("0::")) return line.substr(3);
    }
    return {};
}

}  // namespace

std::size_t memory_in_use() {
    std::ifstream file{"/proc/self/statm"};
    std::size_t size = 0;
    std::size_t resident = 0;
    if (!(file >> size >> resident)) return 0;
    return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

std::optional<std::size_t> memory_allowed() {
    std::optional<std::size_t> least;
    // A group has no more than those around it.
    for (std::string group = own_group();; group.erase(group.rfind('/'))) {
        for (const char* const limit : {"/memory.max", "/memory.high"}) {
            const auto allowed = number_in(kControlGroups + group + limit);
            if (allowed && (!least || *allowed < *least)) least = allowed;
        }
        if (group.find('/') == std::string::npos) break;
    }
    return least;
}

std::size_t MemoryGuard::room_of(std::size_t ceiling) noexcept {
    return std::min(std::clamp(ceiling / kRoomPart, kRoomLeast, kRoomMost), ceiling / 2);
}

void MemoryGuard::set_ceiling(std::size_t bytes) {
    ceiling_.store(bytes != 0 ? bytes : memory_allowed().value_or(0), std::memory_order_relaxed);
}

void MemoryGuard::look() {
    const std::size_t in_use = in_use_();
    const std::size_t ceiling = this->ceiling();
    seen_.store(in_use, std::memory_order_relaxed);
    const bool was_full = is_full();
    const std::size_t room = room_of(ceiling);
    // Once it is full it must be clear of the edge, or every look would change its mind.
    const bool full = ceiling != 0 && in_use > ceiling - room - (was_full ? room / 4 : 0);
    full_.store(full, std::memory_order_relaxed);
    if (full != was_full && say_) say_(full, in_use, ceiling);
    const auto now = std::chrono::steady_clock::now();
    if (full && now - trimmed_ >= kTrimEvery) {
        trimmed_ = now;
        ::malloc_trim(0);
    }
}

void MemoryGuard::start(Say say) {
    say_ = std::move(say);
    looking_ = std::jthread{[this](const std::stop_token& stop) {
        std::unique_lock lock{mutex_};
        while (!bell_.wait_for(lock, stop, kLookEvery, [&stop] { return stop.stop_requested(); }))
            look();
    }};
}

}  // namespace tollgate::daemon
