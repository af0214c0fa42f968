/// A connection to PostgreSQL on which nothing waits longer than it may.
///
/// It is libpq without its blocking half: libpqxx 6 has neither binary COPY nor an end to its waiting, and
/// what is copied has to be in one transaction with the position.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

struct pg_conn;
struct pg_result;

namespace tollgate::daemon::flush {

/// Its pieces behind each other. None of them is from outside: what is goes as a parameter, or by COPY.
[[nodiscard]] inline std::string statement(std::initializer_list<std::string_view> pieces) {
    std::string text;
    for (const std::string_view piece : pieces)
        text += piece;
    return text;
}

/// What it said, or that it said nothing. No secret is in it.
class PostgresFailure : public std::runtime_error {
  public:
    explicit PostgresFailure(const std::string& what, std::string state = {})
        : std::runtime_error(what), state_(std::move(state)) {}

    /// SQLSTATE, five characters; empty where no server said anything.
    [[nodiscard]] const std::string& state() const noexcept { return state_; }
    /// What a statement names is not there: a schema or a table.
    [[nodiscard]] bool is_missing() const noexcept { return state_ == "3F000" || state_ == "42P01"; }
    /// Nothing gets better before somebody has done something: rights, a login, a database.
    [[nodiscard]] bool is_refusal() const noexcept {
        return state_ == "42501" || state_.starts_with("28") || state_ == "3D000";
    }

    /// The state of a login that we know to be wrong without asking.
    static constexpr const char* kNoLogin = "28000";

  private:
    std::string state_;
};

/// Throws PostgresFailure where no server could be found by it: says the key, the URL without its password,
/// and what to write instead.
void check_postgres_url(std::string_view key, const std::string& url);

/// What a statement answered. Fields are text, or bytes where they were asked for in binary.
class PostgresResult {
  public:
    explicit PostgresResult(pg_result* result) noexcept : result_(result) {}

    [[nodiscard]] std::size_t rows() const noexcept;
    /// Empty for NULL; good for the life of the result.
    [[nodiscard]] std::string_view field(std::size_t row, std::size_t column) const noexcept;
    [[nodiscard]] bool is_null(std::size_t row, std::size_t column) const noexcept;
    [[nodiscard]] std::span<const std::byte> bytes(std::size_t row, std::size_t column) const noexcept;
    /// Throws PostgresFailure where it is no number.
    [[nodiscard]] std::uint64_t number(std::size_t row, std::size_t column) const;

  private:
    struct Clear {
        void operator()(pg_result* result) const noexcept;
    };
    std::unique_ptr<pg_result, Clear> result_;
};

/// One thread at a time, but for interrupt().
class PostgresConnection {
  public:
    /// How long a server may say nothing.
    struct Limits {
        std::chrono::milliseconds connect = std::chrono::seconds{10};
        std::chrono::milliseconds answer = std::chrono::seconds{30};
    };

    explicit PostgresConnection(Limits limits) noexcept : limits_(limits) {}
    ~PostgresConnection();
    PostgresConnection(const PostgresConnection&) = delete;
    PostgresConnection& operator=(const PostgresConnection&) = delete;

    /// `url` as libpq takes it; the password, where it is not empty, stands above the one in it. All of these
    /// throw PostgresFailure.
    void open(const std::string& url, const std::string& password = {});
    void close() noexcept;
    /// `db.example.com:5432/tollgate`, for people.
    [[nodiscard]] std::string place() const;

    /// A statement, or several without parameters. The result of the last.
    PostgresResult execute(const std::string& statements);
    using Parameter = std::optional<std::string>;
    PostgresResult execute(const std::string& statement, std::span<const Parameter> parameters);
    /// The same, answered in binary.
    PostgresResult fetch(const std::string& statement);

    /// `COPY … FROM STDIN`: begins it, hands over bytes, ends it. Whoever fails in between closes.
    void begin_copy(const std::string& statement);
    void copy(std::span<const std::byte> bytes);
    void end_copy();

    /// For as long as it lives a statement may take longer: building an index, clearing.
    class Patience {
      public:
        Patience(PostgresConnection& connection, std::chrono::milliseconds answer) noexcept
            : connection_(connection), before_(connection.limits_.answer) {
            connection_.limits_.answer = answer;
        }
        ~Patience() { connection_.limits_.answer = before_; }
        Patience(const Patience&) = delete;
        Patience& operator=(const Patience&) = delete;

      private:
        PostgresConnection& connection_;
        std::chrono::milliseconds before_;
    };

    /// Any thread: whoever waits, now or later, stops waiting and fails.
    void interrupt() noexcept { interrupted_.store(true, std::memory_order_relaxed); }

  private:
    enum class For : std::uint8_t { reading, writing, both };
    [[noreturn]] void fail(const std::string& what, const pg_result* result = nullptr) const;
    [[noreturn]] void fail_to_open() const;
    void wait(For what, std::chrono::steady_clock::time_point until);
    [[nodiscard]] std::chrono::steady_clock::time_point patience() const;
    void flush();
    pg_result* next_result();
    PostgresResult finish();

    Limits limits_;
    pg_conn* connection_ = nullptr;
    // Set by any thread and read by the one that waits, who looks several times a second: relaxed is enough.
    std::atomic<bool> interrupted_{false};
};

}  // namespace tollgate::daemon::flush
