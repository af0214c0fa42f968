/// Opens the sockets that workers accept from.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace tollgate::daemon::net {

/// One TCP socket per worker, all on one port: the kernel spreads connections over them (SO_REUSEPORT).
struct TcpListeners {
    std::vector<int> descriptors;
    std::uint16_t port = 0;
    bool ipv6 = false;
};

/// `key` of the configuration named the address. Throws std::runtime_error that names both and the reason; a
/// port that another program serves is one, even if that is a second daemon of our own, which SO_REUSEPORT
/// alone would let in.
[[nodiscard]] TcpListeners listen_tcp(const config::Endpoint& endpoint, std::size_t count,
                                      std::string_view key = "resp.listen");

/// One Unix socket, a duplicate of its descriptor per worker. A file that a dead daemon left behind is
/// replaced. Throws std::runtime_error that names the path and the reason.
[[nodiscard]] std::vector<int> listen_unix(const std::string& path, std::size_t count);

}  // namespace tollgate::daemon::net
