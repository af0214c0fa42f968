/// The contract of the administration, docs/openapi.yaml, as it was when this was built.
#pragma once

#include <string_view>

namespace tollgate {

[[nodiscard]] std::string_view openapi_text();

}  // namespace tollgate
