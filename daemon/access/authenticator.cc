#include "daemon/access/authenticator.h"

#include <utility>

#include "daemon/turns.h"

namespace tollgate::daemon::access {

Authenticator::Authenticator(Users& users, std::uint64_t hash_key, PasswordCost cost)
    : users_(users),
      passwords_(cost),
      throttle_(hash_key, kPerUser, kPerAddress),
      promptly_([this] { work(expected_); }),
      behind_calls_([this] {
          work_behind_calls();
          work(others_);
      }) {}

void Authenticator::stop() {
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    bell_.notify_all();
    for (std::thread* const thread : {&promptly_, &behind_calls_}) {
        if (thread->joinable()) thread->join();
    }
    for (std::deque<Guess>* const guesses : {&expected_, &others_}) {
        for (Guess& guess : *guesses)
            wipe(guess.password);
        guesses->clear();
    }
}

Authenticator::Begun Authenticator::begin(std::string_view name, std::string_view password,
                                          std::string_view address, Steady now,
                                          std::function<void(Result)> done) {
    const Users::List& list = users_.current();
    const User* user = name.empty() ? list.nameless() : list.find(name);
    if (user != nullptr && !user->may_come_from(address)) user = nullptr;
    if ((user == nullptr ? nobodys_ : user->known()).is(password)) {
        count(figures_.accepted);
        return user;
    }
    const std::string source = source_of(address);
    const bool expected = user != nullptr && !user->declared().sources.empty();
    std::string counted{user != nullptr ? user->name() : name.substr(0, config::kUserNameBytesMax)};
    // By a name longer than anybody can say: whoever comes from elsewhere counts at one that there is not.
    if (expected) counted.resize(config::kUserNameBytesMax + 1, ' ');
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
        (expected ? expected_ : others_)
            .push_back({user, std::move(counted), std::string{password.substr(0, kPasswordBytesMax + 1)},
                        source, std::move(done)});
        waiting_.fetch_add(1, std::memory_order_relaxed);
    }
    bell_.notify_all();  // One of the two does it.
    return Pending{};
}

void Authenticator::work(std::deque<Guess>& guesses) {
    for (;;) {
        Guess guess;
        {
            std::unique_lock lock{mutex_};
            bell_.wait(lock, [&] { return stopping_ || !guesses.empty(); });
            if (stopping_) return;
            guess = std::move(guesses.front());
            guesses.pop_front();
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
