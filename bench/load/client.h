/// One connection that is asked and waited for: to log in, and to look at the books.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bench/load/answer.h"
#include "config/config.h"

namespace tollgate::bench::load {

/// Where the daemon is, and who asks. A password never stands on a command line, in a message or a file that
/// is written.
struct Peer {
    config::Endpoint endpoint;
    std::string unix_path;  ///< Instead of `endpoint`, unless empty.
    std::string user;       ///< Empty: the password alone.
    std::string password;   ///< Empty: nobody logs in.
};

/// A command as an array of bulk strings.
void append_command(std::string& out, std::initializer_list<std::string_view> words);

/// Throws std::runtime_error, which says what to do, where the daemon is not there, hangs up, refuses the
/// login or is silent for kSilenceMax. One thread at a time.
class Client {
  public:
    /// Connects and logs in.
    explicit Client(const Peer& peer);
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    ~Client();

    void send(std::string_view commands);
    /// The next answer, good until the next call.
    [[nodiscard]] const Answer& read();
    [[nodiscard]] const Answer& ask(std::initializer_list<std::string_view> words);

    /// The socket, which is the caller's from now on. Nothing may wait to be read.
    [[nodiscard]] int release() noexcept;

  private:
    int socket_;
    std::string in_;
    std::size_t taken_ = 0;
    Answer answer_;
};

}  // namespace tollgate::bench::load
