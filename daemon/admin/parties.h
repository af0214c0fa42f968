/// `/v1/parties`: who pays, sells and calls.
#pragma once

#include <string_view>

#include "daemon/admin/router.h"
#include "daemon/admin/services.h"

namespace tollgate::daemon::admin {

/// Any thread may call any member; what changes something takes effect with the next call that asks.
class Parties {
  public:
    explicit Parties(Services services) : services_(std::move(services)) {}

    /// 201 with the party and its Location; 409 where the id is taken; 422 names every faulty field.
    [[nodiscard]] Response create(const Request& request) const;
    /// One party a line, all of them or none: 200 with their number; 422 names lines and fields.
    [[nodiscard]] Response import(const Request& request) const;
    /// 200 with the party and its money; 404.
    [[nodiscard]] Response get(std::string_view id) const;
    /// All of the change or nothing: 200 with the party; 404; 409 where it is closed; 422.
    [[nodiscard]] Response change(const Request& request, std::string_view id) const;
    /// Closes it for good: 200 with the party; 404; 409 for the provider.
    [[nodiscard]] Response close(std::string_view id) const;

  private:
    /// The party as it is now.
    [[nodiscard]] Response shown_party(unsigned status, balance::PartyId id) const;

    Services services_;
};

/// 404.
[[nodiscard]] Response unknown_party(std::string_view id);

}  // namespace tollgate::daemon::admin
