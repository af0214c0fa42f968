/// The settings of a tariff as JSON, the way PUT /v1/tariffs/{id} takes them and GET shows them.
///
/// Functions of their arguments alone; any thread may call them.
#pragma once

#include "daemon/admin/fields.h"
#include "daemon/admin/json.h"
#include "daemon/time_zones.h"
#include "rating/tariff.h"
#include "rating/tariff_version.h"

namespace tollgate::daemon::admin {

/// Takes every field of `object` into `settings`; what is absent or null stays as it is. The zone is only
/// named: find_zone comes next. A fault for every field that is unknown or no good, and for what is no
/// object.
void read_settings(const JsonValue& object, rating::TariffSettings& settings, FieldFaults& faults);

/// Looks up the zone that the settings name; a fault where there is none of that name.
void find_zone(const TimeZones& zones, rating::TariffSettings& settings, FieldFaults& faults);

/// Name, number and settings of a version, into an object that is open.
void write_settings(JsonWriter& json, const rating::TariffVersion& version);

}  // namespace tollgate::daemon::admin
