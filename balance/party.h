/// A party: whoever pays, sells, looks on or calls. docs/glossary.md has the words.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "balance/account.h"
#include "balance/limits.h"
#include "balance/tariff_lists.h"
#include "balance/warnings.h"
#include "rating/tariff.h"
#include "rating/tariff_book.h"

namespace tollgate::balance {

class Bundle;

/// The place of a party in its table. Given out once, never reused.
enum class PartyId : std::uint32_t {};
inline constexpr PartyId kNoParty{UINT32_MAX};

enum class PartyKind : std::uint8_t { provider, reseller, distributor, partner, customer, line };
enum class Terms : std::uint8_t { margin, commission };
enum class Billing : std::uint8_t { prepaid, postpaid };

/// Reasons to be suspended, any number at once; none is `active`. `closed` is for ever.
class Status {
  public:
    static constexpr std::uint8_t kAdmin = 1;
    static constexpr std::uint8_t kFraud = 2;
    static constexpr std::uint8_t kOverdue = 4;
    static constexpr std::uint8_t kLimit = 8;
    /// No reason but what reasons do: running calls are extended as if there were none. Never with kClosed.
    static constexpr std::uint8_t kKeepsCalls = 64;
    static constexpr std::uint8_t kClosed = 128;

    constexpr Status() noexcept = default;
    explicit constexpr Status(std::uint8_t bits) noexcept : bits_(bits) {}
    [[nodiscard]] constexpr std::uint8_t bits() const noexcept { return bits_; }
    [[nodiscard]] constexpr bool active() const noexcept { return (bits_ & ~kKeepsCalls) == 0; }
    [[nodiscard]] constexpr bool closed() const noexcept { return (bits_ & kClosed) != 0; }
    [[nodiscard]] constexpr bool keeps_calls() const noexcept { return (bits_ & kKeepsCalls) != 0; }
    /// The same reasons.
    [[nodiscard]] constexpr Status keeping_calls(bool keeps) const noexcept {
        return Status{static_cast<std::uint8_t>((bits_ & ~kKeepsCalls) | (keeps ? kKeepsCalls : 0))};
    }

    /// `active`, `closed`, or reasons such as `admin,overdue`.
    [[nodiscard]] rating::ShortText text() const noexcept;
    /// The reverse of text(), but for `closed`, which is nothing that is set. nullopt: an unknown word.
    static std::optional<Status> parse(std::string_view text) noexcept;

  private:
    std::uint8_t bits_ = 0;
};

/// Ids are 1 to 64 of `A-Z a-z 0-9 . _ : @ + -`; tariffs follow the same rule.
inline constexpr std::size_t kIdBytesMax = 64;
[[nodiscard]] bool is_id(std::string_view text) noexcept;

/// No limit of concurrent calls.
inline constexpr std::uint32_t kCallsUnlimited = UINT32_MAX;
/// The most that a limit of concurrent calls may be: what an account counts.
inline constexpr std::uint32_t kCallsMax = (1U << 28) - 1;

/// No dial plan.
inline constexpr std::uint16_t kNoDialPlan = UINT16_MAX;

/// How far below the root a party may stand: a line's chain has at most 16 levels.
inline constexpr std::size_t kChainDepthMax = 16;
/// A line and everyone above it.
inline constexpr std::size_t kPathMax = kChainDepthMax + 1;

/// What others owe a party or it has taken, in one currency: the other side of every movement of a balance.
/// Any thread may add at any time; the sums are for display and for the check that books add up to zero.
struct Book {
    rating::Currency currency;
    std::atomic<std::int64_t> revenue{0};      ///< Earned by calls of those below, and by debits.
    std::atomic<std::int64_t> cash{0};         ///< Negative: cash taken for top-ups.
    std::atomic<std::int64_t> termination{0};  ///< The provider's own leg: what carriers get.
    std::atomic<std::int64_t> commission{0};   ///< Negative: given to those who sell for a commission.
    std::atomic<std::int64_t> funds{0};        ///< Negative: put by a reseller on his customers' accounts.
    std::atomic<std::int64_t> exchange{0};     ///< What was paid in one currency and credited in another.
    Book* next = nullptr;
};

/// What a party is made from. Validated by whoever makes it: daemon/catalog.
struct PartySource {
    std::string id;
    PartyId parent = kNoParty;
    PartyKind kind = PartyKind::customer;
    Terms terms = Terms::margin;
    Billing billing = Billing::prepaid;
    Status status;
    rating::Currency currency;
    std::string time_zone = "UTC";
    Money credit_limit;
    Money min_available;
    TariffChoice tariff;
    std::uint32_t max_calls = kCallsUnlimited;
    std::uint16_t dial_plan = kNoDialPlan;
    WarningSettings warnings{};
    std::shared_ptr<const LimitSettings> limits{};   ///< nullptr: none.
    std::shared_ptr<const rating::TimeZone> zone{};  ///< What time_zone names, for limits; nullptr is UTC.
    const CountrySet* opened_countries = nullptr;    ///< Those of limits, of PartyTable::country_sets.
};

/// One party. The first cache line is what a call touches; the second what it seldom does.
///
/// Fields that administration changes while calls read them are relaxed atomics: each is decided by alone,
/// and an AUTHORIZE reads status again after it has taken its holds.
struct alignas(64) Party {
    /// What is stored outlives the party.
    explicit Party(const PartySource& source, std::string_view stored_id, const std::string_view& stored_zone)
        : account(source.credit_limit),
          min_available(source.min_available.micros()),
          tariff(source.tariff),
          max_calls(source.max_calls),
          parent(source.parent),
          kind(source.kind),
          terms(source.terms),
          billing(source.billing),
          status_bits(source.status.bits()),
          limits(limits_of(source)),
          id(stored_id),
          time_zone(stored_zone),
          currency(source.currency),
          dial_plan(source.dial_plan) {}

    [[nodiscard]] Status status() const noexcept {
        return Status{status_bits.load(std::memory_order_relaxed)};
    }

    /// Whether calls of those below are charged to this party, if it has a tariff.
    [[nodiscard]] bool pays_for_calls() const noexcept {
        return kind == PartyKind::customer || kind == PartyKind::provider ||
               (kind == PartyKind::reseller && terms == Terms::margin);
    }
    /// Whether it stands between a customer and whoever pays for his calls, and earns by them.
    [[nodiscard]] bool earns_by_calls() const noexcept {
        return kind == PartyKind::reseller && terms == Terms::commission &&
               calls_commission.load(std::memory_order_relaxed) != 0;
    }
    /// Whether it has an account that money may be put on.
    [[nodiscard]] bool has_account() const noexcept {
        return kind != PartyKind::line && kind != PartyKind::partner;
    }

    /// Limits that were made from a source, or nullptr. Owned by the caller.
    [[nodiscard]] static Limits* limits_of(const PartySource& source);
    /// Sets the limits of a party, whose zone is `zone`. For one thread at a time.
    void set_limits(const LimitSettings& settings, const std::shared_ptr<const rating::TimeZone>& zone,
                    const CountrySet* opened);
    /// Its limits, made at their first use without any. For a restart, before any other thread.
    [[nodiscard]] Limits& own_limits();

    /// The book of `currency`, made at its first use. Any thread; never blocks.
    [[nodiscard]] Book& book(rating::Currency currency) noexcept;

    [[nodiscard]] WarningSettings warning_settings() const noexcept;
    /// For one thread at a time, as whatever administration changes.
    void set_warnings(const WarningSettings& settings);

    Account account;
    std::atomic<std::int64_t> min_available;
    /// Which list it names lies in PartyTable::tariff_lists: stored with release, read with acquire, so that
    /// whoever sees a list's index sees the list.
    std::atomic<TariffChoice> tariff;
    std::atomic<std::uint32_t> max_calls;
    const PartyId parent;
    // Kind and terms are compared together, in one word of two bytes, which must not hold what others write.
    const PartyKind kind;
    const Terms terms;
    const Billing billing;
    std::atomic<std::uint8_t> status_bits;
    /// nullptr for a party that never had any: it stands in the first line, so that knowing that costs a call
    /// nothing. Stored once, with release, read with acquire. Owned by the party's table.
    std::atomic<Limits*> limits;

    const std::string_view id;
    const std::string_view& time_zone;      ///< One of many that share it.
    std::atomic<Book*> books{nullptr};      ///< Only ever grows at its head.
    std::atomic<Bundle*> bundles{nullptr};  ///< In the order in which they pay: balance/bundle.h.
    /// Its thresholds, nullptr while it has never had one: most have none, and calls look here. Made once;
    /// stored with release, read with acquire.
    std::atomic<Warnings*> warnings{nullptr};
    std::uint8_t depth = 0;  ///< Parties above it; set once, before it is published.
    /// Of a margin reseller who refills by transfer: his customers spend what was his money, so what their
    /// calls cost is credited to his balance, not to his revenue. Sessions pin it.
    std::atomic<bool> credited_by_calls{false};
    /// Of a seller: his commission resellers share what they earn by a call as CommissionPolicy::per_level
    /// says, not as cascade.
    std::atomic<bool> splits_per_level{false};
    /// Of a commission reseller: his percentage of what his customers pay for calls, in millionths of the
    /// whole.
    std::atomic<std::uint32_t> calls_commission{0};
    const rating::Currency currency;
    std::atomic<std::uint16_t> dial_plan;  ///< Of a line or customer: a place in daemon::DialPlans.
};
static_assert(sizeof(Party) == 128);

}  // namespace tollgate::balance
