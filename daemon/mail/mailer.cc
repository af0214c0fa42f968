#include "daemon/mail/mailer.h"

#include <algorithm>
#include <vector>

#include "daemon/mail/message.h"

namespace tollgate::daemon::mail {
namespace {

using balance::Steady;
using std::chrono::milliseconds;

/// How soon to look again where the journal has no room or is not as far yet.
constexpr milliseconds kJournalPause{200};
/// Beyond so many doublings the longest pause is reached whatever the first was.
constexpr std::uint32_t kDoublingsMax = 30;

}  // namespace

milliseconds Mailer::pause_after(std::uint32_t failures) const noexcept {
    milliseconds pause = settings_.retry_first;
    for (std::uint32_t i = 1; i < std::min(failures, kDoublingsMax) && pause < settings_.retry_longest; ++i)
        pause *= 2;
    return std::min(pause, settings_.retry_longest);
}

std::string Mailer::message_of(const Mail& mail) const {
    std::vector<Value> values;
    values.reserve(mail.draft.values.size() + 1);
    const std::string number = std::to_string(mail.number);
    for (const auto& [name, text] : mail.draft.values)
        values.push_back({name, text});
    values.push_back({"number", number});
    const Written written = templates_.fill(text_of(mail.draft.kind), mail.draft.language, values);
    // The number alone would come again where a journal was begun anew.
    const std::string id =
        "tollgate." + number + '.' + std::to_string(mail.made_at.time_since_epoch().count());
    return compose({settings_.from, mail.draft.to, id, mail.made_at, written.subject, written.text});
}

void Mailer::attempt(const Mail& mail, const std::stop_token& stop) {
    const SendResult result = hooks_.send(settings_.from, mail.draft.to, message_of(mail), stop);
    if (result.status != SendStatus::sent && stop.stop_requested()) return;  // It was not the relay's fault.
    const balance::Moment now = hooks_.now();

    MailStatus status = MailStatus::waiting;
    if (result.status == SendStatus::sent) {
        status = MailStatus::sent;
    } else if (result.status == SendStatus::never) {
        status = MailStatus::refused;
    } else if (now.wall - mail.made_at >= settings_.give_up) {
        status = MailStatus::given_up;
    }
    if (result.status == SendStatus::unreachable) {
        paused_until_ = now.steady + pause_after(++unreachable_times_);
    } else {
        unreachable_times_ = 0;
    }
    if (status == MailStatus::waiting) {
        outbox_.try_again(mail.number, now.steady + pause_after(mail.attempts + 1), result.answer);
    } else {
        outbox_.ended(mail.number, status, now, result.answer);
    }
    if (hooks_.on_attempt) hooks_.on_attempt(mail, status, result.answer);
}

Steady Mailer::step(const std::stop_token& stop) {
    const Steady now = hooks_.now().steady;
    if (now < paused_until_) return paused_until_;
    const Outbox::Due due = outbox_.due(now);
    if (!due.mail) return due.next_due.value_or(Steady::max());
    if (!outbox_.has_room() || !hooks_.is_durable(due.mail->sequence)) return now + kJournalPause;
    attempt(*due.mail, stop);
    return now;
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
    constexpr milliseconds kPauseMax{60'000};
    while (!stop.stop_requested()) {
        const Steady next = step(stop);
        const Steady now = hooks_.now().steady;
        if (next <= now) continue;
        const auto pause = std::min<std::chrono::nanoseconds>(next - now, kPauseMax);
        std::unique_lock lock{mutex_};
        bell_.wait_for(lock, stop, pause, [this] { return rung_; });
        rung_ = false;
    }
}

}  // namespace tollgate::daemon::mail
