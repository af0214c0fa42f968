/// Where a PostgreSQL stands: the one row of tollgate.position.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "daemon/flush/changes.h"
#include "daemon/flush/postgres_connection.h"

namespace tollgate::daemon::flush {

/// nullopt: there is none. `locked`: nobody else moves it before this transaction is over.
[[nodiscard]] std::optional<Position> read_position(PostgresConnection& connection, bool locked);

/// How much of the journal is there.
struct JournalBytes {
    std::uint64_t events = 0;    ///< Behind the snapshot.
    std::uint64_t snapshot = 0;  ///< Of it.
};
/// nullopt: that is not known, because an older version wrote it.
[[nodiscard]] std::optional<JournalBytes> read_journal_bytes(PostgresConnection& connection);

void write_position(PostgresConnection& connection, const Position& position, const JournalBytes& journal);
/// The journal that is there stays as it is. Of every version of the schema. Requires: there is a position.
void move_position(PostgresConnection& connection, const Position& position);

/// The first line of a file; empty for no file. Throws PostgresFailure where it cannot be read or is
/// empty.
[[nodiscard]] std::string password_in(const std::string& file);

/// Bytes of events, of a snapshot or of a file that stand in one row, where none of them is larger: with what
/// is beside them they fill a page, and PostgreSQL cuts nothing into pieces.
inline constexpr std::size_t kRowBytes = 8'000;

}  // namespace tollgate::daemon::flush
