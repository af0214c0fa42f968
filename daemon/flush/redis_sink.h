/// Keeps balances, and a stream of what happened, in a Redis, for portals and dashboards to read.
///
/// docs/stores.md has the keys. Position and rows move in one MULTI; whoever else writes there in between is
/// noticed (WATCH).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/flush/sink.h"

struct redisContext;
struct redisReply;

namespace tollgate::daemon::flush {

/// Where a Redis is.
struct RedisAddress {
    std::string host;
    std::uint16_t port = 6379;
    std::string unix;  ///< A socket's path, instead of host and port.
    std::uint32_t database = 0;

    friend bool operator==(const RedisAddress&, const RedisAddress&) = default;
};
/// `redis://HOST[:PORT][/DATABASE]`, an IPv6 address in brackets, or `unix:/PATH[?db=DATABASE]`. Throws
/// std::runtime_error that says what is wrong; passwords stand in a file of their own.
[[nodiscard]] RedisAddress parse_redis_url(std::string_view url);

struct RedisSettings {
    RedisAddress address;
    std::string user;           ///< Empty: the default one.
    std::string password_file;  ///< Whose first line is the password; empty: none is asked for.
    std::string prefix{"tollgate"};
    std::uint32_t stream_max = 10'000;
    std::chrono::milliseconds timeout{5'000};  ///< For connecting, and for each answer.
};

class RedisSink final : public Sink {
  public:
    explicit RedisSink(RedisSettings settings);
    ~RedisSink() override;

    [[nodiscard]] std::string_view name() const noexcept override { return "redis"; }
    [[nodiscard]] std::optional<Position> connect() override;
    [[nodiscard]] std::optional<Position> position() override;
    void write(const Batch& batch) override;
    void interrupt() noexcept override;
    void disconnect() noexcept override;

  private:
    struct FreeReply {
        void operator()(redisReply* reply) const noexcept;
    };
    using Reply = std::unique_ptr<redisReply, FreeReply>;
    using Words = std::vector<std::string_view>;

    [[noreturn]] void fail(const std::string& what) const;
    void append(const Words& words);
    /// The answer to the first command that was appended and has none yet. What Redis refuses is thrown.
    Reply answer();
    Reply ask(const Words& words);
    [[nodiscard]] std::optional<Position> position_in(const redisReply& reply) const;

    void put_balance(const BalanceRow& row, bool anew);
    void put_occurrence(const Occurrence& one, const Batch& batch);
    void put_position(const Position& position);
    /// Parties that the state does not have.
    void remove_strangers(const Batch& batch);
    /// Looks through what EXEC says.
    void check_done(const redisReply& reply);
    [[nodiscard]] std::string key(std::string_view rest) const {
        return settings_.prefix + std::string{rest};
    }

    const RedisSettings settings_;
    redisContext* context_ = nullptr;  // Behind the mutex where interrupt() looks.
    std::size_t unanswered_ = 0;
    std::mutex mutex_;
    bool interrupted_ = false;
};

}  // namespace tollgate::daemon::flush
