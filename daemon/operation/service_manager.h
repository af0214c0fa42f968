/// What systemd is told of the daemon: sd_notify(3), without its library.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace tollgate::daemon {

/// Each call is one datagram; where nobody waits for it nothing happens, and a manager that does not take it
/// is not waited for. One thread.
class ServiceManager {
  public:
    /// The one that NOTIFY_SOCKET of the environment names, and the watchdog of WATCHDOG_USEC and
    /// WATCHDOG_PID. None of them is left there for other programs.
    ServiceManager();
    ServiceManager(const ServiceManager&) = delete;
    ServiceManager& operator=(const ServiceManager&) = delete;
    ~ServiceManager();

    [[nodiscard]] bool is_there() const noexcept { return socket_ >= 0; }
    /// It wants a word so often, or kills the process; at half of it none is late.
    [[nodiscard]] std::optional<std::chrono::microseconds> watchdog() const noexcept { return watchdog_; }

    void ready(std::string_view status) { tell("READY=1\nSTATUS=" + one_line(status)); }
    /// To be followed by ready().
    void reloading();
    /// It ends within `longest`.
    void stopping(std::chrono::milliseconds longest, std::string_view status);
    void status(std::string_view status) { tell("STATUS=" + one_line(status)); }
    void alive() { tell("WATCHDOG=1"); }

  private:
    static std::string one_line(std::string_view text);
    void tell(const std::string& state) noexcept;

    int socket_ = -1;
    std::string address_;  // As it is handed to the system: a path, or a name behind a NUL.
    std::optional<std::chrono::microseconds> watchdog_;
};

}  // namespace tollgate::daemon
