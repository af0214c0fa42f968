/// Everything that the journal says, as rows of a PostgreSQL, and the journal itself for when its disk is
/// lost.
///
/// A batch is one transaction, which moves the position too: so every event is there exactly once, whoever
/// dies when. docs/schema.md has the tables.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "daemon/flush/sink.h"

namespace tollgate::daemon::flush {

struct PostgresSettings {
    std::string url;                                               ///< As libpq takes it.
    std::string password_file;                                     ///< Its first line; empty: none.
    std::chrono::milliseconds timeout = std::chrono::seconds{30};  ///< For a server that says nothing.
    /// A new snapshot goes up when so many bytes of events stand behind the last one, and twice as many as it
    /// has itself; up to four times as many where PostgreSQL is behind.
    std::uint64_t snapshot_bytes = std::uint64_t{256} << 20;
    unsigned months_ahead = 3;  ///< Partitions that are made before they are needed.
};

class PostgresSink final : public Sink {
  public:
    explicit PostgresSink(PostgresSettings settings);
    ~PostgresSink() override;

    [[nodiscard]] std::string_view name() const noexcept override { return "postgresql"; }
    [[nodiscard]] std::optional<Position> connect() override;
    [[nodiscard]] std::optional<Position> position() override;
    void write(const Batch& batch) override;
    [[nodiscard]] bool needs_state(const Batch& batch) const override;
    void interrupt() noexcept override;
    void disconnect() noexcept override;

  private:
    class Writer;
    std::unique_ptr<Writer> writer_;
};

}  // namespace tollgate::daemon::flush
