/// The charging function: may this line call there, for how long, and what did it cost.
/// docs/life-of-a-request.md walks through one call; docs/protocol.md has the words on the wire.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "balance/event.h"
#include "balance/event_log.h"
#include "balance/ledger.h"
#include "balance/party_table.h"
#include "balance/session_table.h"
#include "daemon/bundling.h"
#include "daemon/call_observer.h"
#include "daemon/dial_plan.h"
#include "daemon/end_words.h"
#include "rating/tariff_book.h"

namespace tollgate::daemon {

using balance::Moment;
using balance::PartyId;
using rating::Money;

/// The longest TAGS of START and STOP, in bytes.
inline constexpr std::size_t kTagsBytesMax = 256;

/// What became of a command. The order is that of docs/protocol.md.
enum class Code : std::uint8_t {
    ok,
    free,  ///< Granted, and it costs nobody anything.
    unknown_account,
    service_denied,
    rating_failed,
    credit_limit,
    unknown_session,
    conflict,
    too_old,             ///< RATE of a call that began before what is remembered.
    busy,                ///< A limit of the daemon's own; not remembered, try again.
    no_room,             ///< The journal's disk is full; nothing has changed, try again.
    too_large,           ///< The cost is beyond rating::kAmountMax; nothing has changed.
    via_unknown,         ///< STOP's VIA is no tariff; nothing has changed.
    via_other_currency,  ///< STOP's VIA is in another currency than the provider's; nothing has changed.
};

/// Why, where the code alone does not say it.
enum class Reason : std::uint8_t {
    none,
    suspended,
    closed,
    blocked,
    country,
    concurrent,
    rate,  ///< More calls in a second than some party may have.
    loss,
    cap,
    number,
    tariff,
    prefix,
    funds,
    held,
    started,
    ended,
    differs,
};

/// How a session ended, as STOP says it.
enum class EndStatus : std::uint8_t { none, stopped, overrun, corrected, late, released, rated };

struct ChargingSettings {
    std::chrono::seconds want = std::chrono::hours{1};      ///< Granted where nobody asks for a time.
    std::chrono::seconds longest = std::chrono::hours{24};  ///< No call is granted more.
    std::chrono::seconds shortest{1};  ///< A grant that funds bound is at least this long.
    std::chrono::nanoseconds hold = std::chrono::seconds{180};
    std::chrono::nanoseconds grace = std::chrono::seconds{60};
    std::chrono::nanoseconds repeat = std::chrono::seconds{32};
    bool charge_granted_at_expiry = false;
    std::vector<std::string> start_required{};  ///< Switches whose sessions end at `hold` unless started.
    std::vector<std::string> emergency_numbers{};
    DialPlan dial_plan{};  ///< Of whoever names none.
    std::vector<SwitchDialPlan> dial_switches{};
    // What is named by others must outlive the charging function; nullptr: nobody names one.
    DialPlans* dial_plans = nullptr;
    const DestinationGroups* destination_groups = nullptr;
    CallObserver* on_ended = nullptr;
};

/// Of ChargingSettings, what may change while calls go on: each of them is asked for once and by itself.
struct ChargingTimes {
    std::chrono::seconds want{};
    std::chrono::nanoseconds hold{};
    std::chrono::nanoseconds grace{};
    bool charge_granted_at_expiry = false;
};

/// One level of a decision, as QUOTE and EXPLAIN show it: copies, because nothing pins what they come from.
struct LevelView {
    const balance::Party* party = nullptr;
    std::string tariff;         ///< Empty: the party has none.
    std::uint32_t version = 0;  ///< Of the tariff.
    bool rated = false;         ///< There is a row; else nothing below is set.
    std::string prefix;
    std::string destination;
    rating::Price price;  ///< Per minute at the call's beginning, with markup.
    rating::Price connect_fee;
    std::chrono::seconds billed{};
    Money cost{};
    /// Seconds; SessionLevel::kAffordableUnlimited has no end.
    std::int32_t affordable_seconds = 0;
    std::string words;  ///< How the cost comes about: rating/describe.h.
};

/// The levels of a chain, from the customer up.
using Derivation = std::vector<LevelView>;

/// For whom something is done: what the operator declared of a user. By default somebody who sees everything.
struct Asker {
    bool confined = false;                       ///< Nothing outside a subtree exists for him.
    PartyId under = balance::kNoParty;           ///< Its top; kNoParty: he sees nothing at all.
    std::optional<std::chrono::seconds> want{};  ///< Instead of ChargingSettings::want.
    bool our_clock = false;                      ///< Implausible durations are cut to what passed here.
    std::string_view name{};                     ///< By which dial plans and settings of switches name him.
};

struct AuthorizeRequest {
    std::string_view line;
    std::string_view destination;
    std::string_view session;
    std::string_view from;
    std::string_view service = balance::kVoice;
    std::string_view switch_name;  ///< Whose session it is, for RESYNC; empty: nobody's.
    Asker asker{};
    std::optional<std::chrono::seconds> want;
    std::optional<rating::Instant> at;  ///< The rating instant, where it is not now.
    bool explain = false;
};

struct AuthorizeAnswer {
    Code code = Code::ok;
    Reason reason = Reason::none;
    PartyId level = balance::kNoParty;  ///< Who bounds the grant, or refuses.
    std::chrono::seconds granted{};
    std::chrono::seconds validity{};
    bool final = false;
    bool duplicate = false;
    std::optional<rating::Price> price;
    Money held{};
    Money available{};                     ///< The customer's.
    PartyId customer = balance::kNoParty;  ///< kNoParty where the decision did not come so far.
    rating::Digits number{};               ///< Empty where there is none.
    Derivation derivation{};               ///< Filled where it was asked for.

    [[nodiscard]] bool granted_any() const noexcept { return code == Code::ok || code == Code::free; }
};

struct StartAnswer {
    Code code = Code::ok;
    std::chrono::seconds granted{};
    bool duplicate = false;
};

struct ExtendAnswer {
    Code code = Code::ok;
    std::chrono::seconds granted{};
    std::chrono::seconds validity{};
    bool final = false;
    Money charged{};
    PartyId level = balance::kNoParty;
    bool duplicate = false;
};

struct StopRequest {
    std::string_view session;
    std::chrono::milliseconds used{};
    // Told apart in repeats, and kept for the record.
    std::optional<rating::Instant> at;
    std::string_view cause;
    std::string_view via{};   ///< The carrier's tariff by which the provider pays; empty: his own.
    std::string_view tags{};  ///< For the record.
    Asker asker{};
};

struct RateRequest {
    std::string_view line;
    std::string_view destination;
    std::string_view session;
    std::chrono::milliseconds used{};
    std::optional<rating::Instant> at;  ///< The rating instant, where it is not now.
    Asker asker{};
};

struct StopAnswer {
    Code code = Code::ok;
    Money charged{};
    std::chrono::seconds billed{};
    EndStatus status = EndStatus::none;
    bool implausible = false;
    bool via_unrated = false;
    std::uint64_t record = 0;
    bool duplicate = false;
};

struct ReleaseAnswer {
    Code code = Code::ok;
    bool duplicate = false;
};

struct QuoteRequest {
    std::string_view line;
    std::string_view destination;
    std::string_view from;
    std::string_view service = balance::kVoice;
    std::string_view switch_name;                   ///< Decides only by which plan the destination is read.
    std::optional<std::chrono::milliseconds> used;  ///< nullopt: one minute.
    rating::Instant at{};
    Asker asker{};
};

struct QuoteAnswer {
    Code code = Code::ok;
    Money cost{};
    Derivation derivation{};
};

struct ExplainAnswer {
    Code code = Code::ok;
    PartyId line = balance::kNoParty;  ///< Whose call it is.
    std::chrono::seconds granted{};
    Derivation derivation{};
};

/// A session is named by its key (balance/session_key.h), which an id of nobody in particular is.
///
/// Any thread may call any member at any time. Nothing here asks a clock, logs, or knows a socket.
class Charging {
  public:
    /// Everything given must outlive this. Whatever changes a session is appended to `events`.
    Charging(const rating::TariffBook& tariffs, const balance::PartyTable& parties, balance::Ledger& ledger,
             balance::SessionTable& sessions, balance::EventLog& events, ChargingSettings settings);

    /// From now on these are the times; what was decided stays as it was. Any thread.
    void change(const ChargingTimes& times) noexcept;

    AuthorizeAnswer authorize(const AuthorizeRequest& request, Moment now);
    /// `at` and `tags` are told apart in repeats, kept for the record, and change no time here.
    StartAnswer start(std::string_view session, std::optional<rating::Instant> at, Moment now,
                      std::string_view tags = {});
    /// `want` nullopt: the asker's, or ChargingSettings::want.
    ExtendAnswer extend(std::string_view session, std::chrono::milliseconds used,
                        std::optional<std::chrono::seconds> want, Moment now, const Asker& asker = {});
    StopAnswer stop(const StopRequest& request, Moment now);
    /// Charges a call that nobody authorised here, whatever limits and funds say; acts as the STOP of a
    /// session that is known.
    StopAnswer rate(const RateRequest& request, Moment now);
    ReleaseAnswer release(std::string_view session, std::string_view cause, Moment now);

    /// What a call would cost; nothing is held.
    [[nodiscard]] QuoteAnswer quote(const QuoteRequest& request) const;
    [[nodiscard]] ExplainAnswer explain(std::string_view session);
    [[nodiscard]] ExplainAnswer explain_record(std::uint64_t record);

    /// Whether that is an emergency number; as it was dialled, but for a leading `+`.
    [[nodiscard]] bool is_emergency(std::string_view dialled) const noexcept;

    /// Closes the open sessions of a switch, of those in a user's scope, that were authorised before `before`
    /// and whose ids are not in `alive`: what was reported is charged, the rest is given back. How many.
    /// Looks at every open session.
    struct Closed {
        std::size_t count = 0;
        bool all = true;  ///< Else the journal had no room for more: the rest stays open.
    };
    Closed close_missing(std::string_view scope, std::string_view switch_name, balance::Steady before,
                         const std::unordered_set<std::string>& alive, Moment now);

    /// Until then no session expires: after a restart switches need time to come back.
    void expire_from(balance::Steady moment) noexcept {
        expire_from_.store(moment.count(), std::memory_order_relaxed);
    }

    /// Ends the sessions of some stripes whose time is over, and forgets what need not be remembered any
    /// more. Every worker calls it for its share: stripes `first`, `first + stride` … How many ended.
    std::size_t expire_due(std::size_t first, std::size_t stride, Moment now);

  private:
    struct Payers;
    struct Resolution;
    struct CapLook;

    /// What is rated for what a line dialled, which is without its `+`: by the plan of the switch that is
    /// named, or else of the user who asks. Requires: `line` is one.
    [[nodiscard]] std::optional<rating::Digits> number_of(PartyId line, std::string_view switch_name,
                                                          std::string_view user,
                                                          std::string_view dialled) const noexcept;
    [[nodiscard]] Payers payers_of(const balance::Path& path, const balance::CallTraits& call,
                                   balance::SessionLevel* levels) const noexcept;
    [[nodiscard]] Resolution resolve(const rating::TariffBook::Reading& tariffs, const Payers& payers,
                                     std::string_view digits, rating::Instant at,
                                     balance::SessionLevel* levels) const noexcept;
    [[nodiscard]] bool credits_seller(std::span<const balance::SessionLevel> levels) const noexcept;
    Resolution resolve_and_pin(const balance::Path& path, std::string_view digits,
                               const balance::CallTraits& call, balance::Session& session);
    void decide(PartyId line, const std::optional<rating::Digits>& digits, const balance::CallTraits& call,
                balance::Session& session, std::chrono::seconds want, Moment now);
    void hold_funds(const balance::Path& path, balance::Session& session, std::chrono::seconds want,
                    Moment now);
    /// Whether the customer may call the country of a number; `customer` is his level.
    [[nodiscard]] bool opens_country(const balance::SessionLevel& customer,
                                     std::string_view digits) const noexcept;
    /// The first party, from the customer up, that would lose by a call so long and refuses to; or kNoParty.
    [[nodiscard]] PartyId loser(const balance::Session& session,
                                std::chrono::seconds duration) const noexcept;
    /// `free`: the call costs nobody anything.
    [[nodiscard]] CapLook look_at_caps(const balance::Path& path, const balance::Session& session, bool free,
                                       const BundledSeconds& bundled) const noexcept;
    AuthorizeAnswer repeated(const AuthorizeRequest& request, std::uint64_t fingerprint,
                             const balance::Session& session, Moment now) const;
    AuthorizeAnswer answer_of(const balance::Session& session, bool explain) const;
    void expire(balance::SessionTable::Claim claim, std::chrono::seconds used, Moment now);
    [[nodiscard]] std::chrono::seconds usual_want() const noexcept {
        return times_.want.load(std::memory_order_relaxed);
    }
    [[nodiscard]] std::chrono::nanoseconds grace() const noexcept {
        return times_.grace.load(std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t switch_hash(std::string_view name) const noexcept;
    /// How long a session lives from AUTHORIZE on without a further word.
    [[nodiscard]] std::chrono::nanoseconds life_unstarted(const balance::Session& session) const noexcept;
    /// The bundled seconds with which it succeeded are in `bundles`, which is finished.
    void extend_holds(balance::Session& session, BundleChange& bundles, std::chrono::seconds want,
                      balance::Ledger::Returns& returns, Moment now);
    StopAnswer stop_claimed(balance::SessionTable::Claim claim, const StopRequest& request,
                            std::optional<rating::TariffId> via, std::uint64_t fingerprint, Moment now);
    StopAnswer rate_known(balance::SessionTable::Claim claim, const RateRequest& request, PartyId line,
                          std::uint64_t fingerprint, Moment now);
    /// Whether a session of that id that began at `at` could have ended and been forgotten.
    [[nodiscard]] bool may_be_forgotten(std::string_view session, rating::Instant at,
                                        Moment now) const noexcept;
    /// The line of that id, or kNoParty where there is none that exists for whoever asks.
    [[nodiscard]] PartyId line_of(std::string_view id, const Asker& asker) const noexcept;
    void end(const balance::SessionTable::Claim& claim, BundleChange& bundles,
             std::span<const Money> paying_totals, balance::EventKind kind, Moment now,
             const EndWords& words = {}, std::chrono::seconds used_before = {});
    void share_call(const balance::Path& path, balance::Session& session,
                    std::span<Money> totals) const noexcept;
    void append(balance::EventKind kind, const balance::Session& session, Moment now,
                const EndWords& words = {}) noexcept;
    /// Whether there is no room for the events of commands that hold more, or of those that end calls.
    [[nodiscard]] bool too_full_to_hold() const noexcept;
    [[nodiscard]] bool too_full_to_end() const noexcept;
    StopAnswer stop_answer(const balance::Session& session, bool duplicate) const;
    [[nodiscard]] Derivation derive(std::span<const balance::SessionLevel> levels, rating::Instant start,
                                    std::chrono::seconds used, const BundledSeconds& bundled) const;
    /// Makes the provider's own leg one by `via`; false, with nothing changed, where that has no row for the
    /// number.
    bool put_via(balance::Session& session, rating::TariffId via) const;
    [[nodiscard]] ExplainAnswer explain_claimed(const balance::Session& session) const;
    [[nodiscard]] std::chrono::seconds remaining(const balance::Session& session, Moment now) const noexcept;
    /// More than can have passed here.
    [[nodiscard]] static bool is_implausible(const balance::Session& session, std::chrono::seconds used,
                                             Moment now) noexcept;
    /// What is charged for a report: `used`, or what passed here where that is to be `cut`.
    [[nodiscard]] static std::chrono::seconds believed(const balance::Session& session,
                                                       std::chrono::seconds used, bool cut,
                                                       Moment now) noexcept;

    const rating::TariffBook& tariffs_;
    const balance::PartyTable& parties_;
    balance::Ledger& ledger_;
    balance::SessionTable& sessions_;
    balance::EventLog& events_;
    ChargingSettings settings_;
    Dialling dialling_;
    Bundling bundling_;
    // Written by change(), read by whoever serves a call: relaxed, because none says anything of another.
    struct {
        std::atomic<std::chrono::seconds> want;
        std::atomic<std::chrono::nanoseconds> hold;
        std::atomic<std::chrono::nanoseconds> grace;
        std::atomic<bool> charge_granted_at_expiry;
    } times_;
    std::atomic<std::int64_t> expire_from_{0};   // Set once at the start; only expiry asks.
    std::vector<std::uint64_t> start_required_;  ///< switch_hash() of them.
};

}  // namespace tollgate::daemon
