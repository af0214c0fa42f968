/// One client: bytes in, commands, answers out.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>

#include "config/config.h"
#include "daemon/commands/context.h"
#include "daemon/net/batch.h"
#include "protocol/resp_parser.h"

namespace tollgate::daemon::net {

class Worker;

/// Of commands that are carried out one after the other: what time it is for the next, and since when they
/// wait.
struct Turn {
    Moment now;
    commands::Stopwatch stopwatch{};
};

/// Belongs to one worker and is touched by its thread only. At any time exactly one operation is under way, a
/// read, a wait for its turn, for the journal or for a password, or a write, so the connection needs no
/// counting of references: when that operation fails, it asks its worker to destroy it.
///
/// All commands that have arrived are carried out before their answers are sent at once, as soon as
/// everything they rely on is durable. While a client does not read its answers, nothing more is read from
/// it: that is the limit of what it can make the daemon keep.
class Connection {
  public:
    using Socket = boost::asio::generic::stream_protocol::socket;

    /// By TLS where `tls` says so.
    Connection(Worker& worker, Socket socket, commands::Client client, boost::asio::ssl::context* tls);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    void start();

    // ---- By the worker, each for all connections that it serves together, then the next ----

    /// Takes the first commands apart.
    void take_first(Batch& batch);
    /// Says what those are going to touch.
    void foresee(const Turn& turn, Foresight& foresight);
    /// Carries them out, and what stands behind them.
    void carry_out(Turn& turn);
    /// Sends the answers, now or once it may.
    void answer();

    /// Ends the connection once what has arrived is answered. It is destroyed later, from its own handler.
    void drain();

    /// Who the client is may have been declared anew.
    void look_who_it_is();

    /// The time to log in is over: ends the connection, at the latest when the guess that is being compared
    /// is wrong.
    void dismiss_stranger();

    /// What the answers rely on is durable: called by the worker that was asked to wait.
    void send() { write(); }

    /// The password of its login is right, or not (nullptr): called by the worker that was asked to wait.
    void logged_in(const access::User* user);

    [[nodiscard]] std::uint64_t id() const noexcept { return client_.id; }

  private:
    /// What a connection by TLS has beside its socket.
    struct Tls {
        Tls(Socket& socket, boost::asio::ssl::context& context)
            : stream(socket, context), deadline(socket.get_executor()) {}
        boost::asio::ssl::stream<Socket&> stream;
        boost::asio::steady_timer deadline;  // Of its beginning and its end.
        bool is_begun = false;               // Both have shaken hands.
    };
    void shake_hands();
    void read();
    /// The worker is draining: carries out what has arrived, and closes where nothing has.
    void read_the_last();
    /// The same by TLS; waits for `patience` where nothing has arrived.
    void read_the_last_by_tls(std::chrono::milliseconds patience);
    /// At least as much as a command may take.
    void grow_input();
    /// Serves this connection alone.
    void process();
    /// He was let in, or is not any more: a stranger has so much time to log in.
    void mind_stranger();
    [[nodiscard]] bool is_dismissed() const noexcept;
    /// Begins the login that the last command asked for. False: it is answered later, by logged_in().
    bool begin_login(commands::Context& context);
    /// Of what stands in the input behind so many bytes, `most` commands at most.
    [[nodiscard]] Batch::Taken take_behind(Batch& batch, std::size_t consumed, std::size_t most);
    /// Carries out the commands that stand in the input; how many bytes of it they were.
    std::size_t run_commands(Turn& turn);
    [[nodiscard]] commands::Context context_of(const Turn& turn);
    void write();
    void written();
    void limit_tls(std::chrono::milliseconds time);
    void unlimit_tls();
    /// By TLS: so that the client knows that nothing is missing.
    void say_goodbye(std::chrono::milliseconds time);
    /// Waits for the client to hang up after the last answer, and throws away what it still sends.
    void linger();
    void close();

    Worker& worker_;
    Socket socket_;
    std::shared_ptr<Tls> tls_;  // nullptr: as it is. Shared with nobody; its timer asks whether it is there.
    commands::Client client_;
    std::vector<char> input_;
    std::size_t input_size_ = 0;
    std::string output_;
    std::size_t output_sent_ = 0;
    std::size_t lingered_bytes_ = 0;
    std::optional<Batch::Taken> taken_;  // Of the front of the input, not carried out yet.
    balance::Sequence relies_on_ = 0;    // The newest event that unsent answers may have seen; 0: none.
    const access::Users::List* declared_ = nullptr;  // That the client was looked up in.
    std::optional<balance::Steady> login_until_;     // Of a stranger.
    bool waits_for_login_ = false;
    bool more_input_ = false;  // Commands may be left in the input because the answers grew large.
};

}  // namespace tollgate::daemon::net
