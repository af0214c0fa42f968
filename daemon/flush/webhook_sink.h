/// Tells a web server what happens: calls that ended, thresholds, parties that were suspended.
///
/// docs/stores.md has what is sent and how it is signed. The only file that knows libcurl here.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>

#include "balance/journal/disk.h"
#include "daemon/flush/sink.h"

namespace tollgate::daemon::flush {

struct WebhookSettings {
    std::string url;     ///< `http://` or `https://`.
    std::string secret;  ///< Signs what is sent.
    std::size_t pending_max = 10'000;
    std::size_t connections = 4;
    std::chrono::milliseconds timeout{10'000};  ///< For one attempt, from connecting to the answer.
    std::chrono::milliseconds retry_first{250};
    std::chrono::milliseconds retry_longest{30'000};
    std::chrono::milliseconds give_up{std::chrono::hours{3 * 24}};  ///< 0: never.
};

/// Each event at least once, with the same id each time; those of one party in order: one waits for the one
/// before it. What one party's events wait for does not hold up another's.
///
/// write() takes in; a thread of its own sends. How far everything has been taken stands in a small file in
/// the journal's folder, `webhook-position`: what comes after it is sent again after a restart.
class WebhookSink final : public Sink {
  public:
    /// For the log: what was given up. Any thread.
    using Say = std::function<void(const std::string& what)>;
    using Now = std::function<Moment()>;

    /// The disk, which is the journal's, must outlive this. Throws std::runtime_error where the library
    /// cannot be used or the URL is none.
    WebhookSink(WebhookSettings settings, balance::journal::Disk& disk, Now now, Say say);
    ~WebhookSink() override;

    [[nodiscard]] std::string_view name() const noexcept override { return "webhook"; }
    [[nodiscard]] std::optional<Position> connect() override;
    void begin(const Position& here) override;
    [[nodiscard]] std::optional<Position> position() override;
    void write(const Batch& batch) override;
    [[nodiscard]] bool fills() const noexcept override { return false; }
    [[nodiscard]] std::optional<Delivered> delivered() const override;
    void interrupt() noexcept override;

  private:
    struct Library;
    struct Post;

    struct Event {
        std::uint64_t batch = 0;
        std::string id;
        std::string_view kind;
        std::string body;
        rating::Instant at{};
        std::uint32_t attempts = 0;
        std::chrono::nanoseconds taken_in{};
    };
    /// The events of one party that wait. The first one is being sent, or will be once it is due.
    struct Queue {
        std::deque<Event> events;
        std::chrono::nanoseconds due{};  ///< Its place in due_.
    };
    /// What one write() took in, until all of it is done with.
    struct Open {
        std::uint64_t number = 0;
        Position after;
        rating::Instant at{};  ///< Of the first event in it.
        std::size_t left = 0;
    };

    void send_on(const std::stop_token& stop);
    /// Begins what is due, as far as there are connections.
    void begin_posts(std::chrono::nanoseconds now);
    /// Looks what became of those that are under way.
    void finish_posts(std::chrono::nanoseconds now);
    /// Empty: it was taken.
    void finish(PartyId party, const std::string& failure, std::chrono::nanoseconds now);
    void save_position(std::chrono::nanoseconds now, bool at_once);
    void write_position(const Position& position) const;
    [[nodiscard]] std::optional<Position> read_position() const;
    [[nodiscard]] std::chrono::nanoseconds delay_of(std::uint32_t attempts);
    // Under the mutex.
    void add(PartyId party, Event&& event);
    void close_batches();

    const WebhookSettings settings_;
    balance::journal::Disk& disk_;
    Now now_;
    Say say_;
    std::unique_ptr<Library> library_;

    // ---- Under the mutex ----
    mutable std::mutex mutex_;
    std::condition_variable room_;
    std::unordered_map<PartyId, Queue> queues_;
    std::set<std::pair<std::chrono::nanoseconds, PartyId>> due_;  // Queues that are not being sent.
    std::size_t pending_ = 0;
    std::deque<Open> open_;  // In order; the last write() is the last one.
    std::uint64_t batches_ = 0;
    Position accepted_;   // What write() has taken in.
    Position delivered_;  // What is done with,
    Position saved_;      // and what the file says of it.
    bool has_position_ = false;
    bool interrupted_ = false;
    std::size_t retried_ = 0;  // Events that have failed and wait to be tried again.
    std::uint64_t failures_ = 0;
    std::uint64_t given_up_ = 0;
    std::string last_failure_;

    // ---- Of the thread that sends ----
    std::unordered_map<PartyId, std::unique_ptr<Post>> posts_;
    std::chrono::nanoseconds saved_at_{};
    std::minstd_rand chance_;
    std::jthread thread_;
};

/// Throws std::runtime_error where nothing can be sent there: says the key, the URL without its password, and
/// what to write instead.
void check_webhook_url(const std::string& url);

/// The text that is posted: one JSON object. `id` is the same whenever it is sent.
[[nodiscard]] std::string webhook_body(const Occurrence& one, const Batch& batch, std::string_view id);

}  // namespace tollgate::daemon::flush
