/// Sends what the outbox has, on a thread of its own, until each mail was sent or given up.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include "daemon/mail/smtp_client.h"
#include "daemon/outbox.h"

namespace tollgate::daemon::mail {

struct MailerSettings {
    std::string from;
    /// A mail that was not taken is tried again after the first, then after twice as long, up to the longest.
    /// For as long as the relay cannot be reached at all, the same holds for all of them together.
    std::chrono::milliseconds retry_first = std::chrono::minutes{1};
    std::chrono::milliseconds retry_longest = std::chrono::hours{1};
    std::chrono::milliseconds give_up = std::chrono::hours{5 * 24};  ///< After the mail was made.
};

/// A mail is sent at least once: one whose answer was lost, or that was sent just before the process died, is
/// sent again with the same Message-ID. It is never sent before the event that made it is durable, so no mail
/// tells of what a crash has undone.
class Mailer {
  public:
    using Send = std::function<SendResult(const std::string& from, const std::string& to,
                                          const std::string& message, const std::stop_token& stop)>;
    struct Hooks {
        Send send;
        std::function<balance::Moment()> now;
        /// Waits for a moment until that event, and so the mail it made, is durable; false: not yet.
        std::function<bool(balance::Sequence)> is_durable;
        /// Told what became of each attempt, for the log. It must not throw.
        std::function<void(const MailRecord& mail, std::string_view state, const std::string& answer)>
            on_attempt;
    };

    /// The outbox must outlive this.
    Mailer(Outbox& outbox, MailerSettings settings, Hooks hooks)
        : outbox_(outbox), settings_(std::move(settings)), hooks_(std::move(hooks)) {}
    Mailer(const Mailer&) = delete;
    Mailer& operator=(const Mailer&) = delete;

    /// Requires: nobody makes mails yet.
    void start();
    /// Ends the thread; what is not sent stays in the outbox.
    void stop() { thread_ = {}; }

    /// Sends one mail if there is one that is due. When to come again; Steady::max(): when there is a new
    /// one.
    [[nodiscard]] std::chrono::nanoseconds step(const std::stop_token& stop = {});

    /// The mail as it travels.
    [[nodiscard]] std::string message_of(const MailRecord& mail) const;

  private:
    void run(const std::stop_token& stop);
    void attempt(const MailRecord& mail, const std::stop_token& stop);
    [[nodiscard]] std::chrono::milliseconds pause_after(std::int64_t failures) const noexcept;

    Outbox& outbox_;
    const MailerSettings settings_;
    const Hooks hooks_;
    balance::Steady paused_until_{};  ///< While the relay cannot be reached.
    std::int64_t unreachable_times_ = 0;

    std::mutex mutex_;
    std::condition_variable_any bell_;
    bool rung_ = false;  // Under the mutex.
    std::jthread thread_;
};

}  // namespace tollgate::daemon::mail
