#include "daemon/journal_tool.h"

#include <ostream>
#include <string_view>
#include <utility>

#include "balance/journal/disk.h"
#include "balance/journal/repair.h"
#include "balance/journal/snapshot.h"
#include "daemon/charging.h"
#include "daemon/recovery.h"
#include "rating/charge.h"
#include "rating/csv.h"

namespace tollgate::daemon {
namespace {

namespace journal = balance::journal;
using balance::EventHeader;
using balance::EventKind;
using balance::Session;
using balance::SessionLevel;
using balance::SessionState;

std::string_view text_of(EventKind kind) noexcept {
    switch (kind) {
        case EventKind::founded:
            return "founded";
        case EventKind::started:
            return "started";
        case EventKind::parties_added:
            return "parties_added";
        case EventKind::party_changed:
            return "party_changed";
        case EventKind::tariff_put:
            return "tariff_put";
        case EventKind::deck_put:
            return "deck_put";
        case EventKind::deck_rolled_back:
            return "deck_rolled_back";
        case EventKind::dial_plan_put:
            return "dial_plan_put";
        case EventKind::dial_plan_removed:
            return "dial_plan_removed";
        case EventKind::group_put:
            return "group_put";
        case EventKind::group_removed:
            return "group_removed";
        case EventKind::parties_closed:
            return "parties_closed";
        case EventKind::session_opened:
            return "session_opened";
        case EventKind::session_changed:
            return "session_changed";
        case EventKind::session_rewritten:
            return "session_rewritten";
        case EventKind::transaction:
            return "transaction";
        case EventKind::threshold:
            return "threshold";
        case EventKind::bundle:
            return "bundle";
        case EventKind::bundle_renewed:
            return "bundle_renewed";
        case EventKind::resync:
            return "resync";
        case EventKind::record:
            return "record";
        case EventKind::audit:
            return "audit";
        case EventKind::together:
            return "together";
        case EventKind::together_aside:
            return "together_aside";
        case EventKind::account:
            return "account";
        case EventKind::book:
            return "book";
        case EventKind::session:
            return "session";
        case EventKind::request:
            return "request";
        case EventKind::spending:
            return "spending";
        case EventKind::horizon:
            return "horizon";
    }
    return "unknown";
}

std::string_view text_of(SessionState state) noexcept {
    switch (state) {
        case SessionState::deciding:
            return "deciding";
        case SessionState::authorized:
            return "authorized";
        case SessionState::answered:
            return "answered";
        case SessionState::refused:
            return "refused";
        case SessionState::stopped:
            return "stopped";
        case SessionState::released:
            return "released";
        case SessionState::expired:
            return "expired";
    }
    return "unknown";
}

bool is_of_session(EventKind kind) noexcept {
    return kind == EventKind::session_opened || kind == EventKind::session_changed ||
           kind == EventKind::session_rewritten;
}

/// A line of CSV, field by field.
class CsvLine {
  public:
    explicit CsvLine(std::ostream& out) : out_(out) {}
    ~CsvLine() { out_ << '\n'; }
    CsvLine(const CsvLine&) = delete;
    CsvLine& operator=(const CsvLine&) = delete;

    CsvLine& add(std::string_view text) {
        if (!first_) out_ << ',';
        first_ = false;
        field_.clear();
        rating::append_field(field_, text);
        out_ << field_;
        return *this;
    }
    CsvLine& add(std::uint64_t number) { return add(std::to_string(number)); }

  private:
    std::ostream& out_;
    std::string field_;
    bool first_ = true;
};

void show_event(const State& state, balance::Sequence sequence, std::span<const std::byte> event,
                std::ostream& out) {
    ByteReader in{event};
    const EventHeader header = EventHeader::read(in);
    out << sequence << ' ' << rating::format(header.at.wall).view() << ' ' << text_of(header.kind);
    if (is_of_session(header.kind)) {
        const std::string_view key = balance::read_session_key(in);
        const std::size_t id = balance::SessionKey::id_offset(key);
        out << " id=" << key.substr(id);
        if (id > 0) out << " user=" << balance::SessionKey::scope_before(key, id);
        if (const Session* const session = state.sessions.find(key)) {
            out << " line=" << state.parties.get(session->line).id << " number=" << session->number.view()
                << " state=" << text_of(session->state) << " granted=" << session->granted_seconds
                << " used=" << session->used_seconds;
            for (const SessionLevel& level : session->levels()) {
                out << ' ' << state.parties.get(level.payer).id << '=' << rating::format(level.charged).view()
                    << "/held:" << rating::format(level.held).view();
            }
        }
    }
    out << " bytes=" << event.size() << '\n';
}

void write_record_header(std::ostream& out) {
    CsvLine line{out};
    for (const auto* const name :
         {"record",   "session",    "line",     "number",   "caller",      "service", "switch", "state",
          "flags",    "authorized", "answered", "ended",    "used",        "level",   "party",  "seller",
          "currency", "tariff",     "version",  "prefix",   "destination", "price",   "billed", "charged",
          "cause",    "start_tags", "tags",     "rated_at", "start_at",    "stop_at"})
        line.add(name);
}

/// One line a leg; a call that nobody paid for has one line without a leg.
void write_record(const State& state, const Session& session, Moment at, const EndWords& words,
                  std::ostream& out) {
    const auto wall = [&](balance::Steady steady) {
        return steady == balance::Steady{}
                   ? std::string{}
                   : std::string{rating::format(at.wall - (at.steady - steady)).view()};
    };
    const auto said = [](rating::Instant instant) {
        return instant == rating::kAlways ? std::string{} : std::string{rating::format(instant).view()};
    };
    std::string flags;
    const auto flag = [&flags](bool set, std::string_view name) {
        if (!set) return;
        if (!flags.empty()) flags += ',';
        flags += name;
    };
    flag(session.overrun, "overrun");
    flag(session.lapsed && session.state != SessionState::expired, "late");
    flag(session.implausible, "implausible");
    flag(session.via_unrated, "via_unrated");
    flag(session.emergency, "emergency");
    const auto begin = [&](CsvLine& line) {
        line.add("r-" + std::to_string(session.record)).add(session.id());
        line.add(state.parties.get(session.line).id).add(session.number.view());
        const auto texts = session.texts();
        line.add(texts.caller).add(texts.service.empty() ? balance::kVoice : texts.service);
        line.add(texts.switch_name);
        line.add(text_of(session.state)).add(flags);
        line.add(wall(session.opened_at)).add(wall(session.answered_at)).add(wall(session.ended_at));
        line.add(session.used_seconds);
    };
    const auto end = [&](CsvLine& line) {
        line.add(words.cause);
        line.add(session.start_tags == nullptr ? std::string_view{} : *session.start_tags);
        line.add(words.tags);
        line.add(rating::format(session.rated_at).view());
        line.add(said(session.start_at)).add(said(words.at.value_or(rating::kAlways)));
    };
    if (session.level_count == 0) {
        CsvLine line{out};
        begin(line);
        constexpr int kFieldsOfALeg = 11;
        for (int i = 0; i < kFieldsOfALeg; ++i)
            line.add("");
        end(line);
        return;
    }
    std::uint64_t number = 0;
    for (const SessionLevel& level : session.levels()) {
        const balance::Party& payer = state.parties.get(level.payer);
        CsvLine line{out};
        begin(line);
        line.add(++number).add(payer.id).add(state.parties.get(level.seller).id).add(payer.currency.view());
        if (level.rate == nullptr) {
            line.add("").add("").add("").add("").add("").add("");
        } else {
            const auto row = level.tariff->deck->row(level.row);
            const auto billed =
                rating::billed_seconds(session.call(level), std::chrono::seconds{session.used_seconds});
            line.add(level.tariff->tariff).add(level.tariff->number).add(row.prefix.text().view());
            line.add(row.destination);
            line.add(
                rating::format(rating::price_with_markup(row.rate->price, level.tariff->settings)).view());
            line.add(static_cast<std::uint64_t>(billed.count()));
        }
        line.add(rating::format(level.charged).view());
        end(line);
    }
}

}  // namespace

void verify_journal(const std::string& directory, const StateSettings& settings, std::ostream& out) {
    journal::PosixDisk disk{directory};
    State state{settings};
    const auto found = replay(disk, {}, state);
    std::optional<journal::Fault> fault;
    std::vector<journal::SnapshotFile> snapshots;
    if (const auto instance = journal::instance_in(disk, fault)) {
        (void)journal::list_snapshots(disk, snapshots);
        for (const auto& snapshot : snapshots) {
            fault = journal::read_snapshot(disk, *instance, snapshot.name, [](auto) { return true; });
            if (fault) throw DamagedJournal{fault->text()};
            out << directory << ": " << snapshot.name << " is whole\n";
        }
    }
    out << directory << ": " << found.events << " events in " << found.batches
        << " batches, the last is event " << found.last.sequence << "; "
        << (found.sealed ? "sealed" : "not sealed") << '\n';
    if (found.torn_blocks > 0) {
        out << found.torn_name << ": " << found.torn_blocks << " blocks from byte " << found.torn_offset
            << " on were never answered; the next start cuts them off\n";
    }
}

bool verify_state(const std::string& directory, const StateSettings& settings, std::ostream& out) {
    journal::PosixDisk disk{directory};
    State state{settings};
    const auto found = replay(disk, {}, state);
    const auto faults = state.verify();
    const auto counts = state.sessions.counts();
    out << directory << ": " << found.events << " events, " << state.parties.size() << " parties, "
        << counts.open << " open and " << counts.remembered << " ended sessions\n";
    for (const auto& fault : faults)
        out << fault << '\n';
    out << (faults.empty() ? "every invariant holds\n" : "not every invariant holds\n");
    return faults.empty();
}

bool repair_journal(const std::string& directory, bool cut, std::ostream& out) {
    journal::PosixDisk disk{directory};
    std::vector<journal::SnapshotFile> snapshots;
    const bool any = journal::list_snapshots(disk, snapshots) == 0 && !snapshots.empty();
    const auto repair = journal::repair_journal(disk, {}, any ? snapshots.back().sequence : 0, cut);
    for (const auto& what : repair.done)
        out << what << '\n';
    if (repair.remaining) out << repair.remaining->text() << '\n';
    out << (repair.good ? "the journal is good\n" : "the journal is not good\n");
    return repair.good;
}

void dump_journal(const JournalDump& dump, const StateSettings& settings, std::ostream& out) {
    journal::PosixDisk disk{dump.directory};
    State state{settings};
    if (dump.records) write_record_header(out);
    replay(disk, {}, state, [&](balance::Sequence sequence, std::span<const std::byte> event) {
        if (!dump.records) return show_event(state, sequence, event, out);
        ByteReader in{event};
        const EventHeader header = EventHeader::read(in);
        if (!is_of_session(header.kind)) return;
        if ((dump.from && header.at.wall < *dump.from) || (dump.until && header.at.wall >= *dump.until))
            return;
        const Session* const session = state.sessions.find(balance::read_session_key(in));
        EndWords words;
        words.cause = in.text();
        words.tags = in.text();
        rating::Instant stop_at;
        in.get(stop_at);
        if (stop_at != rating::kAlways) words.at = stop_at;
        if (session != nullptr && session->record != 0) write_record(state, *session, header.at, words, out);
    });
}

}  // namespace tollgate::daemon
