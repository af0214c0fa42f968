#include "daemon/flush/postgres_position.h"

#include <array>
#include <charconv>
#include <stdexcept>
#include <string_view>

#include "daemon/operation/first_line.h"

namespace tollgate::daemon::flush {
namespace {

constexpr int kHexadecimal = 16;
constexpr std::size_t kHalfDigits = 16;

std::optional<balance::journal::Instance> parse_instance(std::string_view text) {
    if (text.size() != 2 * kHalfDigits) return std::nullopt;
    balance::journal::Instance instance;
    for (auto* const half : {&instance.high, &instance.low}) {
        const auto [end, error] =
            std::from_chars(text.data(), text.data() + kHalfDigits, *half, kHexadecimal);
        if (error != std::errc{} || end != text.data() + kHalfDigits) return std::nullopt;
        text.remove_prefix(kHalfDigits);
    }
    return instance;
}

}  // namespace

std::optional<Position> read_position(PostgresConnection& connection, bool locked) {
    const auto found =
        connection.execute(std::string{"SELECT instance, epoch, sequence, filling FROM tollgate.position"} +
                           (locked ? " FOR UPDATE" : ""));
    if (found.rows() == 0) return std::nullopt;
    const auto instance = parse_instance(found.field(0, 0));
    if (!instance)
        throw PostgresFailure{connection.place() + ": tollgate.position names no journal: \"" +
                              std::string{found.field(0, 0)} + '"'};
    return Position{*instance, found.number(0, 1), found.number(0, 2), found.number(0, 3)};
}

std::optional<JournalBytes> read_journal_bytes(PostgresConnection& connection) {
    const auto found = connection.execute("SELECT event_bytes, snapshot_bytes FROM tollgate.position");
    if (found.rows() == 0) return JournalBytes{};
    if (found.is_null(0, 0) || found.is_null(0, 1)) return std::nullopt;
    return JournalBytes{found.number(0, 0), found.number(0, 1)};
}

void write_position(PostgresConnection& connection, const Position& position, const JournalBytes& journal) {
    const std::array<PostgresConnection::Parameter, 6> values{
        text_of(position.instance),       std::to_string(position.epoch), std::to_string(position.sequence),
        std::to_string(position.filling), std::to_string(journal.events), std::to_string(journal.snapshot)};
    connection.execute(
        "INSERT INTO tollgate.position (instance, epoch, sequence, filling, event_bytes, snapshot_bytes)"
        " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (only_row) DO UPDATE SET instance = excluded.instance,"
        " epoch = excluded.epoch, sequence = excluded.sequence, filling = excluded.filling,"
        " written_at = excluded.written_at, event_bytes = excluded.event_bytes,"
        " snapshot_bytes = excluded.snapshot_bytes",
        values);
}

void move_position(PostgresConnection& connection, const Position& position) {
    const std::array<PostgresConnection::Parameter, 4> values{
        text_of(position.instance), std::to_string(position.epoch), std::to_string(position.sequence),
        std::to_string(position.filling)};
    connection.execute(
        "UPDATE tollgate.position SET instance = $1, epoch = $2, sequence = $3, filling = $4,"
        " written_at = DEFAULT",
        values);
}

std::string password_in(const std::string& file) {
    if (file.empty()) return {};
    try {
        return secret_in("postgres.password_file", file);
    } catch (const std::runtime_error& missing) {
        throw PostgresFailure{missing.what(), PostgresFailure::kNoLogin};
    }
}

}  // namespace tollgate::daemon::flush
