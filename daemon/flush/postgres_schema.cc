#include "daemon/flush/postgres_schema.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>

namespace tollgate {

// The files of the same names: cmake/text_file.cmake.
std::string_view postgres_schema_1();
std::string_view postgres_schema_2();
std::string_view postgres_schema_3();
std::string_view postgres_schema_4();

}  // namespace tollgate

namespace tollgate::daemon::flush {
namespace {

constexpr std::array<std::string_view (*)(), kSchemaVersion> kVersions{
    &postgres_schema_1, &postgres_schema_2, &postgres_schema_3, &postgres_schema_4};

/// Whoever makes tables holds the first, whoever builds indexes the second: 7379 is ours.
constexpr std::string_view kSchemaLock = "(7379, 1)";
constexpr std::string_view kIndexLock = "(7379, 2)";

/// False: somebody else has it. Whoever fails closes the connection, and with it goes the lock.
bool take_lock(PostgresConnection& connection, std::string_view lock) {
    return connection.execute(statement({"SELECT pg_try_advisory_lock", lock})).field(0, 0) == "t";
}

void give_lock_back(PostgresConnection& connection, std::string_view lock) {
    connection.execute(statement({"SELECT pg_advisory_unlock", lock}));
}

/// An index of a partitioned table that is built on what is there already.
struct LateIndex {
    std::string_view name;
    std::string_view table;
    std::string_view columns;
};
constexpr std::array<LateIndex, 1> kLateIndexes{{
    {"call_records_group_ended", "call_records", "(destination_group, ended)"},
}};

/// nullopt: it is not there.
std::optional<bool> is_valid_index(PostgresConnection& connection, const std::string& name) {
    const auto found = connection.execute(
        "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('tollgate." + name + "')");
    if (found.rows() == 0) return std::nullopt;
    return found.field(0, 0) == "t";
}

void limit_lock_wait(PostgresConnection& connection) {
    connection.execute("SET lock_timeout = " + std::to_string(kSchemaLockWait.count()));
}

/// CREATE INDEX on a table with partitions locks each of them for as long as it takes. So the table gets one
/// that is of nobody yet, each partition one of its own while everybody goes on writing, and the last one
/// that is attached makes the whole of it valid.
void build_index(PostgresConnection& connection, const LateIndex& index) {
    const std::string name{index.name};
    const auto whole = is_valid_index(connection, name);
    if (whole == true) return;
    const std::string on{index.columns};
    if (!whole) {
        connection.execute(statement({"CREATE INDEX ", name, " ON ONLY tollgate.", index.table, " ", on}));
    }
    constexpr std::string_view kPartitionsOf =
        "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
        " WHERE i.inhparent = 'tollgate.";
    constexpr std::string_view kWithoutOneOf =
        "'::regclass AND NOT EXISTS (SELECT FROM pg_inherits x JOIN pg_index n ON n.indexrelid = x.inhrelid"
        " WHERE x.inhparent = 'tollgate.";
    constexpr std::string_view kInOrder = "'::regclass AND n.indrelid = c.oid) ORDER BY 1";
    const auto partitions =
        connection.execute(statement({kPartitionsOf, index.table, kWithoutOneOf, name, kInOrder}));
    for (std::size_t row = 0; row < partitions.rows(); ++row) {
        const std::string partition{partitions.field(row, 0)};
        const std::string of_partition = partition + "_group_ended";
        // What was begun and not finished is no use.
        if (is_valid_index(connection, of_partition) != true) {
            const PostgresConnection::Patience patience{connection, kIndexPatience};
            // It waits for whoever reads for long, and keeps nobody out meanwhile.
            connection.execute("SET lock_timeout = 0");
            connection.execute("DROP INDEX CONCURRENTLY IF EXISTS tollgate." + of_partition);
            connection.execute(
                statement({"CREATE INDEX CONCURRENTLY ", of_partition, " ON tollgate.", partition, " ", on}));
            limit_lock_wait(connection);
        }
        connection.execute(
            statement({"ALTER INDEX tollgate.", name, " ATTACH PARTITION tollgate.", of_partition}));
    }
}

std::string note_of(std::uint64_t version) {
    return statement(
        {"INSERT INTO tollgate.schema_version (version) VALUES (", std::to_string(version), ")"});
}

void make_tables(PostgresConnection& connection) {
    connection.execute("BEGIN");
    if (connection.execute("SELECT FROM pg_namespace WHERE nspname = 'tollgate'").rows() == 0)
        connection.execute("CREATE SCHEMA tollgate");
    connection.execute(std::string{kVersions.front()()});
    connection.execute(note_of(1));
    connection.execute("COMMIT");
}

/// A table with partitions is changed by taking a lock on each, one after the other, and whoever wants the
/// first waits meanwhile. So there is one time for all of them: that of one statement. The server has the
/// COMMIT, too, before it begins, so that nothing of ours can keep the locks.
void change_tables(PostgresConnection& connection, std::uint64_t version) {
    connection.execute(
        statement({"BEGIN; SET LOCAL statement_timeout = ", std::to_string(kSchemaLockWait.count()),
                   "; DO $tollgate$ BEGIN\n", kVersions.at(version - 1)(), "\nEND $tollgate$; ",
                   note_of(version), "; COMMIT"}));
}

void bring_up_to_date(PostgresConnection& connection) {
    const std::uint64_t found = schema_version(connection);
    if (found > kSchemaVersion)
        throw SchemaTooNew{connection.place() + ": its tables are of version " + std::to_string(found) +
                           ", and this tollgated knows none above " + std::to_string(kSchemaVersion) +
                           ": start one that is as new as the last one that wrote there"};
    if (found == 0) make_tables(connection);
    for (std::uint64_t version = std::max<std::uint64_t>(found, 1) + 1; version <= kSchemaVersion; ++version)
        change_tables(connection, version);
}

std::string text_of(Partitions::Month month) {
    const std::string number = std::to_string(static_cast<unsigned>(month.month()));
    std::string year = std::to_string(static_cast<int>(month.year()));
    year.insert(0, 4 - std::min<std::size_t>(year.size(), 4), '0');
    return year + (number.size() == 1 ? "_0" : "_") + number;
}

std::string first_day(Partitions::Month month) {
    std::string text = text_of(month);
    text.replace(text.find('_'), 1, "-");
    return '\'' + text + "-01 00:00:00+00'";
}

constexpr std::array<std::string_view, 2> kPartitioned{"call_records", "call_legs"};

bool is_attached(PostgresConnection& connection, const std::string& partition) {
    return connection
               .execute(
                   statement({"SELECT FROM pg_inherits WHERE inhrelid = to_regclass('", partition, "')"}))
               .rows() > 0;
}

}  // namespace

std::uint64_t schema_version(PostgresConnection& connection) {
    if (connection.execute("SELECT to_regclass('tollgate.schema_version')").is_null(0, 0)) return 0;
    return connection.execute("SELECT coalesce(max(version), 0) FROM tollgate.schema_version").number(0, 0);
}

void prepare_schema(PostgresConnection& connection) {
    limit_lock_wait(connection);
    if (!take_lock(connection, kSchemaLock))
        throw PostgresFailure{connection.place() + ": another tollgated is making its tables"};
    bring_up_to_date(connection);
    give_lock_back(connection, kSchemaLock);
}

bool has_all_indexes(PostgresConnection& connection) {
    return std::all_of(kLateIndexes.begin(), kLateIndexes.end(), [&connection](const LateIndex& index) {
        return is_valid_index(connection, std::string{index.name}) == true;
    });
}

bool build_indexes(PostgresConnection& connection) {
    if (!take_lock(connection, kIndexLock)) return false;
    limit_lock_wait(connection);
    for (const LateIndex& index : kLateIndexes)
        build_index(connection, index);
    give_lock_back(connection, kIndexLock);
    return true;
}

void Partitions::read(PostgresConnection& connection) {
    there_.clear();
    const auto found = connection.execute(
        "SELECT right(c.relname, 7) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
        " WHERE i.inhparent IN ('tollgate.call_records'::regclass, 'tollgate.call_legs'::regclass)"
        " GROUP BY 1 HAVING count(*) = 2");
    for (std::size_t row = 0; row < found.rows(); ++row) {
        const auto text = found.field(row, 0);
        constexpr std::size_t kYearDigits = 4;
        if (text.size() != kYearDigits + 3) continue;
        int year = 0;
        unsigned month = 0;
        std::from_chars(text.data(), text.data() + kYearDigits, year);
        std::from_chars(text.data() + kYearDigits + 1, text.data() + text.size(), month);
        there_.insert(std::chrono::year{year} / std::chrono::month{month});
    }
}

// Made apart and attached: that takes a lock which whoever reads or writes does not notice, while CREATE
// TABLE … PARTITION OF keeps everybody out.
void Partitions::make(PostgresConnection& connection, Month first, unsigned ahead) {
    for (unsigned i = 0; i <= ahead; ++i) {
        const Month month = first + std::chrono::months{i};
        if (there_.contains(month)) continue;
        connection.execute("BEGIN");
        for (const std::string_view table : kPartitioned) {
            const std::string whole = "tollgate." + std::string{table};
            const std::string partition = whole + '_' + text_of(month);
            if (is_attached(connection, partition)) continue;
            connection.execute(statement({"CREATE TABLE IF NOT EXISTS ", partition, " (LIKE ", whole,
                                          " INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)"}));
            connection.execute(
                statement({"ALTER TABLE ", whole, " ATTACH PARTITION ", partition, " FOR VALUES FROM (",
                           first_day(month), ") TO (", first_day(month + std::chrono::months{1}), ")"}));
        }
        connection.execute("COMMIT");
        there_.insert(month);
    }
}

}  // namespace tollgate::daemon::flush
