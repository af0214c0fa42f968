/// Mails that are to be sent, and what became of them.
///
/// A mail is made in the same event of the journal as its cause: where the cause happened the mail is there,
/// once, and where it did not there is none. Sending goes on from here as often as it must
/// (daemon/mail/mailer.h).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "balance/event.h"
#include "balance/event_log.h"
#include "balance/party.h"
#include "rating/instant.h"

namespace tollgate::daemon {

/// What it is about. The numbers stand in journals.
enum class MailKind : std::uint8_t {
    threshold = 1,
    password_changed = 2,
};
/// As it is written, and as its template is called: `threshold`.
[[nodiscard]] std::string_view text_of(MailKind kind) noexcept;

enum class MailStatus : std::uint8_t {
    waiting = 0,
    sent = 1,
    refused = 2,   ///< The relay will never take it.
    given_up = 3,  ///< It was tried for long enough.
};
[[nodiscard]] std::string_view text_of(MailStatus status) noexcept;

/// What a mail says, for whoever makes one.
struct MailDraft {
    MailKind kind = MailKind::threshold;
    balance::PartyId party = balance::kNoParty;  ///< Whom it is about, and who may see it.
    std::string to;                              ///< config::is_mail_address says yes.
    std::string language;                        ///< Of the template; empty: none in particular.
    /// Of the template's placeholders. At most kMailBytesMax together with the rest.
    std::vector<std::pair<std::string, std::string>> values;
};
inline constexpr std::size_t kMailBytesMax = 16 * 1024;
inline constexpr std::size_t kMailsPerEventMax = 16;

struct Mail {
    std::uint64_t number = 0;  ///< 1, 2, 3 … in the order in which they were made.
    rating::Instant made_at{};
    MailDraft draft;
    MailStatus status = MailStatus::waiting;
    rating::Instant ended_at{};  ///< Unless it waits.

    // In memory only, and forgotten at a restart:
    std::uint32_t attempts = 0;
    std::string answer;              ///< What was said to the last attempt, for people.
    balance::Sequence sequence = 0;  ///< Of the event that made it; 0: durable long ago.
};

/// Any thread may call any member at any time. A lock is taken once a mail, which is rare.
class Outbox {
  public:
    /// `mails_max`: so many are kept; beyond it the oldest that ended goes, or the oldest of all where none
    /// has. `events` must outlive this.
    Outbox(balance::EventLog& events, std::size_t mails_max) : events_(events), mails_max_(mails_max) {}

    /// Appends an event with the mails it causes behind it, and they are there. At most kMailsPerEventMax.
    /// `event` is what the cause has to say; the mails end it.
    balance::Sequence append(std::vector<std::byte> event, balance::Moment at,
                             std::span<const MailDraft> drafts);

    /// The mails at the end of an event of the journal, if there are any; false where they cannot have been
    /// written.
    [[nodiscard]] bool apply_made(balance::Moment at, balance::ByteReader& in);
    /// The rest of an event of kind `mail_ended`, and of a record of kind `mail`.
    [[nodiscard]] bool apply_ended(balance::Moment at, balance::ByteReader& in);
    [[nodiscard]] bool apply_kept(balance::ByteReader& in);
    void save(const std::function<void(std::span<const std::byte>)>& sink) const;

    // ---- For whoever sends ----

    /// A mail that waits and is due; nullopt: none is before `next_due`.
    struct Due {
        std::optional<Mail> mail;
        std::optional<balance::Steady> next_due;  ///< nullopt: none waits.
    };
    [[nodiscard]] Due due(balance::Steady now) const;
    /// Whether the journal would take what became of one.
    [[nodiscard]] bool has_room() const noexcept { return events_.admission() == balance::Admission::open; }
    /// What became of an attempt. The mail may be gone by then.
    void ended(std::uint64_t number, MailStatus status, balance::Moment at, std::string answer);
    void try_again(std::uint64_t number, balance::Steady at, std::string answer);
    /// Called, by whoever makes one, when there is a mail. Set before there is another thread.
    void on_mail(std::function<void()> call) { on_mail_ = std::move(call); }

    // ---- For whoever looks ----

    /// Up to `count` of those that `wanted` says yes to, in the order of their numbers: with numbers above
    /// `after`, or, the newest first, below `before`.
    using Wanted = std::function<bool(const Mail&)>;
    [[nodiscard]] std::vector<Mail> after(std::uint64_t number, std::size_t count,
                                          const Wanted& wanted) const;
    [[nodiscard]] std::vector<Mail> before(std::uint64_t number, std::size_t count,
                                           const Wanted& wanted) const;
    [[nodiscard]] std::optional<Mail> find(std::uint64_t number) const;

    struct Counts {
        std::size_t waiting = 0;
        std::size_t kept = 0;
        std::uint64_t made = 0;  ///< Ever.
    };
    [[nodiscard]] Counts counts() const;

  private:
    void keep(Mail mail);
    void end(Mail& mail, MailStatus status, rating::Instant at);

    balance::EventLog& events_;
    const std::size_t mails_max_;
    std::function<void()> on_mail_;
    mutable std::mutex mutex_;
    std::map<std::uint64_t, Mail> mails_;
    std::set<std::uint64_t> ended_;                                ///< Those that wait for nothing.
    std::set<std::pair<balance::Steady, std::uint64_t>> waiting_;  ///< When each is due.
    std::map<std::uint64_t, balance::Steady> due_at_;              ///< The same by number.
    std::uint64_t last_ = 0;
};

}  // namespace tollgate::daemon
