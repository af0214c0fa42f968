#include "daemon/operation/logging.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstdlib>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include <poll.h>
#include <spdlog/async.h>
#include <spdlog/sinks/sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

namespace tollgate::daemon::logging {
namespace {

// A line with a kind and fields goes through spdlog as one text, its parts behind letters that no text has.
constexpr char kMark = '\x1e';
constexpr char kName = '\x1f';

spdlog::level::level_enum level_of(config::LogLevel level) {
    switch (level) {
        case config::LogLevel::trace:
            return spdlog::level::trace;
        case config::LogLevel::debug:
            return spdlog::level::debug;
        case config::LogLevel::info:
            return spdlog::level::info;
        case config::LogLevel::warn:
            return spdlog::level::warn;
        case config::LogLevel::error:
            return spdlog::level::err;
    }
    std::abort();  // Not an enumerator: memory is corrupt.
}

std::string_view name_of(spdlog::level::level_enum level) noexcept {
    switch (level) {
        case spdlog::level::trace:
            return "trace";
        case spdlog::level::debug:
            return "debug";
        case spdlog::level::warn:
            return "warn";
        case spdlog::level::err:
            return "error";
        case spdlog::level::critical:
            return "critical";
        case spdlog::level::info:
        case spdlog::level::off:
        case spdlog::level::n_levels:
            break;
    }
    return "info";
}

/// `text` up to the letter, and what is behind it.
std::string_view cut(std::string_view& text, char letter) {
    const std::size_t at = std::min(text.find(letter), text.size());
    const std::string_view part = text.substr(0, at);
    text.remove_prefix(std::min(at + 1, text.size()));
    return part;
}

/// Whatever its parts were, no text has a mark inside.
void append_clean(std::string_view text, std::string& out) {
    for (const char c : text)
        out += c == kMark || c == kName ? ' ' : c;
}

std::string text_of(std::string_view kind, std::string_view message, const std::vector<Field>& fields) {
    std::string text{kMark};
    append_clean(kind, text);
    text += kMark;
    append_clean(message, text);
    for (const Field& field : fields) {
        text += kMark;
        append_clean(field.name, text);
        text += kName;
        append_clean(field.value, text);
    }
    return text;
}

class Sink final : public spdlog::sinks::sink {
  public:
    explicit Sink(const config::Config::Log& settings)
        : format_(settings.format),
          limiter_(settings.lines_a_minute),
          reader_(std::getenv("JOURNAL_STREAM") != nullptr ? Reader::journald : Reader::plain) {}

    void change(const config::Config::Log& settings) {
        const std::lock_guard lock{mutex_};
        format_ = settings.format;
        limiter_.set_lines(settings.lines_a_minute);
    }

    void log(const spdlog::details::log_msg& message) override {
        std::string_view text{message.payload.data(), message.payload.size()};
        Line line{message.time, name_of(message.level), {}, {}, {}};
        if (!text.empty() && text.front() == kMark) {
            text.remove_prefix(1);
            line.kind = cut(text, kMark);
            line.message = cut(text, kMark);
            while (!text.empty()) {
                std::string_view pair = cut(text, kMark);
                const std::string_view name = cut(pair, kName);
                line.fields.push_back({name, std::string{pair}});
            }
        } else {
            line.message = text;
        }
        const std::lock_guard lock{mutex_};
        const auto now = std::chrono::steady_clock::now();
        // What ends the process is always said.
        if (message.level != spdlog::level::critical &&
            !limiter_.admit(line.kind.empty() ? kind_of(line.message) : line.kind, now)) {
            suppressed_.fetch_add(1, std::memory_order_relaxed);
            return;
        }
        write(line);
    }

    void settle(bool all) {
        const std::lock_guard lock{mutex_};
        tell_lost();
        const auto told = all ? limiter_.settle_all() : limiter_.settle(std::chrono::steady_clock::now());
        for (const auto& [kind, lines] : told) {
            write({std::chrono::system_clock::now(),
                   "warn",
                   "suppressed",
                   "lines of a kind were more than log.lines_a_minute and were not written",
                   {{"lines", std::to_string(lines)}, {"of_kind", kind}}});
        }
    }

    /// From now on all lines together wait for their reader no longer than one would.
    void hurry() noexcept {
        const auto until = std::chrono::steady_clock::now() + kReaderPatience;
        patient_until_.store(until.time_since_epoch().count(), std::memory_order_relaxed);
    }

    [[nodiscard]] std::uint64_t suppressed() const noexcept {
        return suppressed_.load(std::memory_order_relaxed);
    }

    /// Until a line that was taken out of the queue is written, or is about to be.
    void wait_for_writer() {
        std::this_thread::sleep_for(std::chrono::milliseconds{2});
        const std::lock_guard lock{mutex_};
    }

    // The format is ours.
    void flush() override {}
    void set_pattern(const std::string& /*pattern*/) override {}
    void set_formatter(std::unique_ptr<spdlog::formatter> /*formatter*/) override {}

  private:
    void write(const Line& line) {
        if (lost_ > 0) tell_lost();
        if (!put(line_of(line, format_, reader_))) {
            ++lost_;
            suppressed_.fetch_add(1, std::memory_order_relaxed);
        }
    }

    /// Once somebody reads again.
    void tell_lost() {
        if (lost_ == 0) return;
        const Line line{std::chrono::system_clock::now(),
                        "warn",
                        "suppressed",
                        "nobody read standard error, and lines were not written",
                        {{"lines", std::to_string(lost_)}, {"of_kind", "any"}}};
        if (put(line_of(line, format_, reader_))) lost_ = 0;
    }

    /// A line is one write where it is short enough to be one, so that no other process's comes in between.
    /// Whoever does not read is waited for once, and not again until he has read; false: he does not, and has
    /// not all of it.
    bool put(std::string text) {
        using Clock = std::chrono::steady_clock;
        if (broken_off_) text.insert(0, 1, '\n');
        std::string_view left = text;
        const auto patient_until = Clock::now() + (stuck_ ? std::chrono::milliseconds{0} : kReaderPatience);
        while (!left.empty()) {
            // Also of a line that was waiting before.
            const auto until =
                std::min(patient_until,
                         Clock::time_point{Clock::duration{patient_until_.load(std::memory_order_relaxed)}});
            pollfd place{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
            const auto patience = std::chrono::ceil<std::chrono::milliseconds>(
                std::max(until - Clock::now(), Clock::duration{0}));
            const int ready = ::poll(&place, 1, static_cast<int>(patience.count()));
            if (ready < 0 && errno == EINTR) continue;
            if (ready <= 0) break;
            // A pipe that has room at all has room for so much.
            const ssize_t written =
                ::write(STDERR_FILENO, left.data(), std::min<std::size_t>(left.size(), PIPE_BUF));
            if (written < 0 && errno == EINTR) continue;
            if (written <= 0) break;
            left.remove_prefix(static_cast<std::size_t>(written));
        }
        stuck_ = !left.empty();
        if (left.size() < text.size()) broken_off_ = stuck_;
        return !stuck_;
    }

    // Of the steady clock. Relaxed: it guards nothing but itself.
    std::atomic<std::chrono::steady_clock::rep> patient_until_{
        std::numeric_limits<std::chrono::steady_clock::rep>::max()};
    std::mutex mutex_;
    config::LogFormat format_;
    Limiter limiter_;
    const Reader reader_;
    bool stuck_ = false;                        // Nobody read the last line.
    bool broken_off_ = false;                   // Of it, a part was written.
    std::uint64_t lost_ = 0;                    // Lines that nobody read and nobody was told of.
    std::atomic<std::uint64_t> suppressed_{0};  // A sum of its own.
};

/// Made by start() before there is any other thread; nullptr: there is no log.
std::shared_ptr<Sink> the_sink;

}  // namespace

void start(const config::Config::Log& settings) {
    the_sink = std::make_shared<Sink>(settings);
    spdlog::init_thread_pool(kLinesWaitingMax, 1);
    auto logger = std::make_shared<spdlog::async_logger>("tollgated", the_sink, spdlog::thread_pool(),
                                                         spdlog::async_overflow_policy::overrun_oldest);
    logger->set_level(level_of(settings.level));
    spdlog::set_default_logger(std::move(logger));
}

void change(const config::Config::Log& settings) {
    spdlog::set_level(level_of(settings.level));
    if (the_sink != nullptr) the_sink->change(settings);
}

void settle() {
    if (the_sink != nullptr) the_sink->settle(false);
}

void stop() {
    // One who takes a line now and then must not hold up the end by each of those that wait.
    if (the_sink != nullptr) the_sink->hurry();
    spdlog::shutdown();
    if (the_sink != nullptr) the_sink->settle(true);
}

void last_words(std::string_view kind, std::string_view message) noexcept {
    try {
        auto* const logger = spdlog::default_logger_raw();
        if (logger == nullptr) return;
        logger->log(spdlog::level::critical, text_of(kind, message, {}));
        const auto give_up = std::chrono::steady_clock::now() + kLastWordsWait;
        // What the thread has taken out it also writes, unless nobody reads it.
        const auto pool = spdlog::thread_pool();
        while (pool != nullptr && pool->queue_size() > 0 && std::chrono::steady_clock::now() < give_up)
            std::this_thread::sleep_for(std::chrono::milliseconds{1});
        if (the_sink != nullptr) the_sink->wait_for_writer();
    } catch (const std::exception&) {
        // The exit code says it too.
    }
}

std::uint64_t suppressed() noexcept {
    const auto pool = spdlog::thread_pool();
    // What did not even come as far as the sink.
    const std::size_t dropped = pool == nullptr ? 0 : pool->overrun_counter();
    return dropped + (the_sink == nullptr ? 0 : the_sink->suppressed());
}

void event(config::LogLevel level, std::string_view kind, std::string_view message,
           const std::vector<Field>& fields) {
    const auto wanted = level_of(level);
    auto* const logger = spdlog::default_logger_raw();
    if (logger != nullptr && logger->should_log(wanted)) logger->log(wanted, text_of(kind, message, fields));
}

}  // namespace tollgate::daemon::logging
