/// Who is at the other end of a connection, as commands see it, and the list of all of them.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "balance/session.h"
#include "daemon/access/users.h"

namespace tollgate::daemon::commands {

/// The longest name a client may give itself.
inline constexpr std::size_t kClientNameBytesMax = 64;

/// What AUTH or HELLO asked for: answered once the password is known to be right or wrong.
struct Login {
    std::string user;       ///< Empty: only a password was given.
    std::string password;   ///< To be wiped.
    std::uint64_t read_at;  ///< By Ticks.
    /// Of HELLO; nullopt: AUTH.
    struct Hello {
        int resp_version;
        std::optional<std::string> client_name;
    };
    std::optional<Hello> hello{};
};

/// What a connection remembers of its client. Touched by the worker that owns the connection only.
struct Client {
    std::uint64_t id = 0;
    std::string address;
    std::string host;    ///< Of the address; `unix` for the socket.
    bool local = false;  ///< This machine.
    std::string name;
    std::string library;          ///< By CLIENT SETINFO.
    std::string library_version;  ///< By CLIENT SETINFO.
    balance::Steady connected_at{};
    int resp_version = 2;
    bool closing = false;  ///< The answers so far are the last.
    /// Who logged in; nullptr: nobody, who is an administrator where no user is declared.
    const access::User* user = nullptr;
    bool over_http = false;        ///< Commands of `/v1/calls`: whoever may send them is known there.
    bool let_in = true;            ///< Else only what comes before a login is done for him.
    std::optional<Login> login{};  ///< Not answered yet; nothing else is done before it is.
};

/// All clients, for CLIENT LIST and the limit of connections. Any thread; takes a lock, so it is for
/// connecting, naming and listing, never for a call.
class ClientRegistry {
  public:
    /// The new client's id, or 0 where `clients_max` are there already.
    std::uint64_t enter(const std::string& address, balance::Steady now, std::size_t clients_max);
    void leave(std::uint64_t id);
    void rename(std::uint64_t id, const std::string& name);

    struct Entry {
        std::uint64_t id;
        std::string address;
        std::string name;
        balance::Steady connected_at;
    };
    [[nodiscard]] std::vector<Entry> list() const;
    [[nodiscard]] std::size_t size() const;
    /// How many there have been.
    [[nodiscard]] std::uint64_t entered() const;

  private:
    mutable std::mutex mutex_;
    std::uint64_t id_last_ = 0;
    std::vector<Entry> entries_;  // By rising id.
};

}  // namespace tollgate::daemon::commands
