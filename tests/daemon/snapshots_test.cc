#include "daemon/snapshots.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "balance/journal/aside.h"
#include "balance/journal/snapshot.h"
#include "daemon/recovery.h"
#include "tests/daemon/world.h"
#include "tests/support/sim_disk.h"

namespace tollgate::daemon {
namespace {

namespace journal = balance::journal;

/// A state over a journal on a disk in memory, stepped by hand.
class SnapshotsTest : public testing::Test {
  protected:
    void SetUp() override {
        recovered_ = recover(disk_, settings(), [this]() -> State& {
            state_ = std::make_unique<State>(World::settings_for({}));
            return *state_;
        });
        snapshots_ = std::make_unique<Snapshots>(*recovered_.journal, World::settings_for({}), *state_,
                                                 [this](const std::string& what) { said_.push_back(what); });
    }

    static journal::Settings settings() {
        journal::Settings made;
        made.segment_bytes = 64 * 1024;
        return made;
    }

    void make_durable() {
        auto& at = *recovered_.journal;
        while (at.prepare() == journal::Preparer::Step::made) {}
        for (int i = 0; i < 10 && at.durable() < at.last(); ++i)
            at.step({});
        ASSERT_EQ(at.durable(), at.last());
    }

    /// Something that is new, and a snapshot of it.
    void take_one() {
        DialPlan plan;
        state_->catalog.put_dial_plan("plan" + std::to_string(++plans_), plan, {});
        make_durable();
        EXPECT_TRUE(snapshots_->take());
    }

    [[nodiscard]] bool is_there(const std::string& name) const {
        std::uint64_t bytes = 0;
        return disk_.size(name, bytes) == 0;
    }

    mutable tests::SimDisk disk_;
    std::unique_ptr<State> state_;
    Recovered recovered_;
    std::unique_ptr<Snapshots> snapshots_;
    std::vector<std::string> said_;
    int plans_ = 0;
};

// A thread may stand still between the file and the event that names it, however many snapshots are made.
TEST_F(SnapshotsTest, LeaveAFileThatAnEventIsStillToName) {
    const std::string text = "prefix,destination,rate_per_minute\n49,Germany,0.1\n";
    auto file = recovered_.journal->put_aside("deck", std::as_bytes(std::span{text}));
    const std::string given_up = recovered_.journal->put_aside("deck", std::as_bytes(std::span{text})).name;
    for (int i = 0; i < 4; ++i)
        take_one();
    EXPECT_TRUE(is_there(file.name));
    EXPECT_FALSE(is_there(given_up)) << "nobody can name it any more";
    const auto name = std::exchange(file, {}).name;
    for (int i = 0; i < 3; ++i)
        take_one();
    EXPECT_FALSE(is_there(name));
}

}  // namespace
}  // namespace tollgate::daemon
