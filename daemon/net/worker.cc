#include "daemon/net/worker.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "daemon/clock.h"
#include "protocol/resp_writer.h"

namespace tollgate::daemon::net {
namespace {

using boost::system::error_code;

/// How late a session may be ended after its time.
constexpr std::chrono::milliseconds kSweepEvery{250};
/// Where nothing was read, answered or sent for so long twice in a row, the daemon does not stop for it.
constexpr std::chrono::seconds kDrainTime{1};
/// Out of descriptors: nothing to do but wait for some to be closed.
constexpr std::chrono::milliseconds kAcceptPause{100};

void set_option(int descriptor, int level, int option) noexcept {
    const int on = 1;
    // A connection without keepalive or with Nagle's delay is worse, not wrong.
    (void)::setsockopt(descriptor, level, option, &on, sizeof on);
}

}  // namespace

Worker::Worker(const commands::Services& services, commands::WorkerCounters& counters,
               const ConnectionLimits& limits, const balance::journal::Journal* journal, std::size_t index,
               std::size_t count, access::Authenticator* authenticator)
    : services_(services),
      counters_(counters),
      limits_(limits),
      journal_(journal),
      index_(index),
      count_(count),
      authenticator_(authenticator),
      together_(limits.resp.arguments_max),
      batch_(limits.resp.arguments_max),
      foresight_(services.catalog.tariffs(), services.catalog.parties(), services.sessions) {}

Worker::~Worker() {
    stop();
}

Moment Worker::now() noexcept {
    return Clock::now();
}

void Worker::listen_tcp(int descriptor, bool ipv6) {
    tcp_.assign(ipv6 ? boost::asio::ip::tcp::v6() : boost::asio::ip::tcp::v4(), descriptor);
    accept(tcp_);
}

void Worker::listen_unix(int descriptor) {
    unix_.assign(boost::asio::local::stream_protocol{}, descriptor);
    accept(unix_);
}

void Worker::listen_tls(int descriptor, bool ipv6, const TlsIdentity& identity) {
    tls_.assign(ipv6 ? boost::asio::ip::tcp::v6() : boost::asio::ip::tcp::v4(), descriptor);
    identity_ = &identity;
    accept(tls_, identity_);
}

template <typename Acceptor>
void Worker::accept(Acceptor& acceptor, const TlsIdentity* identity) {
    acceptor.async_accept([this, &acceptor, identity](const error_code& error,
                                                      typename Acceptor::protocol_type::socket socket) {
        if (error == boost::asio::error::operation_aborted) return;
        if (error && draining_) return;
        if (error) {
            // Descriptors may have run out. The timer is the sweep's own; a fresh one lives in its
            // handler.
            auto pause = std::make_shared<boost::asio::steady_timer>(io_, kAcceptPause);
            pause->async_wait([this, &acceptor, identity, pause](const error_code& cancelled) {
                if (!cancelled && !draining_) accept(acceptor, identity);
            });
            return;
        }
        const Peer peer = peer_of(socket);
        welcome(Connection::Socket{std::move(socket)}, peer, identity);
        if (!draining_) accept(acceptor, identity);
    });
}

template <typename Acceptor>
void Worker::accept_the_last(Acceptor& acceptor, const TlsIdentity* identity) {
    error_code error;
    acceptor.non_blocking(true, error);
    while (!error) {
        typename Acceptor::protocol_type::socket socket{io_};
        acceptor.accept(socket, error);
        if (error) break;
        const Peer peer = peer_of(socket);
        welcome(Connection::Socket{std::move(socket)}, peer, identity);
    }
    acceptor.close(error);
}

Worker::Peer Worker::peer_of(const boost::asio::ip::tcp::socket& socket) {
    error_code error;
    const auto endpoint = socket.remote_endpoint(error);
    if (error) return {"unknown", "unknown", false};
    const std::string host = endpoint.address().to_string();
    return {host, host + ":" + std::to_string(endpoint.port()), endpoint.address().is_loopback()};
}

Worker::Peer Worker::peer_of(const boost::asio::local::stream_protocol::socket&) {
    return {"unix", "unix", true};
}

void Worker::welcome(Connection::Socket socket, const Peer& peer, const TlsIdentity* identity) {
    error_code ignored;
    socket.non_blocking(true, ignored);
    std::string refusal;
    protocol::RespWriter writer{refusal};
    std::uint64_t id = 0;
    const bool nobody_declared = services_.users == nullptr || services_.users->is_empty();
    if (!peer.local && nobody_declared) {
        writer.error("NOAUTH no user is declared, so only loopback and the Unix socket are served");
    } else if ((id = services_.clients.enter(peer.address, now().steady, limits_.connections_max)) == 0) {
        writer.error("BUSY retry after 1000 ms: as many connections as resp.connections_max allows");
    }
    if (!refusal.empty()) {
        if (identity != nullptr) return;  // It would have to shake hands first.
        socket.write_some(boost::asio::buffer(refusal), ignored);
        return;
    }
    if (peer.host != "unix") {
        set_option(socket.native_handle(), IPPROTO_TCP, TCP_NODELAY);
        set_option(socket.native_handle(), SOL_SOCKET, SO_KEEPALIVE);
    }
    commands::Client client;
    client.id = id;
    client.address = peer.address;
    client.host = peer.host;
    client.local = peer.local;
    client.let_in = nobody_declared;
    client.connected_at = now().steady;
    const auto tls = identity == nullptr ? nullptr : identity->current();
    auto connection = std::make_unique<Connection>(*this, std::move(socket), std::move(client), tls.get());
    Connection& started = *connection;
    connections_.emplace(id, std::move(connection));
    started.start();
    if (draining_) started.drain();
}

void Worker::logged_in(std::uint64_t connection, const access::User* user) {
    later([this, connection, user] {
        if (const auto found = connections_.find(connection); found != connections_.end())
            found->second->logged_in(user);
    });
}

void Worker::destroy(Connection& connection) {
    note_step();
    services_.clients.leave(connection.id());
    connections_.erase(connection.id());
    if (draining_ && connections_.empty()) drain_timer_.cancel();
}

void Worker::arrived(Connection& connection) {
    note_step();
    if (arrived_.empty()) turn_ = {.now = now()};
    connection.take_first(together_);
    arrived_.push_back(&connection);
    if (!together_.has_room(limits_.resp)) return serve_arrived();
    // Behind the others whose bytes are there already: they stand in the loop's queue.
    if (!std::exchange(will_serve_, true)) {
        later([this] {
            will_serve_ = false;
            serve_arrived();
        });
    }
}

void Worker::serve_arrived() {
    if (together_.size() > 1) {
        for (Connection* const one : arrived_)
            one->foresee(turn_, foresight_);
        foresight_.fetch();
    }
    turn_.stopwatch.lap_at = commands::Ticks::now();  // It is no command's own time.
    for (Connection* const one : arrived_)
        one->carry_out(turn_);
    for (Connection* const one : arrived_)
        one->answer();
    arrived_.clear();
    together_.clear();
}

void Worker::send_when_durable(Connection& connection, balance::Sequence sequence) {
    waiting_.push_back({sequence, &connection});
    wants_wake_.store(true, std::memory_order_seq_cst);
    // It may have become durable before anybody knew that we wait.
    if (durable(sequence) && wants_wake_.exchange(false, std::memory_order_seq_cst))
        later([this] { send_durable(); });
}

void Worker::durable_moved() {
    if (wants_wake_.load(std::memory_order_seq_cst) && wants_wake_.exchange(false, std::memory_order_seq_cst))
        later([this] { send_durable(); });
}

void Worker::send_durable() {
    const auto still = std::partition(waiting_.begin(), waiting_.end(),
                                      [this](const Waiting& w) { return !durable(w.sequence); });
    ready_.assign(still, waiting_.end());
    waiting_.erase(still, waiting_.end());
    // A connection that sends may run its next commands and wait again.
    for (const Waiting& one : ready_)
        one.connection->send();
    if (waiting_.empty()) return;
    wants_wake_.store(true, std::memory_order_seq_cst);
    const bool moved = std::any_of(waiting_.begin(), waiting_.end(),
                                   [this](const Waiting& w) { return durable(w.sequence); });
    if (moved && wants_wake_.exchange(false, std::memory_order_seq_cst)) later([this] { send_durable(); });
}

void Worker::sweep() {
    sweep_timer_.expires_after(kSweepEvery);
    sweep_timer_.async_wait([this](const error_code& error) {
        // A cancel comes too late for a timer that has expired already.
        if (error || draining_) return;
        const std::size_t ended = services_.charging.expire_due(index_, count_, now());
        commands::WorkerCounters::add(counters_.expired, ended);
        look_who_they_are();
        dismiss_strangers();
        sweep();
    });
}

void Worker::look_who_they_are() {
    if (services_.users == nullptr || declared_ == &services_.users->current()) return;
    declared_ = &services_.users->current();
    for (const auto& [id, connection] : connections_)
        connection->look_who_it_is();
}

void Worker::expect_login(balance::Steady until, std::uint64_t connection) {
    strangers_.emplace(until, connection);
}

void Worker::expect_no_login(balance::Steady until, std::uint64_t connection) {
    strangers_.erase({until, connection});
}

void Worker::dismiss_strangers() {
    const balance::Steady steady = now().steady;
    while (!strangers_.empty() && strangers_.begin()->first <= steady) {
        const std::uint64_t connection = strangers_.begin()->second;
        strangers_.erase(strangers_.begin());
        if (const auto found = connections_.find(connection); found != connections_.end())
            found->second->dismiss_stranger();
    }
}

void Worker::start() {
    sweep();
    thread_ = std::thread{[this] { io_.run(); }};
}

void Worker::change(const ConnectionLimits& limits) {
    later([this, limits] {
        serve_arrived();  // Their commands lie in memory that moves.
        limits_ = limits;
        together_.set_arguments_max(limits.resp.arguments_max);
        batch_.set_arguments_max(limits.resp.arguments_max);
    });
}

void Worker::begin_stop() {
    if (stop_begun_.exchange(true, std::memory_order_relaxed)) return;
    later([this] {
        draining_ = true;
        // Who is connected already may have sent something, whether we have seen him yet or not.
        accept_the_last(tcp_);
        accept_the_last(unix_);
        accept_the_last(tls_, identity_);
        sweep_timer_.cancel();
        if (connections_.empty()) return;
        end_idle_drain();
        for (const auto& [id, connection] : connections_)
            connection->drain();
    });
}

/// On a busy machine or a slow disk, what has arrived is answered as long as App waits for it; a client who
/// does not take his answers holds up nobody.
void Worker::end_idle_drain() {
    drain_timer_.expires_after(kDrainTime);
    drain_timer_.async_wait([this](const error_code& error) {
        if (error) return;
        const bool goes_on = !waiting_.empty() || std::exchange(steps_, 0) != 0;
        idle_drains_ = goes_on ? 0 : idle_drains_ + 1;
        if (idle_drains_ == 2) return io_.stop();
        end_idle_drain();
    });
}

void Worker::hurry() {
    io_.stop();
}

void Worker::stop() {
    if (!thread_.joinable()) return;
    begin_stop();
    thread_.join();
}

}  // namespace tollgate::daemon::net
