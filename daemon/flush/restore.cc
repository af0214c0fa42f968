#include "daemon/flush/restore.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "balance/journal/aside.h"
#include "balance/journal/disk.h"
#include "balance/journal/journal.h"
#include "balance/journal/snapshot.h"
#include "daemon/flush/postgres_connection.h"
#include "daemon/flush/postgres_position.h"
#include "daemon/flush/postgres_rows.h"
#include "daemon/flush/postgres_schema.h"
#include "daemon/recovery.h"
#include "daemon/reserve.h"

namespace tollgate::daemon::flush {
namespace {

namespace journal = balance::journal;

/// How long the server may think about one piece of a large table.
constexpr std::chrono::minutes kPatience{10};
/// So many rows are asked for at once.
constexpr std::size_t kRowsFirst = 8;
constexpr std::size_t kRowsMost = 256;
constexpr std::chrono::seconds kDurableWithin{60};
constexpr std::chrono::milliseconds kDurableLook{100};
/// What a file system may put into an empty folder.
constexpr std::string_view kLostAndFound = "lost+found";

[[noreturn]] void fail(const std::string& what) {
    throw std::runtime_error{"restore: " + what};
}

/// Calls `visit(number, record)` for each record behind its length.
template <typename Visit>
void each_record(std::span<const std::byte> bytes, const std::string& where, const Visit& visit) {
    while (!bytes.empty()) {
        journal::EventLength length = 0;
        if (bytes.size() < sizeof length) fail(where + " is cut off");
        std::memcpy(&length, bytes.data(), sizeof length);
        bytes = bytes.subspan(sizeof length);
        if (length > bytes.size()) fail(where + " is cut off");
        visit(bytes.first(length));
        bytes = bytes.subspan(length);
    }
}

/// What PostgreSQL has of a journal.
class Stored {
  public:
    explicit Stored(const RestoreOrder& order) : connection_({.answer = kPatience}) {
        connection_.open(order.url, password_in(order.password_file));
        connection_.execute(
            "SET timezone = 'UTC'; SET lock_timeout = '60s'; SET idle_in_transaction_session_timeout = 0; "
            "SET synchronous_commit = on");
        const auto version = schema_version(connection_);
        if (version == 0) fail(connection_.place() + " has no tables of tollgate");
        if (version > kSchemaVersion)
            fail(connection_.place() + ": its tables are of version " + std::to_string(version) +
                 ", and this tollgated knows none above " + std::to_string(kSchemaVersion));
        // The row is locked first, and what is seen is as of then: a daemon that is at work waits, and then
        // does not stand where it stood.
        connection_.execute("BEGIN");
        const auto position = read_position(connection_, true);
        if (!position) fail(connection_.place() + " follows no journal");
        if (position->filling != 0)
            fail(connection_.place() + " was being filled when it was left: it has not all of a journal");
        position_ = *position;
    }

    [[nodiscard]] const Position& position() const noexcept { return position_; }
    [[nodiscard]] std::string place() const { return connection_.place(); }

    /// The event that the snapshot goes up to; 0 without one.
    template <typename Visit>
    Sequence each_of_snapshot(const Visit& visit) {
        const auto newest =
            connection_.execute("SELECT max(sequence), count(*) FROM tollgate.journal_snapshots");
        if (newest.is_null(0, 0)) return 0;
        const std::uint64_t sequence = newest.number(0, 0);
        each_row("SELECT chunk, bytes FROM tollgate.journal_snapshots WHERE sequence = " +
                     std::to_string(sequence) + " ORDER BY chunk",
                 [&](const PostgresResult& rows, std::size_t row) {
                     each_record(rows.bytes(row, 1), "the snapshot of event " + std::to_string(sequence),
                                 visit);
                 });
        return sequence;
    }

    /// Every event above `after`; fails where one is missing.
    template <typename Visit>
    std::uint64_t each_event(Sequence after, const Visit& visit) {
        Sequence next = after + 1;
        each_row("SELECT e.first::text AS begins, e.bytes FROM tollgate.journal_events e WHERE e.last > " +
                     std::to_string(after) + " ORDER BY e.first",
                 [&](const PostgresResult& rows, std::size_t row) {
                     Sequence first = 0;
                     const auto text = rows.field(row, 0);
                     std::from_chars(text.data(), text.data() + text.size(), first);
                     if (first > next)
                         fail("events " + std::to_string(next) + " to " + std::to_string(first - 1) +
                              " are missing");
                     each_record(rows.bytes(row, 1), "event " + std::to_string(first) + " and what follows",
                                 [&](std::span<const std::byte> event) {
                                     if (first++ < next) return;
                                     visit(next++, event);
                                 });
                 });
        if (next <= position_.sequence)
            fail("events " + std::to_string(next) + " to " + std::to_string(position_.sequence) +
                 " are missing");
        return next - 1 - after;
    }

    std::vector<std::byte> file(std::string_view name) {
        std::vector<std::byte> whole;
        bool any = false;
        // Names of files are of letters, digits, `-`, `_` and `.`.
        if (name.find_first_of("'\\") != std::string_view::npos) fail("a file has a name that none has");
        each_row("SELECT chunk, bytes FROM tollgate.journal_files WHERE name = '" + std::string{name} +
                     "' ORDER BY chunk",
                 [&](const PostgresResult& rows, std::size_t row) {
                     const auto bytes = rows.bytes(row, 1);
                     whole.insert(whole.end(), bytes.begin(), bytes.end());
                     any = true;
                 });
        if (!any) fail("the file " + std::string{name} + ", which an event names, is missing");
        return whole;
    }

    /// It follows another journal from now on.
    void move(const Position& position) {
        move_position(connection_, position);
        connection_.execute("COMMIT");
    }

  private:
    /// Visits the rows of a query, some of them in memory at a time.
    template <typename Visit>
    void each_row(const std::string& query, const Visit& visit) {
        const std::string cursor = "restore_" + std::to_string(++cursors_);
        connection_.execute("DECLARE " + cursor + " NO SCROLL CURSOR FOR " + query);
        // Rows are of a page; what an older version wrote is of megabytes.
        std::size_t count = kRowsFirst;
        for (;;) {
            const auto rows =
                connection_.fetch(statement({"FETCH ", std::to_string(count), " FROM ", cursor}));
            std::size_t bytes = 0;
            for (std::size_t row = 0; row < rows.rows(); ++row) {
                visit(rows, row);
                bytes += rows.field(row, 1).size();
            }
            if (rows.rows() == 0) break;
            count = bytes <= count * kRowBytes ? std::min(2 * count, kRowsMost) : kRowsFirst;
        }
        connection_.execute("CLOSE " + cursor);
    }

    PostgresConnection connection_;
    Position position_;
    unsigned cursors_ = 0;
};

void check_empty(journal::PosixDisk& disk, const std::string& directory) {
    if (const auto error = disk.make_directory(); error != 0)
        fail(directory + ": cannot be made: " + journal::text_of(error));
    std::vector<std::string> names;
    if (const auto error = disk.list(names); error != 0)
        fail(directory + ": cannot be listed: " + journal::text_of(error));
    std::erase(names, kLostAndFound);
    if (!names.empty())
        fail(directory + " is not empty: it has " + names.front() +
             "; a folder that has anything in it is never written over");
}

/// KIND-NUMBER-CHECKSUM.dat under the same name again.
void put_file(journal::Disk& disk, const journal::Instance& instance, const std::string& name,
              std::span<const std::byte> bytes) {
    const auto second = name.rfind('-');
    const auto first =
        second == std::string::npos || second == 0 ? std::string::npos : name.rfind('-', second - 1);
    if (first == std::string::npos) fail("a file is called " + name + ", as none is");
    std::uint64_t number = 0;
    std::from_chars(name.data() + first + 1, name.data() + second, number);
    std::string written;
    if (const auto error =
            journal::write_aside(disk, instance, name.substr(0, first), number, bytes, written);
        error != 0)
        fail(disk.path(name) + ": cannot be written: " + journal::text_of(error));
    if (written != name) fail("the file " + name + " is not what it was: it would be " + written + " now");
}

}  // namespace

Restored restore_from_postgres(const RestoreOrder& order, rating::Instant now) {
    if (order.directory.empty()) fail("no folder is named: --set journal.dir=DIR");
    journal::PosixDisk disk{order.directory};
    check_empty(disk, order.directory);
    Stored stored{order};

    // ---- What there was ----
    State state{order.state};
    state.tariffs.begin_restoring();
    const Catalog::ReadAside read_aside = [&stored](std::string_view name) { return stored.file(name); };
    const auto apply = [&](const std::string& what, std::span<const std::byte> bytes) {
        if (const std::string wrong = state.apply(bytes, read_aside); !wrong.empty())
            fail(what + " is " + wrong);
    };
    Restored restored;
    restored.before = stored.position();
    const Sequence from = stored.each_of_snapshot(
        [&](std::span<const std::byte> record) { apply("a record of the snapshot", record); });
    restored.events = stored.each_event(from, [&](Sequence sequence, std::span<const std::byte> event) {
        apply("event " + std::to_string(sequence), event);
    });
    state.restored();
    const auto faults = state.verify(1);
    if (!faults.empty()) fail("what PostgreSQL has cannot be: " + faults.front());
    restored.last_at = state.latest().wall;
    restored.parties = state.parties.size();
    restored.open_sessions = state.sessions.counts().open;
    restored.digest = state.digest();

    // ---- As files ----
    const std::string mark{kRestoringFile};
    if (const auto error = journal::write_file(disk, mark, {}); error != 0)
        fail(disk.path(mark) + ": cannot be written: " + journal::text_of(error));
    const Sequence last = restored.before.sequence;
    journal::Settings settings = order.journal;
    settings.begin_after = last;
    settings.begin_epoch = restored.before.epoch + 1;
    auto opened = journal::Journal::open(disk, settings, last, [](Sequence, auto) { return false; });
    if (!opened.journal) fail(opened.fault.text());
    for (const std::string& name : state.files_named())
        put_file(disk, opened.journal->instance(), name, stored.file(name));
    journal::SnapshotWriter snapshot{disk, opened.journal->instance(), last};
    state.save([&snapshot](std::span<const std::byte> record) { (void)snapshot.add(record); });
    if (const auto error = snapshot.finish(); error != 0)
        fail(disk.path(snapshot.name()) + ": cannot be written: " + journal::text_of(error));

    // The steady clock goes on by as much as the one on the wall did.
    const auto away = std::max(now - state.latest().wall, std::chrono::nanoseconds{0});
    const Moment moment{state.latest().wall + away, state.latest().steady + away};
    std::vector<std::byte> event;
    Reserve::write_restored(order.reserve, moment, event);
    apply("the first event", event);
    if (const auto standing = state.reserve.standing()) restored.held_back = standing->parties;
    opened.journal->start();
    const Sequence first = opened.journal->append(event);
    const auto why = [&journal = *opened.journal] {
        const auto figures = journal.statistics();
        return figures.failure.empty() ? figures.full_because : figures.failure;
    };
    // A disk that is full says so long before the time is over.
    const auto until = std::chrono::steady_clock::now() + kDurableWithin;
    while (!opened.journal->wait(first, kDurableLook) && why().empty() &&
           std::chrono::steady_clock::now() < until) {}
    if (opened.journal->durable() < first || !opened.journal->stop())
        fail(order.directory + ": the journal cannot be written: " + why());

    restored.after = {opened.journal->instance(), settings.begin_epoch, last, 0};
    stored.move(restored.after);
    if (const auto error = disk.remove(mark); error != 0)
        fail(disk.path(mark) + ": cannot be removed: " + journal::text_of(error));
    if (const auto error = disk.sync_directory(); error != 0)
        fail(order.directory + ": cannot be synced: " + journal::text_of(error));
    return restored;
}

}  // namespace tollgate::daemon::flush
