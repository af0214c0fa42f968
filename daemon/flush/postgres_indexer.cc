#include "daemon/flush/postgres_indexer.h"

#include <stdexcept>
#include <utility>

#include "daemon/flush/postgres_position.h"
#include "daemon/flush/postgres_schema.h"
#include "daemon/turns.h"

namespace tollgate::daemon::flush {
namespace {

/// After a failure, or where another daemon is at it.
constexpr std::chrono::seconds kTryAgain{30};

}  // namespace

PostgresIndexer::PostgresIndexer(std::string url, std::string password_file,
                                 PostgresConnection::Limits limits)
    : url_(std::move(url)), password_file_(std::move(password_file)), connection_(limits) {}

PostgresIndexer::~PostgresIndexer() {
    interrupt();
}

void PostgresIndexer::interrupt() noexcept {
    stop_.request_stop();
    connection_.interrupt();
}

void PostgresIndexer::begin_where_needed(PostgresConnection& connection) {
    if (has_all_indexes(connection)) return;
    const std::lock_guard lock{mutex_};
    if (running_) return;
    thread_ = std::jthread{[this] { run(); }};
    running_ = true;  // run() needs the mutex to take it back.
}

void PostgresIndexer::run() {
    const auto stop = stop_.get_token();
    work_in_background();
    while (!stop.stop_requested()) {
        bool done = false;
        try {
            connection_.open(url_, password_in(password_file_));
            done = build_indexes(connection_);
        } catch (const std::exception&) {
            // Somebody took the server away, or what is in it.
        }
        connection_.close();
        std::unique_lock lock{mutex_};
        if (done) {
            running_ = false;
            return;
        }
        bell_.wait_for(lock, stop, kTryAgain, [] { return false; });
    }
}

}  // namespace tollgate::daemon::flush
