#include "daemon/outbox.h"

#include <algorithm>
#include <cassert>
#include <cstdlib>

namespace tollgate::daemon {
namespace {

using balance::ByteReader;
using balance::ByteWriter;
using balance::EventHeader;
using balance::EventKind;
using balance::Moment;
using balance::Steady;

bool is_known(MailKind kind) noexcept {
    return kind == MailKind::threshold || kind == MailKind::password_changed;
}

void write(const MailDraft& draft, ByteWriter& out) {
    out.put(draft.kind);
    out.put(draft.party);
    out.text(draft.to);
    out.text(draft.language);
    out.put(static_cast<std::uint8_t>(draft.values.size()));
    for (const auto& [name, value] : draft.values) {
        out.text(name);
        out.text(value);
    }
}

/// False where it cannot have been written.
bool read(ByteReader& in, MailDraft& draft) {
    in.get(draft.kind);
    in.get(draft.party);
    draft.to = in.text();
    draft.language = in.text();
    draft.values.resize(in.get<std::uint8_t>());
    for (auto& [name, value] : draft.values) {
        name = in.text();
        value = in.text();
    }
    return in.good() && is_known(draft.kind);
}

}  // namespace

std::string_view text_of(MailKind kind) noexcept {
    switch (kind) {
        case MailKind::threshold:
            return "threshold";
        case MailKind::password_changed:
            return "password_changed";
    }
    std::abort();  // Not an enumerator: memory is corrupt.
}

std::string_view text_of(MailStatus status) noexcept {
    switch (status) {
        case MailStatus::waiting:
            return "waiting";
        case MailStatus::sent:
            return "sent";
        case MailStatus::refused:
            return "refused";
        case MailStatus::given_up:
            return "given_up";
    }
    std::abort();  // Not an enumerator: memory is corrupt.
}

/// Makes room for one where there is none. It is the same one whenever the same events are applied: they
/// stand in the journal in the order in which they did something here.
void Outbox::keep(Mail mail) {
    if (mails_.size() >= mails_max_) {
        const std::uint64_t oldest = ended_.empty() ? mails_.begin()->first : *ended_.begin();
        if (const auto due = due_at_.find(oldest); due != due_at_.end()) {
            waiting_.erase({due->second, oldest});
            due_at_.erase(due);
        }
        ended_.erase(oldest);
        mails_.erase(oldest);
    }
    const std::uint64_t number = mail.number;
    last_ = std::max(last_, number);
    if (mail.status == MailStatus::waiting) {
        waiting_.insert({Steady{}, number});  // At once.
        due_at_[number] = Steady{};
    } else {
        ended_.insert(number);
    }
    mails_.emplace(number, std::move(mail));
}

void Outbox::end(Mail& mail, MailStatus status, rating::Instant at) {
    mail.status = status;
    mail.ended_at = at;
    const auto due = due_at_.find(mail.number);
    assert(due != due_at_.end());
    waiting_.erase({due->second, mail.number});
    due_at_.erase(due);
    ended_.insert(mail.number);
}

balance::Sequence Outbox::append(std::vector<std::byte> event, Moment at, std::span<const MailDraft> drafts) {
    assert(drafts.size() <= kMailsPerEventMax);
    if (drafts.empty()) return events_.append(event);
    balance::Sequence sequence = 0;
    {
        const std::lock_guard lock{mutex_};
        ByteWriter out{event};
        std::uint64_t number = last_;
        for (const MailDraft& draft : drafts) {
            out.put(++number);
            write(draft, out);
        }
        sequence = events_.append(event);
        for (const MailDraft& draft : drafts) {
            Mail mail;
            mail.number = last_ + 1;
            mail.made_at = at.wall;
            mail.draft = draft;
            mail.sequence = sequence;
            keep(std::move(mail));
        }
    }
    if (on_mail_) on_mail_();
    return sequence;
}

bool Outbox::apply_made(Moment at, ByteReader& in) {
    const std::lock_guard lock{mutex_};
    while (in.good() && !in.at_end()) {
        Mail mail;
        in.get(mail.number);
        mail.made_at = at.wall;
        if (!read(in, mail.draft) || mail.number <= last_) return false;
        keep(std::move(mail));
    }
    return in.good();
}

bool Outbox::apply_ended(Moment at, ByteReader& in) {
    const auto number = in.get<std::uint64_t>();
    const auto status = in.get<MailStatus>();
    const std::string answer{in.text()};
    if (!in.at_end() || status == MailStatus::waiting || status > MailStatus::given_up) return false;
    const std::lock_guard lock{mutex_};
    const auto found = mails_.find(number);
    if (found == mails_.end() || found->second.status != MailStatus::waiting) return false;
    end(found->second, status, at.wall);
    found->second.answer = answer;
    return true;
}

bool Outbox::apply_kept(ByteReader& in) {
    Mail mail;
    in.get(mail.number);
    in.get(mail.made_at);
    in.get(mail.status);
    in.get(mail.ended_at);
    mail.answer = in.text();
    if (!read(in, mail.draft) || !in.at_end() || mail.status > MailStatus::given_up) return false;
    const std::lock_guard lock{mutex_};
    if (mail.number <= last_) return false;
    keep(std::move(mail));
    return true;
}

void Outbox::save(const std::function<void(std::span<const std::byte>)>& sink) const {
    const std::lock_guard lock{mutex_};
    std::vector<std::byte> bytes;
    for (const auto& [number, mail] : mails_) {
        bytes.clear();
        ByteWriter out{bytes};
        EventHeader{EventKind::mail, {mail.made_at, {}}}.write(out);
        out.put(number);
        out.put(mail.made_at);
        out.put(mail.status);
        out.put(mail.ended_at);
        // What was said to an attempt that was not the last is not in the journal, so it is not in a
        // snapshot.
        out.text(mail.status == MailStatus::waiting ? std::string_view{} : std::string_view{mail.answer});
        write(mail.draft, out);
        sink(bytes);
    }
}

Outbox::Due Outbox::due(Steady now) const {
    const std::lock_guard lock{mutex_};
    if (waiting_.empty()) return {};
    const auto& [at, number] = *waiting_.begin();
    if (at > now) return {std::nullopt, at};
    return {mails_.at(number), at};
}

void Outbox::ended(std::uint64_t number, MailStatus status, Moment at, std::string answer) {
    assert(status != MailStatus::waiting);
    const std::lock_guard lock{mutex_};
    const auto found = mails_.find(number);
    if (found == mails_.end() || found->second.status != MailStatus::waiting) return;
    std::vector<std::byte> event;
    ByteWriter out{event};
    EventHeader{EventKind::mail_ended, at}.write(out);
    out.put(number);
    out.put(status);
    out.text(answer);
    events_.append(event);
    Mail& mail = found->second;
    ++mail.attempts;
    mail.answer = std::move(answer);
    end(mail, status, at.wall);
}

void Outbox::try_again(std::uint64_t number, Steady at, std::string answer) {
    const std::lock_guard lock{mutex_};
    const auto found = mails_.find(number);
    const auto due = due_at_.find(number);
    if (found == mails_.end() || due == due_at_.end()) return;
    waiting_.erase({due->second, number});
    waiting_.insert({at, number});
    due->second = at;
    ++found->second.attempts;
    found->second.answer = std::move(answer);
}

std::vector<Mail> Outbox::after(std::uint64_t number, std::size_t count, const Wanted& wanted) const {
    const std::lock_guard lock{mutex_};
    std::vector<Mail> found;
    for (auto mail = mails_.upper_bound(number); mail != mails_.end() && found.size() < count; ++mail) {
        if (wanted(mail->second)) found.push_back(mail->second);
    }
    return found;
}

std::vector<Mail> Outbox::before(std::uint64_t number, std::size_t count, const Wanted& wanted) const {
    const std::lock_guard lock{mutex_};
    std::vector<Mail> found;
    for (auto mail = std::make_reverse_iterator(mails_.lower_bound(number));
         mail != mails_.rend() && found.size() < count; ++mail) {
        if (wanted(mail->second)) found.push_back(mail->second);
    }
    return found;
}

std::optional<Mail> Outbox::find(std::uint64_t number) const {
    const std::lock_guard lock{mutex_};
    const auto found = mails_.find(number);
    return found == mails_.end() ? std::nullopt : std::optional{found->second};
}

Outbox::Counts Outbox::counts() const {
    const std::lock_guard lock{mutex_};
    return {waiting_.size(), mails_.size(), last_};
}

}  // namespace tollgate::daemon
