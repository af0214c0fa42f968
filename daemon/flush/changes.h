/// What a run of events did, in the words that stores keep: rows as they stand when the last of them is done.
///
/// A follower makes batches of changes from the journal and hands them to a sink (daemon/flush/sink.h). Names
/// of parties, tariffs and dial plans are views into the follower's replica: they are good until the sink's
/// write() returns, and nothing longer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "balance/journal/format.h"
#include "balance/party.h"
#include "daemon/call_record.h"
#include "daemon/partners/audit_log.h"
#include "daemon/state.h"
#include "daemon/threshold_events.h"
#include "daemon/transaction_list.h"
#include "rating/tariff_book.h"

namespace tollgate::daemon::flush {

using balance::Moment;
using balance::PartyId;
using balance::Sequence;

/// How far a store has come in which journal. Kept by the store itself, in the transaction that brought it
/// there, so that it says what the rows beside it are.
struct Position {
    balance::journal::Instance instance;
    std::uint64_t epoch = 0;  ///< Of the segment with that event.
    Sequence sequence = 0;    ///< The last event whose changes the store has.
    Sequence filling = 0;     ///< 0: all is there. Else so many batches of a refill are, and more is to come.

    friend bool operator==(const Position&, const Position&) = default;
};

/// A party as it stands, all of it that administration sets and what its account says.
struct PartyRow {
    PartyId number{};  ///< Its place in the journal's table: never another party's.
    std::string_view id;
    std::string_view parent;    ///< Empty for the provider.
    balance::PartyKind kind{};  ///< Words for these: daemon/catalog.h.
    balance::Terms terms{};
    balance::Billing billing{};
    balance::Status status;
    rating::Currency currency;
    std::string_view time_zone;
    rating::Money credit_limit;
    rating::Money min_available;
    std::vector<TariffEntryDraft> tariffs;   ///< In order; empty: none.
    std::optional<std::uint32_t> max_calls;  ///< nullopt: as many as it likes.
    std::string dial_plan;                   ///< Empty: none.
    Moment at{};                             ///< Of the event that made or changed it.
};

/// What a party has.
struct BalanceRow {
    PartyId number{};
    std::string_view id;
    rating::Currency currency;
    rating::Money balance;
    rating::Money held;
    rating::Money available;
    rating::Money credit_limit;
    balance::Status status;
    balance::PartyKind kind{};
};

/// What a session is called: ids are their users' own.
struct SessionName {
    std::string user;  ///< Who chose it; empty: nobody was declared.
    std::string id;
};

/// A call that goes on.
struct SessionRow {
    struct Level {
        std::string_view party;
        rating::Currency currency;
        rating::Money held;
        rating::Money charged;
    };
    SessionName name;
    std::string_view line;
    std::string number;
    std::string caller;
    std::string service;
    std::string switch_name;
    bool answered = false;
    bool emergency = false;
    rating::Instant opened_at{};
    rating::Instant answered_at = rating::kAlways;  ///< kAlways: not yet.
    rating::Instant expires_at{};                   ///< If nobody ends or extends it.
    rating::Instant rated_at{};
    std::uint32_t granted_seconds = 0;
    std::uint32_t used_seconds = 0;
    std::vector<Level> levels;  ///< From the customer up.
};

/// The record of a call that has ended. One of a number that was there before replaces that one with all its
/// legs.
struct RecordRow {
    Sequence sequence = 0;  ///< Of the event that says it last.
    Sequence ended = 0;     ///< Of the event that said it first in this batch.
    CallRecord record;
    std::string group;   ///< The destination group of the number; empty: none. Metrics count by the same.
    bool again = false;  ///< The call had ended in an earlier batch.
};

struct TransactionRow {
    Sequence sequence = 0;
    TransactionList::Entry transaction;  ///< Its parties: Batch::party_id.
};

struct ThresholdRow {
    Sequence sequence = 0;
    ThresholdEvent event;
};

/// A party that was suspended, closed, or is neither any more.
struct StatusRow {
    Sequence sequence = 0;
    PartyId party{};
    balance::Status before;
    balance::Status after;
    Moment at{};
};

struct AuditRow {
    Sequence sequence = 0;
    AuditEntry entry;
};

/// Taken by a store whole, with `after`, or not at all.
struct Batch {
    // Where the store stands before it, and where with it. A store that stands elsewhere takes nothing.
    Position before;
    Position after;

    /// The store forgets whatever it has first: a refill begins. `before` says nothing then.
    bool clear = false;
    /// Rows as they stood at `after.sequence`, from a snapshot, not what events did. Where `after.filling` is
    /// 0 it is the last of them, and the store has all.
    bool filling = false;
    /// More was waiting when it, or the one before it, was made: what can be done later is.
    bool behind = false;

    std::vector<PartyRow> parties;     ///< Each once, in the order of their numbers. Parents first.
    std::vector<BalanceRow> balances;  ///< Likewise; every party of `parties` is here, too.
    std::vector<rating::TariffBook::VersionPtr> versions;  ///< New ones, in order: settings and deck.
    std::vector<TransactionRow> transactions;              ///< In order.
    std::vector<SessionRow> sessions;                      ///< Open: as they stand now. Each name once,
    std::vector<SessionName> sessions_gone;                ///< and in one of the two.
    std::vector<RecordRow> records;                        ///< Each number once, in the order of events.
    std::vector<ThresholdRow> thresholds;
    std::vector<StatusRow> statuses;
    std::vector<AuditRow> audit;

    /// The events themselves, `first` to `after.sequence`, as they stand in the body of a journal's batch:
    /// each behind its EventLength (balance/journal/format.h). None in a refill.
    Sequence first = 0;
    std::size_t event_count = 0;
    std::vector<std::byte> events;
    Moment first_at{};  ///< When the first of them was, and the last: for the lag.
    Moment last_at{};
    /// Files beside the journal that they name, each once; read_file() reads them.
    std::vector<std::string> files;

    // ---- For the sink, while it writes ----

    /// The state after this batch, but for where it went on. It is the follower's own and moves for nobody
    /// else.
    const State* state = nullptr;
    /// It is written again after the next one was made: all that `state` says of it is who a party is.
    bool state_went_on = false;
    /// Throws std::runtime_error where it cannot be read.
    std::function<std::vector<std::byte>(std::string_view name)> read_file;

    [[nodiscard]] std::string_view party_id(PartyId party) const noexcept {
        return party == balance::kNoParty ? std::string_view{} : state->parties.get(party).id;
    }
};

/// `E-N` of the rows of one event that portals and webhooks are told of, in the order of events.
struct Occurrence {
    enum class Kind : std::uint8_t { call_ended, threshold, suspended, resumed, closed };
    Kind kind{};
    Sequence sequence = 0;
    std::uint32_t index = 0;  ///< Among those of its event.
    PartyId party{};          ///< Whom it concerns: of a call its customer, or the line where nobody paid.
    rating::Instant at{};
    // One of them.
    const CallRecord* record = nullptr;
    const ThresholdEvent* threshold = nullptr;
    const StatusRow* status = nullptr;

    /// The same after a restart, whatever else is: `1234-0`.
    [[nodiscard]] std::string id() const;
};
/// `call_ended`, `threshold_crossed`, `party_suspended`, `party_resumed`, `party_closed`.
[[nodiscard]] std::string_view text_of(Occurrence::Kind kind) noexcept;
/// What there is to tell of a batch: calls that ended for the first time, thresholds, statuses. None of a
/// refill. They point into the batch.
[[nodiscard]] std::vector<Occurrence> occurrences_of(const Batch& batch);

}  // namespace tollgate::daemon::flush
