#include "daemon/outbox.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "rating/decimal.h"

namespace tollgate::daemon {
namespace {

constexpr std::string_view kIdBegin = "m-";
/// So that the order of ids is the order of numbers.
constexpr std::size_t kIdDigits = 12;

std::string id_of(std::uint64_t number) {
    const std::string digits = std::to_string(number);
    return std::string{kIdBegin} + std::string(kIdDigits - std::min(kIdDigits, digits.size()), '0') + digits;
}

std::uint64_t number_of(std::string_view id) {
    if (!id.starts_with(kIdBegin)) return 0;
    return rating::parse_unsigned(id.substr(kIdBegin.size()), UINT64_MAX).value_or(0);
}

}  // namespace

Outbox::Outbox(RecordBook<MailRecord>& mails, balance::EventLog& events, std::size_t mails_max)
    : mails_(mails), events_(events), mails_max_(mails_max) {
    mails_.on_change = [this](const MailRecord* before, const MailRecord* after) { changed(before, after); };
}

void Outbox::changed(const MailRecord* before, const MailRecord* after) {
    const std::lock_guard lock{mutex_};
    if (before != nullptr) {
        waiting_.erase({before->next, before->id});
        ended_.erase(before->id);
    }
    if (after == nullptr) return;
    if (after->state == kMailWaiting) {
        waiting_.emplace(after->next, after->id);
    } else {
        ended_.insert(after->id);
    }
    // One thread applies a journal; while mails are made, theirs are drawn already.
    const std::uint64_t number = number_of(after->id);
    if (number > drawn_.load(std::memory_order_relaxed)) drawn_.store(number, std::memory_order_relaxed);
    if (before == nullptr && on_mail_) on_mail_();
}

void Outbox::add(balance::JointEvent& joint, MailDraft draft, balance::Moment now) {
    MailRecord mail;
    mail.id = id_of(drawn_.fetch_add(1, std::memory_order_relaxed) + 1);
    mail.party = std::move(draft.party);
    mail.reason = std::move(draft.reason);
    mail.to = std::move(draft.to);
    mail.subject = std::move(draft.subject);
    mail.text = std::move(draft.text);
    mail.state = kMailWaiting;
    mail.made = now.wall;
    mail.next = now.wall;
    mails_.put(joint, mail, now);
}

Outbox::Due Outbox::due(rating::Instant now) const {
    for (;;) {
        std::pair<rating::Instant, std::string> first;
        {
            const std::lock_guard lock{mutex_};
            if (waiting_.empty()) return {};
            first = *waiting_.begin();
        }
        if (first.first > now) return {std::nullopt, first.first};
        // Outside the lock, which is taken inside the book's. Only the mailer takes one away, and he is here.
        if (auto mail = mails_.find(first.second)) return {std::move(mail), first.first};
    }
}

void Outbox::change(std::string_view id, balance::Moment now,
                    const std::function<void(MailRecord&)>& change) {
    const std::lock_guard alone{change_mutex_};
    auto mail = mails_.find(id);
    if (!mail || mail->state != kMailWaiting) return;
    ++mail->attempts;
    change(*mail);
    balance::JointEvent joint;
    mails_.put(joint, *mail, now);
    joint.write(events_, now);
}

void Outbox::sent(std::string_view id, balance::Moment now) {
    change(id, now, [now](MailRecord& mail) {
        mail.state = kMailSent;
        mail.sent = now.wall;
        mail.next = {};
        mail.error.clear();
    });
}

void Outbox::failed(std::string_view id, std::string error, balance::Moment now) {
    change(id, now, [&error](MailRecord& mail) {
        mail.state = kMailFailed;
        mail.next = {};
        mail.error = std::move(error);
    });
}

void Outbox::try_again(std::string_view id, rating::Instant next, std::string error, balance::Moment now) {
    change(id, now, [&](MailRecord& mail) {
        mail.next = next;
        mail.error = std::move(error);
    });
}

std::size_t Outbox::trim(balance::Moment now) {
    const std::lock_guard alone{change_mutex_};
    const std::size_t kept = mails_.size();
    if (kept <= mails_max_) return 0;
    const std::size_t surplus = std::min(kept - mails_max_, kTrimMax);
    std::vector<std::string> ids;
    {
        const std::lock_guard lock{mutex_};
        for (auto id = ended_.begin(); id != ended_.end() && ids.size() < surplus; ++id)
            ids.push_back(*id);
        std::vector<std::string> waiting;
        if (ids.size() < surplus) {
            for (const auto& [next, id] : waiting_)
                waiting.push_back(id);
            std::sort(waiting.begin(), waiting.end());
            waiting.resize(std::min(waiting.size(), surplus - ids.size()));
        }
        ids.insert(ids.end(), waiting.begin(), waiting.end());
    }
    balance::JointEvent joint;
    for (const std::string& id : ids)
        mails_.remove(joint, id, now);
    joint.write(events_, now);
    return ids.size();
}

Outbox::Counts Outbox::counts() const {
    const std::size_t kept = mails_.size();
    const std::lock_guard lock{mutex_};
    return {waiting_.size(), kept, drawn_.load(std::memory_order_relaxed)};
}

}  // namespace tollgate::daemon
