// Goal: a request allocates nothing between parse and reply once pools and buffers have grown.
// Method: operator new counts; a few thousand calls warm up, then as many again must not count once.

#include <atomic>
#include <cstdlib>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "daemon/commands/slow_log.h"
#include "daemon/commands/table.h"
#include "daemon/metrics/call_figures.h"
#include "tests/daemon/world.h"

namespace {

std::atomic<std::size_t> allocations{0};

void* counted(std::size_t size, std::size_t alignment) {
    ++allocations;
    void* const memory = alignment > alignof(std::max_align_t)
                             ? std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment)
                             : std::malloc(size);
    if (memory == nullptr) throw std::bad_alloc{};
    return memory;
}

}  // namespace

void* operator new(std::size_t size) {
    return counted(size, 0);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    return counted(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
    std::free(memory);
}

namespace tollgate::daemon::commands {
namespace {

/// The figures are made of a world that is made with them.
class Relay final : public CallObserver {
  public:
    void ended(const EndedCall& call) noexcept override { to->ended(call); }
    CallObserver* to = nullptr;
};

// What is counted and timed of it included.
TEST(Allocation, NoneForACallFromAuthorizeToStop) {
    Relay figures;
    World world{{.on_ended = &figures}, {.remember_bytes = 0}};
    metrics::CallFigures calls{world.parties, {}};
    figures.to = &calls;
    world.replays = false;        // What is put by hand has no event.
    balance::EventRelay nowhere;  // A log in memory allocates; a journal does not.
    world.state.events.connect(nowhere);
    world.top_up("alice", "5000");
    world.top_up("south", "1000");
    PartyChange with_list;
    with_list.tariffs = {{"voice", {"33"}, "resale"}, {"voice", {"49"}, "retail"}};
    world.catalog.destination_groups().put("germany", DestinationGroup{{"4930"}, {"DE"}});
    calls.refresh(world.catalog.destination_groups());
    world.catalog.dial_plans().put("national", DialPlan{{{"00", 2, ""}, {"0", 1, "49"}}});
    with_list.dial_plan = std::optional<std::string>{"national"};
    // With every limit there is.
    using balance::LimitChange;
    with_list.limits.named = LimitChange::kCapCall | LimitChange::kCapDay | LimitChange::kCapMonth |
                             LimitChange::kMaxPrice | LimitChange::kMaxSeconds |
                             LimitChange::kCallsPerSecond | LimitChange::kHomeCountry |
                             LimitChange::kOpenedCountries;
    with_list.limits.values = {.cap_call = rating::kAmountMax,
                               .cap_day = rating::kAmountMax,
                               .cap_month = rating::kAmountMax,
                               .max_price = rating::kPriceMax,
                               .max_seconds = 7'200,
                               .calls_per_second = balance::kCallsPerSecondMax,
                               .home_country = balance::Country::parse("DE"),
                               .opened_countries = std::vector<balance::Country>{}};
    ASSERT_TRUE(world.catalog.change(world.parties.find("alice"), with_list).empty());
    // And below a commission reseller who earns by calls.
    PartyDraft agent;
    agent.id = "agent";
    agent.parent = "south";
    agent.kind = balance::PartyKind::reseller;
    agent.terms = balance::Terms::commission;
    ASSERT_TRUE(world.catalog.add({&agent, 1}).empty());
    world.party("agent").calls_commission = 100'000;
    world.add("bob", "agent", balance::PartyKind::customer, "retail");
    world.add("bob-desk", "bob", balance::PartyKind::line);
    ASSERT_TRUE(world.catalog.change(world.parties.find("bob"), with_list).empty());
    world.top_up("bob", "5000");
    ClientRegistry clients;
    ServerFacts facts;
    WorkerCounters counters;
    // However long somebody else has the processor, no command is a slow one: noting it may allocate.
    SlowLogs slow_logs{{.threshold = std::chrono::hours{1}, .commands_max = 1}, 1};
    counters.slow_log = &slow_logs.of(0);
    const std::vector<const WorkerCounters*> all{&counters};
    const Services services{
        world.charging, world.catalog, world.payments, world.resync, world.ledger,
        world.sessions, clients,       facts,          all,          world.state.registry};
    Client client;
    Context context{services, client, counters, world.now};
    std::string out;
    char id[] = "call-000000";
    const auto call = [&](int number) {
        const std::string_view line = number % 2 == 0 ? "alice-desk" : "bob-desk";
        for (int digit = 10; digit > 4; --digit, number /= 10)
            id[digit] = static_cast<char>('0' + number % 10);
        const std::string_view session{id, 11};
        const std::string_view authorize[] = {"AUTHORIZE", line,   "030123456", session,   "WANT",
                                              "300",       "FROM", "+4940123",  "SERVICE", "voice"};
        const std::string_view start[] = {"START", session};
        const std::string_view extend[] = {"EXTEND", session, "USED", "3", "WANT", "300"};
        const std::string_view stop[] = {"STOP", session, "4.2", "CAUSE", "16"};
        for (const Words words : {Words{authorize}, Words{start}, Words{extend}, Words{stop}}) {
            execute(context, words, out);
        }
        out.clear();
    };
    for (int number = 0; number < 30'000; ++number)
        call(number);
    const std::size_t before = allocations;
    for (int number = 30'000; number < 60'000; ++number)
        call(number);
    EXPECT_EQ(allocations - before, 0U);
    EXPECT_EQ(world.balance("alice"), "3500") << "30,000 calls of 5 s at 0.01";
    EXPECT_EQ(world.balance("agent"), "150") << "10 % of as much of bob's";
}

}  // namespace
}  // namespace tollgate::daemon::commands
