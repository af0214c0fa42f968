/// The tables that PostgreSQL keeps for us: made, brought up to date, and a partition a month.
/// docs/schema.md.
#pragma once

#include <chrono>
#include <set>
#include <string>

#include "daemon/flush/postgres_connection.h"

namespace tollgate::daemon::flush {

/// The newest version that this program knows, and the one that it writes.
inline constexpr std::uint64_t kSchemaVersion = 3;

/// How long a migration waits for a lock, and so the longest that it keeps anybody else waiting behind it.
inline constexpr std::chrono::milliseconds kSchemaLockWait{900};
/// A month's index takes as long as it takes; it keeps nobody waiting.
inline constexpr std::chrono::hours kIndexPatience{6};

/// The schema of the database is one that only a newer program knows. what() says so.
class SchemaTooNew : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// Makes what is not there and brings up to date what is: each version in one transaction, indexes apart.
/// Whoever else is at it meanwhile makes this fail. Throws PostgresFailure, SchemaTooNew.
void prepare_schema(PostgresConnection& connection);

/// The version of the schema; 0: there is none.
[[nodiscard]] std::uint64_t schema_version(PostgresConnection& connection);

/// The monthly partitions of call_records and call_legs.
class Partitions {
  public:
    using Month = std::chrono::year_month;

    /// Looks which there are.
    void read(PostgresConnection& connection);
    /// Makes those of this month and of `ahead` months after it that are not there, outside any transaction.
    void make(PostgresConnection& connection, Month first, unsigned ahead);

  private:
    std::set<Month> there_;
};

}  // namespace tollgate::daemon::flush
