#include "daemon/mail/mailer.h"

#include <algorithm>

#include "daemon/mail/message.h"

namespace tollgate::daemon::mail {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

/// How soon to look again where the journal has no room or is not as far yet.
constexpr milliseconds kJournalPause{200};
/// Beyond so many doublings the longest pause is reached whatever the first was.
constexpr std::int64_t kDoublingsMax = 30;

}  // namespace

milliseconds Mailer::pause_after(std::int64_t failures) const noexcept {
    milliseconds pause = settings_.retry_first;
    for (std::int64_t i = 1; i < std::min(failures, kDoublingsMax) && pause < settings_.retry_longest; ++i)
        pause *= 2;
    return std::min(pause, settings_.retry_longest);
}

std::string Mailer::message_of(const MailRecord& mail) const {
    // The number alone would come again where a journal was begun anew.
    const std::string id = mail.id + '.' + std::to_string(mail.made.time_since_epoch().count()) + ".tollgate";
    return compose({settings_.from, mail.to, id, mail.made, mail.subject, mail.text});
}

void Mailer::attempt(const MailRecord& mail, const std::stop_token& stop) {
    const SendResult result = hooks_.send(settings_.from, mail.to, message_of(mail), stop);
    if (result.status != SendStatus::sent && stop.stop_requested()) return;  // It was not the relay's fault.
    const balance::Moment now = hooks_.now();
    if (result.status == SendStatus::unreachable) {
        paused_until_ = now.steady + pause_after(++unreachable_times_);
    } else {
        unreachable_times_ = 0;
    }

    std::string_view state = kMailWaiting;
    if (result.status == SendStatus::sent) {
        state = kMailSent;
        outbox_.sent(mail.id, now);
    } else if (result.status == SendStatus::never || now.wall - mail.made >= settings_.give_up) {
        state = kMailFailed;
        outbox_.failed(mail.id, result.answer, now);
    } else {
        outbox_.try_again(mail.id, now.wall + pause_after(mail.attempts + 1), result.answer, now);
    }
    if (hooks_.on_attempt) hooks_.on_attempt(mail, state, result.answer);
}

nanoseconds Mailer::step(const std::stop_token& stop) {
    const balance::Moment now = hooks_.now();
    if (now.steady < paused_until_) return paused_until_ - now.steady;
    const Outbox::Due due = outbox_.due(now.wall);
    if (!due.mail) return due.next ? *due.next - now.wall : nanoseconds::max();
    if (!outbox_.has_room() || !hooks_.is_durable(outbox_.newest())) return kJournalPause;
    attempt(*due.mail, stop);
    return {};
}

void Mailer::start() {
    outbox_.on_mail([this] {
        {
            const std::lock_guard lock{mutex_};
            rung_ = true;
        }
        bell_.notify_one();
    });
    thread_ = std::jthread{[this](const std::stop_token& stop) { run(stop); }};
}

void Mailer::run(const std::stop_token& stop) {
    // However long nothing is due: the clocks of a machine that slept may have moved.
    constexpr nanoseconds kPauseMax = std::chrono::minutes{1};
    while (!stop.stop_requested()) {
        const nanoseconds pause = step(stop);
        if (pause == nanoseconds{}) continue;
        std::unique_lock lock{mutex_};
        bell_.wait_for(lock, stop, std::min(pause, kPauseMax), [this] { return rung_; });
        rung_ = false;
    }
}

}  // namespace tollgate::daemon::mail
