#include "tests/simulation/audit.h"

#include <utility>

#include "balance/event.h"
#include "balance/transaction.h"
#include "daemon/charging.h"

namespace tollgate::tests {
namespace {

using balance::EventHeader;
using balance::EventKind;
using balance::PartyId;
using balance::Session;
using rating::Money;

std::string text_of(Money amount) {
    return std::string{rating::format(amount).view()};
}

}  // namespace

Audit::Audit(const daemon::StateSettings& settings, ReadAside read_aside, balance::Sequence window)
    : state_(settings), read_aside_(std::move(read_aside)), window_(window) {
    state_.tariffs.begin_restoring();
    state_.restored();
}

std::string Audit::name(PartyId party) const {
    return std::string{state_.parties.get(party).id};
}

bool Audit::excused(PartyId party) const {
    const auto found = excuses_.find(party);
    return found != excuses_.end() && last_ - found->second <= window_;
}

Money Audit::posted(PartyId party) const {
    const auto found = posted_.find(party);
    return found == posted_.end() ? Money{} : found->second;
}

std::string Audit::apply(std::span<const std::byte> event) {
    ++last_;
    balance::ByteReader in{event};
    std::string wrong;
    const EventKind kind = EventHeader::read(in).kind;
    if (kind == EventKind::session_opened || kind == EventKind::session_changed ||
        kind == EventKind::session_rewritten) {
        wrong = apply_session(event, kind, balance::read_session_key(in));
    } else if (kind == EventKind::transaction) {
        wrong = apply_transaction(event, in);
    } else if (kind == EventKind::party_changed) {
        (void)in.flag();
        excuses_[in.get<PartyId>()] = last_;
        wrong = apply_only(event);
    } else {
        wrong = apply_only(event);
    }
    return wrong.empty() ? wrong : "event " + std::to_string(last_) + ": " + wrong;
}

std::string Audit::apply_only(std::span<const std::byte> event) {
    return state_.apply(event, read_aside_);
}

/// Whether the record of a session says why a level may be below zero.
bool Audit::explained(const Session& session) const {
    const auto status = static_cast<daemon::EndStatus>(session.end_status);
    return session.overrun || status == daemon::EndStatus::overrun || status == daemon::EndStatus::late ||
           status == daemon::EndStatus::rated;
}

std::string Audit::apply_session(std::span<const std::byte> event, EventKind kind, std::string_view id) {
    std::map<PartyId, Money> charged;
    // One that is opened is another one than that which had its id.
    const Session* const known = kind == EventKind::session_opened ? nullptr : state_.sessions.find(id);
    if (known != nullptr) {
        for (const auto& level : known->levels())
            charged[level.payer] = level.charged;
    }
    std::vector<Money> available;
    for (std::size_t i = 0; i < state_.parties.size(); ++i)
        available.push_back(state_.parties.get(static_cast<PartyId>(i)).account.available());
    if (auto wrong = apply_only(event); !wrong.empty()) return wrong;
    const Session* const session = state_.sessions.find(id);
    if (session == nullptr) return "the session is not there";
    for (const auto& level : session->levels()) {
        charged_[level.payer] = charged_[level.payer] + level.charged - charged[level.payer];
        if (explained(*session)) excuses_[level.payer] = last_;
        const auto& party = state_.parties.get(level.payer);
        const Money now = party.account.available();
        if (party.kind == balance::PartyKind::provider || now >= Money{} ||
            now >= available[static_cast<std::size_t>(level.payer)])
            continue;
        if (!excused(level.payer)) {
            return name(level.payer) + " has " + text_of(now) + " available after session " +
                   std::string{id} + ", and no record says why";
        }
    }
    return {};
}

std::string Audit::apply_transaction(std::span<const std::byte> event, balance::ByteReader in) {
    balance::Transaction transaction;
    if (!balance::read_transaction(in, transaction)) return "is no transaction";
    if (!balance::balanced(transaction.postings)) return "is a transaction that does not add up to zero";
    if (auto wrong = apply_only(event); !wrong.empty()) return wrong;
    for (const auto& posting : transaction.postings) {
        if (posting.place != balance::PostingPlace::balance) continue;
        posted_[posting.party] = posted_[posting.party] + posting.amount;
        const auto& party = state_.parties.get(posting.party);
        if (posting.amount >= Money{} || party.kind == balance::PartyKind::provider) continue;
        if (transaction.request.starts_with(kForced)) excuses_[posting.party] = last_;
        if (party.account.available() < Money{} && !excused(posting.party)) {
            return name(posting.party) + " has " + text_of(party.account.available()) + " available after " +
                   transaction.request;
        }
    }
    return {};
}

std::string Audit::check() const {
    if (const auto faults = state_.verify(1); !faults.empty()) return faults[0];
    for (std::size_t i = 0; i < state_.parties.size(); ++i) {
        const PartyId party{static_cast<std::uint32_t>(i)};
        const auto charged = charged_.find(party);
        const Money due = posted(party) - (charged == charged_.end() ? Money{} : charged->second);
        const Money balance = state_.parties.get(party).account.balance();
        if (balance != due) {
            return name(party) + " has a balance of " + text_of(balance) +
                   ", its charges and postings make " + text_of(due);
        }
    }
    return {};
}

}  // namespace tollgate::tests
