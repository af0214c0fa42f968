#include "daemon/foresight.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/daemon/world.h"

namespace tollgate::daemon {
namespace {

// That it is faster is for bench/: here, that it is harmless whatever it is told.

TEST(Foresight, TakesNothingForGranted) {
    World world;
    world.top_up("alice", "10");
    EXPECT_EQ(world.authorize("known", 60).code, Code::ok);
    Foresight foresight{world.tariffs, world.parties, world.sessions};
    foresight.fetch();
    for (const char* const destination :
         {"", "4", "49123456789", "+49123456789", "sip:alice", "49-1", "800"}) {
        for (const char* const line : {"", "alice-desk", "provider", "nobody"})
            foresight.expect_opening(line, destination, "known");
        foresight.expect_session("known");
        foresight.expect_session("unknown");
        foresight.expect_session("");
        foresight.fetch();
    }
    for (std::size_t i = 0; i < 3 * Foresight::kCallsMax; ++i)
        foresight.expect_session("known");
    foresight.fetch();
    EXPECT_EQ(world.stop("known", 5).code, Code::ok);
    world.expect_at_rest();
}

TEST(ForesightThreads, LooksAtWhatOthersAreChanging) {
    World world;
    world.replays = false;  // The tariff is put by hand.
    world.top_up("alice", "1000");
    std::atomic<bool> over{false};
    std::thread looker{[&] {
        Foresight foresight{world.tariffs, world.parties, world.sessions};
        for (int i = 0; !over.load(); i = (i + 1) % 500) {
            const std::string id = "call-" + std::to_string(i);
            foresight.expect_opening("alice-desk", "49123456789", id);
            foresight.expect_session(id);
            foresight.fetch();
        }
    }};
    for (int i = 0; i < 500; ++i) {
        if (i % 20 == 0) {  // A tariff that is younger than what the looker may be reading.
            const std::string tariff = "retail-" + std::to_string(i);
            world.put_tariff(tariff, "0.60");
            world.party("alice").tariff = *world.tariffs.find(tariff);
        }
        const std::string id = "call-" + std::to_string(i);
        EXPECT_EQ(world.authorize(id, 60).code, Code::ok);
        EXPECT_EQ(world.stop(id, 1).code, Code::ok);
    }
    over = true;
    looker.join();
    world.expect_at_rest();
}

}  // namespace
}  // namespace tollgate::daemon
