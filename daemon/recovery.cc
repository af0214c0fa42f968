#include "daemon/recovery.h"

#include <algorithm>
#include <utility>

#include "balance/journal/aside.h"
#include "balance/journal/reader.h"
#include "daemon/clock.h"

namespace tollgate::daemon {
namespace {

namespace journal = balance::journal;

/// Reads files beside the segments of one journal.
class Asides {
  public:
    explicit Asides(journal::Disk& disk) : disk_(disk) {}

    std::vector<std::byte> operator()(std::string_view name) const {
        std::vector<std::byte> bytes;
        const std::string instance_file{journal::kInstanceFile};
        constexpr std::uint64_t kInstanceBytesMax = 4096;
        if (const auto error = journal::read_file(disk_, instance_file, kInstanceBytesMax, bytes);
            error != 0) {
            throw DamagedJournal{disk_.path(instance_file) + ": cannot be read: " + journal::text_of(error)};
        }
        const auto instance = journal::decode_instance(bytes);
        if (!instance) throw DamagedJournal{disk_.path(instance_file) + ": is not what it was"};
        std::string fault;
        if (!journal::read_aside(disk_, *instance, std::string{name}, bytes, fault))
            throw DamagedJournal{fault};
        return bytes;
    }

  private:
    journal::Disk& disk_;
};

/// Applies events one after the other and says what was wrong with the one that was not taken.
class Applying {
  public:
    Applying(journal::Disk& disk, State& state) : read_aside_(Asides{disk}), state_(state) {
        state_.tariffs.begin_restoring();
    }

    [[nodiscard]] journal::OnEvent on_event() {
        return [this](balance::Sequence sequence, std::span<const std::byte> event) {
            std::string wrong = state_.apply(event, read_aside_);
            if (wrong.empty()) return true;
            wrong_ = "event " + std::to_string(sequence) + " is " + std::move(wrong);
            return false;
        };
    }
    /// Throws for a fault.
    void check(const journal::Fault& fault) const {
        const std::string text = fault.text() + (wrong_.empty() ? "" : ": " + wrong_);
        if (fault.kind == journal::Fault::Kind::damage || fault.kind == journal::Fault::Kind::refused)
            throw DamagedJournal{text};
        throw std::runtime_error{text};
    }

  private:
    Catalog::ReadAside read_aside_;
    State& state_;
    std::string wrong_;
};

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

Recovered recover(journal::Disk& disk, const journal::Settings& settings, State& state) {
    const auto began = Clock::booted_for();
    Recovered recovered;
    {
        Applying applying{disk, state};
        auto opened = journal::Journal::open(disk, settings, 0, applying.on_event());
        if (!opened.journal) applying.check(opened.fault);
        recovered.journal = std::move(opened.journal);
        recovered.events = opened.recovery.events;
        recovered.torn_blocks = opened.recovery.torn_blocks;
    }
    state.restored();
    state.events.connect(*recovered.journal);

    const std::string boot_id = Clock::boot_id();
    const auto booted_for = Clock::booted_for();
    recovered.away = away_for(state, boot_id, booted_for, Clock::now().wall);
    if (recovered.events > 0) {
        Clock::set(state.latest().steady + recovered.away);
    } else {
        state.found(Clock::now());
    }
    state.start({boot_id, booted_for, Clock::now()});
    recovered.took = Clock::booted_for() - began;
    return recovered;
}

journal::Recovery replay(journal::Disk& disk, const journal::Settings& settings, State& state,
                         const OnReplayed& on_replayed) {
    Applying applying{disk, state};
    auto recovery = journal::read_journal(
        disk, settings, 0, [&, apply = applying.on_event()](balance::Sequence sequence, auto event) {
            if (!apply(sequence, event)) return false;
            if (on_replayed) on_replayed(sequence, event);
            return true;
        });
    if (recovery.fault) applying.check(*recovery.fault);
    state.restored();
    return recovery;
}

}  // namespace tollgate::daemon
