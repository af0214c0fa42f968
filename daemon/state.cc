#include "daemon/state.h"

#include <algorithm>

#include "daemon/call_record.h"
#include "daemon/end_words.h"
#include "daemon/partners/sales.h"

namespace tollgate::daemon {
namespace {

using balance::EventForm;
using balance::EventHeader;
using balance::EventKind;
using balance::kNoParty;
using balance::Party;
using balance::PartyId;
using balance::Session;
using balance::SessionLevel;

constexpr std::uint64_t version_key(rating::TariffId tariff, std::uint32_t number) noexcept {
    return (std::uint64_t{static_cast<std::uint32_t>(tariff)} << 32) | number;
}

/// Carries out, or takes back with -1, what a session does to bundles.
void move_bundles(const balance::PartyTable& parties, const Session& session, int sign) noexcept {
    for (const balance::LevelBundles& mine : session.bundles()) {
        const balance::BundlesOf bundles{parties.get(session.levels()[mine.level].payer)};
        for (std::size_t i = 0; i < mine.use_count; ++i) {
            const balance::BundleUse& use = mine.uses[i];
            // One that is in no list any more expired long ago.
            if (balance::Bundle* const bundle = bundles.find(use.bundle)) {
                bundle->settle(use.generation, -sign * std::int64_t{use.seconds},
                               sign * (std::int64_t{use.seconds} - use.used));
            }
        }
    }
}

/// A leg is the cost of what was used, or of what was granted where nobody said and the operator wants that.
/// One that had expired so and goes on is put right when it is used next: it is a leg when the call has
/// ended.
bool costs_what_it_should(const Session& session, const SessionLevel& level) noexcept {
    if (session.open()) return true;
    // How many percent he was to have is not written down: no more than all there is.
    if (level.earns())
        return level.charged <= rating::Money{} && -level.charged <= session.levels()[0].charged;
    if (level.rate == nullptr) return level.charged == rating::Money{};
    if (level.charged == session.cost(level, std::chrono::seconds{session.used_seconds})) return true;
    return session.state == balance::SessionState::expired &&
           level.charged == session.cost(level, std::chrono::seconds{session.granted_seconds});
}

/// One record after another in the same memory.
class Records {
  public:
    explicit Records(const std::function<void(std::span<const std::byte>)>& sink) : sink_(sink) {}

    template <typename Write>
    void add(EventKind kind, const Write& write, Moment at = {}) {
        bytes_.clear();
        ByteWriter out{bytes_};
        const bool packed = kind == EventKind::session;
        EventHeader{kind, at, packed ? EventForm::packed : EventForm::full}.write(out);
        write(out);
        sink_(bytes_);
    }

  private:
    const std::function<void(std::span<const std::byte>)>& sink_;
    std::vector<std::byte> bytes_;
};

}  // namespace

State::State(const StateSettings& settings)
    : tariffs(settings.versions_kept),
      parties(settings.hash_key, settings.parties_max),
      threshold_events(events, settings.clock, settings.on_threshold,
                       [this](const ThresholdEvent& event, balance::JointEvent& joint) {
                           notices.threshold(event, joint);
                       }),
      sessions(settings.hash_key, settings.sessions),
      payments(parties, ledger, sessions, catalog, events,
               {.remember = settings.remember_requests, .repeat = settings.sessions.repeat}),
      outbox(registry.mails, events, settings.mails_max),
      notices(parties, registry, outbox, settings.mail_templates) {
    credit_refills(registry, parties);
}

void State::found(Moment now) {
    std::vector<std::byte> event;
    ByteWriter out{event};
    EventHeader{EventKind::founded, now}.write(out);
    out.put(sessions.hash_key());
    events.append(event);
}

void State::start(const Start& start) {
    std::vector<std::byte> event;
    ByteWriter out{event};
    EventHeader{EventKind::started, start.at}.write(out);
    out.short_text(start.boot_id);
    out.put(start.booted_for);
    events.append(event);
    last_start_ = start;
}

std::string State::apply(std::span<const std::byte> event, const Catalog::ReadAside& read_aside) {
    ByteReader in{event};
    const EventHeader header = EventHeader::read(in);
    // A part that were packed would pass for none that has parts.
    if (header.form == EventForm::packed && !is_of_session(header.kind) && header.kind != EventKind::session)
        return "an event of kind " + std::to_string(static_cast<unsigned>(header.kind)) +
               " that is packed, as only those of sessions are";
    latest_.wall = std::max(latest_.wall, header.at.wall);
    latest_.steady = std::max(latest_.steady, header.at.steady);
    bool good = false;
    switch (header.kind) {
        case EventKind::founded:
            sessions.set_hash_key(in.get<std::uint64_t>());
            good = in.at_end();
            break;
        case EventKind::started: {
            Start start;
            start.at = header.at;
            start.boot_id = in.short_text();
            in.get(start.booted_for);
            good = in.at_end();
            last_start_ = std::move(start);
            break;
        }
        case EventKind::parties_added:
        case EventKind::party_changed:
        case EventKind::parties_closed:
        case EventKind::tariff_put:
        case EventKind::deck_put:
        case EventKind::deck_rolled_back:
        case EventKind::dial_plan_put:
        case EventKind::dial_plan_removed:
        case EventKind::group_put:
        case EventKind::group_removed:
        case EventKind::bundle:
        case EventKind::bundle_renewed:
            good = catalog.apply(header.kind, header.at, in, [&](std::string_view name) {
                files_.emplace(name);
                return read_aside(name);
            });
            break;
        case EventKind::session_opened:
        case EventKind::session_changed:
        case EventKind::session_rewritten:
        case EventKind::session:
            good = apply_session(header, in);
            break;
        case EventKind::transaction:
            good = payments.apply(in);
            break;
        case EventKind::threshold:
            good = threshold_events.apply(in);
            break;
        case EventKind::record:
            good = registry.apply(in);
            break;
        case EventKind::audit:
            good = registry.audit.apply(in);
            break;
        case EventKind::together:
            while (good = in.at_end(), in.good() && !good) {
                const auto part = balance::next_part(in);
                if (!in.good()) break;
                if (auto fault = apply(part, read_aside); !fault.empty()) return fault;
            }
            break;
        case EventKind::together_aside: {
            const std::string name{in.text()};
            if (!in.at_end()) break;
            files_.insert(name);
            const auto whole = read_aside(name);
            if (!balance::is_together(whole)) break;
            return apply(whole, read_aside);
        }
        case EventKind::request:
            good = payments.apply_remembered(in);
            break;
        case EventKind::resync:
            good = resync_tokens.apply(header.at, in);
            break;
        case EventKind::restored:
            good = reserve.apply_restored(header.at, in);
            break;
        case EventKind::reserve_released:
            good = reserve.apply_released(in);
            break;
        case EventKind::reserve:
            good = reserve.apply_standing(header.at, in);
            break;
        case EventKind::account:
            good = apply_account(in);
            break;
        case EventKind::book:
            good = apply_book(in);
            break;
        case EventKind::spending:
            good = apply_spending(in);
            break;
        case EventKind::horizon:
            good = apply_horizon(in);
            break;
    }
    if (good) return {};
    return "an event of kind " + std::to_string(static_cast<unsigned>(header.kind)) +
           (in.good() ? " that does not fit the events before it" : " that is too short");
}

const rating::TariffVersion* State::version_of(const balance::LevelName& name) {
    const auto key = version_key(name.tariff, name.version);
    auto found = versions_.find(key);
    if (found == versions_.end()) {
        // It is new, or there is none: versions are not freed while events are applied.
        versions_.clear();
        for (const auto& version : tariffs.all_versions())
            versions_.emplace(version_key(version->id, version->number), version.get());
        found = versions_.find(key);
    }
    return found == versions_.end() ? nullptr : found->second;
}

bool State::put_levels(const balance::LevelNames& names, Session& session) {
    session.level_count = 0;
    for (std::size_t i = 0; i < names.count; ++i) {
        const balance::LevelName& name = names.levels[i];
        SessionLevel& level = session.level_memory()[i];
        level = SessionLevel{};
        level.payer = name.payer;
        level.seller = name.seller;
        level.row = name.row;
        level.affordable_seconds = name.affordable_seconds;
        if (static_cast<std::size_t>(name.payer) >= parties.size() ||
            static_cast<std::size_t>(name.seller) >= parties.size())
            return false;
        if (name.tariff != rating::kNoTariff) {
            level.tariff = version_of(name);
            if (level.tariff == nullptr) return false;
            if (name.row != rating::Deck::kNoRow) {
                const auto* const deck = level.tariff->deck.get();
                if (deck == nullptr || name.row >= deck->row_count()) return false;
                level.rate = &deck->rate(name.row);
            }
        }
    }
    session.level_count = names.count;
    for (const SessionLevel& level : session.levels()) {
        if (level.tariff != nullptr) level.tariff->pins.add();
    }
    return true;
}

bool State::apply_session(const EventHeader& header, ByteReader& in) {
    const EventKind kind = header.kind;
    const rating::Instant now = header.at.wall;
    const std::string_view key = balance::read_session_key(in);
    if (key.empty() || key.size() > balance::kSessionKeyBytesMax) return false;
    if (kind != EventKind::session) (void)read_end_words(in, header.form);
    const bool whole = kind != EventKind::session_changed;
    const bool fresh = kind == EventKind::session_opened || kind == EventKind::session;
    const auto as = whole ? balance::read_opened_as(in) : balance::OpenedAs{};
    if (!in.good() || as.level_capacity > balance::kChainDepthMax ||
        as.bundles_capacity > balance::kChainDepthMax ||
        as.texts.service.size() > balance::kServiceBytesMax ||
        as.texts.switch_name.size() > balance::kSwitchNameBytesMax)
        return false;
    Session* const session =
        fresh ? sessions.restore_fresh(key, as.level_capacity, as.texts, as.bundles_capacity)
              : sessions.restore_known(key);
    if (session == nullptr) return false;
    if (!fresh) {
        ledger.undo(*session, now);
        move_bundles(parties, *session, -1);
    }
    if (whole) {
        if (as.level_capacity != session->level_capacity || as.bundles_capacity != session->bundles_capacity)
            return false;
        for (const SessionLevel& level : session->levels()) {
            if (level.tariff != nullptr) level.tariff->pins.remove();
        }
        session->level_count = 0;
        const auto names = balance::read_decided(in, header.form, header.at, *session);
        if (!in.good() || !put_levels(names, *session)) return false;
    }
    balance::read_changing(in, header.form, header.at, *session);
    const bool known_line = static_cast<std::size_t>(session->line) < parties.size();
    if (!in.at_end() || !known_line || session->state == balance::SessionState::deciding ||
        session->state == balance::SessionState::refused)
        return false;
    if (kind != EventKind::session) {
        ledger.redo(*session, now);
        move_bundles(parties, *session, 1);
    }
    sessions.restored(*session);
    return true;
}

bool State::apply_account(ByteReader& in) {
    while (in.good() && !in.at_end()) {
        const auto id = in.get<PartyId>();
        rating::Money available;
        rating::Money balance;
        in.get(available);
        in.get(balance);
        const auto calls = in.get<std::uint32_t>();
        if (!in.good() || static_cast<std::size_t>(id) >= parties.size()) return false;
        parties.get(id).account.restore(available, balance, calls);
    }
    return in.good();
}

bool State::apply_book(ByteReader& in) {
    const auto id = in.get<PartyId>();
    const auto currency = rating::Currency::parse(in.short_text());
    if (!currency || static_cast<std::size_t>(id) >= parties.size()) return false;
    balance::Book& book = parties.get(id).book(*currency);
    book.revenue.store(in.get<std::int64_t>(), std::memory_order_relaxed);
    book.cash.store(in.get<std::int64_t>(), std::memory_order_relaxed);
    book.termination.store(in.get<std::int64_t>(), std::memory_order_relaxed);
    if (in.at_end()) return true;  // Earlier versions had no more.
    book.commission.store(in.get<std::int64_t>(), std::memory_order_relaxed);
    book.funds.store(in.get<std::int64_t>(), std::memory_order_relaxed);
    book.exchange.store(in.get<std::int64_t>(), std::memory_order_relaxed);
    return in.at_end();
}

bool State::apply_spending(ByteReader& in) {
    const auto id = in.get<PartyId>();
    if (!in.good() || static_cast<std::size_t>(id) >= parties.size()) return false;
    // It had a cap once, and may have one again.
    balance::Party& party = parties.get(id);
    balance::Limits& limits = party.own_limits();
    limits.count_spending(catalog.time_zones().find(party.time_zone));
    while (in.good() && !in.at_end()) {
        const auto unit = in.get<balance::Spending::Unit>();
        const auto period = in.get<std::int64_t>();
        rating::Money sum;
        in.get(sum);
        limits.spending()->restore(unit, period, sum);
    }
    return in.good();
}

bool State::apply_horizon(ByteReader& in) {
    for (std::size_t stripe = 0; stripe < balance::SessionTable::kStripes; ++stripe) {
        balance::Steady until{};
        in.get(until);
        sessions.set_forgotten_until(stripe, until);
        sessions.set_record_last(stripe, in.get<std::uint64_t>());
    }
    return in.at_end();
}

void State::save(const std::function<void(std::span<const std::byte>)>& sink) const {
    Records records{sink};
    const auto founded = [&](ByteWriter& out) { out.put(sessions.hash_key()); };
    records.add(EventKind::founded, founded, latest_);
    if (last_start_) {
        const auto started = [&](ByteWriter& out) {
            out.short_text(last_start_->boot_id);
            out.put(last_start_->booted_for);
        };
        records.add(EventKind::started, started, last_start_->at);
    }
    records.add(EventKind::horizon, [&](ByteWriter& out) {
        for (std::size_t stripe = 0; stripe < balance::SessionTable::kStripes; ++stripe) {
            out.put(sessions.forgotten_until(stripe));
            out.put(sessions.record_last(stripe));
        }
    });
    save_contents(sink);
}

/// All but the times at which it was used.
void State::save_contents(const std::function<void(std::span<const std::byte>)>& sink) const {
    Records records{sink};
    resync_tokens.save(sink);
    catalog.save(sink);
    const std::size_t count = parties.size();
    constexpr std::size_t kAccountsPerRecord = 1'000;
    for (std::size_t first = 0; first < count; first += kAccountsPerRecord) {
        records.add(EventKind::account, [&](ByteWriter& out) {
            for (std::size_t i = first; i < std::min(count, first + kAccountsPerRecord); ++i) {
                const balance::Account& account = parties.get(static_cast<PartyId>(i)).account;
                out.put(static_cast<PartyId>(i));
                out.put(account.available());
                out.put(account.balance());
                out.put(account.open_calls());
            }
        });
    }
    for (std::size_t i = 0; i < count; ++i) {
        const Party& party = parties.get(static_cast<PartyId>(i));
        for (const balance::Book* book = party.books.load(std::memory_order_acquire); book != nullptr;
             book = book->next) {
            // One in which nothing stands is as good as none: looking at it has made it.
            const auto of = [](const std::atomic<std::int64_t>& sum) {
                return sum.load(std::memory_order_relaxed);
            };
            if (of(book->revenue) == 0 && of(book->cash) == 0 && of(book->termination) == 0 &&
                of(book->commission) == 0 && of(book->funds) == 0 && of(book->exchange) == 0)
                continue;
            records.add(EventKind::book, [&](ByteWriter& out) {
                out.put(static_cast<PartyId>(i));
                out.short_text(book->currency.view());
                out.put(of(book->revenue));
                out.put(of(book->cash));
                out.put(of(book->termination));
                out.put(of(book->commission));
                out.put(of(book->funds));
                out.put(of(book->exchange));
            });
        }
    }
    for (std::size_t i = 0; i < count; ++i) {
        const Party& party = parties.get(static_cast<PartyId>(i));
        const balance::Limits* const limits = party.limits.load(std::memory_order_acquire);
        balance::Spending* const spending = limits == nullptr ? nullptr : limits->spending();
        if (spending == nullptr) continue;
        records.add(EventKind::spending, [&](ByteWriter& out) {
            out.put(static_cast<PartyId>(i));
            spending->visit([&out](balance::Spending::Unit unit, std::int64_t period, rating::Money sum) {
                out.put(unit);
                out.put(period);
                out.put(sum);
            });
        });
    }
    sessions.visit([&](const Session& session) {
        records.add(EventKind::session, [&](ByteWriter& out) {
            balance::write_session_key(session.key(), out);
            balance::write_decided(session, {}, out);
            balance::write_changing(session, {}, out);
        });
    });
    payments.save(sink);
    reserve.save(sink);
    registry.save(sink);
    threshold_events.save(sink);
}

/// Commands that looked at the clock before the latest event may have theirs behind it.
constexpr std::chrono::minutes kLaterCommands{1};

void State::forget_due() {
    for (std::size_t stripe = 0; stripe < balance::SessionTable::kStripes; ++stripe)
        sessions.forget_due(stripe, latest_.steady - kLaterCommands);
    payments.forget_due(latest_.steady - kLaterCommands);
    tariffs.reclaim();
}

std::set<std::string> State::files_named() const {
    auto files = catalog.deck_files();
    files.insert(files_.begin(), files_.end());
    return files;
}

std::uint64_t State::digest() const {
    constexpr balance::KeyedHash kHash{0};
    std::uint64_t sum = 0;
    save_contents([&](std::span<const std::byte> record) {
        sum += kHash({reinterpret_cast<const char*>(record.data()), record.size()});
    });
    return sum;
}

std::vector<std::string> State::verify(std::size_t faults_max) const {
    std::vector<std::string> faults;
    const auto fault = [&](std::string text) {
        if (faults.size() < faults_max) faults.push_back(std::move(text));
    };
    for (const auto& sum : ledger.trial_balance()) {
        if (sum.sum() != 0)
            fault("balances and books in " + std::string{sum.currency.view()} + " do not add up to 0");
    }
    std::vector<std::int64_t> held(parties.size(), 0);
    std::vector<std::uint32_t> calls(parties.size(), 0);
    std::unordered_map<const balance::Bundle*, std::uint64_t> held_seconds;
    sessions.visit([&](const Session& session) {
        const std::string id{session.id()};
        for (const balance::LevelBundles& mine : session.bundles()) {
            const balance::BundlesOf bundles{parties.get(session.levels()[mine.level].payer)};
            for (std::size_t i = 0; i < mine.use_count; ++i) {
                const balance::BundleUse& use = mine.uses[i];
                const balance::Bundle* const bundle = bundles.find(use.bundle);
                if (bundle != nullptr && bundle->stand().generation == use.generation)
                    held_seconds[bundle] += use.seconds - use.used;
            }
        }
        for (const SessionLevel& level : session.levels()) {
            held[static_cast<std::size_t>(level.payer)] += level.held.micros();
            if (!session.open() && level.held != rating::Money{})
                fault("session " + id + " has ended and still holds funds");
            if (!costs_what_it_should(session, level)) {
                fault("session " + id + ": party " + std::string{parties.get(level.payer).id} +
                      " was charged " + std::string{rating::format(level.charged).view()} + " for " +
                      std::to_string(session.used_seconds) + " s, which is not what they cost");
            }
        }
        if (!session.open() || session.emergency) return;
        for (PartyId party = session.line; party != kNoParty; party = parties.get(party).parent)
            ++calls[static_cast<std::size_t>(party)];
    });
    if (const auto held_back = reserve.standing()) {
        reserve.visit(
            [&](PartyId party) { held[static_cast<std::size_t>(party)] += held_back->amount.micros(); });
    }
    for (std::size_t i = 0; i < parties.size(); ++i) {
        const Party& party = parties.get(static_cast<PartyId>(i));
        const auto name = [&] { return "party " + std::string{party.id} + ": "; };
        const auto& account = party.account;
        if (account.held().micros() != held[i]) {
            fault(name() + "holds " + std::string{rating::format(account.held()).view()} +
                  ", its open sessions " +
                  std::string{rating::format(rating::Money::from_micros(held[i])).view()});
        }
        if (account.open_calls() != calls[i]) {
            fault(name() + "counts " + std::to_string(account.open_calls()) + " calls, and there are " +
                  std::to_string(calls[i]));
        }
        for (const balance::Bundle& bundle : balance::BundlesOf{party}) {
            const auto stand = bundle.stand();
            if (stand.held != held_seconds[&bundle] ||
                std::uint64_t{stand.held} + stand.available > bundle.source().seconds) {
                fault(name() + "bundle " + bundle.source().id + " holds " + std::to_string(stand.held) +
                      " s, its open sessions " + std::to_string(held_seconds[&bundle]));
            }
        }
        if (!account.attempts().none_pending()) fault(name() + "has an attempt that nobody ended");
    }
    return faults;
}

}  // namespace tollgate::daemon
