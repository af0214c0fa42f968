/// The whole daemon, put together: everything it owns, in the order in which it depends on each other.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "balance/journal/settings.h"
#include "config/changes.h"
#include "config/config.h"

namespace tollgate::daemon {

struct Recovered;
struct StateSettings;

/// What a state is to hold by the configuration; ids are hashed by a random key.
[[nodiscard]] StateSettings state_settings(const config::Config& config);
[[nodiscard]] balance::journal::Settings journal_settings(const config::Config& config);

/// Throws std::runtime_error where a store cannot be what it is said to be: it names the key, the value
/// without its secrets, and what to write. No store is asked.
void check_stores(const config::Config& config);

/// What the configuration names and a start would read or make: certificates, secrets, templates of mails,
/// the journal's folder. Throws std::runtime_error naming the key and the file. Changes nothing.
void check_files(const config::Config& config);

/// Made, started and stopped by main. The constructor opens all sockets and throws std::runtime_error, with
/// the address and the reason, where it cannot.
class App {
  public:
    explicit App(const config::Config& config);
    App(const App&) = delete;
    App& operator=(const App&) = delete;
    ~App();

    void start();

    /// Takes over what a running daemon can (config::is_live) of a configuration that was read again; what it
    /// says of other keys is not looked at. `changes` are noted in the audit log.
    void reload(const config::Config& config, const std::vector<config::Change>& changes);

    /// Whether every thread that serves switches has had a turn since the last time that this was asked. One
    /// thread; not once it stops.
    [[nodiscard]] bool is_alive();

    /// From now on /readyz says that it is stopping.
    void announce_stop() noexcept;
    /// Takes nothing new, answers what has arrived, seals the journal, and returns when all threads have
    /// ended.
    void stop();
    /// A stop() that goes on waits for no client any more. Any thread.
    void hurry();
    /// The journal is sealed, or there is none: ending the process at once loses nothing. Any thread.
    [[nodiscard]] bool is_sealed() const noexcept;

    /// What the start found in the journal; no journal where there is none.
    [[nodiscard]] const Recovered& recovered() const noexcept;
    /// The ports in use, which the operator may have left to the system.
    [[nodiscard]] std::uint16_t resp_port() const noexcept;
    [[nodiscard]] std::uint16_t http_port() const noexcept;
    [[nodiscard]] std::uint16_t resp_tls_port() const noexcept;  ///< 0: none.
    [[nodiscard]] std::uint16_t http_tls_port() const noexcept;  ///< 0: none.
    [[nodiscard]] std::size_t workers() const noexcept;

    /// Reads certificates and keys from their files again, for connections from now on, whether their paths
    /// changed or not; and from now on users are those of `config`: who is not among them any more, or has
    /// another password, is logged out. Throws std::runtime_error, with nothing changed. Any thread.
    void reload_files(const config::Config& config);

  private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace tollgate::daemon
