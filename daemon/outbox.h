/// Mails that are to be sent, and what became of them: the rules of Registry::mails.
///
/// A mail is a record in the same event of the journal as its cause: where the cause happened the mail is
/// there, once, and where it did not there is none. Sending goes on from here as often as it must
/// (daemon/mail/mailer.h).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "balance/event_log.h"
#include "daemon/partners/mail_record.h"
#include "daemon/partners/record_book.h"

namespace tollgate::daemon {

/// States of a mail.
inline constexpr std::string_view kMailWaiting = "waiting";
inline constexpr std::string_view kMailSent = "sent";
inline constexpr std::string_view kMailFailed =
    "failed";  ///< The relay will never take it, or not for long enough.

/// What a mail says, for whoever makes one.
struct MailDraft {
    std::string party;   ///< Whom it is about, and who may see it.
    std::string reason;  ///< Its template's name.
    std::string to;      ///< config::is_mail_address says yes.
    std::string subject;
    std::string text;
};

/// Any thread may call any member. A lock is taken once a mail, which is rare.
class Outbox {
  public:
    /// `mails_max`: so many are kept, see trim(). Both must outlive this, and the book is empty yet.
    Outbox(RecordBook<MailRecord>& mails, balance::EventLog& events, std::size_t mails_max);
    Outbox(const Outbox&) = delete;
    Outbox& operator=(const Outbox&) = delete;

    /// A mail that is there as soon as `joint` is appended.
    void add(balance::JointEvent& joint, MailDraft draft, balance::Moment now);

    /// Called, by whoever makes one and inside the book's lock, when there is another mail. Set before there
    /// is another thread.
    void on_mail(std::function<void()> call) { on_mail_ = std::move(call); }

    // ---- For the mailer ----

    /// A mail that waits and is due; nullopt: none is before `next`.
    struct Due {
        std::optional<MailRecord> mail;
        std::optional<rating::Instant> next;  ///< nullopt: none waits.
    };
    [[nodiscard]] Due due(rating::Instant now) const;
    /// Of an event that made or changed a mail, or of a later one: once it is durable all mails are that are
    /// there.
    [[nodiscard]] balance::Sequence newest() const noexcept { return events_.last(); }
    /// Whether the journal would take what became of one.
    [[nodiscard]] bool has_room() const noexcept { return events_.admission() == balance::Admission::open; }

    /// What became of an attempt. The mail may be gone by then.
    void sent(std::string_view id, balance::Moment now);
    void failed(std::string_view id, std::string error, balance::Moment now);
    void try_again(std::string_view id, rating::Instant next, std::string error, balance::Moment now);

    /// Forgets as many as there are beyond `mails_max`: the oldest of those that wait no more, then the
    /// oldest. How many; at most kTrimMax at once.
    std::size_t trim(balance::Moment now);
    static constexpr std::size_t kTrimMax = 1'000;

    struct Counts {
        std::size_t waiting = 0;
        std::size_t kept = 0;
        std::uint64_t made = 0;  ///< Ever.
    };
    [[nodiscard]] Counts counts() const;

  private:
    void changed(const MailRecord* before, const MailRecord* after);
    void change(std::string_view id, balance::Moment now, const std::function<void(MailRecord&)>& change);

    RecordBook<MailRecord>& mails_;
    balance::EventLog& events_;
    const std::size_t mails_max_;
    std::function<void()> on_mail_;
    /// The last number that was drawn: each thread gets one of its own, and nothing else is told by it, so
    /// relaxed is enough.
    std::atomic<std::uint64_t> drawn_{0};

    std::mutex change_mutex_;  ///< Held from before a mail is looked at until what becomes of it is appended.

    // An index of the book, changed inside the book's lock.
    mutable std::mutex mutex_;
    std::set<std::pair<rating::Instant, std::string>> waiting_;  ///< When each is due.
    std::set<std::string> ended_;
};

}  // namespace tollgate::daemon
