/// Who may speak RESP: the users that the operator declared.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "balance/party_table.h"
#include "balance/session.h"
#include "config/user.h"
#include "daemon/access/password.h"

namespace tollgate::daemon::access {

/// How many requests a second somebody may have: so many at once, then one each time one has worn off. Any
/// thread; two that meet try again, none waits.
class RequestRate {
  public:
    /// 0: as many as he likes.
    explicit RequestRate(std::uint32_t per_second) noexcept
        : step_(per_second == 0 ? 0
                                : std::chrono::nanoseconds{std::chrono::seconds{1}}.count() / per_second) {}

    /// 0: one more is allowed and counted. More: so long until the next one is.
    [[nodiscard]] std::chrono::nanoseconds take(balance::Steady now) noexcept;

  private:
    std::int64_t step_;  // Nanoseconds a request.
    // When all that was allowed has worn off. Any worker writes it, by compare-exchange; relaxed, because it
    // guards nothing but itself.
    std::atomic<std::int64_t> full_until_{0};
};

/// Which password was found right before: a switch that comes back must not wait for argon2id, nor behind
/// strangers who guess. What is remembered is a keyed hash, in memory alone. Any thread; met by logins of one
/// user alone.
class KnownPassword {
  public:
    KnownPassword();
    [[nodiscard]] bool is(std::string_view password) const noexcept;
    void remember(std::string_view password) noexcept;

  private:
    static constexpr std::size_t kDigestBytes = 32;
    using Digest = std::array<unsigned char, kDigestBytes>;
    [[nodiscard]] Digest digest(std::string_view password) const noexcept;

    Digest key_{};              // Random.
    mutable std::mutex mutex_;  // For the next.
    std::optional<Digest> known_;
};

/// One of them. Lives as long as its Users: a connection may point to one that was declared anew meanwhile.
class User {
  public:
    /// Throws std::runtime_error naming the user where his password is no hash that can be checked. What is
    /// known of his password, and what he has had of his requests, is as of `before`, who is he with the same
    /// password as he was declared until now; nullptr: nothing.
    explicit User(config::User declared, const User* before = nullptr);

    [[nodiscard]] const config::User& declared() const noexcept { return declared_; }
    [[nodiscard]] std::string_view name() const noexcept { return declared_.name; }
    [[nodiscard]] config::Role role() const noexcept { return declared_.role; }
    [[nodiscard]] const PasswordHash& password() const noexcept { return password_; }
    /// `user kamailio-1`: whose the request ids are, and who did it. No login of a person is like it.
    [[nodiscard]] const std::string& sender() const noexcept { return sender_; }

    /// Whether he may come from an address; `unix` is this machine.
    [[nodiscard]] bool may_come_from(std::string_view address) const noexcept;
    [[nodiscard]] RequestRate& rate() const noexcept { return *rate_; }

    /// Whether there is a subtree that he does not see beyond.
    [[nodiscard]] bool is_confined() const noexcept { return !declared_.under.empty(); }
    /// Its top; kNoParty as long as there is no such party, and nothing exists for him. Requires: confined.
    [[nodiscard]] balance::PartyId under(const balance::PartyTable& parties) const noexcept;
    /// Whether a party exists for him. kNoParty does not.
    [[nodiscard]] bool sees(const balance::PartyTable& parties, balance::PartyId party) const noexcept {
        if (party == balance::kNoParty) return false;
        return !is_confined() || parties.is_in_subtree(party, under(parties));
    }

    [[nodiscard]] KnownPassword& known() const noexcept { return *known_; }

  private:
    config::User declared_;
    PasswordHash password_;
    std::string sender_;
    // Of him, however often he is declared.
    std::shared_ptr<KnownPassword> known_;
    std::shared_ptr<RequestRate> rate_;
    // A party once found never changes its id. Relaxed: whoever misses it finds it himself.
    mutable std::atomic<balance::PartyId> under_{balance::kNoParty};
};

/// Any thread may call any member at any time; only replace() takes long.
class Users {
  public:
    /// Throws as User does.
    explicit Users(const std::vector<config::User>& declared) { replace(declared, balance::Steady::min()); }
    Users(const Users&) = delete;
    Users& operator=(const Users&) = delete;

    /// What is declared from now on. Who is not among them any more, or has another password, is logged out
    /// before his next command; of everybody else what is known stays known. Throws as User does, with
    /// nothing changed.
    void replace(const std::vector<config::User>& declared, balance::Steady now);

    /// Everybody of one declaration, by name. Never changes, and lives as long as this.
    class List {
      public:
        [[nodiscard]] bool empty() const noexcept { return users_.empty(); }
        [[nodiscard]] const User* find(std::string_view name) const noexcept;
        /// Who is meant by a password alone: `default`, or else the only one there is; nullptr: nobody.
        [[nodiscard]] const User* nameless() const noexcept;
        [[nodiscard]] const std::vector<std::unique_ptr<const User>>& all() const noexcept { return users_; }

      private:
        friend class Users;
        std::vector<std::unique_ptr<const User>> users_;  // By name.
    };
    /// Acquires what replace() released.
    [[nodiscard]] const List& current() const noexcept { return *current_.load(std::memory_order_acquire); }
    [[nodiscard]] bool is_empty() const noexcept { return current().empty(); }

    /// Sessions that began before then without a user are everybody's who sees their lines: the first users
    /// were declared while calls were under way. A little after that moment, so that nobody's last command is
    /// before it.
    [[nodiscard]] balance::Steady first_declared() const noexcept {
        return balance::Steady{first_declared_.load(std::memory_order_relaxed)};
    }
    /// To be called once the journal is read, where users are declared: that was before now.
    void declared_at_start(balance::Steady now) noexcept {
        first_declared_.store(now.count(), std::memory_order_relaxed);
    }

  private:
    // Declarations are few, and somebody may still look at an old one: none is freed.
    std::vector<std::unique_ptr<const List>> lists_;
    std::mutex mutex_;  // For the list of lists; held by replace().
    std::atomic<const List*> current_{nullptr};
    std::atomic<std::int64_t> first_declared_{INT64_MIN};
};

}  // namespace tollgate::daemon::access
