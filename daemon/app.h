/// The whole daemon, put together: everything it owns, in the order in which it depends on each other.
#pragma once

#include <cstdint>
#include <memory>

#include "config/config.h"

namespace tollgate::daemon {

struct Recovered;
struct StateSettings;

/// What a state is to hold by the configuration; ids are hashed by a random key.
[[nodiscard]] StateSettings state_settings(const config::Config& config);

/// Made, started and stopped by main. The constructor opens all sockets and throws std::runtime_error, with
/// the address and the reason, where it cannot.
class App {
  public:
    explicit App(const config::Config& config);
    App(const App&) = delete;
    App& operator=(const App&) = delete;
    ~App();

    void start();
    /// Takes nothing new, sends what has been answered, and returns when all threads have ended.
    void stop();

    /// What the start found in the journal; no journal where there is none.
    [[nodiscard]] const Recovered& recovered() const noexcept;
    /// The ports in use, which the operator may have left to the system.
    [[nodiscard]] std::uint16_t resp_port() const noexcept;
    [[nodiscard]] std::uint16_t http_port() const noexcept;
    [[nodiscard]] std::uint16_t resp_tls_port() const noexcept;  ///< 0: none.
    [[nodiscard]] std::uint16_t http_tls_port() const noexcept;  ///< 0: none.
    [[nodiscard]] std::size_t workers() const noexcept;

    /// Users as they are declared now: who is not among them any more, or has another password, is logged
    /// out. Their `start` and `dial_plan` need a restart. Throws std::runtime_error, with nothing changed.
    /// Any thread.
    void reload_users(const config::Config& config);
    /// Reads certificates and keys from their files again, for connections from now on. Throws
    /// std::runtime_error, with nothing changed of the listener that it names. Any thread.
    void reload_certificates();

  private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace tollgate::daemon
