/// What was read, written again.
#pragma once

#include "daemon/admin/json.h"

namespace tollgate::daemon::admin {

/// The value as it stands: a number keeps its digits, fields keep their order.
void write_value(JsonWriter& json, const JsonValue& value);

}  // namespace tollgate::daemon::admin
