#include "balance/event.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <gtest/gtest.h>

#include "balance/session_table.h"

namespace tollgate::balance {
namespace {

using rating::Money;

constexpr Moment kNow{rating::Instant{std::chrono::seconds{1'772'409'600}}, std::chrono::hours{1}};

using Bytes = std::vector<std::byte>;

/// Every field something that no other is.
void fill(Session& session) {
    std::uint64_t next = 0x1122'3344'5566'0000;
    const auto any = [&next](auto& field) {
        field = static_cast<std::remove_reference_t<decltype(field)>>(next += 0x0101'0203'0405'0607);
    };
    const auto time = [&next] { return std::chrono::nanoseconds{next += 0x0000'0100'0203'0405}; };
    const auto money = [&next] { return Money::from_micros(static_cast<std::int64_t>(next += 0x0101'0203)); };
    any(session.authorize_fingerprint);
    any(session.start_fingerprint);
    any(session.extend_fingerprint);
    any(session.end_fingerprint);
    any(session.switch_hash);
    any(session.record);
    session.rated_at = rating::Instant{time()};
    session.start_at = rating::Instant{time()};
    session.opened_at = time();
    session.answered_at = time();
    session.deadline = time();
    session.ended_at = time();
    session.start_tags = std::make_unique<std::string>("tag=value");
    session.available = money();
    session.line = PartyId{17};
    session.limiting = PartyId{18};
    session.granted_seconds = 0xF0000001;
    session.decided_seconds = 0xF0000002;
    session.used_seconds = 0xF0000003;
    session.spend_counted = 0xF0000004;
    session.number = *rating::Digits::parse("493012345678");
    session.state = SessionState::expired;
    session.code = 201;
    session.reason = 202;
    session.end_status = 203;
    for (bool* const flag : {&session.final, &session.started, &session.at_given, &session.implausible,
                             &session.overrun, &session.lapsed, &session.ended_by_stop, &session.via_unrated,
                             &session.emergency, &session.credits_seller})
        *flag = true;
    session.level_count = 2;
    std::uint32_t payer = 30;
    for (SessionLevel& level : session.levels()) {
        level = SessionLevel{};
        level.payer = PartyId{payer};
        level.seller = PartyId{payer + 7};
        payer += 2;
        level.row = payer + 100;
        level.affordable_seconds = static_cast<std::int32_t>(payer) + 1'000;
        level.held = money();
        level.charged = Money{} - money();
        level.refunded = money();
    }
    session.bundles_count = 1;
    session.bundles()[0] = {
        .level = 1, .use_count = 2, .seconds = 41, .decided = 42, .money_from = 43, .uses = {}};
    session.bundles()[0].uses[0] = {.bundle = 51, .generation = 52, .seconds = 53, .used = 54};
    session.bundles()[0].uses[1] = {.bundle = 61, .generation = 62, .seconds = 63, .used = 64};
}

// What fill() made of a session, as the first journals have it.
constexpr std::string_view kFullDecided =
    "0301073439333039383703736d73057362632d3107066b5947352312231e7f69533d27162f28876f5640281739308d73"
    "564228174b3e977a5645281711000000020000f0c9ca01010c343933303132333435363738021e00000025000080ffff"
    "ffff0000000084000000080400002000000027000000ffffffff00000000860000000a040000";
constexpr std::string_view kFullChanging =
    "0e0c705d4a372413151275614d3925141c187a65503b26153e34907556432817342c8a71564128174338937756442817"
    "483c9679564528172a24846d563f281712000000010000f0030000f0040000f00106cb01010101010109000000746167"
    "3d76616c7565024e40987b56452817afbd6683a9bad7e854449a7d5645281757469b7e56452817a6b76380a9bad7e85d"
    "4a9d8056452817010102290000002a0000002b00000033003435000000360000003d003e3f00000040000000";

Bytes from_hex(std::string_view text) {
    Bytes bytes;
    for (; !text.empty(); text.remove_prefix(2))
        bytes.push_back(static_cast<std::byte>(std::stoi(std::string{text.substr(0, 2)}, nullptr, 16)));
    return bytes;
}

/// Sessions that are written and read again.
struct World {
    SessionTable table{1, {}};
    Session* session =
        table.restore_fresh("call-1", 3, {.caller = "4930987", .service = "sms", .switch_name = "sbc-1"}, 1);
    Session* other = nullptr;

    /// Reads all of `session` into `other`. False: that is not what is there.
    bool read(EventForm form, Moment at, const Bytes& decided, const Bytes& changing) {
        ByteReader in{decided};
        const OpenedAs as = read_opened_as(in);
        other = table.restore_fresh("call-2", as.level_capacity, as.texts, as.bundles_capacity);
        const LevelNames names = read_decided(in, form, at, *other);
        if (!in.at_end()) return false;
        for (std::size_t i = 0; i < names.count; ++i) {
            SessionLevel& level = other->level_memory()[i] = SessionLevel{};
            level.payer = names.levels[i].payer;
            level.seller = names.levels[i].seller;
            level.row = names.levels[i].row;
            level.affordable_seconds = names.levels[i].affordable_seconds;
        }
        other->level_count = names.count;
        in = ByteReader{changing};
        read_changing(in, form, at, *other);
        return in.at_end();
    }
    static Bytes decided(const Session& session) {
        Bytes bytes;
        ByteWriter out{bytes};
        write_decided(session, kNow, out);
        return bytes;
    }
    static Bytes changing(const Session& session) {
        Bytes bytes;
        ByteWriter out{bytes};
        write_changing(session, kNow, out);
        return bytes;
    }
    void expect_same() const {
        EXPECT_EQ(decided(*other), decided(*session));
        EXPECT_EQ(changing(*other), changing(*session));
    }
};

TEST(Event, JournalsWithAllFieldsInFullWidthAreRead) {
    World world;
    fill(*world.session);
    ASSERT_TRUE(world.read(EventForm::full, kNow, from_hex(kFullDecided), from_hex(kFullChanging)));
    world.expect_same();
    EXPECT_EQ(world.other->deadline, world.session->deadline);
    EXPECT_EQ(world.other->levels()[1].charged, world.session->levels()[1].charged);
    EXPECT_EQ(world.other->texts().caller, "4930987");
}

TEST(Event, PackedFieldsComeBack) {
    World world;
    fill(*world.session);
    Session& session = *world.session;
    ASSERT_TRUE(world.read(EventForm::packed, kNow, World::decided(session), World::changing(session)));
    const Session& other = *world.other;
    EXPECT_EQ(other.authorize_fingerprint, session.authorize_fingerprint);
    EXPECT_EQ(other.start_fingerprint, session.start_fingerprint);
    EXPECT_EQ(other.extend_fingerprint, session.extend_fingerprint);
    EXPECT_EQ(other.end_fingerprint, session.end_fingerprint);
    EXPECT_EQ(other.switch_hash, session.switch_hash);
    EXPECT_EQ(other.record, session.record);
    EXPECT_EQ(other.rated_at, session.rated_at);
    EXPECT_EQ(other.start_at, session.start_at);
    EXPECT_EQ(other.opened_at, session.opened_at);
    EXPECT_EQ(other.answered_at, session.answered_at);
    EXPECT_EQ(other.deadline, session.deadline);
    EXPECT_EQ(other.ended_at, session.ended_at);
    EXPECT_EQ(*other.start_tags, *session.start_tags);
    EXPECT_EQ(other.available, session.available);
    EXPECT_EQ(other.line, session.line);
    EXPECT_EQ(other.limiting, session.limiting);
    EXPECT_EQ(other.granted_seconds, session.granted_seconds);
    EXPECT_EQ(other.decided_seconds, session.decided_seconds);
    EXPECT_EQ(other.used_seconds, session.used_seconds);
    EXPECT_EQ(other.spend_counted, session.spend_counted);
    EXPECT_EQ(other.number.view(), session.number.view());
    EXPECT_EQ(other.state, session.state);
    EXPECT_EQ(other.code, session.code);
    EXPECT_EQ(other.reason, session.reason);
    EXPECT_EQ(other.end_status, session.end_status);
    EXPECT_TRUE(other.final && other.started && other.at_given && other.implausible && other.overrun &&
                other.lapsed && other.ended_by_stop && other.via_unrated && other.emergency &&
                other.credits_seller);
    ASSERT_EQ(other.level_count, session.level_count);
    for (std::size_t i = 0; i < session.level_count; ++i) {
        EXPECT_EQ(other.levels()[i].payer, session.levels()[i].payer);
        EXPECT_EQ(other.levels()[i].seller, session.levels()[i].seller);
        EXPECT_EQ(other.levels()[i].row, session.levels()[i].row);
        EXPECT_EQ(other.levels()[i].affordable_seconds, session.levels()[i].affordable_seconds);
        EXPECT_EQ(other.levels()[i].held, session.levels()[i].held);
        EXPECT_EQ(other.levels()[i].charged, session.levels()[i].charged);
        EXPECT_EQ(other.levels()[i].refunded, session.levels()[i].refunded);
    }
    ASSERT_EQ(other.bundles_count, 1);
    EXPECT_EQ(other.bundles()[0].money_from, session.bundles()[0].money_from);
    EXPECT_EQ(other.bundles()[0].uses[1].used, session.bundles()[0].uses[1].used);
}

// Flags and fields one by one: each has a bit of its own.
TEST(Event, EachFieldAlone) {
    const std::vector<void (*)(Session&)> changes = {
        [](Session& session) { session.authorize_fingerprint = 1; },
        [](Session& session) { session.start_fingerprint = 1; },
        [](Session& session) { session.extend_fingerprint = 1; },
        [](Session& session) { session.end_fingerprint = 1; },
        [](Session& session) { session.switch_hash = 1; },
        [](Session& session) { session.record = 1; },
        [](Session& session) { session.rated_at = kNow.wall; },
        [](Session& session) { session.start_at = kNow.wall; },
        [](Session& session) { session.opened_at = kNow.steady; },
        [](Session& session) { session.answered_at = kNow.steady; },
        [](Session& session) { session.deadline = kNow.steady; },
        [](Session& session) { session.ended_at = kNow.steady; },
        [](Session& session) { session.ended_at = std::chrono::nanoseconds{1}; },
        [](Session& session) { session.available = Money::from_micros(1); },
        [](Session& session) { session.available = Money::from_micros(UINT32_MAX); },
        [](Session& session) { session.available = Money::from_micros(std::int64_t{UINT32_MAX} + 1); },
        [](Session& session) { session.available = Money::from_micros(-1); },
        [](Session& session) { session.available = rating::kAmountMax; },
        [](Session& session) { session.line = PartyId{1}; },
        [](Session& session) { session.limiting = PartyId{1}; },
        [](Session& session) { session.granted_seconds = 1; },
        [](Session& session) { session.decided_seconds = 1; },
        [](Session& session) { session.used_seconds = 1; },
        [](Session& session) { session.spend_counted = 1; },
        [](Session& session) { session.state = SessionState::stopped; },
        [](Session& session) { session.code = 1; },
        [](Session& session) { session.reason = 1; },
        [](Session& session) { session.end_status = 1; },
        [](Session& session) { session.final = true; },
        [](Session& session) { session.started = true; },
        [](Session& session) { session.at_given = true; },
        [](Session& session) { session.implausible = true; },
        [](Session& session) { session.overrun = true; },
        [](Session& session) { session.lapsed = true; },
        [](Session& session) { session.ended_by_stop = true; },
        [](Session& session) { session.via_unrated = true; },
        [](Session& session) { session.emergency = true; },
    };
    World plain;
    std::vector<Bytes> seen;
    for (const auto change : changes) {
        World world;
        change(*world.session);
        const Bytes decided = World::decided(*world.session);
        const Bytes changing = World::changing(*world.session);
        ASSERT_TRUE(world.read(EventForm::packed, kNow, decided, changing)) << seen.size();
        world.expect_same();
        Bytes both = decided;
        both.insert(both.end(), changing.begin(), changing.end());
        for (const Bytes& before : seen)
            EXPECT_NE(both, before) << seen.size();
        seen.push_back(both);
    }
}

// Levels whose sellers pay the next one say so without naming them.
TEST(Event, SellersOfAChain) {
    World world;
    world.session->level_count = 3;
    std::uint32_t payer = 3;
    for (SessionLevel& level : world.session->levels()) {
        level = SessionLevel{};
        level.payer = PartyId{payer--};
        level.seller = PartyId{payer == 0 ? 1 : payer};
        level.affordable_seconds = SessionLevel::kAffordableUnlimited;
    }
    const Bytes chain = World::decided(*world.session);
    ASSERT_TRUE(world.read(EventForm::packed, kNow, chain, World::changing(*world.session)));
    EXPECT_EQ(world.other->levels()[0].seller, PartyId{2});
    EXPECT_EQ(world.other->levels()[1].seller, PartyId{1});
    EXPECT_EQ(world.other->levels()[2].seller, PartyId{1});

    world.session->levels()[1].seller = PartyId{7};
    const Bytes named = World::decided(*world.session);
    EXPECT_EQ(named.size(), chain.size() + sizeof(PartyId));
    ASSERT_TRUE(world.read(EventForm::packed, kNow, named, World::changing(*world.session)));
    EXPECT_EQ(world.other->levels()[1].seller, PartyId{7});
}

TEST(Event, AnEventThatWasCutIsNoEvent) {
    World world;
    fill(*world.session);
    const Bytes decided = World::decided(*world.session);
    const Bytes changing = World::changing(*world.session);
    for (std::size_t size = 0; size < changing.size(); ++size) {
        const Bytes cut{changing.begin(), changing.begin() + static_cast<std::ptrdiff_t>(size)};
        EXPECT_FALSE(world.read(EventForm::packed, kNow, decided, cut)) << size;
    }
}

TEST(Event, TheHeaderSaysTheForm) {
    for (const EventForm form : {EventForm::full, EventForm::packed}) {
        Bytes bytes;
        ByteWriter out{bytes};
        EventHeader{EventKind::session_changed, kNow, form}.write(out);
        ByteReader in{bytes};
        const EventHeader header = EventHeader::read(in);
        EXPECT_EQ(header.kind, EventKind::session_changed);
        EXPECT_EQ(header.form, form);
        EXPECT_EQ(header.at.wall, kNow.wall);
        EXPECT_EQ(header.at.steady, kNow.steady);
        EXPECT_TRUE(in.at_end());
    }
}

}  // namespace
}  // namespace tollgate::balance
