/// A session: one call, from the AUTHORIZE that asked for it to the record that is kept of it.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "balance/party.h"
#include "balance/session_key.h"
#include "rating/charge.h"
#include "rating/digits.h"

namespace tollgate::balance {

/// What a session keeps of its FROM, in bytes: what a caller sends has no bound of its own.
inline constexpr std::size_t kCallerBytesMax = 255;
/// The longest name of a switch, in bytes.
inline constexpr std::size_t kSwitchNameBytesMax = 64;

/// What AUTHORIZE said of a call that goes into its record as it was said.
struct SessionTexts {
    std::string_view caller{};       ///< FROM; what is beyond kCallerBytesMax is not kept.
    std::string_view service{};      ///< Empty for voice. At most kServiceBytesMax.
    std::string_view switch_name{};  ///< At most kSwitchNameBytesMax.
};

/// Time that only ever goes forward, since an origin of the daemon's choice. Sessions live and end by it.
using Steady = std::chrono::nanoseconds;

/// What time it is, by both clocks; passed in, because the domain never asks one.
struct Moment {
    rating::Instant wall;
    Steady steady;
};

/// One level of a session's chain: who pays, whom, by which row of which version. Levels run from the
/// customer up.
struct SessionLevel {
    PartyId payer = kNoParty;
    PartyId seller = kNoParty;  ///< Who earns the leg; the payer itself for the provider's own leg.
    /// Pinned by its session. nullptr where the payer has none.
    const rating::TariffVersion* tariff = nullptr;
    /// The row's rate, kept beside its index because every charge needs it and it lies several loads away.
    /// nullptr where the level has no row.
    const rating::Rate* rate = nullptr;
    rating::Deck::RowIndex row = rating::Deck::kNoRow;
    /// What the level could afford when AUTHORIZE decided; kept for EXPLAIN. kAffordableUnlimited has no end.
    std::int32_t affordable_seconds = 0;
    Money held;
    Money charged;
    Money refunded;  ///< Of what was charged, given back by REFUND.

    static constexpr std::int32_t kAffordableUnlimited = std::numeric_limits<std::int32_t>::max();
    static constexpr std::int32_t kEarns = -1;  ///< Instead of what it can afford.

    /// Whether it is no level of the chain, but that of a commission reseller between the customer and the
    /// next one who pays, of a call that has ended: it has no rate, holds nothing, and what it is charged is
    /// what it earns, below zero. Out of what the customer's seller has of the call.
    [[nodiscard]] bool earns() const noexcept { return affordable_seconds == kEarns; }

    /// As a call that began at `start`, the first `bundled` seconds of it on bundles. Requires: a rate.
    [[nodiscard]] rating::RatedCall call(rating::Instant start, std::uint32_t bundled = 0) const noexcept {
        return {tariff, rate, row, start, bundled};
    }
};

/// Seconds that a level of a session has of one bundle.
struct BundleUse {
    std::uint16_t bundle;     ///< Its number among those of the payer.
    std::uint8_t generation;  ///< Of the bundle, when they were taken.
    std::uint32_t seconds;
    std::uint32_t used;  ///< So many of them are charged; the rest is held.
};

/// The bundled seconds of one level of a session: it begins with them. Only levels whose payer had bundles at
/// AUTHORIZE have one.
///
/// What a bundle has left follows from these: its seconds less those of all uses in its present generation.
struct LevelBundles {
    /// A call draws on so many bundles of a level at most.
    static constexpr std::size_t kUsesMax = 6;
    static constexpr std::uint32_t kNever = std::numeric_limits<std::uint32_t>::max();

    std::uint8_t level;
    std::uint8_t use_count;
    std::uint32_t seconds;  ///< Of all uses.
    std::uint32_t decided;  ///< What AUTHORIZE took; kept for EXPLAIN.
    /// Once a call was granted time beyond its bundled seconds that costs something it stays on money from
    /// there on: it never takes more than this. kNever before that.
    std::uint32_t money_from;
    std::array<BundleUse, kUsesMax> uses;  ///< In the order in which they are used up.
};

enum class SessionState : std::uint8_t {
    deciding,    ///< Made by an AUTHORIZE that has not decided yet.
    authorized,  ///< Open, not answered.
    answered,    ///< Open, answered by START or by its first EXTEND.
    refused,     ///< AUTHORIZE said no; remembered for session.repeat.
    stopped,
    released,
    expired,  ///< Nobody ended it; a STOP settles the real cost, an EXTEND holds anew.
};

/// A session lives in memory of its SessionTable and is touched only by the thread that has claimed it.
///
/// Its levels, their bundled seconds, its key and what AUTHORIZE said of it lie behind it in the same block.
/// Code and reason are those of the AUTHORIZE that made it, as numbers of the charging function's own.
struct Session {
    std::uint64_t hash = 0;
    std::uint64_t authorize_fingerprint = 0;     ///< Of the arguments, to tell a repeat from a conflict.
    std::uint64_t start_fingerprint = 0;         ///< Of START's arguments; 0 before it.
    std::uint64_t extend_fingerprint = 0;        ///< Of the last EXTEND's; 0 before one.
    std::uint64_t end_fingerprint = 0;           ///< Of STOP's or RELEASE's; 0 before it.
    std::uint64_t switch_hash = 0;               ///< Of the name of the switch that owns it; 0 for none.
    rating::Instant rated_at{};                  ///< The instant whose prices hold for the whole call.
    rating::Instant start_at = rating::kAlways;  ///< What START's AT said; kAlways: nothing.
    /// What START's TAGS said; nullptr: nothing. Few calls have any, so that the others allocate nothing.
    std::unique_ptr<std::string> start_tags;
    Steady opened_at{};
    Steady answered_at{};
    Steady deadline{};  ///< When it expires, while it is open.
    Steady ended_at{};
    std::uint64_t serial = 0;         ///< In order of opening within its stripe; a cursor's unit.
    std::uint64_t record = 0;         ///< The number of its call record; 0 before it ended.
    std::uint64_t ring_position = 0;  ///< Where its stripe remembers it.
    Money available;                  ///< The customer's, as AUTHORIZE answered it.
    PartyId line = kNoParty;
    PartyId limiting = kNoParty;  ///< Who bounds the grant, or refused.
    std::uint32_t heap_index = 0;
    std::uint32_t granted_seconds = 0;  ///< In all, counted from the answer.
    std::uint32_t decided_seconds = 0;  ///< What AUTHORIZE granted.
    std::uint32_t used_seconds = 0;     ///< As last reported.
    /// Who counts this call's money against caps of days and months: by place on the path, the line first.
    std::uint32_t spend_counted = 0;
    rating::Digits number;  ///< What was rated.
    SessionState state = SessionState::deciding;
    std::uint8_t code = 0;
    std::uint8_t reason = 0;
    std::uint8_t end_status = 0;
    std::uint8_t level_count = 0;
    std::uint8_t level_capacity = 0;
    std::uint8_t bundles_count = 0;  ///< Levels that have bundled seconds or may take some.
    std::uint8_t bundles_capacity = 0;
    std::uint8_t id_offset = 0;  ///< Within the key.
    std::uint16_t key_size = 0;
    std::uint8_t caller_size = 0;
    std::uint8_t service_size = 0;
    std::uint8_t switch_size = 0;
    bool claimed = false;      ///< Under the stripe's lock, as the next.
    bool remembered = false;   ///< It stands in a queue of those that have ended.
    bool final = false;        ///< No more can be had.
    bool started = false;      ///< Answered by START, at answered_at; else by an EXTEND, or not yet.
    bool at_given = false;     ///< AUTHORIZE named its instant, so elapsed time says nothing.
    bool implausible = false;  ///< More was reported than can have passed.
    bool overrun = false;      ///< A report exceeded the grant.
    bool lapsed = false;       ///< It expired; a late STOP changes its state, not how long it is remembered.
    bool ended_by_stop = false;  ///< Else by RELEASE, or not yet.
    bool via_unrated = false;    ///< The carrier's tariff that STOP named had no row for the number.
    bool emergency = false;      ///< Counted and charged nowhere.
    /// The customer's leg is credited to the balance of his seller: Party::credited_by_calls, at AUTHORIZE.
    bool credits_seller = false;

    [[nodiscard]] bool open() const noexcept {
        return state == SessionState::authorized || state == SessionState::answered;
    }
    /// A level of this session as a call, with its bundled seconds. Requires: it has a rate.
    [[nodiscard]] rating::RatedCall call(const SessionLevel& level) const noexcept {
        const LevelBundles* const bundled = bundles_of(level);
        return level.call(rated_at, bundled == nullptr ? 0 : bundled->seconds);
    }
    /// What a level costs for so long. Requires: it has a rate.
    [[nodiscard]] Money cost(const SessionLevel& level, std::chrono::seconds duration) const noexcept {
        return rating::cost(call(level), duration);
    }
    [[nodiscard]] std::span<LevelBundles> bundles() noexcept { return {bundles_memory(), bundles_count}; }
    [[nodiscard]] std::span<const LevelBundles> bundles() const noexcept {
        return {const_cast<Session*>(this)->bundles_memory(), bundles_count};
    }
    /// nullptr for a level without any.
    [[nodiscard]] const LevelBundles* bundles_of(const SessionLevel& level) const noexcept {
        for (const LevelBundles& bundled : bundles()) {
            if (&levels()[bundled.level] == &level) return &bundled;
        }
        return nullptr;
    }
    [[nodiscard]] std::span<SessionLevel> levels() noexcept { return {level_memory(), level_count}; }
    [[nodiscard]] std::span<const SessionLevel> levels() const noexcept {
        return {const_cast<Session*>(this)->level_memory(), level_count};
    }
    /// Those of the chain: whoever earns by the call stands behind them.
    [[nodiscard]] std::span<SessionLevel> paying() noexcept { return levels().first(paying_count()); }
    [[nodiscard]] std::span<const SessionLevel> paying() const noexcept {
        return levels().first(paying_count());
    }
    [[nodiscard]] std::size_t paying_count() const noexcept {
        std::size_t count = level_count;
        while (count > 0 && levels()[count - 1].earns())
            --count;
        return count;
    }
    /// Room for as many levels as were asked for when it was made.
    [[nodiscard]] SessionLevel* level_memory() noexcept { return reinterpret_cast<SessionLevel*>(this + 1); }
    [[nodiscard]] LevelBundles* bundles_memory() noexcept {
        return reinterpret_cast<LevelBundles*>(level_memory() + level_capacity);
    }
    [[nodiscard]] char* key_memory() noexcept {
        return reinterpret_cast<char*>(bundles_memory() + bundles_capacity);
    }
    /// By which its table finds it; a SessionKey.
    [[nodiscard]] std::string_view key() const noexcept {
        return {const_cast<Session*>(this)->key_memory(), key_size};
    }
    /// As the switch chose it: two of different users may have the same.
    [[nodiscard]] std::string_view id() const noexcept { return key().substr(id_offset); }
    /// The user whose choice it was; empty: no user was declared.
    [[nodiscard]] std::string_view scope() const noexcept {
        return SessionKey::scope_before(key(), id_offset);
    }
    [[nodiscard]] SessionTexts texts() const noexcept {
        const char* const at = key().data() + key_size;
        return {{at, caller_size},
                {at + caller_size, service_size},
                {at + caller_size + service_size, switch_size}};
    }
    /// Key and texts.
    [[nodiscard]] std::size_t text_bytes() const noexcept {
        return std::size_t{key_size} + caller_size + service_size + switch_size;
    }
    [[nodiscard]] static constexpr std::size_t bytes_for(std::size_t levels, std::size_t text_bytes,
                                                         std::size_t bundles = 0) noexcept {
        return sizeof(Session) + levels * sizeof(SessionLevel) + bundles * sizeof(LevelBundles) + text_bytes;
    }
};

}  // namespace tollgate::balance
