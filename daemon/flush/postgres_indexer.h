/// Indexes on tables that have rows, built while everybody goes on, the follower too.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include "daemon/flush/postgres_connection.h"

namespace tollgate::daemon::flush {

/// Has a thread and a connection of its own for as long as an index is missing: hours, of years of calls.
/// What fails is tried again later; reports are slower until then, and nothing else.
class PostgresIndexer {
  public:
    PostgresIndexer(std::string url, std::string password_file, PostgresConnection::Limits limits);
    PostgresIndexer(const PostgresIndexer&) = delete;
    PostgresIndexer& operator=(const PostgresIndexer&) = delete;
    ~PostgresIndexer();

    /// Begins, where one is missing in the database of `connection` and nothing was begun. One thread, the
    /// sink's. Throws PostgresFailure.
    void begin_where_needed(PostgresConnection& connection);
    /// Any thread: ends it soon, for good.
    void interrupt() noexcept;

  private:
    void run();

    const std::string url_;
    const std::string password_file_;
    PostgresConnection connection_;  // The thread's, once there is one.
    std::mutex mutex_;
    std::condition_variable_any bell_;
    bool running_ = false;  // Under the mutex.
    std::stop_source stop_;
    std::jthread thread_;
};

}  // namespace tollgate::daemon::flush
