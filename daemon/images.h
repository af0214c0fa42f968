/// What administration changes, as bytes: for events and snapshots.
///
/// What is read is what was written, by this version or an earlier one; a reader that is not good()
/// afterwards means damage. Tariffs are named by their places in the book, dial plans by their names.
#pragma once

#include "balance/bytes.h"
#include "balance/party_table.h"
#include "daemon/destination_groups.h"
#include "daemon/dial_plan.h"
#include "daemon/time_zones.h"
#include "rating/tariff_version.h"

namespace tollgate::daemon {

using balance::ByteReader;
using balance::ByteWriter;

void write_settings(const rating::TariffSettings& settings, ByteWriter& out);
[[nodiscard]] rating::TariffSettings read_settings(ByteReader& in, const TimeZones& zones);

void write_file(const rating::DeckFile& file, ByteWriter& out);
[[nodiscard]] rating::DeckFile read_file(ByteReader& in);

void write_origin(const rating::Origin& origin, ByteWriter& out);
[[nodiscard]] rating::Origin read_origin(ByteReader& in);

void write_plan(const DialPlan& plan, ByteWriter& out);
[[nodiscard]] DialPlan read_plan(ByteReader& in);

void write_group(const DestinationGroup& group, ByteWriter& out);
[[nodiscard]] DestinationGroup read_group(ByteReader& in);

/// Everything of a party but its money. What limits point to (zone, list of countries) is for whoever reads
/// it to find.
void write_party(const balance::PartySource& party, const balance::TariffLists& lists, const DialPlans& plans,
                 ByteWriter& out);
[[nodiscard]] balance::PartySource read_party(ByteReader& in, balance::TariffLists& lists, DialPlans& plans);

}  // namespace tollgate::daemon
