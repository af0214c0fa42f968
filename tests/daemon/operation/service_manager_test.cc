#include "daemon/operation/service_manager.h"

#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace tollgate::daemon {
namespace {

using std::chrono::microseconds;

/// The other end: what systemd has.
class Manager {
  public:
    explicit Manager(std::string address) : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0)) {
        ::setenv("NOTIFY_SOCKET", address.c_str(), 1);
        if (address[0] == '@') address[0] = '\0';
        sockaddr_un at{};
        at.sun_family = AF_UNIX;
        std::memcpy(at.sun_path, address.data(), address.size());
        EXPECT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&at),
                         static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size())),
                  0);
    }
    Manager(const Manager&) = delete;
    Manager& operator=(const Manager&) = delete;
    ~Manager() { ::close(socket_); }

    /// The next word, empty where there is none.
    [[nodiscard]] std::string heard() const {
        std::array<char, 512> bytes{};
        const ssize_t size = ::recv(socket_, bytes.data(), bytes.size(), 0);
        return size < 0 ? std::string{} : std::string(bytes.data(), static_cast<std::size_t>(size));
    }

  private:
    int socket_;
};

std::string fresh_path() {
    return (std::filesystem::temp_directory_path() / ("tollgate-notify-" + std::to_string(::getpid())))
        .string();
}

TEST(ServiceManager, IsToldWhatTheDaemonDoes) {
    const std::string path = fresh_path();
    {
        const Manager systemd{path};
        ServiceManager manager;
        ASSERT_TRUE(manager.is_there());
        manager.ready("serving\nwell");
        EXPECT_EQ(systemd.heard(), "READY=1\nSTATUS=serving well") << "a status is one line";
        manager.alive();
        EXPECT_EQ(systemd.heard(), "WATCHDOG=1");
        manager.reloading();
        EXPECT_EQ(systemd.heard().rfind("RELOADING=1\nMONOTONIC_USEC=", 0), 0U);
        manager.stopping(std::chrono::seconds{20}, "draining");
        EXPECT_EQ(systemd.heard(), "STOPPING=1\nEXTEND_TIMEOUT_USEC=20000000\nSTATUS=draining");
        EXPECT_EQ(systemd.heard(), "");
        EXPECT_EQ(std::getenv("NOTIFY_SOCKET"), nullptr) << "it is not handed on";
    }
    std::filesystem::remove(path);
}

TEST(ServiceManager, IsReachedByANameWithoutAFileToo) {
    const Manager systemd{"@tollgate-notify-test-" + std::to_string(::getpid())};
    ServiceManager manager;
    manager.alive();
    EXPECT_EQ(systemd.heard(), "WATCHDOG=1");
}

TEST(ServiceManager, IsNotThereWithoutASocketOrWithAnOddOne) {
    for (const std::string& address : {std::string{}, std::string{"relative"}, std::string(200, '/')}) {
        ::setenv("NOTIFY_SOCKET", address.c_str(), 1);
        ServiceManager manager;
        EXPECT_FALSE(manager.is_there()) << address;
        manager.alive();  // Nothing happens.
    }
}

TEST(ServiceManager, KnowsTheWatchdogThatIsItsOwn) {
    const auto watchdog = [](const char* interval, const std::string& process) {
        ::setenv("WATCHDOG_USEC", interval, 1);
        ::setenv("WATCHDOG_PID", process.c_str(), 1);
        return ServiceManager{}.watchdog();
    };
    const std::string self = std::to_string(::getpid());
    EXPECT_EQ(watchdog("30000000", self), microseconds{30'000'000});
    EXPECT_EQ(watchdog("30000000", ""), microseconds{30'000'000});
    EXPECT_EQ(watchdog("30000000", "1"), std::nullopt) << "another process's";
    EXPECT_EQ(watchdog("0", self), std::nullopt);
    EXPECT_EQ(watchdog("soon", self), std::nullopt);
}

}  // namespace
}  // namespace tollgate::daemon
