#include "daemon/net/listener.h"

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace tollgate::daemon::net {
namespace {

constexpr int kBacklog = 4096;

[[noreturn]] void fail(const std::string& what) {
    throw std::runtime_error(what + ": " + std::generic_category().message(errno));
}

/// A descriptor that is closed unless it is taken.
class Descriptor {
  public:
    explicit Descriptor(int descriptor) noexcept : descriptor_(descriptor) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }
    [[nodiscard]] int get() const noexcept { return descriptor_; }
    Descriptor(Descriptor&& other) noexcept : descriptor_(other.take()) {}
    int take() noexcept { return std::exchange(descriptor_, -1); }

  private:
    int descriptor_;
};

Descriptor bound(const boost::asio::ip::tcp::endpoint& endpoint, bool shared, const std::string& name) {
    Descriptor descriptor{
        ::socket(endpoint.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (descriptor.get() < 0) fail("cannot open a socket for " + name);
    const int on = 1;
    (void)::setsockopt(descriptor.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (shared && ::setsockopt(descriptor.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) {
        fail("cannot share " + name + " between workers");
    }
    if (::bind(descriptor.get(), endpoint.data(), static_cast<socklen_t>(endpoint.size())) != 0) {
        fail("cannot listen on " + name);
    }
    return descriptor;
}

std::uint16_t port_of(int descriptor) {
    boost::asio::ip::tcp::endpoint endpoint;
    auto size = static_cast<socklen_t>(endpoint.capacity());
    if (::getsockname(descriptor, endpoint.data(), &size) != 0) fail("cannot read a socket's port");
    endpoint.resize(size);
    return endpoint.port();
}

}  // namespace

TcpListeners listen_tcp(const config::Endpoint& wanted, std::size_t count, std::string_view key) {
    const std::string name = config::to_string(wanted) + " (" + std::string{key} + ")";
    boost::asio::ip::tcp::endpoint endpoint{boost::asio::ip::make_address(wanted.host), wanted.port};
    if (wanted.port != 0) {
        // Alone first: this fails where anybody listens, sharing or not.
        const Descriptor probe = bound(endpoint, false, name);
    }
    TcpListeners listeners;
    listeners.ipv6 = endpoint.address().is_v6();
    std::vector<Descriptor> descriptors;
    descriptors.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        descriptors.push_back(bound(endpoint, true, name));
        if (i == 0) endpoint.port(port_of(descriptors[0].get()));
    }
    for (Descriptor& descriptor : descriptors) {
        if (::listen(descriptor.get(), kBacklog) != 0) fail("cannot listen on " + name);
    }
    for (Descriptor& descriptor : descriptors)
        listeners.descriptors.push_back(descriptor.take());
    listeners.port = endpoint.port();
    return listeners;
}

std::vector<int> listen_unix(const std::string& path, std::size_t count) {
    const std::string name = "Unix socket " + path + " (resp.unix)";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) {
        throw std::runtime_error(name + ": the path is longer than " +
                                 std::to_string(sizeof address.sun_path - 1) + " bytes");
    }
    std::memcpy(address.sun_path, path.c_str(), path.size());
    const auto* const generic = reinterpret_cast<const sockaddr*>(&address);

    struct stat status {};
    if (::lstat(path.c_str(), &status) == 0) {
        if (!S_ISSOCK(status.st_mode))
            throw std::runtime_error(name + ": a file that is no socket is in the way");
        const Descriptor probe{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
        if (::connect(probe.get(), generic, sizeof address) == 0) {
            throw std::runtime_error(name + ": another program serves it");
        }
        ::unlink(path.c_str());
    }
    Descriptor descriptor{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (descriptor.get() < 0 || ::bind(descriptor.get(), generic, sizeof address) != 0)
        fail("cannot listen on " + name);
    // Whoever may talk to it is admin: owner and group only.
    if (::chmod(path.c_str(), S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP) != 0 ||
        ::listen(descriptor.get(), kBacklog) != 0) {
        fail("cannot listen on " + name);
    }
    std::vector<int> descriptors;
    for (std::size_t i = 1; i < count; ++i) {
        descriptors.push_back(::fcntl(descriptor.get(), F_DUPFD_CLOEXEC, 0));
        if (descriptors.back() < 0) fail("cannot listen on " + name);
    }
    descriptors.push_back(descriptor.take());
    return descriptors;
}

}  // namespace tollgate::daemon::net
