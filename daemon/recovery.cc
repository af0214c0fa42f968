#include "daemon/recovery.h"

#include <algorithm>
#include <utility>

#include "balance/journal/aside.h"
#include "balance/journal/reader.h"
#include "balance/journal/snapshot.h"
#include "balance/journal/tail.h"

namespace tollgate::daemon {
namespace {

namespace journal = balance::journal;

void check_restored(journal::Disk& disk) {
    const std::string mark{kRestoringFile};
    std::uint64_t bytes = 0;
    if (disk.size(mark, bytes) != 0) return;
    throw DamagedJournal{disk.path(mark) +
                         ": a restore into this folder was not finished; empty it and restore again"};
}

/// How long ago the latest event of the state was.
std::chrono::nanoseconds away_for(const State& state, const std::string& boot_id,
                                  std::chrono::nanoseconds booted_for, rating::Instant wall) {
    const auto& last = state.last_start();
    if (!last) return {};
    const Moment latest = state.latest();
    const auto away = !boot_id.empty() && last->boot_id == boot_id
                          ? booted_for - (last->booted_for + (latest.steady - last->at.steady))
                          : wall - latest.wall;
    return std::max(away, std::chrono::nanoseconds{0});
}

}  // namespace

Restoring::Restoring(journal::Disk& disk, FreshState fresh_state)
    : disk_(disk), fresh_state_(std::move(fresh_state)) {
    read_aside_ = [this](std::string_view name) {
        const auto of = instance();
        if (!of)
            throw DamagedJournal{disk_.path(std::string{name}) + ": the journal it belongs to is not there"};
        std::vector<std::byte> bytes;
        std::string fault;
        if (!journal::read_aside(disk_, *of, std::string{name}, bytes, fault)) throw DamagedJournal{fault};
        return bytes;
    };
    begin();
}

void Restoring::begin() {
    state_ = &fresh_state_();
    state_->tariffs.begin_restoring();
}

std::optional<journal::Instance> Restoring::instance() const {
    std::optional<journal::Fault> fault;
    const auto found = journal::instance_in(disk_, fault);
    if (fault) check(*fault);
    return found;
}

bool Restoring::apply_record(std::span<const std::byte> record) {
    wrong_ = state_->apply(record, read_aside_);
    return wrong_.empty();
}

balance::Sequence Restoring::read_newest_snapshot() {
    const auto of = instance();
    if (!of) return 0;
    const auto newest = journal::newest_snapshot(
        disk_, *of, [this](auto record) { return apply_record(record); }, [this] { begin(); });
    for (const auto& fault : newest.passed_over)
        pass_over(fault);
    if (newest.refused) check(*newest.refused);
    return newest.snapshot ? newest.snapshot->sequence : 0;
}

balance::Sequence Restoring::read_oldest_snapshot() {
    std::vector<journal::SnapshotFile> snapshots;
    if (journal::list_snapshots(disk_, snapshots) != 0) return 0;
    std::reverse(snapshots.begin(), snapshots.end());
    return read_first(snapshots);
}

balance::Sequence Restoring::read_snapshot_before(balance::Sequence sequence) {
    std::vector<journal::SnapshotFile> snapshots;
    if (journal::list_snapshots(disk_, snapshots) != 0) return 0;
    std::erase_if(snapshots, [sequence](const auto& snapshot) { return snapshot.sequence > sequence; });
    return read_first(snapshots);
}

balance::Sequence Restoring::read_first(const std::vector<journal::SnapshotFile>& snapshots) {
    const auto of = instance();
    if (!of) return 0;
    for (const auto& snapshot : snapshots) {
        const auto fault = journal::read_snapshot(disk_, *of, snapshot.name,
                                                  [this](auto record) { return apply_record(record); });
        if (!fault) return snapshot.sequence;
        if (fault->kind == journal::Fault::Kind::refused) check(*fault);
        pass_over(*fault);
        begin();
    }
    return 0;
}

void Restoring::pass_over(const journal::Fault& fault) {
    passed_over_.push_back(fault.text());
    if (fault.kind == journal::Fault::Kind::damage) damaged_.push_back(fault.name);
}

journal::OnEvent Restoring::on_event() {
    return [this](balance::Sequence sequence, std::span<const std::byte> event) {
        std::string wrong = state_->apply(event, read_aside_);
        if (wrong.empty()) return true;
        wrong_ = "event " + std::to_string(sequence) + " is " + std::move(wrong);
        return false;
    };
}

void Restoring::check(const journal::Fault& fault) const {
    std::string text = fault.text() + (wrong_.empty() ? "" : ": " + wrong_);
    for (const auto& snapshot : passed_over_)
        text += "; a snapshot would have made up for it: " + snapshot;
    if (fault.kind == journal::Fault::Kind::damage || fault.kind == journal::Fault::Kind::missing ||
        fault.kind == journal::Fault::Kind::refused)
        throw DamagedJournal{text};
    throw std::runtime_error{text};
}

Recovered recover(journal::Disk& disk, const journal::Settings& settings, const FreshState& fresh_state,
                  const StartClocks& clocks) {
    check_restored(disk);
    const auto began = clocks.booted_for();
    Recovered recovered;
    State* restored = nullptr;
    {
        Restoring restoring{disk, fresh_state};
        recovered.snapshot = restoring.read_newest_snapshot();
        recovered.passed_over = restoring.passed_over();
        auto opened = journal::Journal::open(disk, settings, recovered.snapshot, restoring.on_event());
        if (!opened.journal) restoring.check(opened.fault);
        for (const auto& file : opened.recovery.in_use) {
            if (recovered.segment == 0 || file.first_sequence <= recovered.snapshot + 1)
                recovered.segment = file.segment;
        }
        recovered.journal = std::move(opened.journal);
        recovered.events = opened.recovery.events;
        recovered.torn_blocks = opened.recovery.torn_blocks;
        restored = &restoring.state();
    }
    State& state = *restored;
    state.restored();
    state.events.connect(*recovered.journal);

    const std::string boot_id = clocks.boot_id();
    const auto booted_for = clocks.booted_for();
    recovered.away = away_for(state, boot_id, booted_for, clocks.now().wall);
    recovered.restarted = state.last_start().has_value();
    if (recovered.restarted) {
        clocks.set(state.latest().steady + recovered.away);
    } else {
        state.found(clocks.now());
    }
    state.start({boot_id, booted_for, clocks.now()});
    recovered.took = clocks.booted_for() - began;
    return recovered;
}

void check_there(journal::Disk& disk) {
    check_restored(disk);
    if (!journal::has_journal(disk)) throw std::runtime_error{disk.path("") + ": there is no journal"};
}

namespace {

journal::Recovery read_on(journal::Disk& disk, Restoring& restoring, balance::Sequence after,
                          const OnReplayed& on_replayed) {
    auto recovery = journal::read_journal(
        disk, {}, after, [&, apply = restoring.on_event()](balance::Sequence sequence, auto event) {
            if (!apply(sequence, event)) return false;
            if (on_replayed) on_replayed(restoring.state(), sequence, event);
            return true;
        });
    if (recovery.fault) restoring.check(*recovery.fault);
    restoring.state().restored();
    return recovery;
}

}  // namespace

journal::Recovery replay(journal::Disk& disk, const FreshState& fresh_state, const OnReplayed& on_replayed) {
    check_there(disk);
    Restoring restoring{disk, fresh_state};
    const bool from_the_first = journal::first_event(disk) == balance::Sequence{1};
    const auto after = from_the_first ? 0 : restoring.read_oldest_snapshot();
    return read_on(disk, restoring, after, on_replayed);
}

journal::Recovery rehearse(journal::Disk& disk, const FreshState& fresh_state) {
    check_there(disk);
    Restoring restoring{disk, fresh_state};
    const auto after = restoring.read_newest_snapshot();
    return read_on(disk, restoring, after, {});
}

}  // namespace tollgate::daemon
