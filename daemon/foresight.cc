#include "daemon/foresight.h"

#include <algorithm>
#include <span>

#include "daemon/dial_plan.h"

namespace tollgate::daemon {
namespace {

using balance::kNoParty;

bool is_digits(std::string_view text) noexcept {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

void Foresight::expect_opening(std::string_view line, std::string_view destination,
                               std::string_view session_key) noexcept {
    if (count_ == kCallsMax) return;
    const std::string_view dialled = Dialling::without_plus(destination);
    calls_[count_++] = {.session = sessions_.hash_of(session_key),
                        .line = parties_.hash_of(line),
                        .digits = is_digits(dialled) ? dialled : std::string_view{},
                        .opens = true,
                        .party = kNoParty,
                        .place = 0,
                        .tariffs = {},
                        .levels = 0};
}

void Foresight::expect_session(std::string_view session_key) noexcept {
    if (count_ == kCallsMax) return;
    calls_[count_++] = {.session = sessions_.hash_of(session_key),
                        .line = 0,
                        .digits = {},
                        .opens = false,
                        .party = kNoParty,
                        .place = 0,
                        .tariffs = {},
                        .levels = 0};
}

void Foresight::fetch() noexcept {
    const std::span<Call> calls = std::span{calls_}.first(count_);
    count_ = 0;
    const auto reading = tariffs_.read();
    for (const Call& call : calls) {
        sessions_.fetch_stripe(call.session);
        if (!call.opens) continue;
        parties_.fetch_slot(call.line);
        reading.fetch_place(call.digits);
    }
    for (Call& call : calls) {
        sessions_.fetch_slot(call.session);
        if (!call.opens) continue;
        call.party = parties_.likely(call.line);
        if (call.party != kNoParty) parties_.fetch(call.party);
        reading.fetch_longer(call.digits);
    }
    for (Call& call : calls) {
        const bool is_known = sessions_.fetch_session(call.session);
        if (!call.opens || call.party == kNoParty) continue;
        const balance::Party& line = parties_.get(call.party);
        if (!is_known) sessions_.fetch_room(call.session, line.depth);
        __builtin_prefetch(line.id.data());
        if (line.parent != kNoParty) parties_.fetch(line.parent);
        call.place = reading.place(call.digits);
    }
    for (Call& call : calls) {
        if (call.opens) {
            find_tariffs(call, reading);
        } else {
            call.party = sessions_.fetch_rates(call.session);
            if (call.party != kNoParty) parties_.fetch(call.party);
        }
    }
    for (const Call& call : calls) {
        for (std::size_t i = 0; i < call.levels; ++i)
            reading.fetch_rate(call.tariffs[i], call.place);
        if (call.opens || call.party == kNoParty) continue;
        const balance::PartyId customer = parties_.get(call.party).parent;
        if (customer != kNoParty) parties_.fetch(customer);
    }
}

void Foresight::find_tariffs(Call& call, const rating::TariffBook::Reading& reading) const noexcept {
    if (call.party == kNoParty) return;
    // Whoever has several tariffs has most calls by the one for all of them.
    const balance::CallTraits any{};
    for (auto above = parties_.get(call.party).parent; above != kNoParty && call.levels < kLevelsMax;
         above = parties_.get(above).parent) {
        const balance::Party& party = parties_.get(above);
        if (!party.pays_for_calls()) continue;
        const auto tariff = parties_.tariff_lists().match(party.tariff.load(std::memory_order_acquire), any);
        if (tariff == rating::kNoTariff) continue;
        call.tariffs[call.levels++] = tariff;
        reading.fetch_entrance(tariff, call.place);
    }
}

}  // namespace tollgate::daemon
