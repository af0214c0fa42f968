/// Which tariffs a party may be given.
///
/// A tariff without an owner may be given to everyone. One with an owner may be given only to those whose
/// seller he is: the nearest party above them that is the provider or a margin reseller. So it never comes to
/// the owner himself.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "balance/party_table.h"
#include "balance/tariff_lists.h"
#include "rating/tariff_book.h"

namespace tollgate::daemon {

/// One entry of a party's tariffs as an operator writes it.
struct TariffEntryDraft {
    std::string service{balance::kVoice};
    std::vector<std::string> from_prefixes;  ///< Empty: any caller.
    std::string tariff;

    friend bool operator==(const TariffEntryDraft&, const TariffEntryDraft&) = default;
};

/// Whether a party of this kind sells by tariffs of its own; distributors and commission resellers sell by
/// those of whoever is above them.
[[nodiscard]] constexpr bool sells_by_tariff(balance::PartyKind kind, balance::Terms terms) noexcept {
    return kind == balance::PartyKind::provider ||
           (kind == balance::PartyKind::reseller && terms == balance::Terms::margin);
}

/// The nearest party from `from` up that sells by tariff. Requires: a party of the table.
[[nodiscard]] std::string_view seller_from(const balance::PartyTable& parties,
                                           balance::PartyId from) noexcept;

/// Who is to be given a tariff, as far as that decides.
struct TariffTaker {
    /// Of a party of the table.
    [[nodiscard]] static TariffTaker of(const balance::PartyTable& parties,
                                        const balance::Party& party) noexcept;

    std::string_view id;
    std::string_view seller;  ///< Empty: none, as the provider has none.
    balance::PartyKind kind = balance::PartyKind::customer;
    balance::Terms terms = balance::Terms::margin;
    rating::Currency currency;
};

/// The entries with their tariffs found, or what is wrong: one of the two is empty, both for no entries.
struct GivenTariffs {
    std::vector<balance::TariffEntry> entries;
    std::vector<std::string> faults;
};

/// Whether a list of drafts may be a party's. Takes the tariff book's lock: for administration.
[[nodiscard]] GivenTariffs give_tariffs(const rating::TariffBook& tariffs, const TariffTaker& taker,
                                        const std::vector<TariffEntryDraft>& drafts);

/// Why a taker may not have a tariff of this owner; empty where he may.
[[nodiscard]] std::string ownership_fault(std::string_view tariff, std::string_view owner,
                                          const TariffTaker& taker);

}  // namespace tollgate::daemon
