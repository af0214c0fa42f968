#include "daemon/access/users.h"

#include <algorithm>
#include <stdexcept>

#include <sodium.h>

#include "daemon/access/sodium.h"

namespace tollgate::daemon::access {

namespace {

/// `now` is from before all are parsed, and who has looked just before they are published takes the time of
/// what he does after. Nobody begins anything as nobody once they are: too much does no harm.
constexpr std::chrono::seconds kUntilSeen{1};

}  // namespace

// ---- RequestRate ----

std::chrono::nanoseconds RequestRate::take(balance::Steady now) noexcept {
    if (step_ == 0) return std::chrono::nanoseconds{0};
    constexpr std::int64_t kBurst = std::chrono::nanoseconds{std::chrono::seconds{1}}.count();
    std::int64_t until = full_until_.load(std::memory_order_relaxed);
    for (;;) {
        const std::int64_t next = std::max(until, now.count()) + step_;
        const std::int64_t beyond = next - now.count() - kBurst;
        if (beyond > 0) return std::chrono::nanoseconds{beyond};
        if (full_until_.compare_exchange_weak(until, next, std::memory_order_relaxed))
            return std::chrono::nanoseconds{0};
    }
}

// ---- KnownPassword ----

KnownPassword::KnownPassword() {
    need_sodium();
    randombytes_buf(key_.data(), key_.size());
}

KnownPassword::Digest KnownPassword::digest(std::string_view password) const noexcept {
    Digest digest{};
    crypto_generichash(digest.data(), digest.size(), reinterpret_cast<const unsigned char*>(password.data()),
                       password.size(), key_.data(), key_.size());
    return digest;
}

bool KnownPassword::is(std::string_view password) const noexcept {
    if (password.size() > kPasswordBytesMax) return false;
    const Digest given = digest(password);
    const std::lock_guard lock{mutex_};
    return known_ && sodium_memcmp(known_->data(), given.data(), given.size()) == 0;
}

void KnownPassword::remember(std::string_view password) noexcept {
    const Digest right = digest(password);
    const std::lock_guard lock{mutex_};
    known_ = right;
}

// ---- User ----

User::User(config::User declared, const User* before)
    : declared_(std::move(declared)), sender_("user " + declared_.name) {
    need_sodium();
    auto hash = PasswordHash::parse(declared_.password);
    if (!hash) {
        throw std::runtime_error{
            "user \"" + declared_.name +
            "\": password: this is no argon2id hash, or one that costs too much to check; "
            "tollgated hash-password makes one"};
    }
    password_ = *std::move(hash);
    const bool same = before != nullptr && before->password_ == password_;
    known_ = same ? before->known_ : std::make_shared<KnownPassword>();
    rate_ = same && before->declared_.rate == declared_.rate ? before->rate_
                                                             : std::make_shared<RequestRate>(declared_.rate);
}

bool User::may_come_from(std::string_view address) const noexcept {
    if (declared_.sources.empty()) return true;
    const auto comes_from = [this](std::string_view text) {
        const auto bytes = config::Network::parse_address(text);
        return bytes && std::any_of(declared_.sources.begin(), declared_.sources.end(),
                                    [&bytes](const config::Network& source) { return source.holds(*bytes); });
    };
    if (address == "unix") return comes_from("127.0.0.1") || comes_from("::1");
    return comes_from(address);
}

balance::PartyId User::under(const balance::PartyTable& parties) const noexcept {
    balance::PartyId party = under_.load(std::memory_order_relaxed);
    if (party == balance::kNoParty) {
        party = parties.find(declared_.under);
        under_.store(party, std::memory_order_relaxed);
    }
    return party;
}

// ---- Users ----

void Users::replace(const std::vector<config::User>& declared, balance::Steady now) {
    const std::lock_guard lock{mutex_};
    const List* const before = current_.load(std::memory_order_relaxed);
    const auto is_there = [before](const config::User& user) {
        const User* const same = before->find(user.name);
        return same != nullptr && same->declared() == user;
    };
    if (before != nullptr && before->users_.size() == declared.size() &&
        std::all_of(declared.begin(), declared.end(), is_there))
        return;
    auto list = std::make_unique<List>();
    for (const config::User& user : declared) {
        list->users_.push_back(
            std::make_unique<const User>(user, before == nullptr ? nullptr : before->find(user.name)));
    }
    std::sort(list->users_.begin(), list->users_.end(),
              [](const auto& a, const auto& b) { return a->name() < b->name(); });
    const bool first = before != nullptr && before->empty() && !list->empty();
    if (first) first_declared_.store((now + kUntilSeen).count(), std::memory_order_relaxed);
    lists_.push_back(std::move(list));
    current_.store(lists_.back().get(), std::memory_order_release);
}

const User* Users::List::find(std::string_view name) const noexcept {
    const auto found =
        std::lower_bound(users_.begin(), users_.end(), name,
                         [](const auto& user, std::string_view wanted) { return user->name() < wanted; });
    return found != users_.end() && (*found)->name() == name ? found->get() : nullptr;
}

const User* Users::List::nameless() const noexcept {
    if (const User* const user = find("default")) return user;
    return users_.size() == 1 ? users_.front().get() : nullptr;
}

}  // namespace tollgate::daemon::access
