#include "balance/event.h"

#include <array>
#include <cassert>
#include <utility>

namespace tollgate::balance {
namespace {

// One function a group of fields, for both ways: what is written is what is read.

template <typename Io, typename S>
void changing_fields(Io& io, S& session) {
    io(session.start_fingerprint);
    io(session.extend_fingerprint);
    io(session.end_fingerprint);
    io(session.answered_at);
    io(session.start_at);
    io(session.deadline);
    io(session.ended_at);
    io(session.record);
    io(session.limiting);
    io(session.granted_seconds);
    io(session.used_seconds);
    io(session.spend_counted);
    io(session.started);
    io(session.state);
    io(session.end_status);
    io(session.final);
    io(session.implausible);
    io(session.overrun);
    io(session.lapsed);
    io(session.ended_by_stop);
    io(session.via_unrated);
}

template <typename Io, typename S>
void decided_fields(Io& io, S& session) {
    io(session.authorize_fingerprint);
    io(session.switch_hash);
    io(session.rated_at);
    io(session.opened_at);
    io(session.available);
    io(session.line);
    io(session.decided_seconds);
    io(session.code);
    io(session.reason);
    io(session.at_given);
    io(session.emergency);
}

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

/// Set in the seller of the first level where he is credited: earlier journals have none that was, and no
/// table has so many parties.
constexpr std::uint32_t kCredited = std::uint32_t{1} << 31;

template <typename Io, typename L>
void name_fields(Io& io, L& level) {
    io(level.payer);
    io(level.seller);
    io(level.tariff);
    io(level.version);
    io(level.row);
    io(level.affordable_seconds);
}

/// Writes fields of fixed widths by way of memory whose layout the compiler knows: then each is one store,
/// and not a look at how far the writer is.
template <typename Fields>
void put_fields(ByteWriter& out, const Fields& fields) {
    constexpr std::size_t kBytesMax = 160;
    std::array<std::byte, kBytesMax> room;  // Not filled: it is written before it is read.
    ByteWriter packed{room};
    auto io = [&packed](const auto& value) { packed.put(value); };
    fields(io);
    out.bytes(std::span{room}.first(packed.size()));
}

}  // namespace

void write_changing(const Session& session, ByteWriter& out) {
    auto io = [&out](const auto& value) { out.put(value); };
    put_fields(out, [&session](auto& fields) { changing_fields(fields, session); });
    out.text(session.start_tags == nullptr ? std::string_view{} : std::string_view{*session.start_tags});
    out.put(session.level_count);
    for (const SessionLevel& level : session.levels()) {
        put_fields(out, [&level](auto& fields) {
            fields(level.held);
            fields(level.charged);
            fields(level.refunded);
        });
    }
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
ByteReader changing_behind(ByteReader in, Session& session) noexcept {
    auto io = [&in](auto& value) { in.get(value); };
    changing_fields(io, session);
    const std::string_view tags = in.text();
    session.start_tags = tags.empty() ? nullptr : std::make_unique<std::string>(tags);
    if (in.get<std::uint8_t>() != session.level_count) return in;
    for (SessionLevel& level : session.levels()) {
        in.get(level.held);
        in.get(level.charged);
        in.get(level.refunded);
    }
    const auto bundles = in.get<std::uint8_t>();
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

void read_changing(ByteReader& in, Session& session) noexcept {
    in = changing_behind(in, session);
}

void write_decided(const Session& session, ByteWriter& out) {
    out.put(session.level_capacity);
    out.put(session.bundles_capacity);
    out.short_text(session.texts().caller);
    out.short_text(session.texts().service);
    out.short_text(session.texts().switch_name);
    put_fields(out, [&session](auto& fields) { decided_fields(fields, session); });
    out.short_text(session.number.view());
    out.put(session.level_count);
    for (const SessionLevel& level : session.levels()) {
        const bool credited = session.credits_seller && &level == &session.levels().front();
        const auto seller = static_cast<std::uint32_t>(level.seller) | (credited ? kCredited : 0);
        const LevelName name{.payer = level.payer,
                             .seller = PartyId{seller},
                             .tariff = level.tariff == nullptr ? rating::kNoTariff : level.tariff->id,
                             .version = level.tariff == nullptr ? 0 : level.tariff->number,
                             .row = level.row,
                             .affordable_seconds = level.affordable_seconds};
        put_fields(out, [&name](auto& fields) { name_fields(fields, name); });
    }
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

LevelNames read_decided(ByteReader& reader, Session& session) noexcept {
    ByteReader in = reader;  // Likewise.
    auto io = [&in](auto& value) { in.get(value); };
    decided_fields(io, session);
    session.number = rating::Digits::parse(in.short_text()).value_or(rating::Digits{});
    LevelNames names;
    const auto count = in.get<std::uint8_t>();
    if (count <= session.level_capacity) {
        for (names.count = 0; names.count < count; ++names.count)
            name_fields(io, names.levels[names.count]);
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
