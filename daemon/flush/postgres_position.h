/// Where a PostgreSQL stands: the one row of tollgate.position.
#pragma once

#include <optional>
#include <string>

#include "daemon/flush/changes.h"
#include "daemon/flush/postgres_connection.h"

namespace tollgate::daemon::flush {

/// nullopt: there is none. `locked`: nobody else moves it before this transaction is over.
[[nodiscard]] std::optional<Position> read_position(PostgresConnection& connection, bool locked);
void write_position(PostgresConnection& connection, const Position& position);

/// The first line of a file; empty for no file. Throws PostgresFailure where it cannot be read or is
/// empty.
[[nodiscard]] std::string password_in(const std::string& file);

/// Bytes of a snapshot or of a file that stand in one row, about.
inline constexpr std::size_t kChunkBytes = std::size_t{4} << 20;

}  // namespace tollgate::daemon::flush
