#include "daemon/flush/postgres_connection.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <utility>

#include <libpq-fe.h>
#include <poll.h>

#include "daemon/operation/log_line.h"

namespace tollgate::daemon::flush {
namespace {

using std::chrono::steady_clock;

/// Whoever waits looks so often whether he is to stop.
constexpr std::chrono::milliseconds kLooksEvery{100};

/// What libpq says in several lines, as one.
std::string one_line(std::string_view text) {
    std::string line;
    for (const char c : text) {
        if (c == '\n' || c == '\r' || c == '\t') {
            if (!line.empty() && line.back() != ' ') line += ' ';
        } else {
            line += c;
        }
    }
    while (!line.empty() && line.back() == ' ')
        line.pop_back();
    return line;
}

/// What a server that refuses a connection says, taken apart. libpq has no fields of it, but the text is in
/// its hands: told to be verbose, it writes `SEVERITY:  STATE: message`, whatever language the server speaks,
/// and where in the server that was in a line of its own.
struct Refusal {
    std::string state;  ///< Of the last server that was asked; empty: none said anything.
    std::string text;
};

Refusal refusal_in(std::string_view said) {
    constexpr std::string_view kSeverityEnds = ":  ";
    constexpr std::string_view kStateEnds = ": ";
    constexpr std::string_view kWhere = "\nLOCATION:";
    constexpr std::size_t kStateSize = 5;
    const auto is_of_state = [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); };
    Refusal refusal;
    while (!said.empty()) {
        const auto severity = said.find(kSeverityEnds);
        if (severity == std::string_view::npos) break;
        const auto state = said.substr(severity + kSeverityEnds.size(), kStateSize);
        const auto behind = said.substr(severity + kSeverityEnds.size() + state.size());
        const bool found = state.size() == kStateSize && behind.starts_with(kStateEnds) &&
                           std::all_of(state.begin(), state.end(), is_of_state);
        refusal.text += said.substr(0, severity + kSeverityEnds.size());
        if (found) {
            refusal.state = state;
            said = behind.substr(kStateEnds.size());
            const auto where = said.find(kWhere);
            refusal.text += said.substr(0, where);
            said = where == std::string_view::npos ? std::string_view{} : said.substr(where + 1);
            said = said.substr(std::min(said.find('\n'), said.size()));
        } else {
            said = said.substr(severity + kSeverityEnds.size());
        }
    }
    refusal.text += said;
    return refusal;
}

/// What is before the first of `ends`.
std::string_view up_to(std::string_view text, const char* ends) {
    return text.substr(0, text.find_first_of(ends));
}

bool is_port(std::string_view text) {
    unsigned port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    return error == std::errc{} && end == text.data() + text.size() && port >= 1 && port <= 65'535;
}

/// One or several, each empty or a number.
bool are_ports(std::string_view text) {
    for (;;) {
        const auto one = up_to(text, ",");
        if (!one.empty() && !is_port(one)) return false;
        if (one.size() == text.size()) return true;
        text.remove_prefix(one.size() + 1);
    }
}

/// Where an @ or a / in a password is not written as it must be, libpq takes a part of it for the host, the
/// port or the database, and shows it.
bool has_stray_letters(std::string_view url) {
    constexpr std::string_view kBegin = "://";
    const std::size_t begin = url.find(kBegin);
    if (begin == std::string_view::npos) return false;
    url.remove_prefix(begin + kBegin.size());
    const std::string_view user = up_to(url, "@/");
    const bool has_user = user.size() < url.size() && url[user.size()] == '@';
    if (has_user) url.remove_prefix(user.size() + 1);
    return up_to(url, "?").find('@') != std::string_view::npos;
}

/// Empty: there is none. What libpq says of a faulty URL may hold the password in it.
std::string fault_of(const std::string& url) {
    if (url.find("://") == std::string::npos && url.find('=') == std::string::npos) {
        return url.find_first_of(":/@ ") == std::string::npos ? "" : "it is no URL and no name of a database";
    }
    if (has_stray_letters(url)) return "an @ stands where none can be";
    struct Free {
        void operator()(PQconninfoOption* options) const noexcept { PQconninfoFree(options); }
    };
    char* fault = nullptr;
    const std::unique_ptr<PQconninfoOption, Free> options{PQconninfoParse(url.c_str(), &fault)};
    PQfreemem(fault);
    if (options == nullptr) return "libpq cannot read it";
    for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
        const std::string_view value{option->val == nullptr ? "" : option->val};
        const std::string_view name{option->keyword};
        if (name == "port" && !are_ports(value)) return "the port is none";
        if (name.starts_with("host") && value.find('@') != std::string_view::npos)
            return "an @ stands where none can be";
    }
    return {};
}

}  // namespace

// ---- Results ----

void PostgresResult::Clear::operator()(pg_result* result) const noexcept {
    PQclear(result);
}

std::size_t PostgresResult::rows() const noexcept {
    return static_cast<std::size_t>(PQntuples(result_.get()));
}

std::string_view PostgresResult::field(std::size_t row, std::size_t column) const noexcept {
    const int r = static_cast<int>(row);
    const int c = static_cast<int>(column);
    return {PQgetvalue(result_.get(), r, c), static_cast<std::size_t>(PQgetlength(result_.get(), r, c))};
}

bool PostgresResult::is_null(std::size_t row, std::size_t column) const noexcept {
    return PQgetisnull(result_.get(), static_cast<int>(row), static_cast<int>(column)) != 0;
}

std::span<const std::byte> PostgresResult::bytes(std::size_t row, std::size_t column) const noexcept {
    return std::as_bytes(std::span{field(row, column)});
}

std::uint64_t PostgresResult::number(std::size_t row, std::size_t column) const {
    const auto text = field(row, column);
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size())
        throw PostgresFailure{"PostgreSQL answered \"" + std::string{text.substr(0, 40)} +
                              "\" where a number was expected"};
    return number;
}

void check_postgres_url(std::string_view key, const std::string& url) {
    const std::string fault = fault_of(url);
    if (fault.empty()) return;
    throw PostgresFailure{statement({key, ": \"", logging::redacted_url(url), "\": ", fault,
                                     "; expected postgresql://USER@HOST[:PORT]/DATABASE, or host=HOST "
                                     "dbname=DATABASE user=USER. In a "
                                     "user or "
                                     "password an @ is written %40 and a / %2F; better, the password stands "
                                     "in postgres.password_file"}),
                          PostgresFailure::kNoLogin};
}

// ---- The connection ----

PostgresConnection::~PostgresConnection() {
    close();
}

void PostgresConnection::close() noexcept {
    PQfinish(connection_);
    connection_ = nullptr;
}

std::string PostgresConnection::place() const {
    if (connection_ == nullptr) return "PostgreSQL";
    const auto text = [](const char* said) { return std::string{said == nullptr ? "" : said}; };
    return text(PQhost(connection_)) + ':' + text(PQport(connection_)) + '/' + text(PQdb(connection_));
}

void PostgresConnection::fail(const std::string& what, const pg_result* result) const {
    const auto field = [result](int name) {
        const char* const said = result == nullptr ? nullptr : PQresultErrorField(result, name);
        return std::string_view{said == nullptr ? "" : said};
    };
    // Not the whole of it, which shows the statement too.
    std::string_view said = field(PG_DIAG_MESSAGE_PRIMARY);
    if (said.empty()) said = PQerrorMessage(connection_);
    std::string text = place() + ": " + what;
    if (!said.empty()) text += ": " + one_line(said);
    throw PostgresFailure{text, std::string{field(PG_DIAG_SQLSTATE)}};
}

void PostgresConnection::fail_to_open() const {
    auto [state, text] = refusal_in(PQerrorMessage(connection_));
    if (state.empty() && PQconnectionNeedsPassword(connection_) != 0) state = PostgresFailure::kNoLogin;
    throw PostgresFailure{statement({place(), ": cannot connect: ", one_line(text)}), std::move(state)};
}

steady_clock::time_point PostgresConnection::patience() const {
    return steady_clock::now() + limits_.answer;
}

void PostgresConnection::wait(For what, steady_clock::time_point until) {
    for (;;) {
        if (interrupted_.load(std::memory_order_relaxed)) fail("interrupted");
        const auto now = steady_clock::now();
        if (now >= until) throw PostgresFailure{place() + ": no answer in time"};
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - now);
        pollfd descriptor{.fd = PQsocket(connection_), .events = 0, .revents = 0};
        if (what != For::writing) descriptor.events |= POLLIN;
        if (what != For::reading) descriptor.events |= POLLOUT;
        const int ready = ::poll(&descriptor, 1, static_cast<int>(std::min(left, kLooksEvery).count()));
        if (ready > 0) return;
        if (ready < 0 && errno != EINTR) fail("cannot wait for it");
    }
}

void PostgresConnection::open(const std::string& url, const std::string& password) {
    close();
    check_postgres_url("PostgreSQL", url);
    // `dbname` is taken apart where it holds more than a name; what stands behind it counts for more.
    std::array<const char*, 5> names{"dbname", "application_name", "client_encoding", nullptr, nullptr};
    std::array<const char*, 5> values{url.c_str(), "tollgate", "UTF8", nullptr, nullptr};
    if (!password.empty()) {
        names[3] = "password";
        values[3] = password.c_str();
    }
    connection_ = PQconnectStartParams(names.data(), values.data(), 1);
    if (connection_ == nullptr) throw PostgresFailure{"PostgreSQL: no memory for a connection"};
    const auto until = steady_clock::now() + limits_.connect;
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;
    if (PQstatus(connection_) == CONNECTION_BAD) fail_to_open();
    PQsetErrorVerbosity(connection_, PQERRORS_VERBOSE);
    while (status != PGRES_POLLING_OK) {
        wait(status == PGRES_POLLING_READING ? For::reading : For::writing, until);
        status = PQconnectPoll(connection_);
        if (status == PGRES_POLLING_FAILED) fail_to_open();
    }
    PQsetErrorVerbosity(connection_, PQERRORS_DEFAULT);
    if (PQsetnonblocking(connection_, 1) != 0) fail("cannot be used without blocking");
    PQsetNoticeProcessor(
        connection_, [](void*, const char*) {}, nullptr);
}

void PostgresConnection::flush() {
    auto until = patience();
    for (;;) {
        const int left = PQflush(connection_);
        if (left == 0) return;
        if (left < 0) fail("the connection broke");
        wait(For::both, until);
        if (PQconsumeInput(connection_) == 0) fail("the connection broke");
    }
}

pg_result* PostgresConnection::next_result() {
    const auto until = patience();
    while (PQisBusy(connection_) != 0) {
        wait(For::reading, until);
        if (PQconsumeInput(connection_) == 0) fail("the connection broke");
    }
    return PQgetResult(connection_);
}

PostgresResult PostgresConnection::finish() {
    flush();
    PostgresResult last{nullptr};
    std::optional<PostgresFailure> failure;
    while (pg_result* const result = next_result()) {
        last = PostgresResult{result};
        const auto status = PQresultStatus(result);
        if (status == PGRES_COPY_IN) return last;
        if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY) continue;
        try {
            fail("said no", result);
        } catch (const PostgresFailure& said) {
            if (!failure) failure = said;
        }
        if (PQstatus(connection_) == CONNECTION_BAD) break;
    }
    if (failure) throw PostgresFailure{*failure};
    return last;
}

PostgresResult PostgresConnection::execute(const std::string& statements) {
    if (connection_ == nullptr) throw PostgresFailure{"PostgreSQL: not connected"};
    if (PQsendQuery(connection_, statements.c_str()) == 0) fail("cannot be asked");
    return finish();
}

PostgresResult PostgresConnection::execute(const std::string& statement,
                                           std::span<const Parameter> parameters) {
    if (connection_ == nullptr) throw PostgresFailure{"PostgreSQL: not connected"};
    std::vector<const char*> values;
    for (const Parameter& parameter : parameters)
        values.push_back(parameter ? parameter->c_str() : nullptr);
    if (PQsendQueryParams(connection_, statement.c_str(), static_cast<int>(values.size()), nullptr,
                          values.data(), nullptr, nullptr, 0) == 0)
        fail("cannot be asked");
    return finish();
}

PostgresResult PostgresConnection::fetch(const std::string& statement) {
    if (connection_ == nullptr) throw PostgresFailure{"PostgreSQL: not connected"};
    if (PQsendQueryParams(connection_, statement.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 1) == 0)
        fail("cannot be asked");
    return finish();
}

// ---- COPY ----

void PostgresConnection::begin_copy(const std::string& statement) {
    (void)execute(statement);
}

void PostgresConnection::copy(std::span<const std::byte> bytes) {
    // What libpq has no room for it does not take at all, so that it is handed over in pieces.
    constexpr std::size_t kPieceBytes = std::size_t{1} << 20;
    while (!bytes.empty()) {
        const auto piece = bytes.first(std::min(bytes.size(), kPieceBytes));
        const auto until = patience();
        for (;;) {
            const int taken = PQputCopyData(connection_, reinterpret_cast<const char*>(piece.data()),
                                            static_cast<int>(piece.size()));
            if (taken > 0) break;
            if (taken < 0) fail("takes no more of a COPY");
            wait(For::both, until);
            if (PQconsumeInput(connection_) == 0) fail("the connection broke");
        }
        // Not more in memory than one piece.
        flush();
        bytes = bytes.subspan(piece.size());
    }
}

void PostgresConnection::end_copy() {
    const auto until = patience();
    for (;;) {
        const int taken = PQputCopyEnd(connection_, nullptr);
        if (taken > 0) break;
        if (taken < 0) fail("takes no end of a COPY");
        wait(For::both, until);
        if (PQconsumeInput(connection_) == 0) fail("the connection broke");
    }
    (void)finish();
}

}  // namespace tollgate::daemon::flush
