#include "daemon/flush/batch_maker.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "daemon/images.h"

namespace tollgate::daemon::flush {
namespace {

using balance::ByteReader;
using balance::EventKind;
using balance::Party;
using balance::Session;
using balance::SessionLevel;

constexpr std::size_t index_of(PartyId party) noexcept {
    return static_cast<std::size_t>(party);
}

rating::Instant wall_of(Moment at, balance::Steady steady) noexcept {
    return steady == balance::Steady{} ? rating::kAlways : at.wall - (at.steady - steady);
}

}  // namespace

BatchMaker::BatchMaker(State& replica, const rating::TariffBook& live, ReadAside read_aside)
    : state_(replica), live_(live), read_aside_(std::move(read_aside)), batch_(empty_batch()) {
    const std::size_t count = state_.parties.size();
    statuses_.reserve(count);
    for (std::size_t i = 0; i < count; ++i)
        statuses_.push_back(state_.parties.get(static_cast<PartyId>(i)).status().bits());
}

Batch BatchMaker::empty_batch() const {
    Batch batch;
    batch.state = &state_;
    batch.read_file = read_aside_;
    return batch;
}

const std::vector<std::byte>& BatchMaker::aside(std::string_view name) {
    const auto [place, fresh] = asides_.try_emplace(std::string{name});
    if (fresh) {
        place->second = read_aside_(name);
        batch_.files.push_back(place->first);
    }
    return place->second;
}

void BatchMaker::each_part(std::span<const std::byte> event, const Visit& visit) {
    ByteReader in{event};
    const auto header = Header::read(in);
    if (header.kind == EventKind::together_aside) {
        each_part(aside(in.text()), visit);
    } else if (header.kind == EventKind::together) {
        for (auto part = balance::next_part(in); !part.empty(); part = balance::next_part(in))
            each_part(part, visit);
    } else {
        visit(header, in);
    }
}

std::string BatchMaker::apply(Sequence sequence, std::span<const std::byte> event) {
    asides_.clear();
    records_before_.clear();
    sessions_seen_ = 0;
    each_part(event, [this](const Header& header, ByteReader in) { look_before(header, in); });
    if (auto wrong = state_.apply(event, [this](std::string_view name) { return aside(name); });
        !wrong.empty())
        return wrong;
    ByteReader in{event};
    batch_.last_at = Header::read(in).at;
    if (batch_.event_count++ == 0) {
        batch_.first = sequence;
        batch_.first_at = batch_.last_at;
    }
    const auto length = static_cast<balance::journal::EventLength>(event.size());
    const auto head = std::as_bytes(std::span{&length, 1});
    batch_.events.insert(batch_.events.end(), head.begin(), head.end());
    batch_.events.insert(batch_.events.end(), event.begin(), event.end());
    each_part(event, [&](const Header& header, ByteReader part) { look_after(sequence, header, part); });
    return {};
}

void BatchMaker::touch(PartyId party) {
    const std::size_t place = index_of(party);
    if (touched_.size() <= place) touched_.resize(std::max(place + 1, state_.parties.size()), 0);
    if (std::exchange(touched_[place], std::uint8_t{1}) == 0) balances_.push_back(party);
}

void BatchMaker::touch_row(Sequence sequence, PartyId party, Moment at) {
    touch(party);
    rows_[party] = at;
    const std::size_t place = index_of(party);
    const std::uint8_t now = state_.parties.get(party).status().bits();
    if (place >= statuses_.size()) {
        // Made by this event; what it is from the beginning is no change.
        statuses_.resize(place + 1, now);
        return;
    }
    const std::uint8_t before = std::exchange(statuses_[place], now);
    if (before != now)
        batch_.statuses.push_back({sequence, party, balance::Status{before}, balance::Status{now}, at});
}

void BatchMaker::touch_levels(const Session& session) {
    for (const SessionLevel& level : session.levels())
        touch(level.payer);
    if (session.credits_seller && session.level_count != 0) touch(session.levels().front().seller);
}

/// What a session was charged before is taken back by its next event, maybe from others than it then charges.
void BatchMaker::look_before(const Header& header, ByteReader in) {
    if (header.kind == EventKind::reserve_released || header.kind == EventKind::restored)
        state_.reserve.visit([this](PartyId party) { touch(party); });
    // A deck that calls are rated by already need not be in memory twice.
    if (header.kind == EventKind::deck_put) state_.catalog.share_decks(live_);
    if (!is_of_session(header.kind)) return;
    const std::string_view key = balance::read_session_key(in);
    const Session* const session = state_.sessions.find(key);
    records_before_.push_back(session == nullptr ? 0 : session->record);
    if (session != nullptr && header.kind != EventKind::session_opened) touch_levels(*session);
}

void BatchMaker::look_after(Sequence sequence, const Header& header, ByteReader in) {
    switch (header.kind) {
        case EventKind::session_opened:
        case EventKind::session_changed:
        case EventKind::session_rewritten:
            note_session(sequence, header, in);
            break;
        case EventKind::parties_added:
        case EventKind::party_changed:
        case EventKind::parties_closed:
        case EventKind::tariff_put:
        case EventKind::deck_put:
        case EventKind::deck_rolled_back:
            note_catalog(sequence, header, in);
            break;
        case EventKind::transaction: {
            auto transaction = std::make_shared<balance::Transaction>();
            if (!balance::read_transaction(in, *transaction)) break;
            for (const auto& posting : transaction->postings) {
                if (posting.place == balance::PostingPlace::balance) touch(posting.party);
            }
            if (transaction->lifted != 0 && !transaction->postings.empty())
                touch_row(sequence, transaction->postings.front().party, header.at);
            batch_.transactions.push_back({sequence, std::move(transaction)});
            break;
        }
        case EventKind::threshold: {
            ThresholdRow row{.sequence = sequence, .event = {}};
            row.event.at = header.at;
            in.get(row.event.number);
            in.get(row.event.crossing.party);
            in.get(row.event.crossing.warning);
            in.get(row.event.crossing.balance);
            in.get(row.event.at.wall);
            batch_.thresholds.push_back(row);
            break;
        }
        case EventKind::audit: {
            std::uint64_t number = 0;
            in.get(number);
            state_.registry.audit.visit_back(number + 1, [&](const AuditEntry& entry) {
                if (entry.number == number) batch_.audit.push_back({sequence, entry});
                return false;
            });
            break;
        }
        case EventKind::group_put:
        case EventKind::group_removed:
            groups_.reset();
            break;
        case EventKind::restored:
            state_.reserve.visit([this](PartyId party) { touch(party); });
            break;
        case EventKind::founded:
        case EventKind::started:
        case EventKind::reserve_released:
        case EventKind::reserve:
        case EventKind::dial_plan_put:
        case EventKind::dial_plan_removed:
        case EventKind::bundle:
        case EventKind::bundle_renewed:
        case EventKind::resync:
        case EventKind::record:
        case EventKind::together:
        case EventKind::together_aside:
        case EventKind::account:
        case EventKind::book:
        case EventKind::session:
        case EventKind::request:
        case EventKind::spending:
        case EventKind::horizon:
            break;  // Nothing that stores have rows of.
    }
}

void BatchMaker::note_session(Sequence sequence, const Header& header, ByteReader in) {
    const std::string_view key = balance::read_session_key(in);
    const std::uint64_t record_before = records_before_[sessions_seen_++];
    const Session* const session = state_.sessions.find(key);
    if (session == nullptr) return;
    // One that is opened was not open before: whatever had that id has ended, and the store knows.
    sessions_.try_emplace(std::string{key}, header.kind == EventKind::session_opened);
    touch_levels(*session);
    if (session->record == 0) return;
    RecordRow row{.sequence = sequence,
                  .ended = sequence,
                  .record = call_record_of(state_, *session, header.at, read_end_words(in, header.form)),
                  .group = group_of(session->number.view()),
                  .again = record_before == session->record};
    const auto [place, fresh] = records_.try_emplace(session->record, batch_.records.size());
    if (fresh) {
        batch_.records.push_back(std::move(row));
    } else {
        RecordRow& known = batch_.records[place->second];
        row.again = known.again;
        row.ended = known.ended;
        known = std::move(row);
    }
}

void BatchMaker::note_catalog(Sequence sequence, const Header& header, ByteReader in) {
    if (in.flag()) in = ByteReader{aside(in.text())};
    if (header.kind == EventKind::parties_added) {
        // Whatever the event says, it is those that are there now and were not.
        for (std::size_t i = statuses_.size(); i < state_.parties.size(); ++i)
            touch_row(sequence, static_cast<PartyId>(i), header.at);
    } else if (header.kind == EventKind::party_changed) {
        touch_row(sequence, in.get<PartyId>(), header.at);
    } else if (header.kind == EventKind::parties_closed) {
        for (auto left = in.get<std::uint32_t>(); left > 0; --left) {
            const auto top = in.get<PartyId>();
            for (PartyId party = top; party != balance::kNoParty;
                 party = state_.parties.next_in_subtree(party, top))
                touch_row(sequence, party, header.at);
        }
    } else {
        const std::string name{in.text()};
        const auto number = in.get<std::uint32_t>();
        const auto tariff = state_.tariffs.find(name);
        if (!tariff) return;
        auto version = state_.tariffs.version(*tariff, number);
        if (version == nullptr) return;
        if (!version->file.name.empty()) batch_.files.push_back(version->file.name);
        if (version->change == rating::Change::deck) ++decks_;
        batch_.versions.push_back(std::move(version));
    }
}

PartyRow BatchMaker::party_row(PartyId number, Moment at) const {
    const Party& party = state_.parties.get(number);
    PartyRow row;
    row.number = number;
    row.id = party.id;
    if (party.parent != balance::kNoParty) row.parent = state_.parties.get(party.parent).id;
    row.kind = party.kind;
    row.terms = party.terms;
    row.billing = party.billing;
    row.status = party.status();
    row.currency = party.currency;
    row.time_zone = party.time_zone;
    row.credit_limit = party.account.credit_limit();
    row.min_available = rating::Money::from_micros(party.min_available.load(std::memory_order_relaxed));
    row.tariffs = state_.catalog.tariffs_of(party);
    const auto calls = party.max_calls.load(std::memory_order_relaxed);
    if (calls != balance::kCallsUnlimited) row.max_calls = calls;
    row.dial_plan = state_.catalog.dial_plan_of(party);
    row.at = at;
    return row;
}

BalanceRow BatchMaker::balance_row(PartyId number) const {
    const Party& party = state_.parties.get(number);
    const balance::Account& account = party.account;
    return {.number = number,
            .id = party.id,
            .currency = party.currency,
            .balance = account.balance(),
            .held = account.held(),
            .available = account.available(),
            .credit_limit = account.credit_limit(),
            .status = party.status(),
            .kind = party.kind};
}

std::string BatchMaker::group_of(std::string_view number) {
    if (!groups_) {
        const DestinationGroups& groups = state_.catalog.destination_groups();
        std::vector<GroupIndex::Group> all;
        group_names_.assign(1, {});
        for (std::string& name : groups.names()) {
            const DestinationGroup* const group = groups.get(*groups.find(name));
            all.push_back({group, static_cast<std::uint16_t>(group_names_.size())});
            group_names_.push_back(std::move(name));
        }
        groups_.emplace(all);
    }
    return group_names_[groups_->find(number)];
}

SessionRow BatchMaker::session_row(const Session& session) const {
    const Moment at = state_.latest();
    SessionRow row;
    row.name = {std::string{session.scope()}, std::string{session.id()}};
    row.line = state_.parties.get(session.line).id;
    row.number = session.number.view();
    const auto texts = session.texts();
    row.caller = texts.caller;
    row.service = texts.service.empty() ? balance::kVoice : texts.service;
    row.switch_name = texts.switch_name;
    row.answered = session.state == balance::SessionState::answered;
    row.emergency = session.emergency;
    row.opened_at = wall_of(at, session.opened_at);
    row.answered_at = wall_of(at, session.answered_at);
    row.expires_at = wall_of(at, session.deadline);
    row.rated_at = session.rated_at;
    row.granted_seconds = session.granted_seconds;
    row.used_seconds = session.used_seconds;
    for (const SessionLevel& level : session.levels()) {
        const Party& payer = state_.parties.get(level.payer);
        row.levels.push_back({payer.id, payer.currency, level.held, level.charged});
    }
    return row;
}

Batch BatchMaker::finish() {
    Batch batch = std::exchange(batch_, empty_batch());
    // The next is about as large, as long as a store is behind.
    batch_.records.reserve(batch.records.size());
    batch_.events.reserve(batch.events.size());
    for (const auto& [party, at] : rows_)
        batch.parties.push_back(party_row(party, at));
    rows_.clear();
    std::sort(balances_.begin(), balances_.end());
    batch.balances.reserve(balances_.size());
    for (const PartyId party : balances_) {
        touched_[index_of(party)] = 0;
        batch.balances.push_back(balance_row(party));
    }
    balances_.clear();
    for (auto& [key, unknown] : sessions_) {
        const Session* const session = state_.sessions.find(key);
        if (session != nullptr && session->open()) {
            batch.sessions.push_back(session_row(*session));
        } else if (!unknown) {
            const std::size_t id = balance::SessionKey::id_offset(key);
            batch.sessions_gone.push_back(
                {std::string{balance::SessionKey::scope_before(key, id)}, key.substr(id)});
        }
    }
    sessions_.clear();
    records_.clear();
    std::sort(batch.files.begin(), batch.files.end());
    batch.files.erase(std::unique(batch.files.begin(), batch.files.end()), batch.files.end());
    return batch;
}

void BatchMaker::fill(std::size_t rows_max, const std::function<void(Batch&& batch, bool last)>& emit) {
    const Moment at = state_.latest();
    Batch batch = empty_batch();
    batch.clear = true;
    batch.filling = true;
    std::size_t rows = 0;
    const auto next = [&](bool last) {
        emit(std::exchange(batch, empty_batch()), last);
        batch.filling = true;
        rows = 0;
    };
    const auto row = [&] {
        if (++rows >= rows_max) next(false);
    };
    for (const auto& version : state_.tariffs.all_versions()) {
        if (!version->file.name.empty()) batch.files.push_back(version->file.name);
        batch.versions.push_back(version);
        row();
    }
    for (std::size_t i = 0; i < state_.parties.size(); ++i) {
        batch.parties.push_back(party_row(static_cast<PartyId>(i), at));
        batch.balances.push_back(balance_row(static_cast<PartyId>(i)));
        row();
    }
    std::vector<TransactionList::Entry> transactions;
    state_.payments.transactions().visit_back(TransactionList::kNewest, [&](const auto& transaction) {
        transactions.push_back(state_.payments.transactions().find(transaction.number));
        return true;
    });
    for (auto at_end = transactions.rbegin(); at_end != transactions.rend(); ++at_end) {
        batch.transactions.push_back({0, std::move(*at_end)});
        row();
    }
    state_.sessions.visit([&](const Session& session) {
        if (session.open()) {
            batch.sessions.push_back(session_row(session));
        } else if (session.record != 0) {
            batch.records.push_back({.sequence = 0,
                                     .ended = 0,
                                     .record = call_record_of(state_, session, at, {}),
                                     .group = group_of(session.number.view()),
                                     .again = true});
        } else {
            return;
        }
        row();
    });
    std::uint64_t before = 0;
    for (bool more = true; std::exchange(more, false);) {
        state_.registry.audit.visit_back(before, [&](const AuditEntry& entry) {
            batch.audit.push_back({0, entry});
            before = entry.number;
            more = ++rows >= rows_max;
            return !more;
        });
        if (more) next(false);
    }
    next(true);
}

}  // namespace tollgate::daemon::flush
