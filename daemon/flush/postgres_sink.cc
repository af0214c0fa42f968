#include "daemon/flush/postgres_sink.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "daemon/flush/postgres_connection.h"
#include "daemon/flush/postgres_indexer.h"
#include "daemon/flush/postgres_position.h"
#include "daemon/flush/postgres_rows.h"
#include "daemon/flush/postgres_schema.h"
#include "daemon/json_text.h"
#include "daemon/tariff_words.h"

namespace tollgate::daemon::flush {
namespace {

using Parameter = PostgresConnection::Parameter;

/// How long another writer, or somebody who locked a table, is waited for.
constexpr std::chrono::seconds kLockWait{10};
/// Emptying and removing what a whole journal left takes as long as it takes.
constexpr std::chrono::minutes kClearPatience{30};
/// Rows are handed over when there are so many bytes of them: the server works on them while the next are
/// made.
constexpr std::size_t kCopyBytes = std::size_t{1} << 16;
/// What is merged goes in statements of so many bytes, each within the server's patience and far below what
/// it takes at once (1 GiB).
constexpr std::size_t kMergeBytes = std::size_t{1} << 20;
/// Where PostgreSQL is behind, a snapshot is put off until there are so many times as many events.
constexpr std::uint64_t kPutOff = 4;

/// What is emptied when a refill begins: all but the position and the version.
constexpr const char* kTables =
    "tollgate.parties, tollgate.balances, tollgate.tariffs, tollgate.deck_versions, tollgate.transactions,"
    " tollgate.postings, tollgate.sessions, tollgate.call_records, tollgate.call_legs,"
    " tollgate.threshold_events, tollgate.party_statuses, tollgate.audit, tollgate.journal_snapshots,"
    " tollgate.journal_events, tollgate.journal_files";

// ---- JSON, of what we make ourselves ----

std::string json_of(const std::vector<TariffEntryDraft>& tariffs) {
    std::string json = "[";
    for (const TariffEntryDraft& entry : tariffs) {
        json += json.size() > 1 ? ",{\"service\":" : "{\"service\":";
        add_json(json, entry.service);
        json += ",\"from_prefixes\":[";
        for (std::size_t i = 0; i < entry.from_prefixes.size(); ++i) {
            if (i > 0) json += ',';
            add_json(json, entry.from_prefixes[i]);
        }
        json += "],\"tariff\":";
        add_json(json, entry.tariff);
        json += '}';
    }
    return json + ']';
}

void levels_into(std::string& json, const std::vector<SessionRow::Level>& levels) {
    json = "[";
    for (const SessionRow::Level& level : levels) {
        json += json.size() > 1 ? ",{\"party\":" : "{\"party\":";
        add_json(json, level.party);
        json += ",\"currency\":";
        add_json(json, level.currency.view());
        json += ",\"held\":";
        add_json(json, rating::format(level.held).view());
        json += ",\"charged\":";
        add_json(json, rating::format(level.charged).view());
        json += '}';
    }
    json += ']';
}

// ---- Words ----

std::string_view text_of(rating::Rounding rounding) noexcept {
    switch (rounding) {
        case rating::Rounding::up:
            return "up";
        case rating::Rounding::half_up:
            return "half_up";
        case rating::Rounding::half_even:
            return "half_even";
        case rating::Rounding::down:
            return "down";
    }
    return "unknown";
}

std::string_view text_of(rating::IncrementAnchor anchor) noexcept {
    return anchor == rating::IncrementAnchor::zero ? "zero" : "end_of_initial";
}

std::string timestamp_of(rating::Instant at) {
    return std::string{rating::format(at).view()};
}

/// Events that stand in one row.
struct EventRun {
    Sequence first = 0;
    Sequence last = 0;
    std::span<const std::byte> bytes;  ///< Each behind its length.
};

std::vector<EventRun> runs_of(const Batch& batch) {
    std::vector<EventRun> runs;
    Sequence next = batch.first;
    for (std::span<const std::byte> rest{batch.events}; !rest.empty(); ++next) {
        balance::journal::EventLength length = 0;
        std::memcpy(&length, rest.data(), sizeof length);
        const std::size_t size = sizeof length + length;
        const bool fits = !runs.empty() && runs.back().bytes.size() + size <= kRowBytes;
        if (fits) {
            EventRun& run = runs.back();
            run.last = next;
            run.bytes = {run.bytes.data(), run.bytes.size() + size};
        } else {
            runs.push_back({next, next, rest.first(size)});
        }
        rest = rest.subspan(size);
    }
    return runs;
}

Partitions::Month month_of(rating::Instant at) noexcept {
    const std::chrono::year_month_day day{std::chrono::floor<std::chrono::days>(at)};
    return day.year() / day.month();
}

}  // namespace

/// The connection and what belongs to it.
class PostgresSink::Writer {
  public:
    explicit Writer(PostgresSettings settings)
        : settings_(std::move(settings)),
          connection_(limits_of(settings_)),
          indexer_(settings_.url, settings_.password_file, limits_of(settings_)) {}

    std::optional<Position> connect();
    std::optional<Position> position() { return read_position(connection_, false); }
    void write(const Batch& batch);
    [[nodiscard]] bool is_snapshot_due(const Batch& batch) const noexcept;
    void interrupt() noexcept {
        connection_.interrupt();
        indexer_.interrupt();
    }
    void disconnect() noexcept { connection_.close(); }

  private:
    static constexpr std::chrono::seconds kConnectMax{10};
    static constexpr unsigned kMarkupPlaces = 4;

    static PostgresConnection::Limits limits_of(const PostgresSettings& settings) noexcept {
        return {.connect = std::min<std::chrono::milliseconds>(settings.timeout, kConnectMax),
                .answer = settings.timeout};
    }

    /// One COPY: `row(rows, element)` for each element.
    template <typename Elements, typename Row>
    void copy(const std::string& into, const Elements& elements, const Row& row);
    void run_copy_so_far();
    /// `into` unnest(…) `how`, for all elements, a megabyte of them at a time: `row(rows, element)` for each.
    template <typename Elements, typename Row>
    void merge(std::string_view into, PostgresArrays rows, const Elements& elements, const Row& row,
               std::string_view how);

    void clear();
    void parties(const Batch& batch);
    void balances(const Batch& batch);
    void versions(const Batch& batch);
    void transactions(const Batch& batch);
    void sessions(const Batch& batch);
    void records(const Batch& batch);
    void happenings(const Batch& batch);
    void journal(const Batch& batch);
    void file(const Batch& batch, const std::string& name);
    void snapshot(const Batch& batch);

    const PostgresSettings settings_;
    PostgresConnection connection_;
    PostgresIndexer indexer_;
    Partitions partitions_;
    PostgresRows rows_;
    std::string text_;
    JournalBytes journal_bytes_;  // With what is written.
};

std::optional<Position> PostgresSink::Writer::connect() {
    connection_.open(settings_.url, password_in(settings_.password_file));
    // Whatever the server's own are: an answer that it takes back would be a gap.
    connection_.execute(
        "SET timezone = 'UTC'; SET synchronous_commit = on; SET standard_conforming_strings = on;"
        "SET client_min_messages = warning; SET search_path = tollgate, pg_temp; SET array_nulls = on;"
        "SET idle_in_transaction_session_timeout = '5min'");
    prepare_schema(connection_);
    indexer_.begin_where_needed(connection_);
    partitions_.read(connection_);
    partitions_.make(connection_, month_of(std::chrono::system_clock::now()), settings_.months_ahead);
    connection_.execute("SET lock_timeout = " + std::to_string(std::chrono::milliseconds{kLockWait}.count()));
    // Both as of one moment: a COMMIT whose answer was lost may still come to be seen.
    connection_.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    if (const auto known = read_journal_bytes(connection_)) {
        journal_bytes_ = *known;
    } else {
        const PostgresConnection::Patience patience{connection_, kClearPatience};
        const auto bytes_of = [this](std::string_view table) {
            return connection_
                .execute(statement({"SELECT coalesce(sum(octet_length(bytes)), 0) FROM tollgate.", table}))
                .number(0, 0);
        };
        journal_bytes_ = {bytes_of("journal_events"), bytes_of("journal_snapshots")};
    }
    const auto stands = position();
    connection_.execute("ROLLBACK");
    return stands;
}

template <typename Elements, typename Row>
void PostgresSink::Writer::copy(const std::string& into, const Elements& elements, const Row& row) {
    if (elements.begin() == elements.end()) return;
    connection_.begin_copy("COPY " + into + " FROM STDIN (FORMAT binary)");
    rows_.clear();
    for (const auto& element : elements) {
        row(rows_, element);
        if (rows_.size() >= kCopyBytes) run_copy_so_far();
    }
    connection_.copy(rows_.finish());
    connection_.end_copy();
}

template <typename Elements, typename Row>
void PostgresSink::Writer::merge(std::string_view into, PostgresArrays rows, const Elements& elements,
                                 const Row& row, std::string_view how) {
    const std::string merging = statement({into, rows.unnest(), how});
    for (std::size_t left = elements.size(); const auto& element : elements) {
        row(rows, element);
        if (--left > 0 && rows.size() < kMergeBytes) continue;
        connection_.execute(merging, rows.finish());
        rows.clear();
    }
}

void PostgresSink::Writer::run_copy_so_far() {
    connection_.copy(rows_.so_far());
    rows_.drop_so_far();
}

void PostgresSink::Writer::write(const Batch& batch) {
    // Before the transaction: whoever reads a report must not wait for it.
    std::optional<Partitions::Month> made;
    for (const RecordRow& row : batch.records) {
        const auto month = month_of(row.record.ended_at);
        if (std::exchange(made, month) != month) partitions_.make(connection_, month, settings_.months_ahead);
    }
    connection_.execute("BEGIN");
    std::optional<Position> stands;
    try {
        stands = read_position(connection_, true);
    } catch (const PostgresFailure& failure) {
        if (failure.is_missing()) throw SinkMoved{failure.what()};
        throw;
    }
    // What another daemon has filled meanwhile is not emptied by one that saw it empty.
    const bool is_taken = stands && stands->filling == 0 && stands->instance != batch.after.instance;
    if (batch.clear ? is_taken : stands != batch.before)
        throw SinkMoved{connection_.place() + " does not stand where it stood"};
    if (batch.clear) clear();
    parties(batch);
    balances(batch);
    versions(batch);
    transactions(batch);
    sessions(batch);
    records(batch);
    happenings(batch);
    journal(batch);
    write_position(connection_, batch.after, journal_bytes_);
    connection_.execute("COMMIT");
}

void PostgresSink::Writer::clear() {
    const PostgresConnection::Patience patience{connection_, kClearPatience};
    connection_.execute(std::string{"TRUNCATE "} + kTables);
    journal_bytes_ = {};
}

void PostgresSink::Writer::parties(const Batch& batch) {
    merge(
        "INSERT INTO tollgate.parties SELECT * FROM ",
        {"text", "bigint", "text", "text", "text", "text", "text", "text", "text", "numeric", "numeric",
         "jsonb", "bigint", "text"},
        batch.parties,
        [](PostgresArrays& rows, const PartyRow& party) {
            rows.text(party.id).number(static_cast<std::uint64_t>(party.number));
            rows.text_or_null(party.parent);
            rows.text(daemon::text_of(party.kind)).text(daemon::text_of(party.terms));
            rows.text(daemon::text_of(party.billing)).text(party.status.text().view());
            rows.text(party.currency.view()).text(party.time_zone);
            rows.money(party.credit_limit).money(party.min_available).json(json_of(party.tariffs));
            party.max_calls ? rows.number(*party.max_calls) : rows.null();
            rows.text_or_null(party.dial_plan);
        },
        " ON CONFLICT (id) DO UPDATE SET parent = excluded.parent, kind = excluded.kind,"
        " terms = excluded.terms, billing = excluded.billing, status = excluded.status,"
        " currency = excluded.currency, time_zone = excluded.time_zone,"
        " credit_limit = excluded.credit_limit, min_available = excluded.min_available,"
        " tariffs = excluded.tariffs, max_calls = excluded.max_calls, dial_plan = excluded.dial_plan");
}

void PostgresSink::Writer::balances(const Batch& batch) {
    merge(
        "INSERT INTO tollgate.balances SELECT * FROM ", {"text", "text", "numeric", "numeric", "numeric"},
        batch.balances,
        [](PostgresArrays& rows, const BalanceRow& row) {
            rows.text(row.id).text(row.currency.view());
            rows.money(row.balance).money(row.held).money(row.available);
        },
        " ON CONFLICT (party) DO UPDATE SET balance = excluded.balance, held = excluded.held,"
        " available = excluded.available");
}

// There are few of them, and each says of its tariff what is in force.
void PostgresSink::Writer::versions(const Batch& batch) {
    for (const auto& version : batch.versions) {
        const rating::TariffSettings& settings = version->settings;
        const auto or_null = [](const std::string& text) {
            return text.empty() ? Parameter{} : Parameter{text};
        };
        const std::array<Parameter, 14> values{
            sql_text(version->tariff),
            std::to_string(version->number),
            std::string{daemon::text_of(version->change)},
            sql_text(version->origin.who),
            timestamp_of(version->origin.when),
            std::string{settings.currency.view()},
            std::to_string(settings.decimals),
            std::string{text_of(settings.rounding)},
            std::string{text_of(settings.anchor)},
            std::string{rating::format_decimal(settings.markup, kMarkupPlaces).view()},
            settings.time_zone,
            or_null(settings.owner),
            version->deck == nullptr ? Parameter{} : Parameter{std::to_string(version->deck->row_count())},
            or_null(version->file.name)};
        connection_.execute(
            "INSERT INTO tollgate.deck_versions VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,"
            " $13, $14) ON CONFLICT (tariff, version) DO NOTHING",
            values);
        connection_.execute(
            "INSERT INTO tollgate.tariffs (id, currency, owner, version) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, version = excluded.version",
            std::array{values[0], values[5], values[11], values[1]});
    }
}

void PostgresSink::Writer::transactions(const Batch& batch) {
    copy("tollgate.transactions", batch.transactions, [](PostgresRows& rows, const TransactionRow& row) {
        const balance::Transaction& made = *row.transaction;
        rows.begin_row(13).number(made.number).number(row.sequence).instant(made.at.wall);
        rows.text(balance::text_of(made.kind)).text(made.scope).text(made.request).text(made.actor);
        rows.text(made.subject).text(made.memo).money(made.balance).money(made.available);
        made.refunded_record == 0 ? rows.null() : rows.number(made.refunded_record);
        rows.text_or_null(made.refunded_request);
    });
    copy("tollgate.postings", batch.transactions, [&batch](PostgresRows& rows, const TransactionRow& row) {
        std::int16_t position = 0;
        for (const balance::Posting& posting : row.transaction->postings) {
            rows.begin_row(8).number(row.transaction->number).small(++position);
            rows.instant(row.transaction->at.wall).text(batch.party_id(posting.party));
            rows.text(balance::text_of(posting.place)).text(posting.currency.view()).money(posting.amount);
            posting.place == balance::PostingPlace::balance ? rows.money(posting.after) : rows.null();
        }
    });
}

void PostgresSink::Writer::sessions(const Batch& batch) {
    // As a list, too: a join alone would read all that are open.
    merge(
        "DELETE FROM tollgate.sessions WHERE id = ANY ($2::text[]) AND (switch_user, id) IN (SELECT * FROM ",
        {"text", "text"}, batch.sessions_gone,
        [](PostgresArrays& rows, const SessionName& name) { rows.text(name.user).text(name.id); }, ")");
    merge(
        "INSERT INTO tollgate.sessions SELECT * FROM ",
        {"text", "text", "text", "text", "text", "text", "text", "boolean", "boolean", "timestamptz",
         "timestamptz", "timestamptz", "timestamptz", "bigint", "bigint", "jsonb"},
        batch.sessions,
        [this](PostgresArrays& rows, const SessionRow& session) {
            rows.text(session.name.user).text(session.name.id).text(session.line);
            rows.text(session.number).text(session.caller).text(session.service).text(session.switch_name);
            rows.flag(session.answered).flag(session.emergency);
            rows.instant(session.opened_at).instant_or_null(session.answered_at);
            rows.instant(session.expires_at).instant(session.rated_at);
            rows.number(session.granted_seconds).number(session.used_seconds);
            levels_into(text_, session.levels);
            rows.json(text_);
        },
        " ON CONFLICT (switch_user, id) DO UPDATE SET line = excluded.line, number = excluded.number,"
        " caller = excluded.caller, service = excluded.service, switch = excluded.switch,"
        " answered = excluded.answered, emergency = excluded.emergency, authorized = excluded.authorized,"
        " answered_at = excluded.answered_at, expires = excluded.expires, rated_at = excluded.rated_at,"
        " granted = excluded.granted, used = excluded.used, levels = excluded.levels");
}

void PostgresSink::Writer::records(const Batch& batch) {
    // One that is said anew may lie in another month by now; it is seldom, so all months are looked through.
    std::string again;
    for (const RecordRow& row : batch.records) {
        if (!row.again) continue;
        again += (again.empty() ? "{" : ",") + std::to_string(row.record.number);
    }
    if (!again.empty()) {
        const std::array<Parameter, 1> numbers{again + '}'};
        connection_.execute("DELETE FROM tollgate.call_records WHERE record = ANY($1::bigint[])", numbers);
        connection_.execute("DELETE FROM tollgate.call_legs WHERE record = ANY($1::bigint[])", numbers);
    }

    copy("tollgate.call_records", batch.records, [](PostgresRows& rows, const RecordRow& row) {
        const CallRecord& record = row.record;
        rows.begin_row(26).number(record.number).number(row.sequence).text(record.session).text(record.user);
        rows.text(record.line);
        rows.text(record.called).text(record.caller).text(record.service).text(record.switch_name);
        rows.text(record.state).text(record.flags).instant_or_null(record.opened_at);
        rows.instant_or_null(record.answered_at).instant(record.ended_at).number(record.used_seconds);
        rows.text(record.cause).text(record.start_tags).text(record.tags).instant(record.rated_at);
        rows.instant_or_null(record.start_at).instant_or_null(record.stop_at);
        if (record.legs.empty()) {
            rows.null().null().null().null();
        } else {
            const CallLeg& leg = record.legs.front();
            rows.text(leg.party).text(leg.currency.view()).money(leg.charged);
            leg.rated ? rows.text(leg.destination) : rows.null();
        }
        rows.text_or_null(row.group);
    });
    copy("tollgate.call_legs", batch.records, [](PostgresRows& rows, const RecordRow& row) {
        std::int16_t level = 0;
        for (const CallLeg& leg : row.record.legs) {
            rows.begin_row(13).number(row.record.number).small(++level).instant(row.record.ended_at);
            rows.text(leg.party).text(leg.seller).text(leg.currency.view());
            if (leg.rated) {
                rows.text(leg.tariff).number(leg.version).text(leg.prefix).text(leg.destination);
                rows.decimal(leg.price.nanos(), rating::Price::kPlaces).number(leg.billed_seconds);
            } else {
                rows.null().null().null().null().null().null();
            }
            rows.money(leg.charged);
        }
    });
}

void PostgresSink::Writer::happenings(const Batch& batch) {
    copy("tollgate.threshold_events", batch.thresholds,
         [&batch](PostgresRows& rows, const ThresholdRow& row) {
             const balance::Crossing& crossing = row.event.crossing;
             rows.begin_row(6).number(row.event.number).number(row.sequence).instant(row.event.at.wall);
             rows.text(batch.party_id(crossing.party)).text(daemon::text_of(crossing.warning));
             rows.money(crossing.balance);
         });
    copy("tollgate.party_statuses", batch.statuses, [&batch](PostgresRows& rows, const StatusRow& row) {
        rows.begin_row(5).number(row.sequence).text(batch.party_id(row.party)).instant(row.at.wall);
        rows.text(row.before.text().view()).text(row.after.text().view());
    });
    copy("tollgate.audit", batch.audit, [](PostgresRows& rows, const AuditRow& row) {
        const AuditEntry& entry = row.entry;
        rows.begin_row(10).number(entry.number).number(row.sequence).instant(entry.at).text(entry.actor);
        rows.text(entry.operation).text_or_null(entry.party).text(entry.target);
        rows.text(entry.before).text(entry.after);
        entry.link ? rows.text(entry.link->hash.text()) : rows.null();
    });
}

void PostgresSink::Writer::journal(const Batch& batch) {
    const bool is_due = is_snapshot_due(batch);
    for (const std::string& name : batch.files)
        file(batch, name);
    copy("tollgate.journal_events", runs_of(batch), [](PostgresRows& rows, const EventRun& run) {
        rows.begin_row(3).number(run.first).number(run.last).bytes(run.bytes);
    });
    journal_bytes_.events += batch.events.size();
    if (is_due) snapshot(batch);
}

bool PostgresSink::Writer::is_snapshot_due(const Batch& batch) const noexcept {
    if (batch.after.sequence == 0 || batch.state_went_on) return false;
    if (batch.filling) return batch.after.filling == 0;
    const std::uint64_t enough = std::max(settings_.snapshot_bytes, 2 * journal_bytes_.snapshot);
    return journal_bytes_.events + batch.events.size() >= (batch.behind ? kPutOff * enough : enough);
}

void PostgresSink::Writer::file(const Batch& batch, const std::string& name) {
    const std::array<Parameter, 1> named{name};
    if (connection_.execute("SELECT FROM tollgate.journal_files WHERE name = $1 LIMIT 1", named).rows() > 0)
        return;
    const std::vector<std::byte> whole = batch.read_file(name);
    std::vector<std::span<const std::byte>> chunks;
    for (std::size_t at = 0; at == 0 || at < whole.size(); at += kRowBytes)
        chunks.push_back(std::span{whole}.subspan(at, std::min(kRowBytes, whole.size() - at)));
    std::int32_t number = 0;
    copy("tollgate.journal_files", chunks, [&](PostgresRows& rows, std::span<const std::byte> chunk) {
        rows.begin_row(3).text(name).whole(++number).bytes(chunk);
    });
}

// It stands for all events up to here, so that none of them is needed any more.
void PostgresSink::Writer::snapshot(const Batch& batch) {
    const auto files = batch.state->files_named();
    for (const std::string& name : files)
        file(batch, name);
    {
        const PostgresConnection::Patience patience{connection_, kClearPatience};
        connection_.execute("DELETE FROM tollgate.journal_events; DELETE FROM tollgate.journal_snapshots");
    }
    std::string named = "{";
    for (const std::string& name : files)
        named += (named.size() > 1 ? "," : "") + name;
    connection_.execute("DELETE FROM tollgate.journal_files WHERE name <> ALL($1::text[])",
                        std::array<Parameter, 1>{named + '}'});

    connection_.begin_copy("COPY tollgate.journal_snapshots FROM STDIN (FORMAT binary)");
    rows_.clear();
    std::vector<std::byte> chunk;
    std::int32_t number = 0;
    std::uint64_t bytes = 0;
    const auto put_chunk = [&] {
        rows_.begin_row(3).number(batch.after.sequence).whole(++number).bytes(chunk);
        if (rows_.size() >= kCopyBytes) run_copy_so_far();
        bytes += chunk.size();
        chunk.clear();
    };
    batch.state->save([&](std::span<const std::byte> record) {
        const auto length = static_cast<balance::journal::EventLength>(record.size());
        const auto head = std::as_bytes(std::span{&length, 1});
        if (!chunk.empty() && chunk.size() + head.size() + record.size() > kRowBytes) put_chunk();
        chunk.insert(chunk.end(), head.begin(), head.end());
        chunk.insert(chunk.end(), record.begin(), record.end());
    });
    if (!chunk.empty()) put_chunk();
    connection_.copy(rows_.finish());
    connection_.end_copy();
    journal_bytes_ = {.events = 0, .snapshot = bytes};
}

// ---- What the follower sees ----

namespace {

/// No exception of the connection leaves the sink, and no connection is left in the middle of a transaction.
template <typename Writer, typename Work>
auto guarded(Writer& writer, const Work& work) -> decltype(work()) {
    try {
        return work();
    } catch (const SinkFailure&) {
        writer.disconnect();
        throw;
    } catch (const SchemaTooNew& refusal) {
        writer.disconnect();
        throw SinkRefused{refusal.what()};
    } catch (const PostgresFailure& failure) {
        writer.disconnect();
        if (failure.is_refusal()) throw SinkRefused{failure.what()};
        throw SinkFailure{failure.what()};
    } catch (const std::runtime_error& failure) {
        writer.disconnect();
        throw SinkFailure{failure.what()};
    }
}

}  // namespace

PostgresSink::PostgresSink(PostgresSettings settings)
    : writer_(std::make_unique<Writer>(std::move(settings))) {}

PostgresSink::~PostgresSink() = default;

std::optional<Position> PostgresSink::connect() {
    return guarded(*writer_, [this] { return writer_->connect(); });
}

std::optional<Position> PostgresSink::position() {
    return guarded(*writer_, [this]() -> std::optional<Position> {
        try {
            return writer_->position();
        } catch (const PostgresFailure& failure) {
            if (failure.is_missing()) return std::nullopt;
            throw;
        }
    });
}

void PostgresSink::write(const Batch& batch) {
    guarded(*writer_, [this, &batch] { writer_->write(batch); });
}

bool PostgresSink::needs_state(const Batch& batch) const {
    return batch.filling || writer_->is_snapshot_due(batch);
}

void PostgresSink::interrupt() noexcept {
    writer_->interrupt();
}

void PostgresSink::disconnect() noexcept {
    writer_->disconnect();
}

}  // namespace tollgate::daemon::flush
