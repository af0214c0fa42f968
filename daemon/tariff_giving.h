/// Which tariffs a party may be given.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "balance/party.h"
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

/// Who is to be given a tariff, as far as that decides.
struct TariffTaker {
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

}  // namespace tollgate::daemon
