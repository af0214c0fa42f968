/// Whether a password is right, without anybody else waiting for the answer.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <variant>

#include "daemon/access/login_throttle.h"
#include "daemon/access/password.h"
#include "daemon/access/users.h"

namespace tollgate::daemon::access {

/// Guesses that may wait for their hash; one beyond it is turned away at once.
inline constexpr std::size_t kLoginsWaitingMax = 64;
/// What somebody is told who was turned away so: about as long as they take.
inline constexpr std::chrono::milliseconds kLoginsBusyWait{1000};

/// Programs that have a wrong password try again and again, and their operator mends it one day: waits are
/// shorter than those of people.
inline constexpr ThrottleRule kPerUser{5, std::chrono::seconds{1}, std::chrono::seconds{8},
                                       std::chrono::minutes{10}};
inline constexpr ThrottleRule kPerAddress{20, std::chrono::seconds{1}, std::chrono::seconds{8},
                                          std::chrono::minutes{10}};

/// What became of attempts to log in. Relaxed: each is a sum of its own.
struct LoginFigures {
    std::atomic<std::uint64_t> accepted{0};
    std::atomic<std::uint64_t> wrong{0};      ///< Name, password or network.
    std::atomic<std::uint64_t> throttled{0};  ///< Too many before it; nothing was compared.
    std::atomic<std::uint64_t> busy{0};       ///< Too many at the same time; nothing was compared.
};

/// Argon2id takes 50 to 100 ms, so it is done by threads of their own: one for those who come from networks
/// that the operator named, as promptly as calls are answered, and one for all others, of whom there may be
/// many, behind the calls. What can be said without it is said at once: that a password is the one that was
/// right before, that somebody has guessed too often, or that too many wait.
///
/// Guesses count by user and by address (login_throttle.h). One from a network that is none of the user's is
/// one at a user that there is not: wrong whatever it is, and counted as such, so nobody elsewhere can make
/// the user wait, nor tell that there is one. A password that was right before is right whatever others have
/// guessed. Those from a named network are turned away later.
///
/// Any thread may call any member.
class Authenticator {
  public:
    /// `cost` is that of a hash where there is no user: the time of an answer does not tell.
    Authenticator(Users& users, std::uint64_t hash_key, PasswordCost cost = {});
    Authenticator(const Authenticator&) = delete;
    Authenticator& operator=(const Authenticator&) = delete;
    ~Authenticator() { stop(); }

    /// Ends the thread. Guesses that wait are never answered.
    void stop();

    /// Who came in; nullptr: nobody, for name, password or network are wrong.
    using Result = const User*;
    struct Wait {
        std::chrono::nanoseconds time;  ///< Until the next guess is looked at.
    };
    struct Pending {};
    using Begun = std::variant<Result, Wait, Pending>;

    /// A guess from an address (without a port, or `unix`). Where it is Pending, `done` is called later, by
    /// the thread of this; else never. An empty name is Users::List::nameless().
    [[nodiscard]] Begun begin(std::string_view name, std::string_view password, std::string_view address,
                              Steady now, std::function<void(Result)> done);

    [[nodiscard]] const LoginFigures& figures() const noexcept { return figures_; }
    [[nodiscard]] Users& users() noexcept { return users_; }

  private:
    struct Guess {
        const User* user;  // nullptr: there is none, or he may not come from there.
        std::string name;
        std::string password;
        std::string source;
        std::function<void(Result)> done;
    };
    void work(std::deque<Guess>& guesses);
    static void count(std::atomic<std::uint64_t>& figure) noexcept {
        figure.fetch_add(1, std::memory_order_relaxed);
    }

    Users& users_;
    Passwords passwords_;
    KnownPassword nobodys_;  // None; who is nobody takes as long to look up as somebody.
    LoginFigures figures_;
    std::mutex throttle_mutex_;  // Never held while a password is hashed.
    LoginThrottle throttle_;
    std::mutex mutex_;
    std::condition_variable bell_;
    std::deque<Guess> expected_;  // From networks that the operator named.
    std::deque<Guess> others_;
    std::atomic<std::size_t> waiting_{0};  // Both and what is under way; looked at before the lock is.
    bool stopping_ = false;
    std::thread promptly_;  // Last, as the other: they use all of the above.
    std::thread behind_calls_;
};

}  // namespace tollgate::daemon::access
