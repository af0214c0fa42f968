/// A party as it is shown.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/admin/csv.h"
#include "daemon/admin/json.h"
#include "daemon/admin/services.h"

namespace tollgate::daemon::admin {

/// How much of a party somebody sees.
enum class PartyView : std::uint8_t {
    none,    ///< As if there were no such party.
    tagged,  ///< Who it is: for the partner with whose code it came, the distributor it was assigned to.
    own,     ///< All but what those above note down for themselves.
    whole,
};
[[nodiscard]] PartyView view_of(const Services& services, const Actor& reader, balance::PartyId id);

/// One object. Requires: not PartyView::none.
void write_party(JsonWriter& json, const Services& services, balance::PartyId id,
                 PartyView view = PartyView::whole);

/// Of all that administration may change of it.
[[nodiscard]] std::string etag_of_party(const Services& services, balance::PartyId id);

/// The names of all that a party may show, as a row.
void write_party_columns(CsvWriter& csv);
/// A party as a row; empty cells for what is not shown, lists behind semicolons.
void write_party_row(CsvWriter& csv, JsonReader& reader, const Services& services, balance::PartyId id,
                     PartyView view);

}  // namespace tollgate::daemon::admin
