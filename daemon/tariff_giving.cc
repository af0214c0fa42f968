#include "daemon/tariff_giving.h"

#include <algorithm>

#include "config/values.h"

namespace tollgate::daemon {
namespace {

using balance::PartyKind;
using balance::Terms;
using config::quoted;

/// Who pays for no calls, as a message names him; empty for who does.
std::string_view pays_nothing(const TariffTaker& taker) noexcept {
    switch (taker.kind) {
        case PartyKind::provider:
        case PartyKind::customer:
            return {};
        case PartyKind::reseller:
            return taker.terms == Terms::margin ? std::string_view{} : "commission reseller";
        case PartyKind::distributor:
            return "distributor";
        case PartyKind::partner:
            return "partner";
        case PartyKind::line:
            return "line";
    }
    std::abort();  // Not an enumerator: memory is corrupt.
}

/// What is wrong with an entry but for its tariff; empty where nothing is.
std::string fault_of(const TariffEntryDraft& entry) {
    if (!balance::is_service(entry.service)) {
        return "service " + quoted(entry.service) + ": expected 1 to " +
               std::to_string(balance::kServiceBytesMax) + " of a-z 0-9 _ -";
    }
    if (entry.from_prefixes.size() > balance::kFromPrefixesMax) {
        return "from_prefixes: " + std::to_string(entry.from_prefixes.size()) +
               " of them; expected at most " + std::to_string(balance::kFromPrefixesMax);
    }
    const auto odd = std::find_if_not(entry.from_prefixes.begin(), entry.from_prefixes.end(),
                                      [](const std::string& prefix) { return balance::is_prefix(prefix); });
    if (odd == entry.from_prefixes.end()) return {};
    return "from_prefixes: " + quoted(*odd) + ": expected 1 to " + std::to_string(balance::kPrefixDigitsMax) +
           " digits without +";
}

/// Why the taker may not have this tariff; empty where he may.
std::string fault_of(const rating::TariffBook& tariffs, const TariffTaker& taker, const std::string& name,
                     std::optional<rating::TariffId> id) {
    const auto version = id ? tariffs.current(*id) : nullptr;
    // Somebody else's is no other than one that is not there: who asks may not know of either.
    if (version == nullptr || !ownership_fault(name, version->settings.owner, taker).empty())
        return quoted(name) + ": no such tariff; PUT /v1/tariffs/{id} makes one";
    const auto theirs = version->settings.currency;
    // Without one its parent is not known, which is a fault of its own.
    if (theirs == taker.currency || taker.currency.view().empty()) return {};
    return quoted(name) + " is in " + std::string{theirs.view()} + "; the party pays in " +
           std::string{taker.currency.view()};
}

}  // namespace

std::string_view seller_from(const balance::PartyTable& parties, balance::PartyId from) noexcept {
    for (balance::PartyId id = from; id != balance::kNoParty; id = parties.get(id).parent) {
        const balance::Party& party = parties.get(id);
        if (sells_by_tariff(party.kind, party.terms)) return party.id;
    }
    return {};
}

TariffTaker TariffTaker::of(const balance::PartyTable& parties, const balance::Party& party) noexcept {
    return {.id = party.id,
            .seller = seller_from(parties, party.parent),
            .kind = party.kind,
            .terms = party.terms,
            .currency = party.currency};
}

std::string ownership_fault(std::string_view tariff, std::string_view owner, const TariffTaker& taker) {
    if (owner.empty() || owner == taker.seller) return {};
    std::string fault = quoted(tariff) + " belongs to " + quoted(owner) +
                        " and may be given only to those who buy from " + quoted(owner) + "; ";
    if (owner == taker.id) return fault + "it is never its owner's own";
    if (taker.seller.empty()) return fault + quoted(taker.id) + " buys from nobody";
    return fault + quoted(taker.id) + " buys from " + quoted(taker.seller);
}

GivenTariffs give_tariffs(const rating::TariffBook& tariffs, const TariffTaker& taker,
                          const std::vector<TariffEntryDraft>& drafts) {
    GivenTariffs given;
    if (drafts.empty()) return given;
    if (const auto nobody = pays_nothing(taker); !nobody.empty()) {
        given.faults.push_back("a " + std::string{nobody} + " pays for no calls and has no tariff");
        return given;
    }
    if (drafts.size() > balance::kTariffEntriesMax) {
        given.faults.push_back(std::to_string(drafts.size()) + " entries; expected at most " +
                               std::to_string(balance::kTariffEntriesMax));
        return given;
    }
    for (std::size_t i = 0; i < drafts.size(); ++i) {
        const TariffEntryDraft& draft = drafts[i];
        const auto id = tariffs.find(draft.tariff);
        std::string fault = fault_of(draft);
        if (fault.empty()) fault = fault_of(tariffs, taker, draft.tariff, id);
        if (fault.empty()) {
            given.entries.push_back({draft.service, draft.from_prefixes, *id});
        } else {
            const bool several = drafts.size() > 1;
            given.faults.push_back((several ? "entry " + std::to_string(i + 1) + ": " : "") + fault);
        }
    }
    if (!given.faults.empty()) given.entries.clear();
    return given;
}

}  // namespace tollgate::daemon
