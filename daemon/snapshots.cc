#include "daemon/snapshots.h"

#include <optional>
#include <utility>
#include <vector>

#include "balance/journal/aside.h"
#include "balance/journal/snapshot.h"
#include "daemon/recovery.h"

namespace tollgate::daemon {
namespace {

namespace journal = balance::journal;

}  // namespace

void Snapshots::keep_up(std::uint64_t segments) {
    const std::uint64_t now = journal_.statistics().segment;
    if (now < segment_ + segments) return;
    take();
    segment_ = now;  // Where it failed too: it is tried again when as much has been written.
}

bool Snapshots::take() {
    journal::Disk& disk = journal_.disk();
    std::optional<State> made;
    balance::Sequence sequence = 0;
    std::vector<std::string> damaged;
    Files settled = settled_files();
    try {
        Restoring restoring{disk, [&]() -> State& {
                                made.emplace(settings_);
                                made->catalog.share_decks(live_.tariffs);
                                return *made;
                            }};
        sequence = restoring.read_newest_snapshot();
        damaged = restoring.damaged();
        for (const std::string& what : restoring.passed_over())
            say_("a snapshot is passed over: " + what);
        const auto read = journal_.read(sequence, restoring.on_event());
        if (read.fault) restoring.check(*read.fault);
        // The same once more would pass for the older one of two, whose files then nobody would know.
        if (sequence != 0 && read.last.sequence <= sequence) return true;
        sequence = std::max(sequence, read.last.sequence);
        made->restored();
    } catch (const std::runtime_error& failure) {
        say_("no snapshot: " + std::string{failure.what()});
        return false;
    }
    State& state = *made;
    state.forget_due();

    journal::SnapshotWriter writer{disk, journal_.instance(), sequence};
    state.save([&writer](std::span<const std::byte> record) { (void)writer.add(record); });
    if (const auto error = writer.finish(); error != 0) {
        say_("no snapshot: " + disk.path(writer.name()) + ": " + journal::text_of(error));
        // It may be there all the same, under its name.
        const auto named = state.files_named();
        named_before_.insert(named.begin(), named.end());
        return false;
    }
    // They must not count among those that are kept.
    for (const std::string& name : damaged) {
        if (name != writer.name()) (void)disk.remove(name);
    }
    remove_unneeded(state.files_named(), sequence, std::move(settled));
    return true;
}

Snapshots::Files Snapshots::settled_files() {
    std::vector<std::string> names;
    if (journal_.settled_asides(names) != 0) return {};
    return {{names.begin(), names.end()}, journal_.last()};
}

/// A file goes whose event was appended, or given up, before the last snapshot but one was begun, that
/// neither of the two nor the events between them named, and that no version in memory comes from.
void Snapshots::remove_unneeded(const std::set<std::string>& named, balance::Sequence sequence,
                                Files settled) {
    journal::Disk& disk = journal_.disk();
    const auto taken = taken_ ? taken_() : std::nullopt;
    const auto kept = journal::remove_unneeded_snapshots(disk, journal::kSnapshotsKept, taken);
    if (kept.segments_until != 0) journal_.remove_segments(kept.segments_until);
    const auto live = live_.catalog.deck_files();
    // An older snapshot that a store needs, and the events after it, may name any of them.
    const bool all_needed = kept.older || taken == balance::Sequence{0};
    // What was appended may not have been durable, and so was not read.
    if (!all_needed && settled_before_.named_until <= sequence) {
        for (const std::string& file : settled_before_.names) {
            if (!named.contains(file) && !named_before_.contains(file) && !live.contains(file))
                (void)journal::remove_aside(disk, file);
        }
    }
    named_before_ = named;
    settled_before_ = std::move(settled);
}

}  // namespace tollgate::daemon
