#include "daemon/access/password_worker.h"

#include <atomic>
#include <future>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

namespace tollgate::daemon::access {
namespace {

TEST(PasswordWorkerThreads, RunsOneAfterTheOtherInTheirOrder) {
    std::vector<int> ran;
    std::promise<void> last;
    PasswordWorker worker;
    for (int job = 0; job < 8; ++job) {
        ASSERT_TRUE(worker.try_run([&ran, &last, job] {
            ran.push_back(job);
            if (job == 7) last.set_value();
        }));
    }
    last.get_future().wait();
    EXPECT_EQ(ran, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7}));
}

// One is under way and two wait, which is all that may; the next is refused at once, and welcome when one is
// done.
TEST(PasswordWorkerThreads, RefusesWhoComesWhenTooManyWait) {
    PasswordWorker worker{2};
    std::promise<void> begun;
    std::promise<void> go_on;
    ASSERT_TRUE(worker.try_run([&] {
        begun.set_value();
        go_on.get_future().wait();
    }));
    begun.get_future().wait();
    std::promise<void> done;
    EXPECT_TRUE(worker.try_run([] {}));
    EXPECT_TRUE(worker.try_run([&done] { done.set_value(); }));
    EXPECT_FALSE(worker.try_run([] { FAIL() << "it was refused"; }));
    go_on.set_value();
    done.get_future().wait();
    EXPECT_TRUE(worker.try_run([] {}));
}

TEST(PasswordWorkerThreads, DropsAtItsEndWhatWaits) {
    std::atomic<int> ran{0};
    auto held = std::make_shared<int>(1);
    {
        std::promise<void> begun;
        std::promise<void> ending;
        auto worker = std::make_unique<PasswordWorker>();
        ASSERT_TRUE(worker->try_run([&] {
            begun.set_value();
            ending.get_future().wait();
            // Long enough for the destructor to begin; if it has not, what waits runs, which is as well.
            std::this_thread::sleep_for(std::chrono::milliseconds{50});
            ++ran;
        }));
        begun.get_future().wait();
        ASSERT_TRUE(worker->try_run([held, &ran] { ran += *held * 10; }));
        ending.set_value();
        worker.reset();
    }
    EXPECT_EQ(ran % 10, 1);
    EXPECT_EQ(held.use_count(), 1);
}

}  // namespace
}  // namespace tollgate::daemon::access
