/// Serves a Router over HTTP/1.1. The only file of administration with sockets.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "balance/journal/journal.h"
#include "config/config.h"
#include "daemon/admin/router.h"
#include "daemon/net/tls.h"

namespace tollgate::daemon::admin {

/// How long stop() lets requests under way go on before it closes their connections.
inline constexpr std::chrono::seconds kStopWait{5};
/// A body of Lane::bulk or Lane::stream may be larger: http.body_bytes_max.
inline constexpr std::size_t kBriefBodyBytesMax = std::size_t{1024} * 1024;
/// What a command of a call may take, as on the RESP port.
inline constexpr std::size_t kCallBodyBytesMax = std::size_t{16} * 1024;
/// Bodies being read or worked on at one time take together at most so many times http.body_bytes_max. One of
/// Lane::stream counts with all that has arrived: what is built from it takes memory too.
inline constexpr std::size_t kBodiesAtOnce = 2;
inline constexpr std::size_t kStreamsAtOnce = 4;
/// Requests of Lane::slow under way at one time: about three seconds of work. Others get 503.
inline constexpr std::size_t kSlowAtOnce = 32;

/// One thread has all sockets; one thread each runs the handlers of Lane::brief and of Lane::bulk, so that an
/// import of seconds holds up neither /healthz nor a top-up; a fourth waits for the journal, for all of them.
/// A fifth hashes passwords, which is slow on purpose, when the others leave it the processor: a flood of
/// logins makes its own senders wait, and beyond kSlowAtOnce of them it is turned away. Commands of calls
/// (Lane::call) run with the sockets, because they never wait, and are answered when they are durable. A body
/// of Lane::stream goes to the bulk thread in pieces while it arrives: a few of them at most are in memory,
/// and a slow peer holds up nobody. At most kStreamsAtOnce of them go on at once, because each builds
/// something large; others get 503.
///
/// Every limit is one of http.* in the configuration. Whoever goes beyond one gets a problem where that is
/// still possible and is disconnected: 431 for headers, 413 for a body, 408 for a request that does not come
/// on, 400 for what is no HTTP, 503 beyond http.connections_max. A body takes memory as it arrives, whatever
/// it says of its length.
///
/// As long as nobody is declared access.h says who is served; then the router's door does (gate.h).
class HttpServer {
  public:
    /// Opens the listening socket. Throws std::runtime_error naming the address and the reason. An answer
    /// leaves once everything it may rely on is durable in the journal, which must outlive this; without one
    /// at once.
    /// `events` says whether anything may be changed now; nullptr: the journal does.
    HttpServer(const config::Config::Http& settings, Router router,
               balance::journal::Journal* journal = nullptr, const balance::EventLog* events = nullptr);
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;
    /// Stops.
    ~HttpServer();

    /// Where it listens; what was free if the configuration said 0.
    [[nodiscard]] std::uint16_t port() const noexcept;
    /// Of HTTPS; 0: none.
    [[nodiscard]] std::uint16_t tls_port() const noexcept;
    /// Its certificate; nullptr: none. Any thread.
    [[nodiscard]] net::TlsIdentity* tls() const noexcept;

    /// Begins to serve. Requires: not started before.
    void start();

    /// From now on http.timeout and http.connections_max are those. Any thread.
    void change(const config::Config::Http& settings);

    /// Takes no more requests, lets those under way finish for at most kStopWait, and closes every
    /// connection. A handler that has begun runs to its end, because it is changing something: an import may
    /// add a few seconds. Not to be called by a handler. Does nothing the second time.
    void stop();
    /// A stop() that goes on waits for nobody any more. Any thread.
    void hurry() noexcept;

  private:
    class Connection;
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace tollgate::daemon::admin
