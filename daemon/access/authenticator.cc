#include "daemon/access/authenticator.h"

#include <utility>

#include "daemon/background.h"

namespace tollgate::daemon::access {

Authenticator::Authenticator(Users& users, std::uint64_t hash_key, PasswordCost cost)
    : users_(users),
      passwords_(cost),
      throttle_(hash_key, kPerUser, kPerAddress),
      thread_([this] { work(); }) {}

void Authenticator::stop() {
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    bell_.notify_one();
    if (thread_.joinable()) thread_.join();
    for (Guess& guess : guesses_)
        wipe(guess.password);
    guesses_.clear();
}

Authenticator::Begun Authenticator::begin(std::string_view name, std::string_view password,
                                          std::string_view address, Steady now,
                                          std::function<void(Result)> done) {
    const Users::List& list = users_.current();
    const User* user = name.empty() ? list.nameless() : list.find(name);
    const bool from_there = user != nullptr && user->may_come_from(address);
    if (from_there && user->known().is(password)) {
        count(figures_.accepted);
        return user;
    }
    const std::string source = source_of(address);
    // Who is nobody's guess anyway must not make the user wait: it counts as one at another login.
    const bool elsewhere = user != nullptr && !from_there;
    if (elsewhere) user = nullptr;
    std::string counted{user != nullptr ? user->name() : name.substr(0, config::kUserNameBytesMax)};
    if (elsewhere) counted += " from " + source;
    const bool expected = user != nullptr && !user->declared().sources.empty();
    if (waiting_.load(std::memory_order_relaxed) >= (expected ? 2 : 1) * kLoginsWaitingMax) {
        count(figures_.busy);
        return Wait{kLoginsBusyWait};
    }
    {
        const std::lock_guard lock{throttle_mutex_};
        if (const Steady wait = throttle_.begin(counted, source, now); wait > Steady{0}) {
            count(figures_.throttled);
            return Wait{wait};
        }
    }
    {
        const std::lock_guard lock{mutex_};
        guesses_.insert(expected ? guesses_.begin() : guesses_.end(),
                        {user, std::move(counted), std::string{password.substr(0, kPasswordBytesMax + 1)},
                         source, std::move(done)});
        waiting_.fetch_add(1, std::memory_order_relaxed);
    }
    bell_.notify_one();
    return Pending{};
}

void Authenticator::work() {
    work_in_background();
    for (;;) {
        Guess guess;
        {
            std::unique_lock lock{mutex_};
            bell_.wait(lock, [this] { return stopping_ || !guesses_.empty(); });
            if (stopping_) return;
            guess = std::move(guesses_.front());
            guesses_.pop_front();
        }
        const auto hash =
            guess.user == nullptr ? std::nullopt : std::optional<PasswordHash>{guess.user->password()};
        const bool right = passwords_.verify(hash, guess.password);
        if (right) {
            guess.user->known().remember(guess.password);
            const std::lock_guard lock{throttle_mutex_};
            throttle_.succeeded(guess.name, guess.source);
        }
        count(right ? figures_.accepted : figures_.wrong);
        wipe(guess.password);
        waiting_.fetch_sub(1, std::memory_order_relaxed);
        guess.done(right ? guess.user : nullptr);
    }
}

}  // namespace tollgate::daemon::access
