/// One thread that serves connections.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "balance/journal/journal.h"
#include "daemon/access/authenticator.h"
#include "daemon/commands/context.h"
#include "daemon/net/batch.h"
#include "daemon/net/connection.h"
#include "daemon/net/tls.h"
#include "protocol/resp_parser.h"

namespace tollgate::daemon::net {

struct ConnectionLimits {
    protocol::RespLimits resp;
    protocol::RespLimits resp_before_auth;
    std::size_t command_bytes_max;
    std::size_t commands_in_flight_max;
    std::size_t unread_bytes_max;
    std::size_t connections_max;
    std::chrono::nanoseconds login_timeout;  ///< Nobody keeps a place that he has not logged in for.
};

/// An io_context on a thread of its own. A connection never changes its worker, and a request runs to its end
/// on the thread that read it. Every worker also ends sessions whose time is over, for its share of the
/// stripes.
class Worker {
  public:
    /// `index` of `count`. What is given must outlive the worker. Without a journal no answer waits.
    Worker(const commands::Services& services, commands::WorkerCounters& counters,
           const ConnectionLimits& limits, const balance::journal::Journal* journal, std::size_t index,
           std::size_t count, access::Authenticator* authenticator = nullptr);
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;
    ~Worker();

    // Before start(): what to listen on. The descriptors become the worker's.
    void listen_tcp(int descriptor, bool ipv6);
    void listen_unix(int descriptor);
    /// By TLS, as `identity`, which must outlive this.
    void listen_tls(int descriptor, bool ipv6, const TlsIdentity& identity);

    void start();
    /// From now on the limits are these. Any thread.
    void change(const ConnectionLimits& limits);

    /// Takes no new connections, answers what has arrived, closes, and ends the thread. Any thread.
    void begin_stop();
    /// Does that and waits for it.
    void stop();
    /// Of what is left to answer when it stops, nothing more is: any thread.
    void hurry();
    /// Something has become durable: connections that wait for it send their answers. Any thread; cheap where
    /// none waits.
    void durable_moved();

    /// The password that a connection waits for is right, or not (nullptr). Any thread.
    void logged_in(std::uint64_t connection, const access::User* user);

    // For the worker's own connections.
    [[nodiscard]] access::Authenticator* authenticator() const noexcept { return authenticator_; }
    [[nodiscard]] const ConnectionLimits& limits() const noexcept { return limits_; }
    [[nodiscard]] const commands::Services& services() const noexcept { return services_; }
    [[nodiscard]] commands::WorkerCounters& counters() const noexcept { return counters_; }
    /// Bytes have arrived for a connection: it is served together with others that have some.
    void arrived(Connection& connection);
    /// For what stands behind the first commands of a connection, while that one is carried out.
    [[nodiscard]] Batch& batch() noexcept { return batch_; }
    [[nodiscard]] Foresight& foresight() noexcept { return foresight_; }
    [[nodiscard]] static Moment now() noexcept;
    template <typename Task>
    void later(Task task) {
        boost::asio::post(io_, std::move(task));
    }
    void destroy(Connection& connection);
    [[nodiscard]] balance::Sequence newest_event() const noexcept {
        return journal_ == nullptr ? 0 : journal_->last();
    }
    [[nodiscard]] bool durable(balance::Sequence sequence) const noexcept {
        return journal_ == nullptr || journal_->durable() >= sequence;
    }
    void send_when_durable(Connection& connection, balance::Sequence sequence);
    [[nodiscard]] bool draining() const noexcept { return draining_; }
    /// A connection goes on: something was read, answered or sent.
    void note_step() noexcept { ++steps_; }
    /// A connection whose client has to log in by then, or has no more to.
    void expect_login(balance::Steady until, std::uint64_t connection);
    void expect_no_login(balance::Steady until, std::uint64_t connection);

  private:
    struct Peer {
        std::string host;     ///< `unix` for the socket.
        std::string address;  ///< With its port.
        bool local = false;
    };
    [[nodiscard]] static Peer peer_of(const boost::asio::ip::tcp::socket& socket);
    [[nodiscard]] static Peer peer_of(const boost::asio::local::stream_protocol::socket& socket);
    template <typename Acceptor>
    void accept(Acceptor& acceptor, const TlsIdentity* identity = nullptr);
    /// Whoever waits to be let in, and nobody after that.
    template <typename Acceptor>
    void accept_the_last(Acceptor& acceptor, const TlsIdentity* identity = nullptr);
    void welcome(Connection::Socket socket, const Peer& peer, const TlsIdentity* identity);
    void sweep();
    void end_idle_drain();
    /// Those who were declared anew, or are nobody any more, are that at once.
    void look_who_they_are();
    /// Lets those go who have not logged in for too long.
    void dismiss_strangers();
    void send_durable();
    /// What has arrived is carried out, connection by connection, and then answered.
    void serve_arrived();

    const commands::Services& services_;
    commands::WorkerCounters& counters_;
    ConnectionLimits limits_;
    const balance::journal::Journal* journal_;
    std::size_t index_;
    std::size_t count_;
    access::Authenticator* authenticator_;
    const TlsIdentity* identity_ = nullptr;  // Of whoever comes by TLS; nullptr: nobody does.
    boost::asio::io_context io_{1};
    boost::asio::ip::tcp::acceptor tcp_{io_};
    boost::asio::ip::tcp::acceptor tls_{io_};
    boost::asio::local::stream_protocol::acceptor unix_{io_};
    boost::asio::steady_timer sweep_timer_{io_};
    boost::asio::steady_timer drain_timer_{io_};
    std::unordered_map<std::uint64_t, std::unique_ptr<Connection>> connections_;
    std::set<std::pair<balance::Steady, std::uint64_t>> strangers_;  // Until when, and whose connections.
    const access::Users::List* declared_ = nullptr;  // That all connections were looked up in.
    struct Waiting {
        balance::Sequence sequence;
        Connection* connection;
    };
    std::vector<Waiting> waiting_;
    std::vector<Waiting> ready_;  // Of send_durable, kept for its memory.
    // Whether the journal's thread should wake this one. Set before durable() is looked at again and read
    // after it was moved, both sequentially consistent: one of the two threads sees the other.
    std::atomic<bool> wants_wake_{false};
    std::vector<Connection*> arrived_;  // Each waits for serve_arrived(), and for nothing else.
    bool will_serve_ = false;           // serve_arrived() stands in the loop's queue.
    Turn turn_{};                       // Of those.
    Batch together_;                    // Their first commands.
    Batch batch_;
    Foresight foresight_;
    bool draining_ = false;
    std::uint64_t steps_ = 0;              // While draining: since it was looked at last.
    int idle_drains_ = 0;                  // Looks in a row that saw none.
    std::atomic<bool> stop_begun_{false};  // Says nothing of other memory.
    std::thread thread_;
};

}  // namespace tollgate::daemon::net
