/// What events say of sessions, and the header of all events. docs/journal-format.md has the bytes.
///
/// An event of a session holds the session as it was afterwards. What a session does to accounts follows from
/// the session alone: every level's payer has `held` less available and `charged` less in its balance. So a
/// replay takes back what the session did before and carries out what it does now, and sums come out right
/// whatever the order in which threads moved them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "balance/bytes.h"
#include "balance/session.h"

namespace tollgate::balance {

/// The numbers stand in journals: none is ever used for something else.
enum class EventKind : std::uint8_t {
    founded = 1,  ///< A journal begins.
    started = 2,  ///< A daemon began to use it.

    parties_added = 16,
    party_changed = 17,
    tariff_put = 18,
    deck_put = 19,
    deck_rolled_back = 20,
    dial_plan_put = 21,
    dial_plan_removed = 22,
    group_put = 23,
    group_removed = 24,
    parties_closed = 25,  ///< With everyone below them.

    session_opened = 32,     ///< All of it; an earlier one of that id is forgotten.
    session_changed = 33,    ///< What commands change.
    session_rewritten = 34,  ///< All of one that was opened before.

    transaction = 48,
    threshold = 49,
    bundle = 50,            ///< One that a party was given, or as it stood.
    bundle_renewed = 51,    ///< Its seconds are there anew.
    resync = 52,            ///< One began, or ended.
    record = 53,            ///< One of daemon/partners/records.h as it stands now, or that it is gone.
    audit = 54,             ///< Who changed what.
    together = 55,          ///< Events that are one: all of them happened, or none.
    together_aside = 56,    ///< The same, in a file that it names.
    restored = 57,          ///< The journal was made anew from a store; what is held back since.
    reserve_released = 58,  ///< No longer.

    // Of snapshots only: sums as they stood, which no session or transaction moves again.
    account = 64,
    book = 65,
    session = 66,
    request = 67,
    spending = 68,
    horizon = 69,  ///< Up to when ended sessions are forgotten, and their records' numbers.
    reserve = 70,  ///< What is held back, and of whom.
};

/// How an event of a session has its fields: journals before had all of them in their full width.
enum class EventForm : std::uint8_t {
    full,    ///< Only read.
    packed,  ///< Without those that have their usual value: balance/packed.h.
};

/// What every event begins with.
struct EventHeader {
    EventKind kind = EventKind::founded;
    Moment at{};
    EventForm form = EventForm::full;  ///< Packed: sessions only.

    void write(ByteWriter& out) const {
        const std::uint8_t bit = form == EventForm::packed ? kPacked : 0;
        out.put(static_cast<std::uint8_t>(static_cast<std::uint8_t>(kind) | bit));
        out.put(at.wall);
        out.put(at.steady);
    }
    static EventHeader read(ByteReader& in) noexcept {
        EventHeader header;
        const auto kind = in.get<std::uint8_t>();
        header.kind = static_cast<EventKind>(kind & ~kPacked);
        if ((kind & kPacked) != 0) header.form = EventForm::packed;
        in.get(header.at.wall);
        in.get(header.at.steady);
        return header;
    }

  private:
    static constexpr std::uint8_t kPacked = 0x80;  ///< In the byte of the kind.
};

// ---- Several events that are one ----

/// Begins one of EventKind::together; parts follow.
inline void begin_together(Moment at, ByteWriter out) {
    EventHeader{EventKind::together, at}.write(out);
}
[[nodiscard]] inline bool is_together(std::span<const std::byte> event) noexcept {
    return !event.empty() && static_cast<EventKind>(event.front()) == EventKind::together;
}
/// A part: a whole event, behind its length. Requires: no event of several.
void add_part(std::span<const std::byte> event, ByteWriter out);
/// The next part, behind the header; empty at the end, and where the bytes are not those of one.
[[nodiscard]] std::span<const std::byte> next_part(ByteReader& in) noexcept;

/// No event of a session is larger.
inline constexpr std::size_t kSessionEventBytesMax = 4096;

// What is written is packed; `at` and `form` are those of the event's header.

/// What commands change of a session after AUTHORIZE.
void write_changing(const Session& session, Moment at, ByteWriter& out);
/// Into a session with as many levels.
void read_changing(ByteReader& in, EventForm form, Moment at, Session& session) noexcept;

/// What AUTHORIZE decided once and for all; with write_changing after it, all of a session. Levels name their
/// versions by tariff and number.
void write_decided(const Session& session, Moment at, ByteWriter& out);
/// What a session is made with: the first part of write_decided.
struct OpenedAs {
    std::uint8_t level_capacity = 0;
    std::uint8_t bundles_capacity = 0;
    SessionTexts texts;
};
[[nodiscard]] OpenedAs read_opened_as(ByteReader& in) noexcept;

/// A version and row that a level of an event names.
struct LevelName {
    PartyId payer = kNoParty;
    PartyId seller = kNoParty;
    rating::TariffId tariff = rating::kNoTariff;
    std::uint32_t version = 0;
    rating::Deck::RowIndex row = rating::Deck::kNoRow;
    std::int32_t affordable_seconds = 0;
};
struct LevelNames {
    std::array<LevelName, kChainDepthMax> levels;
    std::uint8_t count = 0;
};
/// The rest of it, into a session that was made with the first part; but for what the names point to.
LevelNames read_decided(ByteReader& in, EventForm form, Moment at, Session& session) noexcept;

}  // namespace tollgate::balance
