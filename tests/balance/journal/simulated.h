/// A journal over a simulated disk, stepped by hand, and the events that tests put into it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "balance/journal/journal.h"
#include "tests/support/sim_disk.h"

namespace tollgate::balance::journal {

using tests::SimDisk;

inline constexpr std::size_t kSmallSegment = 64 * 1024;

inline Settings small_settings() {
    Settings settings;
    settings.segment_bytes = kSmallSegment;
    settings.batch_bytes_max = 8 * 1024;
    settings.queue_bytes = 8 * 1024;
    return settings;
}

/// The event with that number: its bytes, and how many, follow from the number and the salt.
inline std::vector<std::byte> event_of(Sequence sequence, std::uint64_t salt = 0) {
    std::uint64_t state = sequence * 0x9E37'79B9'7F4A'7C15ULL + salt;
    std::vector<std::byte> bytes(8 + (state >> 33) % 300);
    for (auto& byte : bytes) {
        state = state * 6364136223846793005ULL + 1442695040888963407ULL;
        byte = static_cast<std::byte>(state >> 56);
    }
    std::memcpy(bytes.data(), &sequence, sizeof sequence);
    return bytes;
}

/// All events that were handed out.
using Events = std::vector<std::vector<std::byte>>;

inline OnEvent into(Events& events, Sequence after = 0) {
    return [&events, after](Sequence sequence, std::span<const std::byte> event) {
        EXPECT_EQ(sequence, after + events.size() + 1);
        events.emplace_back(event.begin(), event.end());
        return true;
    };
}

inline std::unique_ptr<Journal> open_good(Disk& disk, Events& events,
                                          const Settings& settings = small_settings()) {
    events.clear();
    auto opened = Journal::open(disk, settings, 0, into(events));
    EXPECT_TRUE(opened.journal) << opened.fault.text();
    return std::move(opened.journal);
}

/// Appends so many events and writes them as one batch.
inline void write_batch(Journal& journal, std::size_t events, std::uint64_t salt = 0) {
    for (std::size_t i = 0; i < events; ++i)
        journal.append(event_of(journal.last() + 1, salt));
    while (journal.prepare() == Preparer::Step::made) {}
    for (int i = 0; i < 10 && journal.durable() < journal.last() && !journal.failed(); ++i)
        journal.step({});
}

inline void expect_events(const Events& events, std::size_t count, std::uint64_t salt = 0) {
    ASSERT_EQ(events.size(), count);
    for (std::size_t i = 0; i < count; ++i)
        ASSERT_EQ(events[i], event_of(i + 1, salt)) << "event " << i + 1;
}

}  // namespace tollgate::balance::journal
