/// Hands a mail to a relay over SMTP (RFC 5321). The only file that knows the library for it, libcurl.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>

#include "config/config.h"

namespace tollgate::daemon::mail {

enum class SendStatus : std::uint8_t {
    sent,         ///< The relay has it and answers for it.
    later,        ///< A 4xx: the relay may take this mail another time.
    never,        ///< A 5xx: the relay will not take this mail.
    unreachable,  ///< Nobody there, or no answer in time. Any other mail would fare no better.
};

/// `SendResult::answer` is no longer.
inline constexpr std::size_t kAnswerBytesMax = 300;

struct SendResult {
    SendStatus status = SendStatus::unreachable;
    /// One line for people: what the relay said (`550 unknown user`), or why it said nothing. Empty where
    /// sent.
    std::string answer;
};

struct SmtpSettings {
    config::MailRelay relay;
    config::MailTls tls = config::MailTls::offered;
    /// For connecting, and for each time that nothing moves.
    std::chrono::milliseconds timeout = std::chrono::seconds{60};
};

/// A connection a mail. One thread at a time; it blocks, so it needs a thread of its own.
class SmtpClient {
  public:
    /// Requires: settings.relay names a host. Throws std::runtime_error where the library cannot be used.
    explicit SmtpClient(SmtpSettings settings);
    SmtpClient(const SmtpClient&) = delete;
    SmtpClient& operator=(const SmtpClient&) = delete;
    ~SmtpClient();

    /// `message` is what compose() made. When a stop is requested, what is not sent within a second is
    /// `unreachable`; the relay may have it all the same, as with every answer that is lost: the Message-ID
    /// tells.
    [[nodiscard]] SendResult send(const std::string& from, const std::string& to, const std::string& message,
                                  const std::stop_token& stop = {});

  private:
    struct Library;
    SmtpSettings settings_;
    std::unique_ptr<Library> library_;
};

}  // namespace tollgate::daemon::mail
