/// `/v1/tariffs/{id}`: what calls cost, but for the price list, which is decks.h.
#pragma once

#include <string_view>

#include "daemon/admin/router.h"
#include "daemon/admin/services.h"

namespace tollgate::daemon::admin {

/// Any thread may call any member. What is put is in force for the next call; running ones keep
/// theirs.
class Tariffs {
  public:
    explicit Tariffs(const Services& services) : services_(services) {}

    /// 200 with those of the reader's subtree, by their ids; who owns none is the provider's.
    [[nodiscard]] Response list(const Request& request) const;
    /// 200 with settings, version, rows and prefixes; 404.
    [[nodiscard]] Response get(std::string_view id) const;
    /// 201 or 200 with the settings as stored; 422 names every faulty field.
    [[nodiscard]] Response put(const Request& request, std::string_view id) const;

  private:
    Services services_;
};

/// 404 for a tariff that there is not.
[[nodiscard]] Response unknown_tariff(std::string_view id);
/// 503 where TariffBook says too_many.
[[nodiscard]] Response too_many_versions();
/// Whose doing a change is that is made now: `login`'s; `admin` where nobody is declared, who has none.
[[nodiscard]] rating::Origin origin_now(const Services& services, std::string_view login);

}  // namespace tollgate::daemon::admin
