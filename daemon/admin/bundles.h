/// `/v1/parties/{id}/bundles`: free seconds that a party holds.
#pragma once

#include <string_view>

#include "daemon/admin/fields.h"
#include "daemon/admin/json.h"
#include "daemon/admin/router.h"
#include "daemon/admin/services.h"

namespace tollgate::daemon::admin {

/// What an object says of a bundle.
[[nodiscard]] BundleDraft read_bundle(const JsonValue& object, FieldFaults& faults);

/// Any thread may call any member; a bundle pays for calls that are authorised after the answer.
class Bundles {
  public:
    explicit Bundles(const Services& services) : services_(services) {}

    /// 201 with the bundle; 200 where the very same one is there already; 404; 409 where another of that id
    /// is there or the party is closed; 422 names every faulty field.
    [[nodiscard]] Response add(const Request& request, std::string_view id) const;
    /// 200 with `{"bundles":[…]}` in the order in which they pay; 404.
    [[nodiscard]] Response list(std::string_view id) const;

  private:
    Services services_;
};

}  // namespace tollgate::daemon::admin
