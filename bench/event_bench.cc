// The event of a call: what it costs to write it down, and to read it again.

#include <array>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <span>
#include <utility>

#include <benchmark/benchmark.h>

#include "balance/event.h"
#include "balance/session_table.h"
#include "daemon/end_words.h"

namespace tollgate::bench {
namespace {

using namespace balance;  // NOLINT(google-build-using-namespace)

/// An authorized call of three levels.
struct FinishedCall {
    FinishedCall() {
        claim = std::move(table.claim_or_open("8f2c11d0-77aa-4c1e@switch.example.net", 3).claim);
        Session& session = *claim;
        session.state = SessionState::authorized;
        session.number = *rating::Digits::parse("441632960123");
        session.granted_seconds = session.decided_seconds = 300;
        session.line = PartyId{4};
        session.level_count = 3;
        std::uint32_t payer = 3;
        for (SessionLevel& level : session.levels()) {
            level = SessionLevel{};
            level.payer = PartyId{payer--};
            level.seller = PartyId{payer};
            level.row = 71'234;
            level.held = Money::from_micros(450'000);
            level.affordable_seconds = 86'400;
        }
    }
    SessionTable table{1, {}};
    SessionTable::Claim claim;
};

const Moment kNow{rating::Instant{std::chrono::seconds{1'772'409'600}}, std::chrono::hours{1}};

std::size_t write_opened(const Session& session, std::span<std::byte> room) {
    ByteWriter out{room};
    EventHeader{EventKind::session_opened, kNow, EventForm::packed}.write(out);
    write_session_key(session.key(), out);
    daemon::write_end_words({}, out);
    write_decided(session, kNow, out);
    write_changing(session, kNow, out);
    return out.size();
}

// All of a session that AUTHORIZE opened. Guess: some fifty stores of fields, 40 ns.
void BM_Event_WriteOpened(benchmark::State& state) {
    const FinishedCall call;
    std::array<std::byte, kSessionEventBytesMax> room;
    std::size_t bytes = 0;
    for ([[maybe_unused]] auto _ : state) {
        bytes = write_opened(*call.claim, room);
        benchmark::DoNotOptimize(room.data());
        benchmark::ClobberMemory();
    }
    state.SetItemsProcessed(state.iterations());
    state.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(BM_Event_WriteOpened);

// What STOP changes of it. Guess: 20 ns.
void BM_Event_WriteChanged(benchmark::State& state) {
    const FinishedCall call;
    std::array<std::byte, kSessionEventBytesMax> room;
    std::size_t bytes = 0;
    for ([[maybe_unused]] auto _ : state) {
        ByteWriter out{room};
        EventHeader{EventKind::session_changed, kNow, EventForm::packed}.write(out);
        write_session_key(call.claim->key(), out);
        daemon::write_end_words({}, out);
        write_changing(*call.claim, kNow, out);
        bytes = out.size();
        benchmark::DoNotOptimize(room.data());
        benchmark::ClobberMemory();
    }
    state.SetItemsProcessed(state.iterations());
    state.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(BM_Event_WriteChanged);

// The opened session as a line of JSON by snprintf, as logs of calls are often kept. Guess: 1 us, 600 bytes.
void BM_Json_WriteOpened(benchmark::State& state) {
    const FinishedCall call;
    const Session& session = *call.claim;
    std::array<char, kSessionEventBytesMax> room;
    std::size_t bytes = 0;
    for ([[maybe_unused]] auto _ : state) {
        const auto printed = [&bytes](int size) { bytes += static_cast<std::size_t>(size); };
        bytes = 0;
        printed(std::snprintf(
            room.data(), room.size(),
            "{\"event\":\"opened\",\"at\":%" PRId64
            ",\"session\":\"%.*s\",\"number\":\"%.*s\",\"line\":%u,"
            "\"granted\":%u,\"decided\":%u,\"used\":%u,\"state\":%d,\"levels\":[",
            std::int64_t{kNow.wall.time_since_epoch().count()}, static_cast<int>(session.key().size()),
            session.key().data(), static_cast<int>(session.number.view().size()),
            session.number.view().data(), static_cast<unsigned>(session.line), session.granted_seconds,
            session.decided_seconds, session.used_seconds, static_cast<int>(session.state)));
        for (const SessionLevel& level : session.levels()) {
            printed(std::snprintf(room.data() + bytes, room.size() - bytes,
                                  "{\"payer\":%u,\"seller\":%u,\"row\":%u,\"held\":%" PRId64
                                  ",\"charged\":%" PRId64 ",\"affordable\":%d},",
                                  static_cast<unsigned>(level.payer), static_cast<unsigned>(level.seller),
                                  static_cast<unsigned>(level.row), level.held.micros(),
                                  level.charged.micros(), level.affordable_seconds));
        }
        printed(std::snprintf(room.data() + bytes, room.size() - bytes, "]}"));
        benchmark::DoNotOptimize(room.data());
        benchmark::ClobberMemory();
    }
    state.SetItemsProcessed(state.iterations());
    state.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(BM_Json_WriteOpened);

// What a replay reads of an event before it applies it. Guess: 40 ns.
void BM_Event_ReadOpened(benchmark::State& state) {
    const FinishedCall call;
    std::array<std::byte, kSessionEventBytesMax> room;
    const std::size_t bytes = write_opened(*call.claim, room);
    FinishedCall into;
    for ([[maybe_unused]] auto _ : state) {
        ByteReader in{std::span{room}.first(bytes)};
        benchmark::DoNotOptimize(EventHeader::read(in));
        benchmark::DoNotOptimize(read_session_key(in));
        (void)daemon::read_end_words(in, EventForm::packed);
        (void)read_opened_as(in);
        benchmark::DoNotOptimize(read_decided(in, EventForm::packed, kNow, *into.claim));
        read_changing(in, EventForm::packed, kNow, *into.claim);
        if (!in.good()) state.SkipWithError("not what was written");
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Event_ReadOpened);

}  // namespace
}  // namespace tollgate::bench
