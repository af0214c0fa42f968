#include "tests/simulation/simulation.h"

#include <algorithm>
#include <set>
#include <utility>

#include "daemon/partners/profile.h"
#include "rating/deck_csv.h"

namespace tollgate::tests {
namespace {

namespace journal = balance::journal;
using balance::Admission;
using balance::PartyKind;
using daemon::Code;
using daemon::PaymentCode;
using rating::Money;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::size_t kUnderWayMax = 24;
constexpr std::size_t kPastMax = 150;
constexpr std::size_t kCallsMax = 16;

journal::Settings journal_settings() {
    return {.segment_bytes = std::size_t{64} * 1024,
            .batch_bytes_max = std::size_t{8} * 1024,
            .queue_bytes = std::size_t{16} * 1024};
}

const std::vector<std::string> line_ids = {"alice-1", "alice-2", "bob-1", "carol-1", "dora-1"};
/// A seller, and two who earn by the calls of a customer that they brought him.
const std::vector<std::string> earner_ids = {"south", "agent", "deputy"};
const std::vector<std::string> payer_ids = {"alice", "bob", "carol", "dora", "north", "south"};
const std::vector<std::string> dialled_numbers = {"4930", "493012", "4471", "800",
                                                  "4490", "112",    "x",    "+4930"};
const std::vector<std::string> tariff_ids = {"retail", "resale", "wholesale", "carrier", "dollar"};

/// Whether a record of a snapshot says something of what may be forgotten at that time: a session that ended
/// long ago, a version that only such sessions pin, how the state was used.
bool is_past(const daemon::State& state, std::span<const std::byte> record, balance::Steady time) {
    balance::ByteReader in{record};
    const auto kind = balance::EventHeader::read(in).kind;
    if (kind == balance::EventKind::session) {
        const auto* const session = state.sessions.find(balance::read_session_key(in));
        return state.sessions.is_over(*session, time);
    }
    if (kind == balance::EventKind::tariff_put) {
        (void)in.flag();
        const auto tariff = state.tariffs.find(in.text());
        return state.tariffs.version(*tariff, in.get<std::uint32_t>()) == nullptr;
    }
    return kind == balance::EventKind::founded || kind == balance::EventKind::started ||
           kind == balance::EventKind::horizon;
}

/// State::digest() of what must not be forgotten yet.
std::uint64_t digest_of(const daemon::State& state, balance::Steady time) {
    constexpr balance::KeyedHash kHash{0};
    std::uint64_t sum = 0;
    state.save([&](std::span<const std::byte> record) {
        if (!is_past(state, record, time))
            sum += kHash({reinterpret_cast<const char*>(record.data()), record.size()});
    });
    return sum;
}

/// Records that only one of the two has, as far as they help to see what is wrong.
std::string difference(const daemon::State& live, const daemon::State& replayed, balance::Steady time) {
    const auto records_of = [time](const daemon::State& state) {
        std::multiset<std::vector<std::byte>> records;
        state.save([&](std::span<const std::byte> record) {
            if (!is_past(state, record, time)) records.emplace(record.begin(), record.end());
        });
        return records;
    };
    const auto ours = records_of(live);
    const auto theirs = records_of(replayed);
    std::string text;
    const auto tell = [&text, &live, &replayed](const auto& some, const auto& others, const char* whose) {
        constexpr std::size_t kBytesMax = 400;
        for (const auto& record : some) {
            if (others.contains(record)) continue;
            text += std::string{"\n  "} + whose + " only:";
            balance::ByteReader in{record};
            if (balance::EventHeader::read(in).kind == balance::EventKind::session) {
                const auto id = balance::read_session_key(in);
                for (const auto* const state : {&live, &replayed}) {
                    const auto* const session = state->sessions.find(id);
                    text += " " + std::string{id};
                    if (session == nullptr) continue;
                    text += " in state " + std::to_string(static_cast<int>(session->state)) +
                            (session->lapsed ? " lapsed" : "") + ", ended at " +
                            std::to_string(session->ended_at / seconds{1}) + ", of " +
                            std::to_string(state->latest().steady / seconds{1}) + ";";
                }
                continue;
            }
            for (std::size_t i = 0; i < std::min(record.size(), kBytesMax); ++i) {
                constexpr std::string_view kDigits = "0123456789abcdef";
                text += i % 4 == 1 ? " " : "";
                text += kDigits[std::to_integer<std::size_t>(record[i] >> 4)];
                text += kDigits[std::to_integer<std::size_t>(record[i] & std::byte{15})];
            }
        }
    };
    tell(ours, theirs, "state");
    tell(theirs, ours, "events");
    return text;
}

std::string deck_text(std::uint64_t price) {
    const auto rate =
        std::to_string(price / 100) + "." + std::to_string(price / 10 % 10) + std::to_string(price % 10);
    return "prefix,rate_per_minute,connect_fee,initial_increment,increment,blocked\n49," + rate +
           ",0,1,1,0\n4930," + rate + ",0.05,60,10,0\n44," + rate + ",0.01,30,6,0\n4490," + rate +
           ",0,1,1,1\n800,0,0,1,1,0\n";
}

}  // namespace

void SimulationFigures::add(const SimulationFigures& other) {
    for (const auto member :
         {&SimulationFigures::steps, &SimulationFigures::recoveries, &SimulationFigures::power_losses,
          &SimulationFigures::events_lost, &SimulationFigures::torn_blocks, &SimulationFigures::failures,
          &SimulationFigures::failed_starts, &SimulationFigures::requests, &SimulationFigures::repeats,
          &SimulationFigures::events, &SimulationFigures::snapshots, &SimulationFigures::full_disks,
          &SimulationFigures::live_digests})
        this->*member += other.*member;
    for (std::size_t i = 0; i < codes.size(); ++i)
        codes[i] += other.codes[i];
}

/// Passes events on to the journal and keeps them.
struct Simulation::Recorder final : balance::EventLog {
    Recorder(Simulation& owner, journal::Journal& behind) : simulation(owner), journal(behind) {}
    Sequence append(std::span<const std::byte> event) noexcept override {
        const Sequence sequence = journal.append(event);
        simulation.tail_.emplace_back(event.begin(), event.end());
        ++simulation.figures_.events;
        return sequence;
    }
    [[nodiscard]] Sequence last() const noexcept override { return journal.last(); }
    [[nodiscard]] Admission admission() const noexcept override { return journal.admission(); }
    balance::AsideFile put_aside(std::string_view kind, std::span<const std::byte> bytes) override {
        auto file = journal.put_aside(kind, bytes);
        simulation.asides_[file.name].assign(bytes.begin(), bytes.end());
        return file;
    }
    Simulation& simulation;
    journal::Journal& journal;
};

struct Simulation::Process {
    explicit Process(const daemon::StateSettings& settings) : state(settings) {}
    daemon::State state;
    daemon::Recovered recovered;
    std::optional<Recorder> recorder;
    std::unique_ptr<daemon::Charging> charging;
    std::unique_ptr<daemon::Snapshots> snapshots;
    std::string said;

    [[nodiscard]] journal::Journal& journal() const { return *recovered.journal; }
};

Simulation::Simulation(std::uint64_t seed)
    : random_(seed), wall_(*rating::parse_instant("2026-03-02T12:00:00Z")), hash_key_(random_()) {
    charge_granted_ = one_in(4);
    audit_ = std::make_unique<Audit>(state_settings(), [this](std::string_view name) {
        const auto found = asides_.find(name);
        if (found == asides_.end()) throw std::runtime_error{std::string{name} + " was never written"};
        return found->second;
    });
    notes_ = std::make_unique<daemon::State>(state_settings());
}

Simulation::~Simulation() = default;

void Simulation::violate(const std::string& what) const {
    throw Violation{doing_.empty() ? what : what + "; " + doing_};
}

// ---- Time ----

balance::Moment Simulation::now() const {
    return {wall_, booted_for_ + ahead_};
}
void Simulation::pass(Nanoseconds time) {
    wall_ += time;
    booted_for_ += time;
}

daemon::StateSettings Simulation::state_settings() const {
    daemon::StateSettings settings;
    settings.versions_kept = 2;
    settings.parties_max = 200;
    settings.sessions.remember = minutes{30};
    settings.sessions.late = hours{2};
    settings.remember_requests = hours{24 * 3650};
    settings.hash_key = hash_key_;
    settings.clock = [this] { return now(); };
    return settings;
}

daemon::StartClocks Simulation::clocks() {
    return {.now = [this] { return now(); },
            .booted_for = [this] { return booted_for_; },
            .boot_id = [this] { return "boot-" + std::to_string(boot_); },
            .set = [this](balance::Steady steady) { ahead_ = steady - booted_for_; }};
}

// ---- The process ----

/// Brings a process up, whatever the disk is like, and checks what it found.
void Simulation::start() {
    for (int attempt = 0;; ++attempt) {
        expect(attempt < 3, "a start on a sound disk fails");
        if (attempt == 1) heal();
        ahead_ = {};
        const auto fresh_state = [this]() -> daemon::State& {
            process_ = std::make_unique<Process>(state_settings());
            return process_->state;
        };
        try {
            auto recovered = recover(disk_, journal_settings(), fresh_state, clocks());
            process_->recovered = std::move(recovered);
            break;
        } catch (const std::runtime_error& error) {
            process_.reset();
            if (!injected_) violate(std::string{"a start fails: "} + error.what());
            ++figures_.failed_starts;
            one_in(2) ? disk_.crash(random_) : disk_.kill();
        }
    }
    ++started_;
    auto& recovered = process_->recovered;
    figures_.torn_blocks += recovered.torn_blocks;
    take_up(recovered.snapshot + recovered.events);
    if (promised_ != 0) ++figures_.recoveries;

    auto& state = process_->state;
    process_->recorder.emplace(*this, process_->journal());
    state.events.connect(*process_->recorder);
    daemon::ChargingSettings settings;
    settings.emergency_numbers = {"112"};
    settings.charge_granted_at_expiry = charge_granted_;
    settings.dial_plans = &state.catalog.dial_plans();
    process_->charging = std::make_unique<daemon::Charging>(state.tariffs, state.parties, state.ledger,
                                                            state.sessions, state.events, settings);
    process_->charging->expire_from(now().steady + minutes{5});
    process_->snapshots =
        std::make_unique<daemon::Snapshots>(process_->journal(), state_settings(), state,
                                            [this](const std::string& what) { process_->said = what; });
    process_->snapshots->count_from(recovered.segment);
    process_->journal().writer().set_clock([] { return Nanoseconds{0}; });
}

/// What was recovered is a prefix with all that was promised, and says exactly what its events say.
void Simulation::take_up(Sequence recovered) {
    const Sequence appended = audit_->last() + tail_.size();
    if (recovered < promised_ || recovered > appended) {
        violate("the journal ends with event " + std::to_string(recovered) + "; promised were " +
                std::to_string(promised_) + " of " + std::to_string(appended));
    }
    figures_.events_lost += appended - recovered;
    advance_audit(recovered);
    tail_.clear();
    for (auto* const list : {&under_way_}) {
        for (const auto& operation : *list) {
            if (operation->effect && operation->sequence > recovered) operation->effect.reset();
        }
    }
    for (const auto& operation : past_) {
        if (operation->effect && operation->sequence > recovered) operation->effect.reset();
    }
    while (!effects_.empty() && effects_.back().sequence > recovered) {
        moved_[effects_.back().party] = moved_[effects_.back().party] - effects_.back().amount;
        effects_.pop_back();
    }
    std::erase_if(record_numbers_, [recovered](const auto& given) { return given.second > recovered; });
    compare("the recovered state");
    for (const auto& [party, amount] : moved_) {
        const auto id = process_->state.parties.find(party);
        expect(id != balance::kNoParty, "a party is gone that paid");
        if (audit_->posted(id) != amount) {
            violate("postings of " + party + " make " +
                    std::string{rating::format(audit_->posted(id)).view()} + ", its answers " +
                    std::string{rating::format(amount).view()});
        }
    }
    // What the start itself has appended, once more for the audit.
    struct Notes final : balance::EventLog {
        std::deque<std::vector<std::byte>>* events = nullptr;
        Sequence append(std::span<const std::byte> event) noexcept override {
            events->emplace_back(event.begin(), event.end());
            return events->size();
        }
        [[nodiscard]] Sequence last() const noexcept override { return 0; }
        [[nodiscard]] Admission admission() const noexcept override { return Admission::open; }
        balance::AsideFile put_aside(std::string_view, std::span<const std::byte>) override { return {}; }
    } notes;
    notes.events = &tail_;
    notes_->events.connect(notes);
    if (recovered == 0) notes_->found(now());
    notes_->start({"boot-" + std::to_string(boot_), booted_for_, now()});
    expect(process_->journal().last() == recovered + tail_.size(), "a start appends something else");
    promised_ = recovered;
}

/// Live and replayed state are the same but for what either has not forgotten yet.
void Simulation::compare(const char* what) {
    daemon::State& live = process_->state;
    daemon::State& replayed = audit_->state();
    replayed.forget_due();
    const auto time = std::max(now().steady, replayed.latest().steady);
    if (digest_of(live, time) != digest_of(replayed, time)) {
        violate(std::string{what} + " differs from what its events say, at event " +
                std::to_string(audit_->last()) + difference(live, replayed, time));
    }
    if (const auto faults = live.verify(1); !faults.empty()) violate(std::string{what} + ": " + faults[0]);
    if (const auto wrong = audit_->check(); !wrong.empty()) violate(std::string{what} + ": " + wrong);
}

void Simulation::advance_audit(Sequence to) {
    while (audit_->last() < to) {
        if (const auto wrong = audit_->apply(tail_.front()); !wrong.empty()) violate(wrong);
        tail_.pop_front();
    }
}

void Simulation::heal() {
    disk_.fail_write(0);
    disk_.fail_sync(0);
    disk_.fail_operation(0);
    injected_ = false;
    disk_.set_capacity(~std::uint64_t{0});
    full_ = false;
}

/// The newest snapshot rots, once: the one before it and the journal say as much.
void Simulation::spoil_snapshot() {
    std::vector<std::string> names;
    (void)disk_.list(names);
    std::erase_if(names, [](const std::string& name) {
        return !name.starts_with("snapshot-") || name.ends_with(journal::kTemporarySuffix);
    });
    if (names.size() < 2) return;
    std::sort(names.begin(), names.end());
    disk_.flip(names.back(), below(disk_.bytes(names.back()).size() * 8));
    rotten_ = true;
}

void Simulation::end_process(bool power_loss) {
    waiting_.clear();  // Nobody hears them any more.
    process_.reset();
    if (power_loss) {
        disk_.crash(random_);
        ++figures_.power_losses;
        ++boot_;
        booted_for_ = seconds{below(100)};
        wall_ += seconds{below(60)};
        if (one_in(10)) wall_ += hours{below(4)};
        if (one_in(10)) wall_ -= hours{below(4)};
    } else {
        disk_.kill();
        pass(seconds{below(30)});
    }
}

void Simulation::crash() {
    if (one_in(2)) {
        // In the midst of a step, after it has written: what was queued is not synced, or not all of it.
        const auto process = started_;
        for (auto requests = below(10); requests > 0 && process == started_; --requests)
            send();
        if (process != started_) return;
        disk_.fail_operation(one_in(4) ? 1 + below(6) : 2);
        if (one_in(8)) (void)process_->snapshots->take();
        if (one_in(8)) process_->journal().prepare();
        process_->journal().step(now().steady);
        disk_.fail_operation(0);
    }
    promised_ = std::max(promised_, process_->journal().durable());
    end_process(!one_in(4));
    if (one_in(3)) heal();
    if (!rotten_ && one_in(20)) spoil_snapshot();
    start();
}

void Simulation::let_answers_leave() {
    const Sequence durable = process_->journal().durable();
    promised_ = std::max(promised_, durable);
    while (!waiting_.empty() && waiting_.front().sequence <= durable) {
        waiting_.front().operation->answered = true;
        waiting_.pop_front();
    }
}

bool Simulation::pump() {
    auto& journal = process_->journal();
    const auto step = journal.step(now().steady);
    if (step != journal::Writer::Step::failed) {
        let_answers_leave();
        advance_audit(journal.durable());
        return true;
    }
    expect(injected_, "the journal fails on a sound disk");
    ++figures_.failures;
    const Sequence durable = journal.durable();
    heal();
    for (int i = 0; i < 3; ++i) {
        expect(journal.step(now().steady) == journal::Writer::Step::failed, "it writes after an error");
        expect(journal.prepare() != journal::Preparer::Step::failed || full_, "cannot prepare when healed");
    }
    expect(journal.durable() == durable, "something became durable after an error");
    expect(journal.admission() == Admission::closed, "it takes events after an error");
    promised_ = std::max(promised_, durable);
    end_process(one_in(2));
    start();
    return false;
}

void Simulation::quiesce_and_compare() {
    auto& journal = process_->journal();
    for (int i = 0; journal.durable() < journal.last(); ++i) {
        journal.prepare();
        if (!pump()) return;
        if (i > 100) {
            expect(full_ || injected_, "events do not become durable");
            return;
        }
    }
    advance_audit(journal.durable());
    compare("the live state");
    ++figures_.live_digests;
}

/// Whoever appends must not wait for a queue that nobody empties.
bool Simulation::room_for_events() {
    auto& journal = process_->journal();
    for (int i = 0; journal.statistics().queue_bytes > journal_settings().queue_bytes / 2; ++i) {
        if (!pump() || i > 4) return false;
        journal.prepare();
    }
    return true;
}

// ---- The world ----

void Simulation::found_world() {
    auto& catalog = process_->state.catalog;
    const auto eur = *rating::Currency::parse("EUR");
    const auto usd = *rating::Currency::parse("USD");
    const auto add = [&](const char* id, const char* parent, PartyKind kind, const char* tariff = nullptr,
                         std::optional<rating::Currency> currency = {},
                         balance::Terms terms = balance::Terms::margin) {
        daemon::PartyDraft draft;
        draft.id = id;
        draft.parent = parent;
        draft.kind = kind;
        if (kind == PartyKind::reseller) draft.terms = terms;
        if (tariff != nullptr) draft.tariff = tariff;
        draft.currency = currency;
        expect(catalog.add({&draft, 1}, now()).empty(), "a party of the world");
        pump();
    };
    std::uint64_t price = 60;
    for (const auto& tariff : tariff_ids) {
        rating::TariffSettings settings;
        settings.currency = tariff == "dollar" ? usd : eur;
        expect(catalog.put_tariff(tariff, settings, {}, now()).result.done(), "a tariff of the world");
        auto deck = rating::read_deck_csv(deck_text(price), {}).deck;
        expect(catalog.put_deck(tariff, deck, 0, {}, now()).done(), "a deck of the world");
        price = price / 2 + 5;
        pump();
    }
    add("provider", "", PartyKind::provider, nullptr, eur);
    add("north", "provider", PartyKind::reseller, "wholesale");
    add("south", "north", PartyKind::reseller, "resale");
    add("alice", "south", PartyKind::customer, "retail");
    add("alice-1", "alice", PartyKind::line);
    add("alice-2", "alice", PartyKind::line);
    // Two who live of what bob pays for his calls.
    add("agent", "south", PartyKind::reseller, nullptr, eur, balance::Terms::commission);
    add("deputy", "agent", PartyKind::reseller, nullptr, eur, balance::Terms::commission);
    add("bob", "deputy", PartyKind::customer, "retail");
    add("bob-1", "bob", PartyKind::line);
    add("carol", "north", PartyKind::customer, "retail");
    add("carol-1", "carol", PartyKind::line);
    add("dora", "provider", PartyKind::customer, "dollar", usd);
    add("dora-1", "dora", PartyKind::line);
    for (int i = 0; i < 50; ++i) {
        process_->journal().prepare();
        pump();
    }
}

void Simulation::run(std::uint64_t recoveries) {
    start();
    found_world();
    while (figures_.recoveries < recoveries) {
        ++figures_.steps;
        do_something();
    }
    if (process_) {
        heal();
        for (int i = 0; i < 4; ++i)
            process_->journal().prepare();
        quiesce_and_compare();
    }
}

// ---- What happens ----

void Simulation::do_something() {
    if (one_in(40)) return crash();
    switch (below(100)) {
        case 0:
            return snapshot();
        case 1:
            return quiesce_and_compare();
        case 2:
            if (!full_ && one_in(3)) {
                disk_.set_capacity(disk_.used() + below(200'000));
                full_ = true;
                ++figures_.full_disks;
            } else {
                disk_.set_capacity(~std::uint64_t{0});
                full_ = false;
            }
            return;
        case 3:
            if (injected_ || one_in(2)) return heal();
            injected_ = true;
            switch (below(3)) {
                case 0:
                    return disk_.fail_write(1 + below(20), static_cast<SimDisk::Trouble>(below(3)));
                case 1:
                    return disk_.fail_sync(1 + below(20));
                default:
                    return disk_.fail_operation(1 + below(60));
            }
        case 4:
        case 5:
            return administer();
        case 6:
            return pass(seconds{below(400)});
        case 7:
            if (one_in(100)) return pass(hours{24 * below(20)});
            if (one_in(8)) return pass(minutes{below(200)});
            if (one_in(2)) {
                wall_ += seconds{below(7200)};
            } else {
                wall_ -= seconds{below(7200)};
            }
            return;
        case 8:
        case 9:
        case 10:
            return sweep();
        case 11:
        case 12:
        case 13:
        case 14:
            process_->journal().prepare();
            return;
        default:
            break;
    }
    if (below(100) < 12) {
        pump();
        return;
    }
    if (one_in(8)) pass(std::chrono::milliseconds{below(3000)});
    send();
}

void Simulation::sweep() {
    if (!room_for_events()) return;
    process_->charging->expire_due(below(4), 4, now());
    if (process_->journal().admission() == Admission::open) process_->state.catalog.renew_bundles(now());
}

void Simulation::snapshot() {
    process_->said.clear();
    if (process_->snapshots->take()) {
        ++figures_.snapshots;
    } else if (!injected_ && !full_) {
        violate("a snapshot fails on a sound disk: " + process_->said);
    }
}

void Simulation::administer() {
    // As the HTTP interface: nothing is changed where there is no room.
    if (!room_for_events() || process_->journal().admission() != Admission::open) return;
    auto& catalog = process_->state.catalog;
    auto& parties = process_->state.parties;
    const auto party = parties.find(one_of(payer_ids));
    const Sequence before = process_->journal().last();
    try {
        switch (below(13)) {
            case 12: {
                daemon::Profile profile;
                profile.id = one_of(earner_ids);
                if (!one_in(4)) {
                    const auto share = static_cast<std::int64_t>(below(5)) * rating::Percent::kWhole / 4;
                    profile.calls_commission = rating::Percent::from_millionths(share);
                }
                if (one_in(2)) profile.commission_split = "per_level";
                balance::JointEvent joint;
                process_->state.registry.profiles.put(joint, profile, now());
                joint.write(process_->state.events, now());
                break;
            }
            case 9:
            case 10: {
                daemon::PartyChange change;
                auto& limits = change.limits;
                const auto name = [&](balance::LimitChange::Field field) {
                    if (one_in(2)) limits.name(field);
                    return one_in(2);
                };
                if (name(balance::LimitChange::kCapCall))
                    limits.values.cap_call = Money::from_micros(static_cast<std::int64_t>(below(2'000'000)));
                if (name(balance::LimitChange::kCapDay))
                    limits.values.cap_day = Money::from_micros(static_cast<std::int64_t>(below(9'000'000)));
                if (name(balance::LimitChange::kCapMonth))
                    limits.values.cap_month =
                        Money::from_micros(static_cast<std::int64_t>(below(20'000'000)));
                if (name(balance::LimitChange::kMaxSeconds)) limits.values.max_seconds = 1 + below(400);
                if (name(balance::LimitChange::kLossPolicy)) limits.values.refuse_loss = true;
                (void)catalog.change(one_in(3) ? parties.find(one_of(line_ids)) : party, change, now());
                break;
            }
            case 11: {
                daemon::BundleDraft bundle;
                bundle.id = "bundle-" + std::to_string(below(40));
                bundle.seconds = static_cast<std::uint32_t>(1 + below(600));
                if (one_in(2)) bundle.prefixes = {"49"};
                if (one_in(2)) bundle.expires = wall_ + minutes{below(600)};
                bundle.monthly = one_in(3);
                bundle.priority = static_cast<std::int32_t>(below(3));
                (void)catalog.add_bundle(party, bundle, now());
                break;
            }
            case 0: {
                daemon::PartyChange change;
                change.credit_limit = Money::from_micros(static_cast<std::int64_t>(below(5'000'000)));
                (void)catalog.change(party, change, now());
                break;
            }
            case 1: {
                daemon::PartyChange change;
                change.status = balance::Status{static_cast<std::uint8_t>(one_in(2) ? 0 : below(16))};
                (void)catalog.change(party, change, now());
                break;
            }
            case 2: {
                daemon::PartyChange change;
                change.max_calls = one_in(2) ? std::nullopt : std::optional<std::uint32_t>{below(6)};
                change.min_available = Money::from_micros(static_cast<std::int64_t>(below(200'000)));
                (void)catalog.change(party, change, now());
                break;
            }
            case 3: {
                daemon::PartyChange change;
                change.warn_owed = Money::from_micros(static_cast<std::int64_t>(below(3'000'000)));
                change.warn_balance = Money::from_micros(static_cast<std::int64_t>(below(3'000'000)));
                (void)catalog.change(party, change, now());
                break;
            }
            case 4: {
                auto deck = rating::read_deck_csv(deck_text(1 + below(90)), {}).deck;
                (void)catalog.put_deck(one_of(tariff_ids), deck, 0, {}, now());
                break;
            }
            case 5: {
                const auto& tariff = one_of(tariff_ids);
                const auto kept = catalog.tariffs().history(*catalog.tariffs().find(tariff));
                (void)catalog.roll_back(tariff, one_of(kept)->number, {}, now());
                break;
            }
            case 6: {
                const auto& tariff = one_of(tariff_ids);
                auto settings = catalog.tariffs().current(*catalog.tariffs().find(tariff))->settings;
                settings.markup = static_cast<std::int64_t>(below(3)) * 1'000;
                (void)catalog.put_tariff(tariff, settings, {}, now());
                break;
            }
            case 7: {
                const std::string plan = "plan-" + std::to_string(below(3));
                if (const auto place = catalog.dial_plans().find(plan); place && one_in(2)) {
                    (void)catalog.remove_dial_plan(*place, now());
                    break;
                }
                (void)catalog.put_dial_plan(plan, daemon::DialPlan{{{"00", 2, ""}, {"0", 1, "49"}}}, now());
                daemon::PartyChange change;
                change.dial_plan = one_in(2) ? std::nullopt : std::optional<std::string>{plan};
                (void)catalog.change(parties.find("bob-1"), change, now());
                break;
            }
            default: {
                if (parties_made_ >= 40) break;
                daemon::PartyDraft drafts[2];
                drafts[0].id = "new-" + std::to_string(++parties_made_);
                drafts[0].parent = one_of(std::vector<std::string>{"north", "south"});
                drafts[0].tariff = "retail";
                drafts[0].credit_limit = Money::from_micros(1'000'000);
                drafts[1].id = drafts[0].id + "-1";
                drafts[1].parent = drafts[0].id;
                drafts[1].kind = PartyKind::line;
                expect(catalog.add(drafts, now()).empty(), "an import is refused");
                if (one_in(4)) (void)catalog.close(parties.find(drafts[0].id), now());
                break;
            }
        }
    } catch (const std::runtime_error& error) {
        if (!injected_ && !full_)
            violate(std::string{"administration fails on a sound disk: "} + error.what());
        expect(process_->journal().last() == before, "an event of what could not be written");
    }
}

std::shared_ptr<Simulation::Operation> Simulation::fresh_operation() {
    auto operation = std::make_shared<Operation>();
    operation->left =
        one_in(10) ? static_cast<std::uint32_t>(1 + below(20)) : static_cast<std::uint32_t>(1 + below(3));
    if (calls_.empty() || one_in(4)) {
        operation->kind = Kind::authorize;
        if (!calls_.empty() && one_in(12)) {
            operation->id = one_of(calls_);  // A Call-ID once more.
        } else {
            operation->id = "call-" + std::to_string(++names_);
        }
        operation->party = one_in(30) ? "nobody" : one_of(line_ids);
        if (parties_made_ != 0 && one_in(8))
            operation->party = "new-" + std::to_string(1 + below(parties_made_)) + "-1";
        operation->other = one_of(dialled_numbers);
        if (!one_in(4)) operation->want = Seconds{1 + below(one_in(3) ? 4'000 : 300)};
        return operation;
    }
    if (one_in(8)) {
        operation->kind = Kind::rate;
        operation->id = one_in(6) ? one_of(calls_) : "rated-" + std::to_string(++names_);
        operation->party = one_of(line_ids);
        operation->other = one_of(dialled_numbers);
        operation->duration = Seconds{below(200)};
        operation->when = wall_ - seconds{below(300)};
        return operation;
    }
    if (!one_in(4)) {
        // Seldom of a call that nobody knows, or that is long over.
        for (int i = 0; i < 3; ++i) {
            operation->id = one_of(calls_);
            const auto* const session = process_->state.sessions.find(operation->id);
            if (session != nullptr && session->open()) break;
        }
        operation->duration = Seconds{below(one_in(4) ? 700 : 90)};
        switch (below(8)) {
            case 0:
            case 1:
                operation->kind = Kind::start;
                break;
            case 2:
            case 3:
            case 4:
                operation->kind = Kind::extend;
                if (!one_in(3)) operation->want = Seconds{1 + below(300)};
                break;
            case 5:
            case 6:
                operation->kind = Kind::stop;
                if (one_in(4)) operation->other = "carrier";
                if (one_in(8)) operation->duration = {};
                break;
            default:
                operation->kind = Kind::release;
                break;
        }
        return operation;
    }
    operation->id = "pay-" + std::to_string(++names_);
    operation->party = one_of(payer_ids);
    operation->amount = Money::from_micros(static_cast<std::int64_t>(1 + below(4'000'000)));
    switch (below(10)) {
        case 0:
            operation->kind = Kind::debit;
            operation->force = one_in(4);
            break;
        case 1:
            operation->kind = Kind::adjust;
            operation->force = one_in(4);
            if (one_in(2)) operation->amount = -operation->amount;
            break;
        case 2:
            operation->kind = Kind::transfer;
            operation->other = one_of(payer_ids);
            break;
        case 3:
            operation->kind = Kind::pay_out;
            break;
        case 4:
        case 5:
            if (one_in(2) && !payment_ids_.empty()) {
                operation->kind = Kind::refund;
                operation->other = one_of(payment_ids_);
            } else if (!records_.empty()) {
                operation->kind = Kind::refund;
                operation->other = "r-" + std::to_string(one_of(records_));
            } else {
                operation->kind = Kind::top_up;
            }
            operation->party.clear();
            if (operation->kind == Kind::top_up) operation->party = "alice";
            if (one_in(2)) operation->amount = Money::from_micros(operation->amount.micros() / 20 + 1);
            if (operation->kind == Kind::refund && one_in(3)) operation->amount = {};
            break;
        default:
            operation->kind = Kind::top_up;
            break;
    }
    if (operation->force) operation->id = std::string{Audit::kForced} + operation->id;
    return operation;
}

void Simulation::send() {
    if (!room_for_events()) return;
    // One of the past comes again, out of nowhere.
    if (!past_.empty() && one_in(8)) return deliver(past_[below(past_.size())]);
    if (under_way_.size() < kUnderWayMax && (under_way_.empty() || one_in(2)))
        under_way_.push_back(fresh_operation());
    const std::size_t chosen = below(under_way_.size());
    const auto operation = under_way_[chosen];
    // Lost on its way, or sent once too few.
    if (!one_in(20)) deliver(operation);
    if (operation->left > 0) --operation->left;
    if (operation->left != 0 && !one_in(30)) return;
    // It may have been another process, which has nothing in its list but the same.
    under_way_.erase(std::find(under_way_.begin(), under_way_.end(), operation));
    past_.push_back(operation);
    if (past_.size() > kPastMax) past_.pop_front();
}

void Simulation::carry_out(Operation& operation, Answer& answer, bool& duplicate, bool& done) {
    auto& charging = *process_->charging;
    auto& payments = process_->state.payments;
    const auto add = [&answer](auto value) { answer.push_back(static_cast<std::int64_t>(value)); };
    const auto at = now();
    const std::optional<std::chrono::seconds> want = operation.want;
    const auto payment = [&](const daemon::PaymentAnswer& given) {
        add(given.code);
        add(given.balance.micros());
        add(given.available.micros());
        add(given.transaction);
        duplicate = given.duplicate;
        done = given.code == PaymentCode::ok;
    };
    const daemon::PaymentRequest request{.id = operation.id, .memo = "memo", .now = at};
    switch (operation.kind) {
        case Kind::authorize: {
            daemon::AuthorizeRequest authorize;
            authorize.line = operation.party;
            authorize.destination = operation.other;
            authorize.session = operation.id;
            authorize.want = want;
            const auto given = charging.authorize(authorize, at);
            for (const auto figure :
                 {static_cast<std::int64_t>(given.code), static_cast<std::int64_t>(given.reason),
                  static_cast<std::int64_t>(given.level), given.granted.count(), given.validity.count(),
                  static_cast<std::int64_t>(given.final), given.held.micros(), given.available.micros(),
                  static_cast<std::int64_t>(given.customer), given.price ? given.price->nanos() : -1})
                add(figure);
            for (const char digit : given.number.view())
                add(digit);
            duplicate = given.duplicate;
            done = given.granted_any();
            break;
        }
        case Kind::start: {
            const auto given = charging.start(operation.id, {}, at);
            add(given.code);
            add(given.granted.count());
            duplicate = given.duplicate;
            done = given.code == Code::ok;
            break;
        }
        case Kind::extend: {
            const auto given = charging.extend(operation.id, operation.duration, want, at);
            add(given.code);
            add(given.granted.count());
            add(given.final);
            add(given.charged.micros());
            add(given.level);
            duplicate = given.duplicate;
            done = given.code == Code::ok;
            break;
        }
        case Kind::stop:
        case Kind::rate: {
            const auto given = operation.kind == Kind::rate ? charging.rate({.line = operation.party,
                                                                             .destination = operation.other,
                                                                             .session = operation.id,
                                                                             .used = operation.duration,
                                                                             .at = operation.when},
                                                                            at)
                                                            : charging.stop({.session = operation.id,
                                                                             .used = operation.duration,
                                                                             .at = {},
                                                                             .cause = "16",
                                                                             .via = operation.other},
                                                                            at);
            add(given.code);
            add(given.charged.micros());
            add(given.billed.count());
            add(given.status);
            add(given.implausible);
            add(given.via_unrated);
            add(given.record);
            duplicate = given.duplicate;
            done = given.code == Code::ok;
            if (done && !duplicate) records_.push_back(given.record);
            break;
        }
        case Kind::release: {
            const auto given = charging.release(operation.id, "487", at);
            add(given.code);
            duplicate = given.duplicate;
            done = given.code == Code::ok;
            break;
        }
        case Kind::top_up:
            payment(payments.top_up(operation.party, operation.amount, request));
            if (done && !duplicate) payment_ids_.push_back(operation.id);
            break;
        case Kind::debit:
            payment(payments.debit(operation.party, operation.amount, operation.force, request));
            if (done && !duplicate) payment_ids_.push_back(operation.id);
            break;
        case Kind::adjust:
            payment(payments.adjust(operation.party, operation.amount, operation.force, request));
            break;
        case Kind::transfer:
            payment(payments.transfer(operation.party, operation.other, operation.amount, request));
            break;
        case Kind::pay_out:
            payment(payments.pay_out(operation.party, operation.amount, request));
            break;
        case Kind::refund: {
            daemon::RefundRequest refund;
            refund.of = operation.other;
            if (operation.amount != Money{}) refund.amount = operation.amount;
            payment(payments.refund(refund, request));
            break;
        }
    }
}

void Simulation::deliver(const std::shared_ptr<Operation>& given) {
    Operation& operation = *given;
    auto& state = process_->state;
    auto& journal = process_->journal();
    ++figures_.requests;
    const bool of_session = operation.kind <= Kind::rate;
    const std::size_t parties = state.parties.size();
    std::vector<Money> balances(parties);
    for (std::size_t i = 0; i < parties; ++i)
        balances[i] = state.parties.get(balance::PartyId(i)).account.balance();
    // The session as it is before the request.
    const auto* session = of_session ? state.sessions.find(operation.id) : nullptr;
    const bool known = session != nullptr;
    const auto state_before = known ? session->state : balance::SessionState::deciding;
    const auto opened_at = known ? session->opened_at : balance::Steady{};
    const Money charged_before = known && session->level_count > 0 ? session->levels()[0].charged : Money{};
    const auto customer_before =
        known && session->level_count > 0 ? session->levels()[0].payer : balance::kNoParty;
    const Sequence last = journal.last();
    const auto admission = journal.admission();

    Answer answer;
    bool duplicate = false;
    bool done = false;
    carry_out(operation, answer, duplicate, done);
    const Sequence after = journal.last();
    const auto list = [](const Answer& figures) {
        std::string text;
        for (const auto figure : figures)
            text += " " + std::to_string(figure);
        return text;
    };
    doing_ = "request of kind " + std::to_string(static_cast<int>(operation.kind)) + ", " + operation.id +
             " " + operation.party + " " + operation.other + ", in state " +
             std::to_string(static_cast<int>(state_before)) + ", answered" + list(answer) +
             (duplicate ? " dup" : "") + (operation.effect ? ", before" + list(*operation.effect) : "");
    ++figures_.codes[static_cast<std::size_t>(answer[0]) + (of_session ? 0U : 16U)];
    if (duplicate) ++figures_.repeats;

    // One command is one event, and what changes nothing is none. Thresholds have events of their own.
    if (!done || duplicate) {
        expect(after == last, "an event of a request that changed nothing");
    } else if (answer[0] != static_cast<std::int64_t>(Code::free) || operation.other != "112") {
        expect(after > last, "no event of a request that changed something");
    }
    expect(of_session || admission != Admission::ends_only || !done || duplicate,
           "money moves on a full disk");
    expect(admission == Admission::open || !done || duplicate || operation.other == "112" ||
               (operation.kind != Kind::authorize && operation.kind != Kind::extend) ||
               state.sessions.find(operation.id)->emergency,
           "a full disk takes new holds");

    // No request has two effects, and each repeat of one that had it tells the same.
    if (operation.effect && of_session && operation.generation != generations_[operation.id])
        operation.effect.reset();  // Another call has the id by now.
    if (operation.effect && !of_session) {
        expect(done && duplicate, "money moved twice");
        expect(answer == *operation.effect, "a repeat of a payment says something else");
    }
    if (operation.kind == Kind::authorize) {
        const bool was_refused = known && state_before == balance::SessionState::refused;
        if (operation.effect && !known)
            expect(now().steady - operation.at > std::chrono::minutes{30}, "a call is forgotten too early");
        if (done && !duplicate) expect(!known || was_refused, "an id that is known begins a second call");
        if (done && !duplicate) {
            if (calls_.size() == kCallsMax) calls_.erase(calls_.begin());
            calls_.push_back(operation.id);
        }
        if (!duplicate && (!known || was_refused)) {
            ++generations_[operation.id];
        } else if (operation.effect && known) {
            const bool repeatable = state_before == balance::SessionState::authorized &&
                                    now().steady - opened_at <= std::chrono::seconds{32};
            expect(duplicate == repeatable, "an AUTHORIZE is repeated, or not, against the rules");
            if (repeatable) expect(answer == *operation.effect, "a repeated AUTHORIZE says something else");
            if (!repeatable) expect(answer[0] == static_cast<std::int64_t>(Code::conflict), "no conflict");
        }
    }
    if (operation.kind == Kind::rate) {
        if (!known) operation.effect.reset();  // Forgotten: too old, unless the clock says otherwise.
        if (done && !duplicate && (!known || state_before == balance::SessionState::refused))
            ++generations_[operation.id];
        if (operation.effect) {
            expect(done && duplicate, "a call is rated twice");
            expect(answer == *operation.effect, "a repeated RATE says something else");
        }
    }
    if ((operation.kind == Kind::stop || operation.kind == Kind::rate) && done && !duplicate) {
        // A late STOP keeps the number that its expiry gave it, but nobody has heard that.
        expect(record_numbers_.emplace(static_cast<std::uint64_t>(answer[6]), after).second,
               "a record's number is given twice");
        record_charges_["r-" + std::to_string(answer[6])] = Money::from_micros(answer[1]);
    }
    if (operation.effect && (operation.kind == Kind::stop || operation.kind == Kind::release)) {
        const auto due = std::chrono::minutes{30};
        if (known) {
            expect(done && duplicate, "a call ends twice");
            expect(answer == *operation.effect, "a repeated STOP says something else");
        } else {
            expect(now().steady - operation.at > due ||
                       (operation.kind == Kind::stop &&
                        (*operation.effect)[3] == static_cast<std::int64_t>(daemon::EndStatus::late)),
                   "a call is forgotten too early");
        }
    }
    if (operation.effect && operation.kind == Kind::start && known &&
        (state_before == balance::SessionState::answered ||
         state_before == balance::SessionState::authorized)) {
        expect(done && duplicate, "a call starts twice");
    }

    // Money: what the answer says is what moved.
    session = of_session ? state.sessions.find(operation.id) : nullptr;
    if (session != nullptr && session->level_count > 0) {
        const auto customer = session->levels()[0].payer;
        const Money charged = session->levels()[0].charged;
        const Money since = customer == customer_before && known ? charged - charged_before : charged;
        if (operation.kind != Kind::authorize) {
            const Money moved =
                state.parties.get(customer).account.balance() - balances[static_cast<std::size_t>(customer)];
            expect(moved == -since, "the customer's balance moves by something else than the charge");
        }
        if (done && (operation.kind == Kind::stop || operation.kind == Kind::rate))
            expect(answer[1] == charged.micros(), "STOP says another charge than the session's");
        if (done && operation.kind == Kind::extend)
            expect(answer[3] == charged.micros(), "EXTEND says another charge than the session's");
    }
    if (!of_session) {
        for (std::size_t i = 0; i < parties; ++i) {
            const auto& party = state.parties.get(balance::PartyId(i));
            const Money moved = party.account.balance() - balances[i];
            if (moved == Money{}) continue;
            expect(done && !duplicate, "a refused payment moves money");
            moved_[std::string{party.id}] = moved_[std::string{party.id}] + moved;
            effects_.push_back({after, std::string{party.id}, moved,
                                operation.other.starts_with("r-") && operation.kind == Kind::refund &&
                                        party.kind == PartyKind::customer
                                    ? operation.other
                                    : std::string{}});
        }
    }

    // With no room even for that an emergency call is granted and forgotten.
    if (operation.kind == Kind::refund && done && !duplicate && operation.other.starts_with("r-")) {
        Money refunded;
        for (const Effect& effect : effects_) {
            if (effect.refunded == operation.other) refunded = refunded + effect.amount;
        }
        expect(refunded <= record_charges_[operation.other], "more of a call is refunded than it cost");
    }

    if (done && !duplicate && after > last) {
        operation.effect = answer;
        operation.sequence = after;
        operation.at = now().steady;
        operation.generation = generations_[operation.id];
        operation.answered = false;
    }
    doing_.clear();
    waiting_.push_back({given, after, std::move(answer)});
    let_answers_leave();
}

}  // namespace tollgate::tests
