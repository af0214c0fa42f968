/// Money outside calls: each operation once and only once, by the request id its sender chose.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "balance/event.h"
#include "balance/event_log.h"
#include "balance/ledger.h"
#include "balance/session_table.h"
#include "balance/transaction.h"
#include "daemon/catalog.h"
#include "daemon/number_series.h"
#include "daemon/transaction_list.h"

namespace tollgate::daemon {

/// A request id is 1 to 255 bytes and does not begin with `r-`, which records do.
inline constexpr std::size_t kRequestIdBytesMax = 255;
inline constexpr std::size_t kMemoBytesMax = 256;
/// How many request ids are remembered at most; then money operations are BUSY until old ones are forgotten.
inline constexpr std::size_t kRequestsMax = 10'000'000;

/// How long before somebody was declared what nobody asked may be what he sends again.
inline constexpr std::chrono::hours kAnswerUnderWay{1};

[[nodiscard]] constexpr bool is_request_id(std::string_view text) noexcept {
    return !text.empty() && text.size() <= kRequestIdBytesMax && !text.starts_with("r-");
}

enum class PaymentCode : std::uint8_t {
    ok,
    unknown_account,   ///< No such party, or one without an account: a line, a partner, a closed one.
    unknown_target,    ///< The same of the party a transfer goes to.
    not_transferable,  ///< A transfer between different sellers or currencies, or from the provider.
    credit_limit,      ///< More than may be taken, and not forced.
    unknown_original,  ///< Nothing is known by the name of what is to be refunded.
    not_refundable,    ///< A refund, a call that has not ended, nothing left, or more than is left.
    conflict,          ///< The request id stands for something else.
    busy,              ///< kRequestsMax; try again later.
    no_room,           ///< The journal has no room; try again later.
    out_of_bounds,     ///< A balance would leave rating::kBalanceMax.
    faulty,            ///< Something is wrong with the arguments; whoever decided says what.
    suspended,         ///< Who would sell or collect is suspended.
    refill_limit,      ///< A reseller has put as much on his customers' accounts as he may.
};

struct PaymentAnswer {
    PaymentCode code = PaymentCode::ok;
    rating::Money balance{};  ///< After it.
    rating::Money available{};
    std::uint64_t transaction = 0;
    bool duplicate = false;
    std::string subject{};  ///< Of `transact`: what it was about, also where it is a duplicate.
};

/// What every operation has. Requires: is_request_id(id), memo at most kMemoBytesMax.
struct PaymentRequest {
    std::string_view id;
    std::string_view memo;
    balance::Moment now;
    std::string_view scope{};  ///< Who sends it: ids are his own.
    std::string_view actor{};  ///< Who does it, for the books; empty: nobody is declared.

    /// What was asked before anybody was declared, and at most kAnswerUnderWay before, is a sender's too
    /// where he sees whose money it moved: the first were declared while an answer was under way.
    struct Nobodys {
        balance::Steady before = balance::Steady::min();
        balance::PartyId under = balance::kNoParty;  ///< He sees its subtree; the provider: everything.
    } nobodys{};
};

struct RefundRequest {
    /// A record, `r-…`, or else the request id of a payment of whoever sends this, or, where that is none, a
    /// transaction's name, `t-…`, whoever had it done.
    std::string_view of;
    std::optional<rating::Money> amount{};  ///< The customer's; nullopt: all that is left.
    /// Whose call or payment it must be; empty: anybody's.
    std::string_view party{};
    /// Who asks. A reseller reverses the legs of those below him; nobody else has a say but the provider.
    std::string_view asker{};  ///< Empty: the provider.
};

struct PaymentSettings {
    std::chrono::nanoseconds remember = std::chrono::hours{35 * 24};
    std::chrono::nanoseconds repeat = std::chrono::seconds{32};  ///< For refused ones.
};

/// Any thread may call any member at any time. A lock is held per request id's stripe while an operation is
/// carried out; calls never meet it.
///
/// Every operation is decided; what lowers available funds is done; it is appended; what raises them is done;
/// it is answered. A request that was refused is remembered in memory for `repeat`, then it may be tried
/// again.
class Payments {
  public:
    /// All must outlive this.
    Payments(const balance::PartyTable& parties, balance::Ledger& ledger, balance::SessionTable& sessions,
             Catalog& catalog, balance::EventLog& events, PaymentSettings settings = {})
        : parties_(parties),
          ledger_(ledger),
          sessions_(sessions),
          catalog_(catalog),
          events_(events),
          settings_(settings) {}

    // Amounts are above 0 and at most rating::kAmountMax, but for adjust, whose amount may be below 0.

    /// Cash received. Lifts the reasons `overdue` and `limit`.
    PaymentAnswer top_up(std::string_view party, rating::Money amount, const PaymentRequest& request);
    /// The other way: earned by the seller. `force`: beyond what is available.
    PaymentAnswer debit(std::string_view party, rating::Money amount, bool force,
                        const PaymentRequest& request);
    /// Either way, against the seller's revenue.
    PaymentAnswer adjust(std::string_view party, rating::Money amount, bool force,
                         const PaymentRequest& request);
    /// From one party to another of the same seller and currency; credit is not cash.
    PaymentAnswer transfer(std::string_view source, std::string_view target, rating::Money amount,
                           const PaymentRequest& request);
    /// Cash given out; credit is not cash.
    PaymentAnswer pay_out(std::string_view party, rating::Money amount, const PaymentRequest& request);
    /// Takes back a call's charges or a payment, or a part of them.
    PaymentAnswer refund(const RefundRequest& refund, const PaymentRequest& request);
    /// Whose call or payment that would take back; kNoParty: nothing is known by that name.
    [[nodiscard]] balance::PartyId payer_of(const RefundRequest& refund, const PaymentRequest& request);

    /// Decides an operation whose rules are daemon/partners': fills in the transaction's postings, subject
    /// and `lifted` (reasons that a payment takes away where they are there), and `funds`, one for each
    /// posting or one for all. Whatever else belongs to it goes into the thread's JointEvent.
    using Decide = std::function<PaymentCode(balance::Transaction& transaction,
                                             std::vector<balance::Ledger::Funds>& funds)>;
    /// Asks `decide` where the request id is new, and commits what it says. `fingerprint` is of the arguments
    /// as given. Without postings nothing is moved, and the request is remembered all the same. Where it is
    /// refused the thread's JointEvent is abandoned.
    PaymentAnswer transact(balance::TransactionKind kind, std::uint64_t fingerprint,
                           const PaymentRequest& request, const Decide& decide);
    /// Of arguments as they were given.
    [[nodiscard]] static std::uint64_t fingerprint(std::span<const std::string_view> arguments) noexcept;

    /// Whether one of that id was asked before, so that its answer is known.
    [[nodiscard]] bool is_repeated(const PaymentRequest& request) noexcept {
        return knows(key_of(request, request.id), request.now.steady);
    }

    /// All that are remembered.
    [[nodiscard]] const TransactionList& transactions() const noexcept { return list_; }

    // ---- Restarts ----

    /// Carries out what had been committed before a restart, and remembers its request id and answer. In the
    /// order of their numbers; sessions whose calls were refunded are there already. One thread, before
    /// anything else is asked.
    void restore(const balance::Transaction& transaction);
    /// As restore, where balances, books and sessions are restored by other means.
    void remember(const balance::Transaction& transaction);
    /// Forgets what need not be remembered at that moment any more.
    void forget_due(balance::Steady now);
    /// All that are remembered, in the order of their numbers: refused ones are not.
    [[nodiscard]] std::vector<balance::Transaction> remembered() const;
    /// Does again what the rest of an event of the journal says.
    [[nodiscard]] bool apply(balance::ByteReader& in);
    /// The same of a record of a snapshot, which says what is remembered and nothing more.
    [[nodiscard]] bool apply_remembered(balance::ByteReader& in);
    /// Records that say all that is remembered, in order.
    void save(const std::function<void(std::span<const std::byte>)>& sink) const;
    /// The number of the newest transaction, 0 before one.
    [[nodiscard]] std::uint64_t last_number() const { return numbers_.last(); }
    /// None with this number or a lower one will be listed any more.
    [[nodiscard]] std::uint64_t settled_number() const { return numbers_.settled(); }

  private:
    struct Remembered {
        balance::Transaction transaction;
        balance::Steady at{};
        rating::Money refunded;  ///< Of the first posting.
        PaymentCode code = PaymentCode::ok;
    };
    struct Key {
        std::string_view scope;
        std::string_view request;
        friend bool operator==(const Key&, const Key&) noexcept = default;
    };
    struct KeyHash {
        std::size_t operator()(const Key& key) const noexcept;
    };
    struct Stripe {
        mutable std::mutex mutex;
        // Keys are views of their transaction's own strings.
        std::unordered_map<Key, std::shared_ptr<Remembered>, KeyHash> requests;
        balance::Steady swept{};
    };
    static constexpr std::size_t kStripes = 64;

    /// A party that money may be put on or taken from, or kNoParty.
    [[nodiscard]] balance::PartyId account(std::string_view party) const noexcept;
    [[nodiscard]] Stripe& stripe_of(const Key& key) noexcept;
    [[nodiscard]] Remembered* find(Stripe& stripe, const Key& key) const noexcept;
    [[nodiscard]] bool forgettable(const Remembered& entry, balance::Steady now) const noexcept;
    [[nodiscard]] bool knows(const Key& key, balance::Steady now) noexcept;
    /// What a request is known by that the sender of `request` calls `id`.
    [[nodiscard]] Key key_of(const PaymentRequest& request, std::string_view id) noexcept;
    void make_room(Stripe& stripe, balance::Steady now);
    void list(const std::shared_ptr<Remembered>& entry);
    void unlist_due(balance::Steady now);

    /// Answers a repeat, or has `carry_out` decide and do it. Requires: the stripe of the key, which is the
    /// request's, is locked.
    template <typename CarryOut>
    PaymentAnswer once(Stripe& stripe, const Key& key, const PaymentRequest& request,
                       std::uint64_t fingerprint, const CarryOut& carry_out);
    /// As above, of one that needs no other stripe.
    template <typename CarryOut>
    PaymentAnswer once(const PaymentRequest& request, std::uint64_t fingerprint, const CarryOut& carry_out);

    /// A movement between a party's balance and a book of its seller.
    PaymentCode move(std::string_view party, rating::Money amount, balance::PostingPlace other,
                     balance::Ledger::Funds funds, balance::Transaction& transaction);
    /// Posts and commits. Whatever else was to be refused has been refused.
    PaymentCode post(std::span<const balance::Ledger::Funds> funds, balance::Transaction& transaction);
    PaymentCode post(balance::Ledger::Funds funds, balance::Transaction& transaction) {
        return post({&funds, 1}, transaction);
    }
    [[nodiscard]] bool read(balance::ByteReader& in, balance::Transaction& transaction) const;
    /// The one place where a transaction becomes an event and gets its number.
    void commit(balance::Transaction& transaction);

    /// What a payment is known by that is to be refunded; `named` keeps its texts.
    [[nodiscard]] Key original_of(const RefundRequest& refund, const PaymentRequest& request,
                                  TransactionList::Entry& named) noexcept;
    PaymentCode refund_call(const RefundRequest& refund, std::uint64_t record,
                            balance::Transaction& transaction);
    PaymentCode refund_payment(const RefundRequest& refund, Remembered* original,
                               balance::Transaction& transaction);
    template <typename Visit>
    void each_use(balance::LevelBundles& mine, balance::PartyId payer, rating::Instant at,
                  const Visit& visit) const;
    [[nodiscard]] bool has_seconds_to_return(balance::Session& session, std::size_t level,
                                             rating::Instant at) const;
    void give_back_bundle_seconds(balance::Session& session, const balance::Transaction& refund) const;
    void note_refund(const balance::Transaction& refund) noexcept;

    const balance::PartyTable& parties_;
    balance::Ledger& ledger_;
    balance::SessionTable& sessions_;
    Catalog& catalog_;
    balance::EventLog& events_;
    PaymentSettings settings_;
    std::array<Stripe, kStripes> stripes_;
    TransactionList list_;
    std::mutex commit_mutex_;  // Numbers and the order of events are one order.
    NumberSeries numbers_;     // Drawn under the mutex: in the journal they ascend.
};

}  // namespace tollgate::daemon
