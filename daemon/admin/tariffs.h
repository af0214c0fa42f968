/// `/v1/tariffs/{id}` and `/v1/tariffs/{id}/deck`: what calls cost.
#pragma once

#include <string_view>

#include "daemon/admin/router.h"
#include "daemon/admin/services.h"

namespace tollgate::daemon::admin {

/// Any thread may call any member. A tariff that is put is in force for the next call; running ones keep
/// theirs.
class Tariffs {
  public:
    explicit Tariffs(const Services& services) : services_(services) {}

    /// 200 with settings, version, rows and prefixes; 404.
    [[nodiscard]] Response get(std::string_view id) const;
    /// 201 or 200 with the settings as stored; 422 names every faulty field.
    [[nodiscard]] Response put(const Request& request, std::string_view id) const;
    /// 200 with the new version; 422 names every faulty row, and the deck in force stays.
    [[nodiscard]] Response put_deck(const Request& request, std::string_view id) const;

  private:
    [[nodiscard]] rating::Origin origin() const;

    Services services_;
};

}  // namespace tollgate::daemon::admin
