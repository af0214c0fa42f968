/// One connection to this machine that sends exactly the bytes it is told to, and reads responses.
#pragma once

#include <cerrno>
#include <cstdlib>
#include <string>
#include <string_view>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace tollgate::daemon::admin {

/// A response as it came; `status` is 0 where none came in time or the connection ended in its middle.
struct RawResponse {
    int status = 0;
    std::string head;
    std::string body;
};

class RawClient {
  public:
    explicit RawClient(std::uint16_t port) : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        connected_ = connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
    }
    RawClient(const RawClient&) = delete;
    RawClient& operator=(const RawClient&) = delete;
    ~RawClient() { close(socket_); }

    [[nodiscard]] bool connected() const noexcept { return connected_; }

    /// False where the peer has hung up.
    bool send(std::string_view bytes) const {
        while (!bytes.empty()) {
            const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }
    /// Nothing more will be sent; responses are still read.
    void finish_sending() const { shutdown(socket_, SHUT_WR); }

    /// The next response. `with_body` false: one to HEAD, which announces a body and sends none.
    RawResponse receive(bool with_body = true) {
        RawResponse response;
        std::size_t end = std::string::npos;
        while ((end = unread_.find("\r\n\r\n")) == std::string::npos) {
            if (!read_more()) return response;
        }
        response.head = unread_.substr(0, end + 2);
        unread_.erase(0, end + 4);
        constexpr std::string_view kLength = "Content-Length: ";
        const std::size_t length_at = response.head.find(kLength);
        const std::size_t length =
            length_at == std::string::npos || !with_body
                ? 0
                : std::strtoul(response.head.c_str() + length_at + kLength.size(), nullptr, 10);
        while (unread_.size() < length) {
            if (!read_more()) return response;
        }
        response.body = unread_.substr(0, length);
        unread_.erase(0, length);
        response.status = std::atoi(response.head.c_str() + 9);  // Behind `HTTP/1.1 `.
        return response;
    }
    RawResponse ask(std::string_view bytes) {
        (void)send(bytes);
        return receive();
    }

    /// Whether the peer has closed, and nothing unread came before.
    bool closed() { return unread_.empty() && !read_more() && !timed_out_; }

  private:
    static constexpr int kWaitMilliseconds = 20'000;

    bool read_more() {
        pollfd ready{socket_, POLLIN, 0};
        timed_out_ = poll(&ready, 1, kWaitMilliseconds) == 0;
        if (timed_out_) return false;
        char bytes[65536];  // NOLINT(modernize-avoid-c-arrays)
        const ssize_t count = recv(socket_, bytes, sizeof(bytes), 0);
        if (count <= 0) return false;
        unread_.append(bytes, static_cast<std::size_t>(count));
        return true;
    }

    int socket_;
    bool connected_ = false;
    bool timed_out_ = false;
    std::string unread_;
};

}  // namespace tollgate::daemon::admin
