#include "daemon/operation/service_manager.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "rating/decimal.h"

namespace tollgate::daemon {
namespace {

std::string taken(const char* name) {
    const char* const value = std::getenv(name);
    std::string text = value == nullptr ? "" : value;
    ::unsetenv(name);
    return text;
}

std::optional<std::chrono::microseconds> watchdog_of(const std::string& interval,
                                                     const std::string& process) {
    const auto microseconds = rating::parse_unsigned(interval, INT64_MAX);
    if (!microseconds || *microseconds == 0) return std::nullopt;
    if (!process.empty() && process != std::to_string(::getpid())) return std::nullopt;
    return std::chrono::microseconds{*microseconds};
}

}  // namespace

ServiceManager::ServiceManager() {
    address_ = taken("NOTIFY_SOCKET");
    const std::string interval = taken("WATCHDOG_USEC");
    watchdog_ = watchdog_of(interval, taken("WATCHDOG_PID"));
    const bool usable = !address_.empty() && (address_[0] == '/' || address_[0] == '@') &&
                        address_.size() < sizeof(sockaddr_un::sun_path);
    if (!usable) return;
    if (address_[0] == '@') address_[0] = '\0';
    socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

ServiceManager::~ServiceManager() {
    if (socket_ >= 0) ::close(socket_);
}

void ServiceManager::reloading() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    const auto microseconds =
        static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(now.tv_nsec) / 1'000;
    tell("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds) + "\nSTATUS=reloading");
}

void ServiceManager::stopping(std::chrono::milliseconds longest, std::string_view status) {
    tell("STOPPING=1\nEXTEND_TIMEOUT_USEC=" + std::to_string(std::chrono::microseconds{longest}.count()) +
         "\nSTATUS=" + one_line(status));
}

std::string ServiceManager::one_line(std::string_view text) {
    std::string line{text};
    std::replace(line.begin(), line.end(), '\n', ' ');
    return line;
}

void ServiceManager::tell(const std::string& state) noexcept {
    if (socket_ < 0) return;
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    std::memcpy(to.sun_path, address_.data(), address_.size());
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
    // Nobody there, or too busy: the next word may arrive.
    (void)::sendto(socket_, state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&to),
                   size);
}

}  // namespace tollgate::daemon
