#include "daemon/charging.h"

#include <algorithm>
#include <cassert>
#include <thread>
#include <utility>

#include "balance/partner/commission.h"
#include "daemon/country_codes.h"
#include "rating/describe.h"

namespace tollgate::daemon {
namespace {

using balance::kNoParty;
using balance::Party;
using balance::Path;
using balance::Session;
using balance::SessionLevel;
using balance::SessionState;
using balance::SessionTable;
using std::chrono::seconds;

using Amounts = std::array<Money, balance::kChainDepthMax>;

/// How often a decision is tried again because other requests moved the funds it looked at, or had holds
/// half-way. Two that meet settle it within a few tries; the rest of them is for a thread that lost its
/// processor in the middle.
constexpr int kAttemptsMax = 2'000;
constexpr int kAttemptsAwake = 1'000;
constexpr std::chrono::microseconds kAttemptPause{50};

/// Between two attempts: others go first, and after many of them somebody needs the processor more than we
/// do.
void step_aside(int attempt) noexcept {
    if (attempt == 0) return;
    if (attempt < kAttemptsAwake) {
        std::this_thread::yield();
    } else {
        std::this_thread::sleep_for(kAttemptPause);
    }
}

/// A duration may be this much longer than the time that passed here before it is called implausible:
/// networks and switches are slow.
constexpr seconds kClockTolerance{5};

constexpr std::uint32_t count_of(seconds duration) noexcept {
    return static_cast<std::uint32_t>(duration.count());
}

Amounts costs_of(const Session& session, seconds duration) noexcept {
    Amounts amounts;
    const auto levels = session.paying();
    for (std::size_t i = 0; i < levels.size(); ++i)
        amounts[i] = session.cost(levels[i], duration);
    return amounts;
}
/// The same with as many bundled seconds.
Amounts costs_of(const Session& session, seconds duration, const BundledSeconds& bundled) noexcept {
    Amounts amounts;
    const auto levels = session.paying();
    for (std::size_t i = 0; i < levels.size(); ++i) {
        const auto mine = static_cast<std::uint32_t>(std::min<std::int64_t>(bundled[i], duration.count()));
        amounts[i] = rating::cost(levels[i].call(session.rated_at, mine), duration);
    }
    return amounts;
}

/// What AUTHORIZE took of bundles.
BundledSeconds decided_bundles(const Session& session) noexcept {
    BundledSeconds decided{};
    for (const balance::LevelBundles& mine : session.bundles())
        decided[mine.level] = mine.decided;
    return decided;
}

/// What a level may spend on a call besides what it has already been charged and holds for it.
Money spendable(const Party& party) noexcept {
    return party.kind == balance::PartyKind::provider ? rating::kAmountMax : party.account.available();
}

Reason stop_reason(const Party& party) noexcept {
    return party.status().closed() ? Reason::closed : Reason::suspended;
}

/// Who stops a call at a place of its path: whoever stands there, or, where he is closed, the highest with
/// whom he was closed.
PartyId stopped_by(const Path& path, std::size_t place) noexcept {
    const auto parties = path.parties();
    if (parties[place]->status().closed()) {
        while (place + 1 < parties.size() && parties[place + 1]->status().closed())
            ++place;
    }
    return path.id(place);
}

std::int32_t affordable_of(seconds longest) noexcept {
    return longest == rating::kUnlimited ? SessionLevel::kAffordableUnlimited
                                         : static_cast<std::int32_t>(longest.count());
}

void refuse(Session& session, Code code, Reason reason, PartyId level = kNoParty) noexcept {
    session.state = SessionState::refused;
    session.code = static_cast<std::uint8_t>(code);
    session.reason = static_cast<std::uint8_t>(reason);
    session.limiting = level;
}

Code code_of(const Session& session) noexcept {
    return static_cast<Code>(session.code);
}

constexpr balance::KeyedHash kFingerprint{0};

/// An absent instant is none of the instants.
std::uint64_t fingerprint_of(const std::optional<rating::Instant>& at) noexcept {
    return at ? kFingerprint.mix(1, static_cast<std::uint64_t>(at->time_since_epoch().count())) : 0;
}

/// The fingerprint of a command's own arguments, never 0.
std::uint64_t fingerprint_of(char command, const std::optional<rating::Instant>& at, std::string_view text,
                             std::chrono::milliseconds duration) noexcept {
    std::uint64_t mixed =
        kFingerprint.mix(static_cast<unsigned char>(command), static_cast<std::uint64_t>(duration.count()));
    mixed = kFingerprint.mix(mixed, fingerprint_of(at));
    return kFingerprint.mix(mixed, kFingerprint(text)) | 1;
}

/// The durations at which nobody who refuses losses may lose, besides that of the grant.
constexpr std::array<seconds, 3> kLossDurations = {seconds{1}, seconds{60}, seconds{180}};

/// Whether a price per minute with its markup is above `most` nano-units, exactly.
bool is_above(const rating::RatedCall& call, std::int64_t most) noexcept {
    __extension__ typedef __int128 Wide;  // NOLINT(modernize-use-using): only a typedef takes __extension__.
    return Wide{call.rate->price.nanos()} * (rating::kMarkupUnit + call.version->settings.markup) >
           Wide{most} * rating::kMarkupUnit;
}

bool somebody_refuses_losses(const Path& path) noexcept {
    return std::any_of(path.parties().begin(), path.parties().end(), [](const Party* party) {
        const balance::Limits* const limits = party->limits.load(std::memory_order_acquire);
        return limits != nullptr && limits->refuse_loss();
    });
}

/// How a session's money counts against the caps of its path.
balance::Spend spend_of(const Path& path, Session& session, Moment now) noexcept {
    return {&path, session.rated_at, now.wall, &session.spend_counted, session.credits_seller};
}

/// Since the answer, as far as it is known.
std::chrono::nanoseconds passed(const Session& session, Moment now) noexcept {
    // A first EXTEND comes long after the answer.
    return now.steady - (session.started ? session.answered_at : session.opened_at);
}

/// A call counted in this second by everybody on its path who has a limit of calls a second; given back
/// unless it is kept.
class CallTickets {
  public:
    explicit CallTickets(const Path& path) noexcept : path_(path) {}
    CallTickets(const CallTickets&) = delete;
    CallTickets& operator=(const CallTickets&) = delete;
    ~CallTickets() {
        for (std::size_t place = 0; place < taken_; ++place) {
            if (tickets_[place] == balance::CallRate::kNoTicket) continue;
            limits_at(place)->call_rate().give_back(tickets_[place]);
        }
    }

    /// False where somebody has had as many calls as he may: whose place, is refused_at().
    [[nodiscard]] bool take(balance::Steady now) noexcept {
        for (; taken_ < path_.parties().size(); ++taken_) {
            tickets_[taken_] = balance::CallRate::kNoTicket;
            balance::Limits* const limits = limits_at(taken_);
            if (limits == nullptr || limits->calls_per_second() == balance::Limits::kNoCount) continue;
            tickets_[taken_] = limits->call_rate().try_take(now, limits->calls_per_second());
            if (tickets_[taken_] == balance::CallRate::kNoTicket) return false;
        }
        return true;
    }
    [[nodiscard]] std::size_t refused_at() const noexcept { return taken_; }
    void keep() noexcept { taken_ = 0; }

  private:
    [[nodiscard]] balance::Limits* limits_at(std::size_t place) const noexcept {
        return path_.parties()[place]->limits.load(std::memory_order_acquire);
    }

    const Path& path_;
    std::array<balance::CallRate::Ticket, balance::kPathMax> tickets_;
    std::size_t taken_ = 0;
};

/// Nobody else had a call half-way through at this account between two looks, so what was seen there was
/// settled.
bool undisturbed(const balance::Account& account, balance::Account::Attempts before) noexcept {
    const auto after = account.attempts();
    return before.none_pending() && after.none_pending() && before.same_roll_backs(after);
}

}  // namespace

/// The levels of a chain that pay for a call, from the customer up.
struct Charging::Payers {
    std::array<rating::TariffId, balance::kChainDepthMax> tariffs;  ///< By level; kNoTariff: none matches.
    std::uint8_t count = 0;
};

/// What was found for the levels of a chain; the first thing that is wrong in each respect, from the customer
/// up.
struct Charging::Resolution {
    PartyId blocked = kNoParty;
    PartyId without_rate = kNoParty;
    Reason without_rate_reason = Reason::none;
};

/// How long the caps of a path let a call be, and whose do not let it be at all.
struct Charging::CapLook {
    seconds longest = rating::kUnlimited;      ///< That fits all of them, but for those named below.
    std::size_t limiting = balance::kPathMax;  ///< Whose place on the path.
    std::uint32_t denied = 0;                  ///< By place: whatever the call costs.
    std::uint32_t too_low = 0;                 ///< By place: no room for the first billed step.
    std::array<balance::Account::Attempts, balance::kPathMax> attempts;  ///< Of those who have limits.

    void bound(seconds limit, std::size_t place) noexcept {
        if (limit >= longest) return;
        longest = limit;
        limiting = place;
    }
};

Charging::Charging(const rating::TariffBook& tariffs, const balance::PartyTable& parties,
                   balance::Ledger& ledger, balance::SessionTable& sessions, balance::EventLog& events,
                   ChargingSettings settings)
    : tariffs_(tariffs),
      parties_(parties),
      ledger_(ledger),
      sessions_(sessions),
      events_(events),
      settings_(std::move(settings)),
      dialling_(settings_.dial_plans, settings_.dial_plan, settings_.dial_switches),
      bundling_(parties, settings_.destination_groups) {
    for (const std::string& name : settings_.start_required)
        start_required_.push_back(switch_hash(name));
    change({settings_.want, settings_.hold, settings_.grace, settings_.charge_granted_at_expiry});
}

void Charging::change(const ChargingTimes& times) noexcept {
    times_.want.store(times.want, std::memory_order_relaxed);
    times_.hold.store(times.hold, std::memory_order_relaxed);
    times_.grace.store(times.grace, std::memory_order_relaxed);
    times_.charge_granted_at_expiry.store(times.charge_granted_at_expiry, std::memory_order_relaxed);
}

PartyId Charging::line_of(std::string_view id, const Asker& asker) const noexcept {
    const PartyId line = parties_.find(id);
    if (line == kNoParty || parties_.get(line).kind != balance::PartyKind::line) return kNoParty;
    return asker.confined && !parties_.is_in_subtree(line, asker.under) ? kNoParty : line;
}

void Charging::append(balance::EventKind kind, const Session& session, Moment now,
                      const EndWords& words) noexcept {
    std::array<std::byte, balance::kSessionEventBytesMax>
        room;  // Not filled: it is written before it is read.
    balance::ByteWriter out{room};
    balance::EventHeader{kind, now, balance::EventForm::packed}.write(out);
    balance::write_session_key(session.key(), out);
    write_end_words(words, out);
    if (kind != balance::EventKind::session_changed) write_decided(session, now, out);
    write_changing(session, now, out);
    events_.append(std::span{room}.first(out.size()));
}

bool Charging::too_full_to_hold() const noexcept {
    return events_.admission() != balance::Admission::open;
}

bool Charging::too_full_to_end() const noexcept {
    return events_.admission() == balance::Admission::closed;
}

bool Charging::is_emergency(std::string_view dialled) const noexcept {
    const auto& numbers = settings_.emergency_numbers;
    return std::find(numbers.begin(), numbers.end(), dialled) != numbers.end();
}

std::optional<rating::Digits> Charging::number_of(PartyId line, std::string_view switch_name,
                                                  std::string_view user,
                                                  std::string_view dialled) const noexcept {
    if (is_emergency(dialled)) return rating::Digits::parse(dialled);
    const Party& caller = parties_.get(line);
    return dialling_.number(caller, parties_.get(caller.parent), switch_name, user, dialled);
}

/// Who pays whom, and by which tariff. To be asked before the tariffs are read: a reading knows all tariffs
/// that any party had before it began.
Charging::Payers Charging::payers_of(const Path& path, const balance::CallTraits& call,
                                     SessionLevel* levels) const noexcept {
    Payers payers;
    const auto parties = path.parties();
    for (std::size_t i = 1; i < parties.size(); ++i) {  // The line itself pays nothing.
        const Party& party = *parties[i];
        if (!party.pays_for_calls()) continue;
        const auto tariff = parties_.tariff_lists().match(party.tariff.load(std::memory_order_acquire), call);
        if (tariff == rating::kNoTariff && party.kind == balance::PartyKind::provider) continue;
        SessionLevel& level = levels[payers.count];
        level = SessionLevel{};
        level.payer = path.id(i);
        level.seller = path.id(parties.size() - 1);
        if (payers.count > 0) levels[payers.count - 1].seller = level.payer;
        payers.tariffs[payers.count++] = tariff;
    }
    return payers;
}

Charging::Resolution Charging::resolve(const rating::TariffBook::Reading& tariffs, const Payers& payers,
                                       std::string_view digits, rating::Instant at,
                                       SessionLevel* levels) const noexcept {
    Resolution found;
    const auto place = tariffs.place(digits);
    for (std::size_t i = 0; i < payers.count; ++i) {
        SessionLevel& level = levels[i];
        Reason missing = Reason::tariff;
        if (const auto tariff = payers.tariffs[i]; tariff != rating::kNoTariff) {
            level.tariff = &tariffs.version(tariff);
            const auto [row, rate] = tariffs.find(tariff, place, at);
            level.row = row;
            level.rate = rate;
            missing = Reason::prefix;
        }
        if (level.rate != nullptr) {
            if (level.rate->blocked && found.blocked == kNoParty) found.blocked = level.payer;
        } else if (found.without_rate == kNoParty) {
            found.without_rate = level.payer;
            found.without_rate_reason = missing;
        }
    }
    return found;
}

// ---- AUTHORIZE ----

AuthorizeAnswer Charging::authorize(const AuthorizeRequest& request, Moment now) {
    AuthorizeAnswer refusal;
    if (request.session.empty() || request.session.size() > balance::kSessionKeyBytesMax) {
        refusal.code = Code::conflict;
        refusal.reason = Reason::differs;
        return refusal;
    }
    std::uint64_t fingerprint = kFingerprint(request.line);
    fingerprint = kFingerprint.mix(fingerprint, kFingerprint(request.destination));
    fingerprint = kFingerprint.mix(fingerprint, kFingerprint(request.from));
    fingerprint = kFingerprint.mix(fingerprint, kFingerprint(request.service));
    const std::uint64_t owner = switch_hash(request.switch_name);
    fingerprint = kFingerprint.mix(fingerprint, owner);
    fingerprint = kFingerprint.mix(fingerprint,
                                   request.want ? static_cast<std::uint64_t>(request.want->count()) + 1 : 0);
    fingerprint = kFingerprint.mix(fingerprint, fingerprint_of(request.at));

    const PartyId line = line_of(request.line, request.asker);
    const std::size_t levels_max = line == kNoParty ? 0 : parties_.get(line).depth;
    const std::size_t bundles_max = bundling_.levels_with_bundles(line);
    const std::string_view dialled = Dialling::without_plus(request.destination);
    const bool emergency = line != kNoParty && is_emergency(dialled);
    const auto digits =
        line == kNoParty ? std::nullopt : number_of(line, request.switch_name, request.asker.name, dialled);
    if (!emergency && too_full_to_hold()) {
        // A repeat holds nothing and makes no event.
        const auto known = sessions_.claim(request.session);
        if (known &&
            (known->state != SessionState::refused || now.steady - known->opened_at <= settings_.repeat)) {
            return repeated(request, fingerprint, *known, now);
        }
        refusal.code = Code::no_room;
        return refusal;
    }

    const balance::SessionTexts texts{
        request.from, request.service == balance::kVoice ? std::string_view{} : request.service,
        request.switch_name};
    for (;;) {
        auto opening = sessions_.claim_or_open(request.session, levels_max, emergency, texts, bundles_max);
        if (!opening.claim) {
            refusal.code = Code::busy;
            return refusal;
        }
        Session& session = *opening.claim;
        if (!opening.fresh) {
            if (session.state == SessionState::refused && now.steady - session.opened_at > settings_.repeat) {
                // It need not be remembered any more; a fresh one has room for this line's levels.
                opening.claim = SessionTable::Claim{};
                sessions_.forget_refused(request.session);
                continue;
            }
            return repeated(request, fingerprint, session, now);
        }
        session.authorize_fingerprint = fingerprint;
        session.rated_at = request.at.value_or(now.wall);
        session.at_given = request.at.has_value();
        session.opened_at = now.steady;
        session.line = line;
        session.switch_hash = owner;
        session.emergency = emergency;
        const balance::CallTraits call{request.service, balance::CallTraits::caller_of(request.from)};
        const auto usual = request.asker.want.value_or(usual_want());
        decide(line, digits, call, session, request.want.value_or(usual), now);
        if (session.state != SessionState::refused) {
            session.deadline = now.steady + life_unstarted(session);
        }
        AuthorizeAnswer answer = answer_of(session, request.explain);
        if (emergency && too_full_to_end()) {
            // Granted all the same, and forgotten: there is nothing to charge.
            session.state = SessionState::refused;
        }
        if (session.state != SessionState::refused) append(balance::EventKind::session_opened, session, now);
        if (session.state == SessionState::refused) {
            sessions_.publish_ended(std::move(opening.claim), now.steady);
        } else {
            sessions_.publish_open(std::move(opening.claim));
        }
        return answer;
    }
}

AuthorizeAnswer Charging::repeated(const AuthorizeRequest& request, std::uint64_t fingerprint,
                                   const Session& session, Moment now) const {
    AuthorizeAnswer conflict;
    conflict.code = Code::conflict;
    switch (session.state) {
        case SessionState::answered:
            conflict.reason = Reason::started;
            return conflict;
        case SessionState::stopped:
        case SessionState::released:
        case SessionState::expired:
            conflict.reason = Reason::ended;
            return conflict;
        case SessionState::deciding:
        case SessionState::authorized:
        case SessionState::refused:
            break;
    }
    if (session.authorize_fingerprint != fingerprint) {
        conflict.reason = Reason::differs;
        return conflict;
    }
    if (now.steady - session.opened_at > settings_.repeat) {
        // Whoever chooses the Call-ID must not get a second call on an old one: that one is taken to be under
        // way.
        conflict.reason = Reason::started;
        return conflict;
    }
    AuthorizeAnswer answer = answer_of(session, request.explain);
    answer.duplicate = true;
    return answer;
}

AuthorizeAnswer Charging::answer_of(const Session& session, bool explain) const {
    AuthorizeAnswer answer;
    answer.code = code_of(session);
    answer.reason = static_cast<Reason>(session.reason);
    answer.level = session.limiting;
    answer.number = session.number;
    answer.available = session.available;
    const auto levels = session.paying();
    if (session.line != kNoParty) {
        PartyId customer = parties_.get(session.line).parent;
        if (customer != kNoParty) answer.customer = customer;
    }
    if (!levels.empty() && levels[0].rate != nullptr) {
        answer.price = rating::price_with_markup(levels[0].rate->price, levels[0].tariff->settings);
    } else if (session.emergency) {
        answer.price = rating::Price{};
    }
    const seconds granted{session.decided_seconds};
    if (answer.granted_any()) {
        answer.granted = granted;
        answer.final = session.final;
        answer.validity = std::chrono::ceil<seconds>(life_unstarted(session));
        if (!levels.empty() && answer.code == Code::ok) answer.held = session.cost(levels[0], granted);
    }
    if (explain) answer.derivation = derive(levels, session.rated_at, granted, decided_bundles(session));
    return answer;
}

/// Whether what the customer pays is what his seller had given him of his own money.
bool Charging::credits_seller(std::span<const SessionLevel> levels) const noexcept {
    if (levels.empty() || levels[0].seller == levels[0].payer) return false;
    const Party& seller = parties_.get(levels[0].seller);
    return seller.credited_by_calls.load(std::memory_order_relaxed) &&
           seller.currency == parties_.get(levels[0].payer).currency;
}

/// What the session was rated by stays, as long as the session does.
Charging::Resolution Charging::resolve_and_pin(const Path& path, std::string_view digits,
                                               const balance::CallTraits& call, Session& session) {
    const Payers payers = payers_of(path, call, session.level_memory());
    const auto tariffs = tariffs_.read();
    const Resolution found = resolve(tariffs, payers, digits, session.rated_at, session.level_memory());
    session.level_count = payers.count;
    for (const SessionLevel& level : session.paying()) {
        if (level.tariff != nullptr) level.tariff->pins.add();
    }
    session.credits_seller = credits_seller(session.paying());
    return found;
}

void Charging::decide(PartyId line, const std::optional<rating::Digits>& digits,
                      const balance::CallTraits& call, Session& session, seconds want, Moment now) {
    if (line == kNoParty) return refuse(session, Code::unknown_account, Reason::none);
    const Path path{parties_, line};
    session.available = path.parties()[1]->account.available();

    if (digits) session.number = *digits;
    if (session.emergency) {
        session.state = SessionState::authorized;
        session.code = static_cast<std::uint8_t>(Code::free);
        session.granted_seconds = session.decided_seconds = count_of(std::min(want, settings_.longest));
        return;
    }
    for (std::size_t i = 0; i < path.parties().size(); ++i) {
        const Party& party = *path.parties()[i];
        if (stops_calls(party))
            return refuse(session, Code::service_denied, stop_reason(party), stopped_by(path, i));
    }
    if (!digits) return refuse(session, Code::rating_failed, Reason::number);

    const Resolution found = resolve_and_pin(path, digits->view(), call, session);
    if (found.blocked != kNoParty)
        return refuse(session, Code::service_denied, Reason::blocked, found.blocked);
    if (session.level_count > 0 && !opens_country(session.paying()[0], digits->view())) {
        return refuse(session, Code::service_denied, Reason::country, path.id(1));
    }
    for (std::size_t i = 0; i < path.parties().size(); ++i) {
        const Party& party = *path.parties()[i];
        const auto before = party.account.attempts();
        if (party.account.open_calls() >= party.max_calls.load(std::memory_order_relaxed) &&
            undisturbed(party.account, before)) {
            return refuse(session, Code::service_denied, Reason::concurrent, path.id(i));
        }
    }
    CallTickets tickets{path};
    if (!tickets.take(now.steady)) {
        return refuse(session, Code::service_denied, Reason::rate, path.id(tickets.refused_at()));
    }
    if (found.without_rate != kNoParty) {
        return refuse(session, Code::rating_failed, found.without_rate_reason, found.without_rate);
    }
    if (somebody_refuses_losses(path)) {
        for (const seconds duration : kLossDurations) {
            if (const PartyId party = loser(session, duration); party != kNoParty) {
                return refuse(session, Code::service_denied, Reason::loss, party);
            }
        }
    }
    hold_funds(path, session, want, now);
    if (session.state == SessionState::authorized) tickets.keep();
}

bool Charging::opens_country(const SessionLevel& customer, std::string_view digits) const noexcept {
    const balance::Limits* const limits = parties_.get(customer.payer).limits.load(std::memory_order_acquire);
    if (limits == nullptr || !limits->restricts_countries()) return true;
    std::string_view country;
    if (customer.rate != nullptr) country = customer.tariff->deck->row(customer.row).country;
    if (country.empty()) country = country_of(digits);
    return limits->opens(balance::Country::parse(country).value_or(balance::Country{}));
}

PartyId Charging::loser(const Session& session, seconds duration) const noexcept {
    const auto levels = session.paying();
    for (std::size_t i = 1; i < levels.size(); ++i) {
        const Party& party = parties_.get(levels[i].payer);
        const balance::Limits* const limits = party.limits.load(std::memory_order_acquire);
        if (limits == nullptr || !limits->refuse_loss()) continue;
        if (!(parties_.get(levels[i - 1].payer).currency == party.currency)) continue;
        // Without bundles: what the tariffs say.
        if (rating::cost(levels[i - 1].call(session.rated_at), duration) <
            rating::cost(levels[i].call(session.rated_at), duration)) {
            return levels[i].payer;
        }
    }
    return kNoParty;
}

Charging::CapLook Charging::look_at_caps(const Path& path, const Session& session, bool free,
                                         const BundledSeconds& bundled) const noexcept {
    CapLook look;
    const auto levels = session.paying();
    for (std::size_t place = 0; place < path.parties().size(); ++place) {
        const Party& party = *path.parties()[place];
        const balance::Limits* const limits = party.limits.load(std::memory_order_acquire);
        if (limits == nullptr) continue;
        look.attempts[place] = party.account.attempts();
        const std::uint32_t bit = std::uint32_t{1} << place;
        if (const auto most = limits->max_seconds(); most != balance::Limits::kNoCount) {
            if (seconds{most} < settings_.shortest) look.denied |= bit;
            look.bound(seconds{most}, place);
        }
        const std::size_t leg = balance::leg_of(path, place, levels);
        if (leg == levels.size()) continue;
        const SessionLevel& level = levels[leg];
        const rating::RatedCall call = level.call(session.rated_at);
        if (is_above(call, limits->max_price_nanos())) look.denied |= bit;
        if (free) continue;
        Money room = limits->cap_call();
        if (balance::Spending* const spending = limits->spending(); spending != nullptr) {
            Money left = spending->left(session.rated_at, limits->caps());
            if (left != balance::Spending::kNoCap && (session.spend_counted & bit) != 0) {
                left = left + level.charged + level.held;
            }
            room = std::min(room, left);
        }
        if (room == balance::Spending::kNoCap) continue;
        // Bundled seconds cost no money, and one of them is enough.
        const seconds longest =
            rating::longest_affordable(level.call(session.rated_at, bundled[leg]), room, settings_.longest);
        if (bundled[leg] == 0 &&
            longest < std::max(settings_.shortest, rating::first_billed_second(*level.rate))) {
            look.too_low |= bit;
        } else {
            look.bound(longest, place);
        }
    }
    return look;
}

void Charging::hold_funds(const Path& path, Session& session, seconds want, Moment now) {
    const auto levels = session.paying();
    const bool free = std::all_of(levels.begin(), levels.end(), [&](const SessionLevel& level) {
        return rating::is_free(level.call(session.rated_at), std::min(want, settings_.longest));
    });
    bundling_.attach(session);  // Of a free call too: what an EXTEND adds to it may cost something.
    BundleChange bundles{bundling_, session};
    std::array<balance::Account::Attempts, balance::kChainDepthMax> attempts;
    std::array<seconds, balance::kChainDepthMax> longest;
    Amounts amounts;
    for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
        step_aside(attempt);
        session.available = parties_.get(levels[0].payer).account.available();
        for (std::size_t i = 0; i < levels.size(); ++i)
            attempts[i] = parties_.get(levels[i].payer).account.attempts();
        const BundledSeconds bundled = bundling_.reach(session, std::min(want, settings_.longest));
        const CapLook caps = look_at_caps(path, session, free, bundled);
        seconds grant = std::min({want, settings_.longest, caps.longest});
        seconds bound = settings_.longest;
        PartyId limiting = kNoParty;
        if (caps.longest < bound) {
            bound = caps.longest;
            limiting = path.id(caps.limiting);
        }
        std::array<bool, balance::kChainDepthMax> short_of_funds{};
        for (std::size_t i = 0; i < levels.size(); ++i) {
            const Party& party = parties_.get(levels[i].payer);
            const Money funds = spendable(party);
            longest[i] = free ? rating::kUnlimited
                              : rating::longest_affordable(levels[i].call(session.rated_at, bundled[i]),
                                                           funds, settings_.longest);
            levels[i].affordable_seconds = affordable_of(longest[i]);
            const seconds needed = std::max(settings_.shortest, rating::first_billed_second(*levels[i].rate));
            // One bundled second is enough.
            short_of_funds[i] =
                bundled[i] == 0 &&
                (longest[i] < needed ||
                 (!free && funds.micros() < party.min_available.load(std::memory_order_relaxed)));
            if (short_of_funds[i]) continue;
            if (longest[i] < bound) {
                bound = longest[i];
                limiting = levels[i].payer;
            }
            grant = std::min(grant, longest[i]);
        }
        amounts = costs_of(session, grant, bundled);
        bool again = false;
        for (std::size_t place = 0; place < path.parties().size(); ++place) {
            const std::uint32_t bit = std::uint32_t{1} << place;
            if (((caps.denied | caps.too_low) & bit) == 0) continue;
            if ((caps.denied & bit) == 0) {
                if (amounts[balance::leg_of(path, place, levels)] == Money{}) continue;
                again = attempt + 1 < kAttemptsMax &&
                        !undisturbed(path.parties()[place]->account, caps.attempts[place]);
                if (again) break;
            }
            return refuse(session, Code::service_denied, Reason::cap, path.id(place));
        }
        if (again) continue;
        for (std::size_t i = 0; i < levels.size(); ++i) {
            // A level that pays nothing for the grant is not asked for funds.
            if (!short_of_funds[i] || amounts[i] == Money{}) continue;
            const Party& party = parties_.get(levels[i].payer);
            if (!undisturbed(party.account, attempts[i]) && attempt + 1 < kAttemptsMax) {
                again = true;
                break;
            }
            const Money without_holds = party.account.balance() + party.account.credit_limit();
            const seconds needed = std::max(settings_.shortest, rating::first_billed_second(*levels[i].rate));
            const bool because_held =
                bundling_.held_by_others(session, levels[i]) ||
                (party.kind != balance::PartyKind::provider && party.account.held() > Money{} &&
                 without_holds.micros() >= party.min_available.load(std::memory_order_relaxed) &&
                 rating::longest_affordable(levels[i].call(session.rated_at), without_holds,
                                            settings_.longest) >= needed);
            return refuse(session, Code::credit_limit, because_held ? Reason::held : Reason::funds,
                          levels[i].payer);
        }
        if (again) continue;

        if (const PartyId party = loser(session, grant); party != kNoParty) {
            return refuse(session, Code::service_denied, Reason::loss, party);
        }
        BundledSeconds taken = bundled;
        for (std::uint32_t& mine : taken)
            mine = std::min(mine, count_of(grant));
        if (!bundles.try_take(taken)) continue;
        const auto holding =
            ledger_.try_open(path, levels, {amounts.data(), levels.size()}, spend_of(path, session, now));
        if (holding.status != balance::Ledger::HoldStatus::held) bundles.roll_back();
        switch (holding.status) {
            case balance::Ledger::HoldStatus::lost_funds:
            case balance::Ledger::HoldStatus::lost_cap:
                continue;
            case balance::Ledger::HoldStatus::stopped:
                return refuse(session, Code::service_denied, stop_reason(*path.parties()[holding.at]),
                              stopped_by(path, holding.at));
            case balance::Ledger::HoldStatus::too_many_calls: {
                const Party& party = *path.parties()[holding.at];
                const auto before = party.account.attempts();
                const bool full =
                    party.account.open_calls() >= party.max_calls.load(std::memory_order_relaxed);
                if (full && undisturbed(party.account, before)) {
                    return refuse(session, Code::service_denied, Reason::concurrent, path.id(holding.at));
                }
                continue;
            }
            case balance::Ledger::HoldStatus::held:
                break;
        }
        bundles.confirm();
        bundles.finish(grant, taken, seconds{0});
        for (balance::LevelBundles& mine : session.bundles())
            mine.decided = mine.seconds;
        session.available = parties_.get(levels[0].payer).account.available();
        session.state = SessionState::authorized;
        session.code = static_cast<std::uint8_t>(free ? Code::free : Code::ok);
        session.granted_seconds = session.decided_seconds = count_of(grant);
        session.final = !free && bound <= want;
        session.limiting = bound <= want ? limiting : kNoParty;
        return;
    }
    refuse(session, Code::credit_limit, Reason::held, levels[0].payer);
}

// ---- START, EXTEND ----

std::chrono::seconds Charging::remaining(const Session& session, Moment now) const noexcept {
    return std::max(seconds{0}, std::chrono::ceil<seconds>(session.deadline - now.steady));
}

bool Charging::is_implausible(const Session& session, seconds used, Moment now) noexcept {
    const bool at_given = session.at_given || session.start_at != rating::kAlways;
    return !at_given && used > passed(session, now) + kClockTolerance;
}

seconds Charging::believed(const Session& session, seconds used, bool cut, Moment now) noexcept {
    // Something was used: a call that was answered just now lasted a second.
    return cut ? std::max(std::chrono::ceil<seconds>(passed(session, now)), seconds{1}) : used;
}

StartAnswer Charging::start(std::string_view id, std::optional<rating::Instant> at, Moment now,
                            std::string_view tags) {
    auto claim = sessions_.claim(id);
    if (!claim) return {.code = Code::unknown_session};
    Session& session = *claim;
    const std::uint64_t fingerprint = fingerprint_of('S', at, tags, {});
    StartAnswer answer;
    switch (session.state) {
        case SessionState::deciding:
        case SessionState::refused:
        case SessionState::stopped:
        case SessionState::released:
            return {.code = Code::unknown_session};
        case SessionState::expired:
            if (sessions_.is_over(session, now.steady)) return {.code = Code::unknown_session};
            break;
        case SessionState::authorized:
        case SessionState::answered:
            break;
    }
    if (session.start_fingerprint != 0) {
        if (session.start_fingerprint != fingerprint) return {.code = Code::conflict};
        answer.duplicate = true;
        answer.granted = seconds{session.granted_seconds};
        return answer;
    }
    if (too_full_to_end()) return {.code = Code::no_room};
    const seconds used{session.used_seconds};
    BundleChange bundles{bundling_, session};
    Amounts totals;
    const bool reopens = session.state == SessionState::expired;
    if (reopens) {
        bundles.cover(used);
        totals = costs_of(session, used);
        if (!ledger_.can_charge(session.paying(), {totals.data(), session.paying_count()}))
            return {.code = Code::too_large};
    }
    session.start_fingerprint = fingerprint;
    if (at) session.start_at = *at;
    if (!tags.empty()) session.start_tags = std::make_unique<std::string>(tags);
    if (session.state == SessionState::answered) {  // By an EXTEND that came first.
        append(balance::EventKind::session_changed, session, now);
        answer.granted = seconds{session.granted_seconds};
        return answer;
    }
    const Path path{parties_, session.line};
    balance::Ledger::Returns returns;
    if (reopens) {
        // What expiry charged beyond what was reported pays for the holds.
        ledger_.charge(session.paying(), {totals.data(), session.paying_count()}, returns,
                       spend_of(path, session, now));
        const seconds granted{session.granted_seconds};
        extend_holds(session, bundles, granted - std::min(granted, used), returns, now);
    }
    session.state = SessionState::answered;
    session.started = true;
    session.answered_at = now.steady;
    session.deadline = now.steady + std::min(seconds{session.granted_seconds}, settings_.longest) + grace();
    answer.granted = seconds{session.granted_seconds};
    append(balance::EventKind::session_changed, session, now);
    ledger_.give_back(session.paying(), returns, spend_of(path, session, now));
    bundles.give_back();
    sessions_.publish_open(std::move(claim));
    return answer;
}

ExtendAnswer Charging::extend(std::string_view id, std::chrono::milliseconds reported,
                              std::optional<seconds> want, Moment now, const Asker& asker) {
    auto claim = sessions_.claim(id);
    if (!claim) return {.code = Code::unknown_session};
    Session& session = *claim;
    if (!session.open() && session.state != SessionState::expired) return {.code = Code::unknown_session};
    if (sessions_.is_over(session, now.steady)) return {.code = Code::unknown_session};

    const auto answer_now = [&] {
        ExtendAnswer answer;
        answer.granted = seconds{session.granted_seconds};
        answer.validity = remaining(session, now);
        answer.final = session.final;
        answer.charged = session.level_count > 0 ? session.paying()[0].charged : Money{};
        answer.level = session.limiting;
        return answer;
    };
    const std::uint64_t fingerprint =
        kFingerprint.mix(fingerprint_of('E', {}, {}, reported),
                         want ? static_cast<std::uint64_t>(want->count()) + 1 : 0) |
        1;
    if (session.open() && session.extend_fingerprint == fingerprint) {
        ExtendAnswer answer = answer_now();
        answer.duplicate = true;
        return answer;
    }
    const bool stale = rating::whole_seconds(reported) < seconds{session.used_seconds};
    const bool implausible = is_implausible(session, rating::whole_seconds(reported), now);
    const seconds used =
        std::max(believed(session, rating::whole_seconds(reported), implausible && asker.our_clock, now),
                 seconds{session.used_seconds});
    BundleChange bundles{bundling_, session};
    bundles.cover(used);
    const Amounts totals = costs_of(session, used);
    if (!ledger_.can_charge(session.paying(), {totals.data(), session.paying_count()}))
        return {.code = Code::too_large};
    if (too_full_to_hold()) return {.code = Code::no_room};

    session.implausible = session.implausible || implausible;
    const auto levels = session.paying();
    const Path path{parties_, session.line};
    balance::Ledger::Returns returns;
    ledger_.charge(levels, {totals.data(), levels.size()}, returns, spend_of(path, session, now));
    // One that had expired holds anew, as a call like any other; but what it had held is spent by others
    // maybe.
    const bool beyond = session.open() ? used > seconds{session.granted_seconds}
                                       : std::any_of(levels.begin(), levels.end(), [this](const auto& level) {
                                             return spendable(parties_.get(level.payer)) < Money{};
                                         });
    if (beyond) session.overrun = true;
    session.used_seconds = count_of(used);
    session.extend_fingerprint = fingerprint;
    seconds wanted = want.value_or(asker.want.value_or(usual_want()));
    if (stale && session.open()) {
        // An older report that comes late: the switch counts on what a newer one was granted.
        wanted = std::max(wanted, seconds{session.granted_seconds} - used);
    }
    extend_holds(session, bundles, wanted, returns, now);
    if (session.state != SessionState::answered) {
        session.state = SessionState::answered;
        if (session.answered_at == balance::Steady{}) session.answered_at = now.steady;
    }
    const seconds granted{session.granted_seconds};
    // Never longer than a whole call from now: a report that is wrong must not keep holds and slots for
    // years.
    session.deadline = std::min(std::max(session.answered_at + granted, now.steady + (granted - used)),
                                now.steady + settings_.longest) +
                       grace();
    ExtendAnswer answer = answer_now();
    append(balance::EventKind::session_changed, session, now);
    ledger_.give_back(session.paying(), returns, spend_of(path, session, now));
    bundles.give_back();
    sessions_.publish_open(std::move(claim));
    return answer;
}

/// Brings the holds of a session to `used + want`, or to as much of it as there is, and says so in the
/// session. What was granted and is held stays granted. An expired session is opened again.
void Charging::extend_holds(Session& session, BundleChange& bundles, seconds want,
                            balance::Ledger::Returns& returns, Moment now) {
    const seconds used{session.used_seconds};
    const seconds target = std::max(used, std::min(used + want, settings_.longest));
    seconds floor = std::max(used, std::min(seconds{session.granted_seconds}, target));
    const bool reopened = session.state == SessionState::expired;
    if (reopened) {
        session.lapsed = false;
        session.record = 0;
        floor = used;  // Nothing is held any more.
    }
    if (session.emergency) {
        session.granted_seconds = count_of(target);
        session.final = target >= settings_.longest;
        return;
    }
    const Path path{parties_, session.line};
    if (reopened) {
        for (Party* const party : path.parties())
            party->account.reopen_call();
    }
    const auto levels = session.paying();
    BundledSeconds had{};
    for (const balance::LevelBundles& mine : session.bundles())
        had[mine.level] = mine.seconds;
    const auto parties = path.parties();
    const auto* const stopped = std::find_if(parties.data(), parties.data() + parties.size(),
                                             [](const Party* p) { return ends_calls(*p); });
    std::array<balance::Account::Attempts, balance::kChainDepthMax> attempts;
    for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
        step_aside(attempt);
        seconds bound = settings_.longest;
        PartyId limiting = kNoParty;
        std::size_t limiting_level = levels.size();
        if (stopped != parties.data() + parties.size()) {
            bound = floor;
            limiting = stopped_by(path, static_cast<std::size_t>(stopped - parties.data()));
        }
        for (std::size_t i = 0; i < levels.size(); ++i)
            attempts[i] = parties_.get(levels[i].payer).account.attempts();
        BundledSeconds bundled = bundling_.reach(session, target);
        std::size_t limiting_place = parties.size();
        CapLook caps = look_at_caps(path, session, false, bundled);
        for (std::size_t place = 0; place < parties.size(); ++place) {
            // No room at all: what is granted stays, unless the leg costs nothing.
            if ((caps.too_low & (std::uint32_t{1} << place)) == 0) continue;
            const std::size_t leg = balance::leg_of(path, place, levels);
            if (rating::cost(levels[leg].call(session.rated_at, bundled[leg]), target) > Money{})
                caps.bound(seconds{0}, place);
        }
        if (caps.longest < bound) {
            bound = caps.longest;
            limiting = path.id(caps.limiting);
            limiting_place = caps.limiting;
        }
        for (std::size_t i = 0; i < levels.size(); ++i) {
            const Party& party = parties_.get(levels[i].payer);
            const rating::RatedCall call = levels[i].call(session.rated_at, bundled[i]);
            // A level that pays nothing for all that is asked for is not asked for funds.
            if (rating::cost(call, target) == Money{}) continue;
            const Money funds = levels[i].charged + levels[i].held + returns.amounts[i] + spendable(party);
            const seconds longest = rating::longest_affordable(call, funds, settings_.longest);
            if (longest < bound) {
                bound = longest;
                limiting = levels[i].payer;
                limiting_level = i;
            }
        }
        const seconds grant = std::max(floor, std::min(target, bound));
        if (grant < target && limiting_level == levels.size() && limiting_place < parties.size() &&
            attempt + 1 < kAttemptsMax &&
            !undisturbed(parties[limiting_place]->account, caps.attempts[limiting_place])) {
            continue;
        }
        if (grant < target && limiting_level < levels.size() && attempt + 1 < kAttemptsMax &&
            !undisturbed(parties_.get(levels[limiting_level].payer).account, attempts[limiting_level])) {
            continue;
        }
        Amounts amounts = costs_of(session, grant, bundled);
        for (std::size_t i = 0; i < levels.size(); ++i) {
            amounts[i] = amounts[i] - levels[i].charged;
            bundled[i] = std::min(bundled[i], count_of(grant));
        }
        if (!bundles.try_take(bundled)) continue;
        if (ledger_.try_extend(levels, {amounts.data(), levels.size()}, returns, spend_of(path, session, now))
                .status != balance::Ledger::HoldStatus::held) {
            bundles.roll_back();
            continue;
        }
        bundles.confirm();
        bundles.finish(grant, bundled, used);
        session.granted_seconds = count_of(grant);
        session.final = bound <= target;
        session.limiting = bound <= target ? limiting : kNoParty;
        return;
    }
    // Others were always faster: what is held stays, and the switch may ask again.
    bundles.finish(floor, had, used);
    session.granted_seconds = count_of(floor);
    session.final = false;
    session.limiting = kNoParty;
}

// ---- STOP, RELEASE, expiry ----

StopAnswer Charging::stop_answer(const Session& session, bool duplicate) const {
    StopAnswer answer;
    answer.status = static_cast<EndStatus>(session.end_status);
    answer.implausible = session.implausible;
    answer.via_unrated = session.via_unrated;
    answer.record = session.record;
    answer.duplicate = duplicate;
    if (session.level_count > 0) {
        const SessionLevel& customer = session.paying()[0];
        answer.charged = customer.charged;
        answer.billed = rating::billed_seconds(session.call(customer), seconds{session.used_seconds});
    }
    return answer;
}

bool Charging::put_via(Session& session, rating::TariffId via) const {
    const auto tariffs = tariffs_.read();
    const auto [row, rate] = tariffs.find(via, tariffs.place(session.number.view()), session.rated_at);
    if (rate == nullptr) return false;
    const rating::TariffVersion& version = tariffs.version(via);
    version.pins.add();
    const PartyId provider = parties_.root();
    const std::size_t paying = session.paying_count();
    if (paying == 0 || session.paying().back().payer != provider) {
        // There is room for everyone above the line, so for the provider too.
        assert(session.level_count < session.level_capacity);
        ++session.level_count;
        const auto behind = session.levels().subspan(paying);
        std::move_backward(behind.begin(), behind.end() - 1, behind.end());
        behind.front() = SessionLevel{};
        behind.front().affordable_seconds = SessionLevel::kAffordableUnlimited;
    }
    // What this leg has been charged and holds stays: the total of STOP is compared with it.
    SessionLevel& leg = session.paying().back();
    leg.payer = leg.seller = provider;
    leg.tariff = &version;
    leg.row = row;
    leg.rate = rate;
    return true;
}

StopAnswer Charging::stop(const StopRequest& request, Moment now) {
    std::optional<rating::TariffId> via;
    if (!request.via.empty() && parties_.root() != kNoParty) {
        const auto tariffs = tariffs_.read();
        via = tariffs.find(request.via);
        if (!via) return {.code = Code::via_unknown};
        if (!(tariffs.version(*via).settings.currency == parties_.get(parties_.root()).currency)) {
            return {.code = Code::via_other_currency};
        }
    }
    auto claim = sessions_.claim(request.session);
    if (!claim) return {.code = Code::unknown_session};
    const std::uint64_t fingerprint =
        kFingerprint.mix(kFingerprint.mix(fingerprint_of('X', request.at, request.cause, request.used),
                                          kFingerprint(request.via)),
                         kFingerprint(request.tags)) |
        1;
    return stop_claimed(std::move(claim), request, via, fingerprint, now);
}

StopAnswer Charging::stop_claimed(SessionTable::Claim claim, const StopRequest& request,
                                  std::optional<rating::TariffId> via, std::uint64_t fingerprint,
                                  Moment now) {
    Session& session = *claim;
    const bool nothing_used = request.used == std::chrono::milliseconds{0};
    switch (session.state) {
        case SessionState::deciding:
        case SessionState::refused:
            return {.code = Code::unknown_session};
        case SessionState::stopped:
            if (session.end_fingerprint != fingerprint) return {.code = Code::conflict};
            return stop_answer(session, true);
        case SessionState::released:
            if (!nothing_used || (session.ended_by_stop && session.end_fingerprint != fingerprint)) {
                return {.code = Code::conflict};
            }
            return stop_answer(session, true);
        case SessionState::expired:
            if (sessions_.is_over(session, now.steady)) return {.code = Code::unknown_session};
            break;
        case SessionState::authorized:
        case SessionState::answered:
            break;
    }
    if (too_full_to_end()) return {.code = Code::no_room};
    const bool was_expired = session.state == SessionState::expired;
    const bool never_started = session.answered_at == balance::Steady{};
    const bool implausible = !request.at && is_implausible(session, rating::whole_seconds(request.used), now);
    const seconds used =
        believed(session, rating::whole_seconds(request.used), implausible && request.asker.our_clock, now);
    const std::size_t count_before = session.paying_count();
    const SessionLevel top_before = count_before > 0 ? session.paying().back() : SessionLevel{};
    // An emergency call is charged nowhere.
    const bool via_put = via && !session.emergency && put_via(session, *via);
    const auto levels = session.paying();
    BundleChange bundles{bundling_, session};
    bundles.cover(used);
    const Amounts totals = costs_of(session, used);
    const std::span<const Money> charges{totals.data(), levels.size()};
    if (!ledger_.can_charge(levels, charges)) {
        if (via_put) levels.back().tariff->pins.remove();
        if (levels.size() > count_before) {
            const auto behind = session.levels().subspan(count_before);
            std::move(behind.begin() + 1, behind.end(), behind.begin());
            --session.level_count;
        } else if (via_put) {
            levels.back() = top_before;
        }
        return {.code = Code::too_large};
    }
    // The carrier's leg took the place of the provider's own; what that was rated by is let go.
    if (via_put && levels.size() == count_before && top_before.tariff != nullptr)
        top_before.tariff->pins.remove();
    session.via_unrated = via && !session.emergency && !via_put;

    EndStatus status = EndStatus::stopped;
    if (nothing_used && never_started) {
        status = EndStatus::released;
    } else if (was_expired) {
        status = EndStatus::late;
    } else {
        // Said of a session that is `corrected` too: some other level may be below zero by it.
        if (used > seconds{session.granted_seconds}) session.overrun = true;
        if (session.overrun) status = EndStatus::overrun;
        for (std::size_t i = 0; i < levels.size(); ++i) {
            if (totals[i] < levels[i].charged) status = EndStatus::corrected;
        }
    }
    session.implausible = session.implausible || implausible;
    bundles.finish_all(used);
    session.state = status == EndStatus::released ? SessionState::released : SessionState::stopped;
    const seconds used_before{session.used_seconds};
    session.used_seconds = count_of(used);
    session.end_fingerprint = fingerprint;
    session.ended_by_stop = true;
    session.end_status = static_cast<std::uint8_t>(status);
    end(claim, bundles, charges,
        via_put ? balance::EventKind::session_rewritten : balance::EventKind::session_changed, now,
        {request.cause, request.tags, request.at}, used_before);
    const StopAnswer answer = stop_answer(session, false);
    sessions_.publish_ended(std::move(claim), now.steady);
    return answer;
}

/// What commission resellers between the customer and the next one who pays earn by a call that cost the
/// customer `totals[0]`, behind the totals of those who pay: levels are added for who had none. Whoever had
/// one and is no commission reseller any more, or has no percentage, gives back what he earned.
void Charging::share_call(const Path& path, Session& session, std::span<Money> totals) const noexcept {
    const auto paying = session.paying();
    if (paying.empty()) return;
    const PartyId seller = paying[0].seller;
    const rating::Currency currency = parties_.get(paying[0].payer).currency;
    std::array<PartyId, balance::kChainDepthMax> earners;
    std::array<rating::Percent, balance::kChainDepthMax> percents;
    std::size_t count = 0;
    for (std::size_t place = path.parties().size(); place-- > 2;) {  // From the topmost down.
        if (path.id(place) == seller) count = 0;                     // Those above him are not among them.
        const Party& party = *path.parties()[place];
        if (!party.earns_by_calls() || !(party.currency == currency)) continue;
        earners[count] = path.id(place);
        percents[count++] =
            rating::Percent::from_millionths(party.calls_commission.load(std::memory_order_relaxed));
    }
    for (std::size_t i = paying.size(); i < session.level_count; ++i)
        totals[i] = Money{};
    if (count == 0) return;
    const auto policy = parties_.get(seller).splits_per_level.load(std::memory_order_relaxed)
                            ? balance::CommissionPolicy::per_level
                            : balance::CommissionPolicy::cascade;
    Amounts shares;
    balance::share_commission(policy, totals[0], {percents.data(), count}, {shares.data(), count});
    for (std::size_t i = 0; i < count; ++i) {
        if (shares[i] == Money{}) continue;
        std::size_t at = paying.size();
        while (at < session.level_count && session.levels()[at].payer != earners[i])
            ++at;
        SessionLevel level = at < session.level_count ? session.levels()[at] : SessionLevel{};
        level.payer = earners[i];
        level.seller = seller;
        level.affordable_seconds = SessionLevel::kEarns;
        totals[at] = -shares[i];
        // An account that is full earns no more: the call has ended all the same.
        if (!ledger_.can_charge({&level, 1}, {&totals[at], 1})) totals[at] = level.charged;
        if (at == session.level_count) {
            // There is room for everyone above the line: whoever earns does not pay.
            assert(session.level_count < session.level_capacity);
            ++session.level_count;
        }
        session.levels()[at] = level;
    }
}

/// Ends a session whose state says so already, but for money, record and event: `totals` are charged to those
/// who pay. The caller publishes it.
void Charging::end(const SessionTable::Claim& claim, BundleChange& bundles,
                   std::span<const Money> paying_totals, balance::EventKind kind, Moment now,
                   const EndWords& words, seconds used_before) {
    Session& session = *claim;
    // Of one that has expired the holds are given back and the place is left already.
    const bool had_ended = session.record != 0;
    // What RATE charges never had a place.
    const bool has_place = !had_ended && !session.emergency && kind != balance::EventKind::session_opened;
    const Path path{parties_, session.line};
    const balance::Spend spend = spend_of(path, session, now);
    balance::Ledger::Returns returns;
    Amounts totals;
    std::copy(paying_totals.begin(), paying_totals.end(), totals.begin());
    Amounts charged_before;
    if (had_ended) {
        std::transform(session.levels().begin(), session.levels().end(), charged_before.begin(),
                       [](const SessionLevel& level) { return level.charged; });
    }
    const std::size_t told_before = had_ended ? session.paying_count() : 0;
    const std::uint8_t count_before = session.level_count;
    share_call(path, session, totals);
    if (session.level_count > count_before && kind == balance::EventKind::session_changed)
        kind = balance::EventKind::session_rewritten;
    ledger_.settle(session.levels(), {totals.data(), session.level_count}, returns, spend);
    if (!had_ended) {
        sessions_.give_record(claim);
        session.ended_at = now.steady;
    }
    append(kind, session, now, words);
    ledger_.give_back(session.levels(), returns, spend);
    bundles.give_back();
    if (has_place) balance::Ledger::leave(path);
    if (settings_.on_ended != nullptr) {
        settings_.on_ended->ended({.session = session,
                                   .again = had_ended,
                                   .used_before = used_before,
                                   .before = {charged_before.data(), told_before}});
    }
}

// ---- RATE ----

bool Charging::may_be_forgotten(std::string_view session, rating::Instant at, Moment now) const noexcept {
    if (at < now.wall - sessions_.limits().remember) return true;
    return now.steady - (now.wall - at) <= sessions_.forgotten_until(session);
}

StopAnswer Charging::rate_known(SessionTable::Claim claim, const RateRequest& request, PartyId line,
                                std::uint64_t fingerprint, Moment now) {
    const Session& session = *claim;
    if (static_cast<EndStatus>(session.end_status) == EndStatus::rated) {
        if (session.authorize_fingerprint != fingerprint) return {.code = Code::conflict};
        return stop_answer(session, true);
    }
    if (line == kNoParty || line != session.line) return {.code = Code::conflict};
    const auto digits = number_of(line, session.texts().switch_name, session.scope(),
                                  Dialling::without_plus(request.destination));
    if (!digits || digits->view() != session.number.view()) return {.code = Code::conflict};
    // As of a STOP that says nothing but the seconds.
    const std::uint64_t stop_fingerprint =
        kFingerprint.mix(
            kFingerprint.mix(fingerprint_of('X', {}, {}, request.used), kFingerprint(std::string_view{})),
            kFingerprint(std::string_view{})) |
        1;
    if (session.state == SessionState::stopped) {
        // Whatever else its STOP said, it is settled by so many seconds; or they were cut, and are the same.
        if (rating::whole_seconds(request.used) != seconds{session.used_seconds} &&
            session.end_fingerprint != stop_fingerprint) {
            return {.code = Code::conflict};
        }
        return stop_answer(session, true);
    }
    if (session.state == SessionState::released) {
        if (request.used != std::chrono::milliseconds{0}) return {.code = Code::conflict};
        return stop_answer(session, true);
    }
    const StopRequest stop{.session = request.session,
                           .used = request.used,
                           .at = request.at,
                           .cause = {},
                           .asker = request.asker};
    return stop_claimed(std::move(claim), stop, std::nullopt, stop_fingerprint, now);
}

StopAnswer Charging::rate(const RateRequest& request, Moment now) {
    if (request.session.empty() || request.session.size() > balance::kSessionKeyBytesMax) {
        return {.code = Code::conflict};
    }
    std::uint64_t fingerprint = fingerprint_of('Q', request.at, request.line, request.used);
    fingerprint = kFingerprint.mix(fingerprint, kFingerprint(request.destination)) | 1;
    const PartyId line = line_of(request.line, request.asker);
    const std::string_view dialled = Dialling::without_plus(request.destination);
    const std::size_t levels_max = line == kNoParty ? 0 : parties_.get(line).depth;
    const rating::Instant start = request.at.value_or(now.wall);

    SessionTable::Claim claim;
    if (too_full_to_end()) {  // What was answered is answered again, but nothing new is charged.
        claim = sessions_.claim(request.session);
        if (!claim || claim->state == SessionState::refused) return {.code = Code::no_room};
        return rate_known(std::move(claim), request, line, fingerprint, now);
    }
    for (;;) {
        auto opening = sessions_.claim_or_open(request.session, levels_max, false, {},
                                               line == kNoParty ? 0 : bundling_.levels_with_bundles(line));
        if (!opening.claim) return {.code = Code::busy};
        claim = std::move(opening.claim);
        if (opening.fresh) break;
        if (claim->state != SessionState::refused)
            return rate_known(std::move(claim), request, line, fingerprint, now);
        // It was refused and took place all the same.
        claim = SessionTable::Claim{};
        sessions_.forget_refused(request.session);
    }
    Session& session = *claim;
    // As if nobody had asked.
    const auto refuse_rate = [&](Code code, Reason reason) {
        refuse(session, code, reason);
        sessions_.publish_ended(std::move(claim), now.steady);
        sessions_.forget_refused(request.session);
        return StopAnswer{.code = code};
    };
    if (line == kNoParty) return refuse_rate(Code::unknown_account, Reason::none);
    if (may_be_forgotten(request.session, start, now)) return refuse_rate(Code::too_old, Reason::none);
    const auto digits = number_of(line, {}, request.asker.name, dialled);
    if (!digits) return refuse_rate(Code::rating_failed, Reason::number);
    const Path path{parties_, line};
    session.authorize_fingerprint = fingerprint;
    session.rated_at = start;
    session.at_given = request.at.has_value();
    session.opened_at = now.steady;
    session.line = line;
    session.number = *digits;
    session.emergency = is_emergency(dialled);
    if (!session.emergency) {
        const Resolution found = resolve_and_pin(path, digits->view(), balance::CallTraits{}, session);
        if (found.without_rate != kNoParty)
            return refuse_rate(Code::rating_failed, found.without_rate_reason);
    }
    const seconds used = rating::whole_seconds(request.used);
    bundling_.attach(session);
    BundleChange bundles{bundling_, session};
    bundles.cover(used);
    const Amounts totals = costs_of(session, used);
    const std::span<const Money> charges{totals.data(), session.paying_count()};
    if (!ledger_.can_charge(session.paying(), charges)) return refuse_rate(Code::too_large, Reason::none);
    for (SessionLevel& level : session.paying())
        level.affordable_seconds = SessionLevel::kAffordableUnlimited;  // Nobody was asked.
    session.available = path.parties()[1]->account.available();
    session.state = SessionState::stopped;
    session.code = static_cast<std::uint8_t>(Code::ok);
    session.answered_at = now.steady;
    session.granted_seconds = session.decided_seconds = session.used_seconds = count_of(used);
    session.spend_counted = balance::kCountedByAll;
    session.end_fingerprint = fingerprint;
    session.ended_by_stop = true;
    session.end_status = static_cast<std::uint8_t>(EndStatus::rated);
    bundles.finish_all(used);
    end(claim, bundles, charges, balance::EventKind::session_opened, now);
    const StopAnswer answer = stop_answer(session, false);
    sessions_.publish_ended(std::move(claim), now.steady);
    return answer;
}

ReleaseAnswer Charging::release(std::string_view id, std::string_view cause, Moment now) {
    auto claim = sessions_.claim(id);
    if (!claim) return {.code = Code::unknown_session};
    Session& session = *claim;
    const std::uint64_t fingerprint = fingerprint_of('R', {}, cause, {});
    switch (session.state) {
        case SessionState::deciding:
        case SessionState::refused:
            return {.code = Code::unknown_session};
        case SessionState::answered:
        case SessionState::stopped:
            return {.code = Code::conflict};
        case SessionState::released:
            // STOP with 0 seconds released it too: then there is nothing to differ from.
            if (!session.ended_by_stop && session.end_fingerprint != fingerprint)
                return {.code = Code::conflict};
            return {.code = Code::ok, .duplicate = true};
        case SessionState::expired:
            if (sessions_.is_over(session, now.steady)) return {.code = Code::unknown_session};
            if (session.answered_at != balance::Steady{}) return {.code = Code::conflict};
            break;
        case SessionState::authorized:
            break;
    }
    if (too_full_to_end()) return {.code = Code::no_room};
    session.state = SessionState::released;
    session.end_fingerprint = fingerprint;
    session.end_status = static_cast<std::uint8_t>(EndStatus::released);
    const Amounts nothing{};
    BundleChange bundles{bundling_, session};
    bundles.finish_all(seconds{0});
    end(claim, bundles, {nothing.data(), session.paying_count()}, balance::EventKind::session_changed, now,
        {.cause = cause});
    sessions_.publish_ended(std::move(claim), now.steady);
    return {};
}

/// Closes an open session that nobody ended: `used` is charged, the rest of its holds goes back.
void Charging::expire(SessionTable::Claim claim, seconds used, Moment now) {
    Session& session = *claim;
    BundleChange bundles{bundling_, session};
    bundles.finish_all(used);
    const Amounts totals = costs_of(session, used);
    session.state = SessionState::expired;
    session.lapsed = true;
    end(claim, bundles, {totals.data(), session.paying_count()}, balance::EventKind::session_changed, now);
    sessions_.publish_ended(std::move(claim), now.steady);
}

std::size_t Charging::expire_due(std::size_t first, std::size_t stride, Moment now) {
    std::size_t ended = 0;
    const bool too_early = now.steady.count() < expire_from_.load(std::memory_order_relaxed);
    for (std::size_t stripe = first; stripe < SessionTable::kStripes; stripe += stride) {
        if (too_early) {
            sessions_.forget_due(stripe, now.steady);
            continue;
        }
        // Asked before each: many may be due at once, more than a full disk has room for.
        for (;;) {
            if (too_full_to_end()) {
                sessions_.forget_due(stripe, now.steady);
                break;
            }
            auto claim = sessions_.claim_due(stripe, now.steady);
            if (!claim) break;
            seconds used{claim->used_seconds};
            // What is charged so was never reported: used_seconds stays, and a late report is judged by it.
            if (times_.charge_granted_at_expiry.load(std::memory_order_relaxed) &&
                claim->state == SessionState::answered) {
                used = std::max(used, seconds{claim->granted_seconds});
            }
            expire(std::move(claim), used, now);
            ++ended;
        }
    }
    return ended;
}

std::chrono::nanoseconds Charging::life_unstarted(const Session& session) const noexcept {
    const auto must_start = [this](std::uint64_t name) {
        return std::find(start_required_.begin(), start_required_.end(), name) != start_required_.end();
    };
    const auto hold = times_.hold.load(std::memory_order_relaxed);
    if (!start_required_.empty() &&
        (must_start(session.switch_hash) || must_start(switch_hash(session.scope()))))
        return hold;
    return hold + seconds{session.decided_seconds} + grace();
}

std::uint64_t Charging::switch_hash(std::string_view name) const noexcept {
    return name.empty() ? 0 : kFingerprint(name) | 1;
}

Charging::Closed Charging::close_missing(std::string_view scope, std::string_view switch_name,
                                         balance::Steady before, const std::unordered_set<std::string>& alive,
                                         Moment now) {
    const std::uint64_t owner = switch_hash(switch_name);
    const auto missing = [&](const Session& session) {
        return session.switch_hash == owner && session.scope() == scope && session.opened_at < before &&
               !alive.contains(std::string{session.id()});
    };
    constexpr std::size_t kPage = 1000;
    Closed closed;
    std::uint64_t cursor = 0;
    do {
        std::vector<std::string> ids;
        cursor =
            sessions_.scan(cursor, kPage, missing, [&ids](std::string_view id) { ids.emplace_back(id); });
        for (const std::string& id : ids) {
            auto claim = sessions_.claim(id);
            // It may have ended, and even begun anew, since the page was read.
            if (!claim || !claim->open() || !missing(*claim)) continue;
            if (too_full_to_end()) {
                closed.all = false;
                return closed;
            }
            const seconds used{claim->used_seconds};
            expire(std::move(claim), used, now);
            ++closed.count;
        }
    } while (cursor != 0);
    return closed;
}

// ---- QUOTE, EXPLAIN ----

Derivation Charging::derive(std::span<const SessionLevel> levels, rating::Instant start, seconds used,
                            const BundledSeconds& bundled) const {
    Derivation derivation;
    for (std::size_t i = 0; i < levels.size(); ++i) {
        const SessionLevel& level = levels[i];
        LevelView& view = derivation.emplace_back();
        view.party = &parties_.get(level.payer);
        if (level.tariff == nullptr) continue;
        view.tariff = level.tariff->tariff;
        view.version = level.tariff->number;
        if (level.rate == nullptr) continue;
        const rating::Row row = level.tariff->deck->row(level.row);
        const rating::RatedCall call = level.call(start, bundled[i]);
        view.rated = true;
        view.prefix = row.prefix.text().view();
        view.destination = row.destination;
        view.price = rating::price_with_markup(row.rate->price, level.tariff->settings);
        view.connect_fee = row.rate->connect_fee;
        view.billed = rating::billed_seconds(call, used);
        view.cost = rating::cost(call, used);
        view.affordable_seconds = level.affordable_seconds;
        view.words = rating::describe(call, used);
    }
    return derivation;
}

QuoteAnswer Charging::quote(const QuoteRequest& request) const {
    QuoteAnswer answer;
    const PartyId line = line_of(request.line, request.asker);
    if (line == kNoParty) {
        answer.code = Code::unknown_account;
        return answer;
    }
    const Path path{parties_, line};
    const std::string_view dialled = Dialling::without_plus(request.destination);
    const auto digits = number_of(line, request.switch_name, request.asker.name, dialled);
    if (is_emergency(dialled)) {
        answer.code = Code::free;
        return answer;
    }
    const auto parties = path.parties();
    if (std::any_of(parties.begin(), parties.end(), [](const Party* p) { return stops_calls(*p); })) {
        answer.code = Code::service_denied;
    }
    if (!digits) {
        if (answer.code == Code::ok) answer.code = Code::rating_failed;
        return answer;
    }
    std::array<SessionLevel, balance::kChainDepthMax> memory;
    const balance::CallTraits call{request.service, balance::CallTraits::caller_of(request.from)};
    const Payers payers = payers_of(path, call, memory.data());
    const auto tariffs = tariffs_.read();
    const Resolution found = resolve(tariffs, payers, digits->view(), request.at, memory.data());
    const std::span<SessionLevel> levels{memory.data(), payers.count};
    const seconds duration = rating::whole_seconds(request.used.value_or(std::chrono::minutes{1}));
    bool free = !levels.empty();
    BundledSeconds bundled{};
    for (std::size_t i = 0; i < levels.size(); ++i) {
        SessionLevel& level = levels[i];
        if (level.rate == nullptr) continue;
        free = free && rating::is_free(level.call(request.at), duration);
        const auto there =
            bundling_.available(level, digits->view(), request.at, std::max(duration, settings_.longest));
        bundled[i] = std::min(there, count_of(duration));
        level.affordable_seconds = affordable_of(rating::longest_affordable(
            level.call(request.at, there), spendable(parties_.get(level.payer)), settings_.longest));
    }
    if (answer.code == Code::ok) {
        if (found.blocked != kNoParty || (!levels.empty() && !opens_country(levels[0], digits->view()))) {
            answer.code = Code::service_denied;
        } else if (found.without_rate != kNoParty) {
            answer.code = Code::rating_failed;
        } else if (free) {
            answer.code = Code::free;
        }
    }
    answer.derivation = derive(levels, request.at, duration, bundled);
    if (answer.code == Code::ok) {
        answer.cost = answer.derivation[0].cost;
        if (answer.cost == rating::kCostTooLarge) answer.code = Code::too_large;
    }
    return answer;
}

ExplainAnswer Charging::explain_claimed(const Session& session) const {
    ExplainAnswer answer;
    answer.code = code_of(session);
    answer.line = session.line;
    answer.granted = seconds{session.decided_seconds};
    answer.derivation = derive(session.paying(), session.rated_at, answer.granted, decided_bundles(session));
    return answer;
}

ExplainAnswer Charging::explain(std::string_view id) {
    const auto claim = sessions_.claim(id);
    if (!claim) return {.code = Code::unknown_session};
    return explain_claimed(*claim);
}

ExplainAnswer Charging::explain_record(std::uint64_t record) {
    const auto claim = sessions_.claim_record(record);
    if (!claim) return {.code = Code::unknown_session};
    return explain_claimed(*claim);
}

}  // namespace tollgate::daemon
