/// An e-mail as it travels (RFC 5322), made from values that may hold anything.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "rating/instant.h"

namespace tollgate::daemon::mail {

/// A longer subject is cut, between two characters.
inline constexpr std::size_t kSubjectBytesMax = 200;

struct Message {
    std::string from;  ///< config::is_mail_address says yes to both.
    std::string to;
    /// Stays the same however often the mail is sent, and no other mail has it, so that one that arrived
    /// twice can be told: letters, digits, dots and hyphens.
    std::string id;
    rating::Instant made_at{};
    std::string subject;  ///< UTF-8; line breaks and other control characters become spaces.
    std::string text;     ///< UTF-8; lines end in LF, CRLF or CR.
};

/// Headers, an empty line and the text: lines of at most 76 bytes of plain ASCII, each ending in CRLF, so
/// that every relay can carry them. Whatever the subject and the text hold, they stay the subject and the
/// text: neither can add a header, a recipient or an end of the mail.
[[nodiscard]] std::string compose(const Message& message);

/// `Sun, 22 Nov 2026 06:52:44 +0000`.
[[nodiscard]] std::string mail_date(rating::Instant instant);

}  // namespace tollgate::daemon::mail
