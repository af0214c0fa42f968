#include "bench/load/client.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "protocol/resp_writer.h"

namespace tollgate::bench::load {
namespace {

constexpr std::chrono::seconds kSilenceMax{30};
constexpr std::size_t kAnswerBytes = std::size_t{64} * 1024;

union AnyAddress {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
    sockaddr_un local;
};

[[noreturn]] void fail(const Peer& peer, std::string_view what) {
    std::string text = peer.unix_path.empty() ? config::to_string(peer.endpoint) : peer.unix_path;
    text.append(": ").append(what);
    throw std::runtime_error(text);
}

socklen_t fill(AnyAddress& address, const Peer& peer) {
    if (!peer.unix_path.empty()) {
        if (peer.unix_path.size() >= sizeof address.local.sun_path)
            fail(peer, "is too long for a socket's path");
        address.local = {};
        address.local.sun_family = AF_UNIX;
        std::memcpy(address.local.sun_path, peer.unix_path.data(), peer.unix_path.size());
        return sizeof address.local;
    }
    address.v6 = {};
    if (::inet_pton(AF_INET6, peer.endpoint.host.c_str(), &address.v6.sin6_addr) == 1) {
        address.v6.sin6_family = AF_INET6;
        address.v6.sin6_port = htons(peer.endpoint.port);
        return sizeof address.v6;
    }
    address.v4 = {};
    address.v4.sin_family = AF_INET;
    address.v4.sin_port = htons(peer.endpoint.port);
    if (::inet_pton(AF_INET, peer.endpoint.host.c_str(), &address.v4.sin_addr) != 1)
        fail(peer, "is no IP address");
    return sizeof address.v4;
}

int connect_to(const Peer& peer) {
    AnyAddress address{};
    const socklen_t size = fill(address, peer);
    const int made = ::socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (made < 0) fail(peer, std::generic_category().message(errno) + "; allow more open files (ulimit -n)");
    if (::connect(made, &address.any, size) != 0) {
        const int error = errno;
        ::close(made);
        fail(peer, std::generic_category().message(error) + "; name where tollgated listens with --connect");
    }
    const int on = 1;
    if (peer.unix_path.empty()) ::setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    timeval silence{};
    silence.tv_sec = kSilenceMax.count();
    ::setsockopt(made, SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof silence);
    return made;
}

}  // namespace

void append_command(std::string& out, std::initializer_list<std::string_view> words) {
    protocol::RespWriter writer{out};
    writer.array(words.size());
    for (const auto word : words)
        writer.bulk(word);
}

Client::Client(const Peer& peer) : socket_(connect_to(peer)) {
    if (peer.password.empty()) return;
    try {
        const Answer& said =
            peer.user.empty() ? ask({"AUTH", peer.password}) : ask({"AUTH", peer.user, peer.password});
        if (said.kind() == Answer::Kind::error) {
            std::string text{"the login was refused: "};
            fail(peer, text.append(said.text()));
        }
    } catch (...) {
        ::close(socket_);
        throw;
    }
}

Client::~Client() {
    if (socket_ >= 0) ::close(socket_);
}

int Client::release() noexcept {
    return std::exchange(socket_, -1);
}

void Client::send(std::string_view commands) {
    while (!commands.empty()) {
        const auto sent = ::send(socket_, commands.data(), commands.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0)
            throw std::runtime_error("the daemon takes no commands: " +
                                     std::generic_category().message(errno));
        commands.remove_prefix(static_cast<std::size_t>(sent));
    }
}

const Answer& Client::read() {
    in_.erase(0, taken_);
    taken_ = 0;
    for (;;) {
        switch (answer_.read(in_)) {
            case Answer::Status::complete:
                taken_ = answer_.consumed();
                return answer_;
            case Answer::Status::malformed:
                throw std::runtime_error("what answers does not speak RESP");
            case Answer::Status::incomplete:
                break;
        }
        std::array<char, kAnswerBytes> buffer;  // NOLINT: filled by recv.
        const auto bytes = ::recv(socket_, buffer.data(), buffer.size(), 0);
        if (bytes < 0 && errno == EINTR) continue;
        if (bytes < 0)
            throw std::runtime_error("the daemon does not answer: " + std::generic_category().message(errno));
        if (bytes == 0) throw std::runtime_error("the daemon hung up");
        in_.append(buffer.data(), static_cast<std::size_t>(bytes));
    }
}

const Answer& Client::ask(std::initializer_list<std::string_view> words) {
    std::string command;
    append_command(command, words);
    send(command);
    return read();
}

}  // namespace tollgate::bench::load
