/// What a command may use.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "balance/journal/journal.h"
#include "daemon/access/authenticator.h"
#include "daemon/catalog.h"
#include "daemon/charging.h"
#include "daemon/commands/client.h"
#include "daemon/partners/registry.h"
#include "daemon/payments.h"
#include "daemon/resync.h"

namespace tollgate::daemon::commands {

/// What INFO says of the process.
struct ServerFacts {
    std::string version;
    std::uint16_t resp_port = 0;
    std::string unix_path;
    std::size_t workers = 0;
    balance::Steady started_at{};
    const balance::journal::Journal* journal = nullptr;  ///< nullptr: none.
    bool synced = true;                                  ///< Its answers wait for the disk.
};

/// Counters of one worker: written by it alone, read by INFO on any worker. Relaxed: each is a sum of its
/// own.
struct WorkerCounters {
    std::atomic<std::uint64_t> commands{0};
    std::atomic<std::uint64_t> errors{0};
    std::atomic<std::uint64_t> granted{0};
    std::atomic<std::uint64_t> refused{0};
    std::atomic<std::uint64_t> ended{0};
    std::atomic<std::uint64_t> expired{0};

    /// Cheaper than fetch_add, and right because only one thread writes.
    static void add(std::atomic<std::uint64_t>& counter, std::uint64_t more = 1) noexcept {
        counter.store(counter.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
    }
};

/// Shared by all workers; everything in it may be used by any thread.
struct Services {
    Charging& charging;
    Catalog& catalog;
    Payments& payments;
    Resync& resync;
    balance::Ledger& ledger;
    balance::SessionTable& sessions;
    ClientRegistry& clients;
    const ServerFacts& facts;
    const std::vector<const WorkerCounters*>& counters;  ///< One a worker.
    Registry& registry;
    access::Users* users = nullptr;  ///< nullptr: nobody can be declared.
    const access::LoginFigures* logins = nullptr;
};

/// One command's surroundings: the connection's client, the worker, and what time it is.
struct Context {
    const Services& services;
    Client& client;
    WorkerCounters& counters;
    Moment now;
};

/// A command's words, its name first. Views into the connection's buffer.
using Words = std::span<const std::string_view>;

}  // namespace tollgate::daemon::commands
