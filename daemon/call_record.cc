#include "daemon/call_record.h"

#include "rating/charge.h"

namespace tollgate::daemon {
namespace {

using balance::Session;
using balance::SessionLevel;
using balance::SessionState;

CallLeg leg_of(const State& state, const Session& session, const SessionLevel& level) {
    const balance::Party& payer = state.parties.get(level.payer);
    CallLeg leg;
    leg.party = payer.id;
    leg.seller = state.parties.get(level.seller).id;
    leg.currency = payer.currency;
    leg.charged = level.charged;
    leg.payer = level.payer;
    leg.seller_number = level.seller;
    if (level.rate == nullptr) return leg;
    const auto row = level.tariff->deck->row(level.row);
    leg.rated = true;
    leg.tariff = level.tariff->tariff;
    leg.version = level.tariff->number;
    leg.prefix = row.prefix.text().view();
    leg.destination = row.destination;
    leg.price = rating::price_with_markup(row.rate->price, level.tariff->settings);
    const auto billed =
        rating::billed_seconds(session.call(level), std::chrono::seconds{session.used_seconds});
    leg.billed_seconds = static_cast<std::uint64_t>(billed.count());
    return leg;
}

}  // namespace

std::string CallRecord::id() const {
    return "r-" + std::to_string(number);
}

CallRecord call_record_of(const State& state, const Session& session, Moment at, const EndWords& words) {
    const auto wall = [&](balance::Steady steady) {
        return steady == balance::Steady{} ? rating::kAlways : at.wall - (at.steady - steady);
    };
    CallRecord record;
    record.number = session.record;
    record.session = session.id();
    record.user = session.scope();
    record.line = state.parties.get(session.line).id;
    record.line_number = session.line;
    record.called = session.number.view();
    const auto texts = session.texts();
    record.caller = texts.caller;
    record.service = texts.service.empty() ? balance::kVoice : texts.service;
    record.switch_name = texts.switch_name;
    record.state = text_of(session.state);
    const auto flag = [&record](bool set, std::string_view name) {
        if (!set) return;
        if (!record.flags.empty()) record.flags += ',';
        record.flags += name;
    };
    flag(session.overrun, "overrun");
    flag(session.lapsed && session.state != SessionState::expired, "late");
    flag(session.implausible, "implausible");
    flag(session.via_unrated, "via_unrated");
    flag(session.emergency, "emergency");
    record.opened_at = wall(session.opened_at);
    record.answered_at = wall(session.answered_at);
    record.ended_at = wall(session.ended_at);
    record.used_seconds = session.used_seconds;
    record.cause = words.cause;
    if (session.start_tags != nullptr) record.start_tags = *session.start_tags;
    record.tags = words.tags;
    record.rated_at = session.rated_at;
    record.start_at = session.start_at;
    record.stop_at = words.at.value_or(rating::kAlways);
    record.legs.reserve(session.level_count);
    for (const SessionLevel& level : session.levels())
        record.legs.push_back(leg_of(state, session, level));
    return record;
}

std::string_view text_of(SessionState state) noexcept {
    switch (state) {
        case SessionState::deciding:
            return "deciding";
        case SessionState::authorized:
            return "authorized";
        case SessionState::answered:
            return "answered";
        case SessionState::refused:
            return "refused";
        case SessionState::stopped:
            return "stopped";
        case SessionState::released:
            return "released";
        case SessionState::expired:
            return "expired";
    }
    return "unknown";
}

}  // namespace tollgate::daemon
