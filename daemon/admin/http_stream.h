/// One connection's bytes: as they are, or by TLS.
#pragma once

#include <optional>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>

namespace tollgate::daemon::admin {

/// What Asio and Beast read from and write to. One thread at a time; neither copied nor moved.
class HttpStream {
  public:
    using Socket = boost::asio::ip::tcp::socket;
    using executor_type = Socket::executor_type;  // NOLINT(readability-identifier-naming): Asio's name.

    HttpStream(Socket socket, boost::asio::ssl::context* tls) : socket_(std::move(socket)) {
        if (tls != nullptr) tls_.emplace(socket_, *tls);
    }
    HttpStream(const HttpStream&) = delete;
    HttpStream& operator=(const HttpStream&) = delete;

    [[nodiscard]] Socket& socket() noexcept { return socket_; }
    /// nullptr: the bytes go as they are.
    [[nodiscard]] boost::asio::ssl::stream<Socket&>* tls() noexcept { return tls_ ? &*tls_ : nullptr; }

    [[nodiscard]] executor_type get_executor() noexcept { return socket_.get_executor(); }
    template <typename Buffers, typename Token>
    auto async_read_some(const Buffers& buffers, Token&& token) {
        if (tls_) return tls_->async_read_some(buffers, std::forward<Token>(token));
        return socket_.async_read_some(buffers, std::forward<Token>(token));
    }
    template <typename Buffers, typename Token>
    auto async_write_some(const Buffers& buffers, Token&& token) {
        if (tls_) return tls_->async_write_some(buffers, std::forward<Token>(token));
        return socket_.async_write_some(buffers, std::forward<Token>(token));
    }

  private:
    Socket socket_;
    std::optional<boost::asio::ssl::stream<Socket&>> tls_;
};

}  // namespace tollgate::daemon::admin
