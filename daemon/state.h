/// Everything that a restart must find again: parties and their money, tariffs, sessions, requests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "balance/event.h"
#include "balance/event_log.h"
#include "balance/ledger.h"
#include "balance/party_table.h"
#include "balance/session_table.h"
#include "daemon/catalog.h"
#include "daemon/mail/templates.h"
#include "daemon/notices.h"
#include "daemon/outbox.h"
#include "daemon/partners/profile_index.h"
#include "daemon/partners/registry.h"
#include "daemon/partners/shop.h"
#include "daemon/payments.h"
#include "daemon/reserve.h"
#include "daemon/resync_tokens.h"
#include "daemon/threshold_events.h"
#include "rating/tariff_book.h"

namespace tollgate::daemon {

struct StateSettings {
    std::size_t versions_kept = 5;
    std::size_t parties_max = 10'000'000;
    balance::SessionLimits sessions{};
    std::chrono::nanoseconds remember_requests = std::chrono::hours{35 * 24};
    std::uint64_t hash_key = 0;  ///< Random in a running daemon.
    ThresholdEvents::Clock clock = [] { return Moment{}; };
    ThresholdEvents::Observer on_threshold{};
    std::size_t mails_max = 100'000;
    /// What mails say.
    std::shared_ptr<const mail::Templates> mail_templates = std::make_shared<mail::Templates>();
};

/// When and on which boot of the machine a daemon began to use a journal.
struct Start {
    std::string boot_id;                    ///< Of the kernel; another after every boot.
    std::chrono::nanoseconds booted_for{};  ///< CLOCK_BOOTTIME then.
    Moment at{};
};

/// The parts are used directly, by the threads that they allow. Members are for a restart and for snapshots:
/// one thread and no other.
class State {
  public:
    explicit State(const StateSettings& settings);

    balance::EventRelay events;
    rating::TariffBook tariffs;
    balance::PartyTable parties;
    ThresholdEvents threshold_events;
    balance::Ledger ledger{parties, &threshold_events};
    balance::SessionTable sessions;
    Catalog catalog{tariffs, parties, events, &threshold_events};
    Payments payments;
    Registry registry;
    Outbox outbox;
    Notices notices;
    ProfileIndex profile_index{registry, parties};
    Shop shop{registry, catalog, payments, ledger, events};
    ResyncTokens resync_tokens;
    Reserve reserve{parties, events};

    /// Does what an event, or a record of a snapshot, says. Empty, or why it cannot have been written by a
    /// daemon: then nothing is right any more. `read_aside` may throw std::runtime_error.
    [[nodiscard]] std::string apply(std::span<const std::byte> event, const Catalog::ReadAside& read_aside);
    /// All has been applied: tariffs come into force.
    void restored() { catalog.restored(); }

    /// Records that make a fresh state what this one is, in order.
    void save(const std::function<void(std::span<const std::byte>)>& sink) const;
    /// The same for two states that a save could not tell apart but for when they were used, whatever the
    /// order in which they came about.
    [[nodiscard]] std::uint64_t digest() const;

    /// What does not hold of the invariants in docs/money.md, in words; empty when all is well. `faults_max`
    /// of them. Requires that nothing moves.
    [[nodiscard]] std::vector<std::string> verify(std::size_t faults_max = 100) const;

    /// The first event of a journal.
    void found(Moment now);
    /// The event with which a daemon begins to use it.
    void start(const Start& start);

    /// Forgets what no daemon would remember at the latest moment.
    void forget_due();
    /// Files beside the journal that versions come from or that an event named.
    [[nodiscard]] std::set<std::string> files_named() const;

    /// The last daemon that used the journal, and the latest moment in it.
    [[nodiscard]] const std::optional<Start>& last_start() const noexcept { return last_start_; }
    [[nodiscard]] Moment latest() const noexcept { return latest_; }

  private:
    void save_contents(const std::function<void(std::span<const std::byte>)>& sink) const;
    [[nodiscard]] bool apply_session(const balance::EventHeader& header, ByteReader& in);
    [[nodiscard]] bool put_levels(const balance::LevelNames& names, balance::Session& session);
    [[nodiscard]] const rating::TariffVersion* version_of(const balance::LevelName& name);
    [[nodiscard]] bool apply_account(ByteReader& in);
    [[nodiscard]] bool apply_book(ByteReader& in);
    [[nodiscard]] bool apply_spending(ByteReader& in);
    [[nodiscard]] bool apply_horizon(ByteReader& in);

    Moment latest_{};
    std::optional<Start> last_start_;
    std::set<std::string> files_;
    std::unordered_map<std::uint64_t, const rating::TariffVersion*> versions_;  // By tariff and number.
};

}  // namespace tollgate::daemon
