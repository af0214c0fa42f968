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
#include "daemon/commands/counters.h"
#include "daemon/commands/stopwatch.h"
#include "daemon/partners/registry.h"
#include "daemon/payments.h"
#include "daemon/resync.h"
#include "daemon/store_figures.h"

namespace tollgate::daemon::commands {

class SlowLogs;

/// What INFO says of the process.
struct ServerFacts {
    std::string version;
    std::uint16_t resp_port = 0;
    std::string unix_path;
    std::size_t workers = 0;
    balance::Steady started_at{};
    const balance::journal::Journal* journal = nullptr;  ///< nullptr: none.
    bool synced = true;                                  ///< Its answers wait for the disk.
    std::uint64_t (*memory_in_use)() = nullptr;          ///< Bytes; nullptr: nobody knows.
    AskStores stores{};                                  ///< Empty: there are none.
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
    SlowLogs* slow_logs = nullptr;   ///< nullptr: nothing is noted.
    access::Users* users = nullptr;  ///< nullptr: nobody can be declared.
    const access::LoginFigures* logins = nullptr;
};

/// One command's surroundings: the connection's client, the worker, and what time it is.
struct Context {
    const Services& services;
    Client& client;
    WorkerCounters& counters;
    Moment now;
    Stopwatch stopwatch{};
};

/// A command's words, its name first. Views into the connection's buffer.
using Words = std::span<const std::string_view>;

}  // namespace tollgate::daemon::commands
