/// One client: bytes in, commands, answers out.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/generic/stream_protocol.hpp>

#include "config/config.h"
#include "daemon/commands/context.h"
#include "protocol/resp_parser.h"

namespace tollgate::daemon::net {

class Worker;

/// Belongs to one worker and is touched by its thread only. At any time exactly one operation is under way, a
/// read, a wait for the journal or a write, so the connection needs no counting of references: when that
/// operation fails, it asks its worker to destroy it.
///
/// All commands that have arrived are carried out before their answers are sent at once, as soon as
/// everything they rely on is durable. While a client does not read its answers, nothing more is read from
/// it: that is the limit of what it can make the daemon keep.
class Connection {
  public:
    using Socket = boost::asio::generic::stream_protocol::socket;

    Connection(Worker& worker, Socket socket, commands::Client client);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    void start();

    /// Ends the connection once what has arrived is answered. It is destroyed later, from its own handler.
    void drain();

    /// What the answers rely on is durable: called by the worker that was asked to wait.
    void send() { write(); }

    [[nodiscard]] std::uint64_t id() const noexcept { return client_.id; }

  private:
    void read();
    /// The worker is draining: carries out what has arrived, and closes where nothing has.
    void read_the_last();
    /// At least as much as a command may take.
    void grow_input();
    void process();
    /// Carries out the commands that stand in the input; how many bytes of it they were.
    std::size_t run_commands();
    void write();
    void written();
    /// Waits for the client to hang up after the last answer, and throws away what it still sends.
    void linger();
    void close();

    Worker& worker_;
    Socket socket_;
    commands::Client client_;
    std::vector<char> input_;
    std::size_t input_size_ = 0;
    std::string output_;
    std::size_t output_sent_ = 0;
    std::size_t lingered_bytes_ = 0;
    balance::Sequence relies_on_ = 0;  // The newest event that the answers may have seen; 0: none.
    bool more_input_ = false;          // Commands may be left in the input because the answers grew large.
};

}  // namespace tollgate::daemon::net
