#include "daemon/commands/words.h"

#include <cstdlib>
#include <optional>

#include "protocol/resp_writer.h"

namespace tollgate::daemon::commands {
namespace {

constexpr std::string_view kRecordPrefix = "r-";
constexpr std::size_t kPairsPerLevel = 11;

/// What the level keeps: what it is paid by the one below it less what it pays. Empty for the customer, who
/// sells to nobody, and across currencies, which are not compared.
rating::ShortText margin_of(const LevelView& level, const LevelView* below) noexcept {
    const auto rated = [](const LevelView& view) { return view.rated && view.cost != rating::kCostTooLarge; };
    if (below == nullptr || !rated(level) || !rated(*below) ||
        !(below->party->currency == level.party->currency)) {
        return {};
    }
    return rating::format(below->cost - level.cost);
}

}  // namespace

std::string_view text_of(Code code) noexcept {
    switch (code) {
        case Code::ok:
            return "OK";
        case Code::free:
            return "FREE";
        case Code::unknown_account:
            return "UNKNOWN_ACCOUNT";
        case Code::service_denied:
            return "SERVICE_DENIED";
        case Code::rating_failed:
            return "RATING_FAILED";
        case Code::credit_limit:
            return "CREDIT_LIMIT";
        case Code::unknown_session:
            return "UNKNOWN_SESSION";
        case Code::conflict:
            return "CONFLICT";
        case Code::too_old:
            return "TOO_OLD";
        case Code::busy:
        case Code::no_room:
        case Code::too_large:
        case Code::via_unknown:
        case Code::via_other_currency:
            break;
    }
    std::abort();  // An error, or not an enumerator: memory is corrupt.
}

std::string_view text_of(Reason reason) noexcept {
    switch (reason) {
        case Reason::none:
            return "";
        case Reason::suspended:
            return "suspended";
        case Reason::closed:
            return "closed";
        case Reason::blocked:
            return "blocked";
        case Reason::country:
            return "country";
        case Reason::concurrent:
            return "concurrent";
        case Reason::rate:
            return "rate";
        case Reason::loss:
            return "loss";
        case Reason::cap:
            return "cap";
        case Reason::number:
            return "number";
        case Reason::tariff:
            return "tariff";
        case Reason::prefix:
            return "prefix";
        case Reason::funds:
            return "funds";
        case Reason::held:
            return "held";
        case Reason::started:
            return "started";
        case Reason::ended:
            return "ended";
        case Reason::differs:
            return "differs";
    }
    std::abort();  // Not an enumerator: memory is corrupt.
}

std::string_view text_of(EndStatus status) noexcept {
    switch (status) {
        case EndStatus::none:
            return "";
        case EndStatus::stopped:
            return "stopped";
        case EndStatus::overrun:
            return "overrun";
        case EndStatus::corrected:
            return "corrected";
        case EndStatus::late:
            return "late";
        case EndStatus::released:
            return "released";
        case EndStatus::rated:
            return "rated";
    }
    std::abort();  // Not an enumerator: memory is corrupt.
}

std::string_view text_of(balance::SessionState state) noexcept {
    return state == balance::SessionState::answered ? "answered" : "authorized";
}

bool answered_as_error(Code code, std::string& out) {
    protocol::RespWriter writer{out};
    if (code == Code::busy) {
        writer.error("BUSY retry after 1000 ms: the daemon has as many sessions as session.max allows");
        return true;
    }
    if (code == Code::no_room) {
        writer.error(
            "BUSY retry after 1000 ms: the journal's disk is full, or memory is; calls may end, nothing "
            "else");
        return true;
    }
    if (code == Code::too_large) {
        writer.error(
            "BADARG seconds: so many cost more than 10000000000, or a balance would leave 4000000000000 "
            "either "
            "way; expected fewer; nothing was changed");
        return true;
    }
    return false;
}

std::string_view id_of(const balance::PartyTable& parties, PartyId party) noexcept {
    return party == balance::kNoParty ? std::string_view{} : parties.get(party).id;
}

rating::ShortText record_id(std::uint64_t record) noexcept {
    rating::ShortText text;
    if (record == 0) return text;
    text.append(kRecordPrefix);
    text.append(rating::format_decimal(static_cast<std::int64_t>(record), 0));
    return text;
}

std::uint64_t parse_record_id(std::string_view text) noexcept {
    if (!text.starts_with(kRecordPrefix)) return 0;
    return rating::parse_unsigned(text.substr(kRecordPrefix.size()), INT64_MAX).value_or(0);
}

void answer_stop(const StopAnswer& stopped, bool plain, std::string& out) {
    const bool ok = stopped.code == Code::ok;
    std::string_view flags;
    if (stopped.implausible) {
        flags = stopped.via_unrated ? "implausible,via_unrated" : "implausible";
    } else if (stopped.via_unrated) {
        flags = "via_unrated";
    }
    Answer answer{out, plain, text_of(stopped.code), rating::format(stopped.charged), 5};
    answer.pair("billed", ok ? std::optional{stopped.billed.count()} : std::nullopt);
    answer.pair("status", text_of(stopped.status));
    answer.pair("flags", flags);
    answer.pair("record", record_id(stopped.record).view());
    answer.pair("dup", stopped.duplicate);
}

std::size_t pairs_of(const Derivation& derivation) noexcept {
    return 1 + (kPairsPerLevel + 1) * derivation.size();
}

void write_derivation(Answer& answer, const Derivation& levels) {
    answer.pair("levels", static_cast<std::int64_t>(levels.size()));
    for (std::size_t i = 0; i < levels.size(); ++i) {
        const LevelView& level = levels[i];
        answer.pair("party", level.party->id);
        answer.pair("tariff", level.tariff);
        answer.pair("version", level.version == 0 ? std::string_view{}
                                                  : rating::format_decimal(level.version, 0).view());
        if (!level.rated) {
            for (const auto* const name : {"prefix", "destination", "price", "connect_fee", "billed", "cost",
                                           "affordable", "margin"}) {
                answer.pair(name, std::string_view{});
            }
            continue;
        }
        answer.pair("prefix", level.prefix);
        answer.pair("destination", level.destination);
        answer.pair("price", level.price);
        answer.pair("connect_fee", level.connect_fee);
        answer.pair("billed", level.billed.count());
        const auto cost =
            level.cost == rating::kCostTooLarge ? rating::ShortText{} : rating::format(level.cost);
        answer.pair("cost", cost.view());
        if (level.affordable_seconds == balance::SessionLevel::kAffordableUnlimited) {
            answer.pair("affordable", "unlimited");
        } else {
            answer.pair("affordable", std::int64_t{level.affordable_seconds});
        }
        answer.pair("margin", margin_of(level, i > 0 ? &levels[i - 1] : nullptr).view());
    }
    // Behind all levels, so that each of them keeps the shape it has always had.
    for (const LevelView& level : levels)
        answer.pair("derivation", level.words);
}

}  // namespace tollgate::daemon::commands
