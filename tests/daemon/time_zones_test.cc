#include "daemon/time_zones.h"

#include <gtest/gtest.h>

#include "rating/instant.h"

namespace tollgate::daemon {
namespace {

std::int64_t second(const char* text) {
    return std::chrono::floor<std::chrono::seconds>(*rating::parse_instant(text)).time_since_epoch().count();
}

TEST(TimeZones, KnowSummerTime) {
    const TimeZones zones;
    const auto berlin = zones.find("Europe/Berlin");
    ASSERT_NE(berlin, nullptr);
    const std::int64_t spring = second("2026-03-29T01:00:00Z");
    EXPECT_EQ(berlin->at(spring - 1).offset, 3600);
    EXPECT_EQ(berlin->at(spring - 1).until, spring);
    EXPECT_EQ(berlin->at(spring).offset, 7200);
    EXPECT_EQ(berlin->at(spring).until, second("2026-10-25T01:00:00Z"));
    EXPECT_EQ(berlin->at(second("2090-07-01T00:00:00Z")).offset, 7200)
        << "the rule goes on behind what the database lists";
    EXPECT_EQ(berlin->at(second("1880-01-01T00:00:00Z")).offset, 3208) << "local mean time";
}

TEST(TimeZones, KnowOddOnes) {
    const TimeZones zones;
    EXPECT_EQ(zones.find("Asia/Kolkata")->at(second("2026-01-01T00:00:00Z")).offset, 19'800);
    EXPECT_EQ(zones.find("Australia/Lord_Howe")->at(second("2026-07-01T00:00:00Z")).offset, 37'800);
    EXPECT_EQ(zones.find("UTC")->at(0).offset, 0);
    EXPECT_EQ(zones.find("UTC")->at(0).until, rating::TimeZone::kForever);
}

TEST(TimeZones, AreReadOnceAndOnlyFromTheDatabase) {
    const TimeZones zones;
    EXPECT_EQ(zones.find("Europe/Paris"), zones.find("Europe/Paris"));
    for (const char* const name : {"", "Europe/Atlantis", "../etc/passwd", "Europe Berlin", "/etc/localtime"})
        EXPECT_EQ(zones.find(name), nullptr) << name;
}

}  // namespace
}  // namespace tollgate::daemon
