/// The tables that PostgreSQL keeps for us: made, brought up to date, and a partition a month.
/// docs/schema.md.
#pragma once

#include <chrono>
#include <set>
#include <string>

#include "daemon/flush/postgres_connection.h"

namespace tollgate::daemon::flush {

/// The newest version that this program knows, and the one that it writes.
inline constexpr std::uint64_t kSchemaVersion = 4;

/// The longest that a change of a table that has rows takes, waiting for its locks included, and so the
/// longest that it keeps anybody else waiting. What takes longer is undone and tried again later.
inline constexpr std::chrono::milliseconds kSchemaLockWait{900};
/// A month's index takes as long as it takes; it keeps nobody waiting.
inline constexpr std::chrono::hours kIndexPatience{6};

/// The schema of the database is one that only a newer program knows. what() says so.
class SchemaTooNew : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// Makes what is not there and brings up to date what is: each version in one transaction, without the
/// indexes that take long. Whoever else is at it meanwhile makes this fail. Throws PostgresFailure,
/// SchemaTooNew.
void prepare_schema(PostgresConnection& connection);

/// Whether there are all indexes that are built on tables with rows.
[[nodiscard]] bool has_all_indexes(PostgresConnection& connection);
/// Builds those that are missing, for as long as it takes, and keeps nobody waiting. False: somebody else is
/// at it. Requires: the newest schema. Throws PostgresFailure.
[[nodiscard]] bool build_indexes(PostgresConnection& connection);

/// The version of the schema; 0: there is none.
[[nodiscard]] std::uint64_t schema_version(PostgresConnection& connection);

/// The monthly partitions of call_records and call_legs.
class Partitions {
  public:
    using Month = std::chrono::year_month;

    /// Looks which there are.
    void read(PostgresConnection& connection);
    /// Makes those of this month and of `ahead` months after it that are not there, outside any transaction.
    /// One that was detached, and is there still, is attached again: whatever comes late belongs to what is
    /// in it.
    void make(PostgresConnection& connection, Month first, unsigned ahead);

  private:
    std::set<Month> there_;
};

}  // namespace tollgate::daemon::flush
