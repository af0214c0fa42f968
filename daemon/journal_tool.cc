#include "daemon/journal_tool.h"

#include <ostream>
#include <string_view>
#include <utility>

#include "balance/journal/disk.h"
#include "balance/journal/repair.h"
#include "balance/journal/snapshot.h"
#include "balance/journal/tail.h"
#include "daemon/call_record.h"
#include "daemon/recovery.h"
#include "rating/csv.h"

namespace tollgate::daemon {
namespace {

namespace journal = balance::journal;
using balance::EventHeader;
using balance::EventKind;
using balance::Session;
using balance::SessionLevel;

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
        case EventKind::restored:
            return "restored";
        case EventKind::reserve_released:
            return "reserve_released";
        case EventKind::reserve:
            return "reserve";
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

FreshState fresh(std::optional<State>& state, const StateSettings& settings) {
    return [&state, settings]() -> State& { return state.emplace(settings); };
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
                << " state=" << daemon::text_of(session->state) << " granted=" << session->granted_seconds
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
         {"record",   "session",    "line",     "number",   "caller",      "service", "switch",     "state",
          "flags",    "authorized", "answered", "ended",    "used",        "level",   "party",      "seller",
          "currency", "tariff",     "version",  "prefix",   "destination", "price",   "billed",     "charged",
          "cause",    "start_tags", "tags",     "rated_at", "start_at",    "stop_at", "switch_user"})
        line.add(name);
}

/// One line a leg; a call that nobody paid for has one line without a leg.
void write_record(const CallRecord& record, std::ostream& out) {
    const auto said = [](rating::Instant instant) {
        return instant == rating::kAlways ? std::string{} : std::string{rating::format(instant).view()};
    };
    const auto begin = [&](CsvLine& line) {
        line.add(record.id()).add(record.session).add(record.line).add(record.called);
        line.add(record.caller).add(record.service).add(record.switch_name);
        line.add(record.state).add(record.flags);
        line.add(said(record.opened_at)).add(said(record.answered_at)).add(said(record.ended_at));
        line.add(record.used_seconds);
    };
    const auto end = [&](CsvLine& line) {
        line.add(record.cause).add(record.start_tags).add(record.tags);
        line.add(rating::format(record.rated_at).view());
        line.add(said(record.start_at)).add(said(record.stop_at)).add(record.user);
    };
    if (record.legs.empty()) {
        CsvLine line{out};
        begin(line);
        constexpr int kFieldsOfALeg = 11;
        for (int i = 0; i < kFieldsOfALeg; ++i)
            line.add("");
        end(line);
        return;
    }
    std::uint64_t number = 0;
    for (const CallLeg& leg : record.legs) {
        CsvLine line{out};
        begin(line);
        line.add(++number).add(leg.party).add(leg.seller).add(leg.currency.view());
        if (!leg.rated) {
            line.add("").add("").add("").add("").add("").add("");
        } else {
            line.add(leg.tariff).add(leg.version).add(leg.prefix).add(leg.destination);
            line.add(rating::format(leg.price).view()).add(leg.billed_seconds);
        }
        line.add(rating::format(leg.charged).view());
        end(line);
    }
}

}  // namespace

void verify_journal(const std::string& directory, const StateSettings& settings, std::ostream& out) {
    journal::PosixDisk disk{directory};
    std::optional<State> state;
    (void)replay(disk, fresh(state, settings));
    // What a state is made of need not be all there is.
    const auto found = journal::read_journal(disk, {}, journal::first_event(disk).value_or(1) - 1,
                                             [](auto, auto) { return true; });
    std::optional<journal::Fault> fault = found.fault;
    if (fault) throw DamagedJournal{fault->text()};
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

bool verify_audit(const std::string& directory, const std::optional<access::ChainHash>& expected,
                  const StateSettings& settings, std::ostream& out) {
    journal::PosixDisk disk{directory};
    std::optional<State> state;
    (void)replay(disk, fresh(state, settings));
    const AuditLog::Chain chain = state->registry.audit.verify(expected);
    if (chain.broken_at != 0) {
        out << directory << ": audit entry " << chain.broken_at << " does not fit: " << chain.fault << '\n';
        return false;
    }
    out << directory << ": " << chain.entries << " audit entries";
    if (chain.unchained > 0) out << ", " << chain.unchained << " of them from before entries carried a hash";
    if (chain.first > 0) {
        out << "; " << chain.first << " to " << chain.head.number << " are a chain that ends with "
            << chain.head.hash.text();
    }
    out << '\n';
    if (!expected) return true;
    out << directory << ": " << expected->text()
        << (chain.expected_found ? " is one of them\n"
                                 : " is none of them: entries were taken out or made anew\n");
    return chain.expected_found;
}

bool verify_state(const std::string& directory, const StateSettings& settings, std::ostream& out) {
    journal::PosixDisk disk{directory};
    std::optional<State> state;
    const auto found = replay(disk, fresh(state, settings));
    const auto faults = state->verify();
    const auto counts = state->sessions.counts();
    out << directory << ": " << found.events << " events, " << state->parties.size() << " parties, "
        << counts.open << " open and " << counts.remembered << " ended sessions\n";
    // Two folders with the same say the same of everything but of when it was used.
    out << directory << ": digest " << std::hex << state->digest() << std::dec << '\n';
    for (const auto& fault : faults)
        out << fault << '\n';
    out << (faults.empty() ? "every invariant holds\n" : "not every invariant holds\n");
    return faults.empty();
}

bool repair_journal(const std::string& directory, bool cut, const StateSettings& settings,
                    std::ostream& out) {
    journal::PosixDisk disk{directory};
    check_there(disk);
    const auto repair = journal::repair_journal(disk, {}, cut);
    for (const auto& what : repair.done)
        out << what << '\n';
    bool good = repair.good;
    if (repair.remaining) {
        using Kind = journal::Fault::Kind;
        if (repair.remaining->kind == Kind::io || repair.remaining->kind == Kind::locked)
            throw std::runtime_error{repair.remaining->text()};
        out << repair.remaining->text() << '\n';
    } else {
        try {
            std::optional<State> state;
            (void)rehearse(disk, fresh(state, settings));
        } catch (const DamagedJournal& damage) {
            out << damage.what() << '\n'
                << "nothing here can bring that back: take the file from a copy of the folder, or restore "
                   "the "
                   "folder from PostgreSQL\n";
            good = false;
        }
    }
    out << (good ? "the journal is good\n" : "the journal is not good\n");
    return good;
}

void dump_journal(const JournalDump& dump, const StateSettings& settings, std::ostream& out) {
    journal::PosixDisk disk{dump.directory};
    std::optional<State> made;
    if (dump.records) write_record_header(out);
    const auto write = [&](const State& state, balance::Sequence sequence, std::span<const std::byte> event) {
        if (!dump.records) return show_event(state, sequence, event, out);
        ByteReader in{event};
        const EventHeader header = EventHeader::read(in);
        if (!is_of_session(header.kind)) return;
        if ((dump.from && header.at.wall < *dump.from) || (dump.until && header.at.wall >= *dump.until))
            return;
        const Session* const session = state.sessions.find(balance::read_session_key(in));
        const EndWords words = read_end_words(in, header.form);
        if (session != nullptr && session->record != 0)
            write_record(call_record_of(state, *session, header.at, words), out);
    };
    (void)replay(disk, fresh(made, settings), write);
}

}  // namespace tollgate::daemon
