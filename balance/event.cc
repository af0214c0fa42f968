#include "balance/event.h"

#include <cassert>
#include <memory>
#include <string>
#include <utility>

#include "balance/packed.h"

namespace tollgate::balance {
namespace {

// One function a group of fields, for all ways: what is written is what is read. A field stands with its
// usual value, which a packed one need not say; `at` is when the event happened.

template <typename Io, typename S>
void changing_fields(Io& io, S& session, Moment at) {
    io(session.start_fingerprint);
    io(session.extend_fingerprint);
    io(session.end_fingerprint);
    io(session.answered_at, at.steady);
    io(session.start_at, rating::kAlways);
    io(session.deadline, at.steady);
    io(session.ended_at, at.steady);
    io(session.record);
    io(session.limiting, kNoParty);
    io(session.granted_seconds, session.decided_seconds);
    io(session.used_seconds);
    io(session.spend_counted);
    io(session.started);
    io(session.state, SessionState::authorized);
    io(session.end_status);
    io(session.final);
    io(session.implausible);
    io(session.overrun);
    io(session.lapsed);
    io(session.ended_by_stop);
    io(session.via_unrated);
}
constexpr std::size_t kChangingMask = 3;

template <typename Io, typename S>
void decided_fields(Io& io, S& session, Moment at) {
    io(session.authorize_fingerprint);
    io(session.switch_hash);
    io(session.rated_at, at.wall);
    io(session.opened_at, at.steady);
    io(session.available);
    io(session.line, kNoParty);
    io(session.decided_seconds);
    io(session.code);
    io(session.reason);
    io(session.at_given);
    io(session.emergency);
}
constexpr std::size_t kDecidedMask = 2;

template <typename Io, typename L>
void money_fields(Io& io, L& level) {
    io(level.held);
    io(level.charged);
    io(level.refunded);
}
constexpr std::size_t kMoneyMask = 1;

/// Set in the seller of the first level where he is credited: earlier journals have none that was, and no
/// table has so many parties.
constexpr std::uint32_t kCredited = std::uint32_t{1} << 31;

/// The seller of a level is most often who pays the next one, that of the last one its payer.
template <typename Io, typename L>
void name_fields(Io& io, L& level, PartyId next_payer) {
    io(level.payer, kNoParty);
    io(level.seller, next_payer == kNoParty ? level.payer : next_payer);
    io(level.tariff, rating::kNoTariff);
    io(level.version);
    io(level.row, rating::Deck::kNoRow);
    io(level.affordable_seconds, SessionLevel::kAffordableUnlimited);
}
constexpr std::size_t kNameMask = 1;

// Few sessions have bundled seconds: those are written in full.

template <typename Io, typename L>
void bundles_fields(Io& io, L& bundles) {
    io(bundles.level);
    io(bundles.use_count);
    io(bundles.seconds);
    io(bundles.decided);
    io(bundles.money_from);
}

template <typename Io, typename U>
void use_fields(Io& io, U& use) {
    io(use.bundle);
    io(use.generation);
    io(use.seconds);
    io(use.used);
}

/// Returns where it ends. Room is asked for once for the groups of all levels.
template <std::size_t kMaskBytes, typename Fields>
std::byte* put_packed(std::byte* at, const Fields& fields) noexcept {
    PackedWriter<kMaskBytes> packed{at};
    fields(packed);
    return packed.finish();
}

/// A group of fields as an event of either kind has them.
template <std::size_t kMaskBytes, typename Fields>
void get_fields(ByteReader& in, EventForm form, const Fields& fields) noexcept {
    if (form == EventForm::packed) {
        PackedReader<kMaskBytes> packed{in};
        fields(packed);
    } else {
        auto full = [&in](auto& value, const auto&...) { in.get(value); };
        fields(full);
    }
}

// In the byte that says how many levels changed, of packed events.
constexpr std::uint8_t kLevelsMask = 0x1F;
constexpr std::uint8_t kHasTags = 0x20;
constexpr std::uint8_t kHasBundles = 0x40;
static_assert(kChainDepthMax <= kLevelsMask);

}  // namespace

void write_changing(const Session& session, Moment at, ByteWriter& out) {
    auto io = [&out](const auto& value) { out.put(value); };
    std::byte* next = out.room_for(PackedWriter<kChangingMask>::kBytesMax + 1 +
                                   session.level_count * PackedWriter<kMoneyMask>::kBytesMax);
    next = put_packed<kChangingMask>(next, [&](auto& fields) { changing_fields(fields, session, at); });
    const bool tags = session.start_tags != nullptr;
    const bool bundles = session.bundles_count != 0;
    *next++ =
        static_cast<std::byte>(session.level_count | (tags ? kHasTags : 0) | (bundles ? kHasBundles : 0));
    for (const SessionLevel& level : session.levels())
        next = put_packed<kMoneyMask>(next, [&level](auto& fields) { money_fields(fields, level); });
    out.filled(next);
    if (tags) out.text(*session.start_tags);
    if (!bundles) return;
    out.put(session.bundles_count);
    for (const LevelBundles& mine : session.bundles()) {
        bundles_fields(io, mine);
        for (std::size_t i = 0; i < mine.use_count; ++i)
            use_fields(io, mine.uses[i]);
    }
}

namespace {

/// Returns the reader as it stands behind them: one of its own is kept in registers, while what a reader
/// behind a reference holds is loaded and stored again with every field.
ByteReader changing_behind(ByteReader in, EventForm form, Moment at, Session& session) noexcept {
    auto io = [&in](auto& value) { in.get(value); };
    get_fields<kChangingMask>(in, form, [&](auto& fields) { changing_fields(fields, session, at); });
    const bool packed = form == EventForm::packed;
    std::string_view tags = packed ? std::string_view{} : in.text();
    const auto levels = in.get<std::uint8_t>();
    if ((packed ? levels & kLevelsMask : levels) != session.level_count) {
        in.fail();
        return in;
    }
    for (SessionLevel& level : session.levels())
        get_fields<kMoneyMask>(in, form, [&level](auto& fields) { money_fields(fields, level); });
    if (packed && (levels & kHasTags) != 0) tags = in.text();
    session.start_tags = tags.empty() ? nullptr : std::make_unique<std::string>(tags);
    const std::uint8_t bundles = packed && (levels & kHasBundles) == 0 ? 0 : in.get<std::uint8_t>();
    if (bundles > session.bundles_capacity) {
        in.fail();
        return in;
    }
    session.bundles_count = bundles;
    for (LevelBundles& mine : session.bundles()) {
        mine = LevelBundles{};
        bundles_fields(io, mine);
        if (mine.level >= session.level_count || mine.use_count > LevelBundles::kUsesMax) {
            in.fail();
            return in;
        }
        for (std::size_t i = 0; i < mine.use_count; ++i)
            use_fields(io, mine.uses[i]);
    }
    return in;
}

}  // namespace

void read_changing(ByteReader& in, EventForm form, Moment at, Session& session) noexcept {
    in = changing_behind(in, form, at, session);
}

void write_decided(const Session& session, Moment at, ByteWriter& out) {
    out.put(session.level_capacity);
    out.put(session.bundles_capacity);
    out.short_text(session.texts().caller);
    out.short_text(session.texts().service);
    out.short_text(session.texts().switch_name);
    out.filled(put_packed<kDecidedMask>(out.room_for(PackedWriter<kDecidedMask>::kBytesMax),
                                        [&](auto& fields) { decided_fields(fields, session, at); }));
    out.short_text(session.number.view());
    out.put(session.level_count);
    std::byte* next = out.room_for(session.level_count * PackedWriter<kNameMask>::kBytesMax);
    // From the last one: whoever reads a level then knows who pays the next.
    PartyId next_payer = kNoParty;
    for (std::size_t i = session.level_count; i-- > 0;) {
        const SessionLevel& level = session.levels()[i];
        const auto seller =
            static_cast<std::uint32_t>(level.seller) | (session.credits_seller && i == 0 ? kCredited : 0);
        const LevelName name{.payer = level.payer,
                             .seller = PartyId{seller},
                             .tariff = level.tariff == nullptr ? rating::kNoTariff : level.tariff->id,
                             .version = level.tariff == nullptr ? 0 : level.tariff->number,
                             .row = level.row,
                             .affordable_seconds = level.affordable_seconds};
        next = put_packed<kNameMask>(next, [&](auto& fields) { name_fields(fields, name, next_payer); });
        next_payer = level.payer;
    }
    out.filled(next);
}

OpenedAs read_opened_as(ByteReader& in) noexcept {
    OpenedAs as;
    in.get(as.level_capacity);
    in.get(as.bundles_capacity);
    as.texts.caller = in.short_text();
    as.texts.service = in.short_text();
    as.texts.switch_name = in.short_text();
    return as;
}

LevelNames read_decided(ByteReader& reader, EventForm form, Moment at, Session& session) noexcept {
    ByteReader in = reader;  // Likewise.
    get_fields<kDecidedMask>(in, form, [&](auto& fields) { decided_fields(fields, session, at); });
    session.number = rating::Digits::parse(in.short_text()).value_or(rating::Digits{});
    LevelNames names;
    const auto count = in.get<std::uint8_t>();
    if (count <= session.level_capacity) {
        names.count = count;
        PartyId next_payer = kNoParty;
        for (std::size_t i = 0; i < count; ++i) {
            LevelName& name = names.levels[form == EventForm::packed ? count - 1 - i : i];
            get_fields<kNameMask>(in, form, [&](auto& fields) { name_fields(fields, name, next_payer); });
            next_payer = name.payer;
        }
    }
    PartyId& seller = names.levels[0].seller;
    session.credits_seller =
        names.count > 0 && seller != kNoParty && (static_cast<std::uint32_t>(seller) & kCredited) != 0;
    if (session.credits_seller) seller = PartyId{static_cast<std::uint32_t>(seller) & ~kCredited};
    reader = in;
    return names;
}

void add_part(std::span<const std::byte> event, ByteWriter out) {
    assert(!is_together(event));
    out.text({reinterpret_cast<const char*>(event.data()), event.size()});
}

std::span<const std::byte> next_part(ByteReader& in) noexcept {
    if (!in.good() || in.at_end()) return {};
    const std::string_view bytes = in.text();
    const std::span part{reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()};
    if (part.empty() || is_together(part)) {
        in.fail();
        return {};
    }
    return part;
}

}  // namespace tollgate::balance
