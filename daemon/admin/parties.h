/// `/v1/parties`: who pays, sells and calls.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/admin/router.h"
#include "daemon/admin/services.h"
#include "daemon/partners/party_rules.h"

namespace tollgate::daemon::admin {

/// Any thread may call any member; what changes something takes effect with the next call that asks.
class Parties {
  public:
    explicit Parties(Services services)
        : services_(std::move(services)),
          rules_(services_.registry, services_.profile_index, services_.catalog.parties()) {}

    /// A page of those that the reader may see, or all that was searched as CSV; 422 names the part of the
    /// query that is wrong.
    [[nodiscard]] Response list(const Request& request) const;
    /// 201 with the party, its Location and its ETag; 409 where the id, the code or a distributor's name is
    /// taken; 422 names every faulty field.
    [[nodiscard]] Response create(const Request& request) const;
    /// One party a line, all of them or none: 200 with their number; 422 names lines and fields.
    [[nodiscard]] Response import(const Request& request) const;
    /// 200 with the party, its money and its ETag; 404.
    [[nodiscard]] Response get(const Request& request, std::string_view id) const;
    /// All of the change or nothing: 200 with the party; 403 for what is only changed from above; 404; 409
    /// where it is closed or what is to be unique is taken; 412 where it has been changed since; 422.
    [[nodiscard]] Response change(const Request& request, std::string_view id) const;
    /// Closes it and everyone below it for good: 200 with the party; 404; 409 for the provider; 412.
    [[nodiscard]] Response close(const Request& request, std::string_view id) const;
    /// The same for several, all of them or none: 200 with how many were closed and whose money is left.
    [[nodiscard]] Response close_several(const Request& request) const;

  private:
    /// The party as it is now.
    [[nodiscard]] Response shown_party(unsigned status, const Request& request, balance::PartyId id) const;
    /// Of each draft the image of its profile; empty, or none for the last ones, where it has none.
    using Images = std::vector<std::string>;
    /// Adds parties with their profiles as one event.
    [[nodiscard]] std::vector<Fault> add(std::span<const PartyDraft> drafts, const Images& profiles,
                                         Moment now) const;
    /// Draws ids for those without one, and checks profiles against what there is and against each other.
    [[nodiscard]] std::vector<Fault> prepare(std::span<PartyDraft> drafts, Images& profiles) const;
    /// Ten digits that are nobody's id, and none of those that `taken` says.
    [[nodiscard]] std::string draw_id(const std::function<bool(const std::string&)>& taken) const;
    /// Whether anything of it is there for the reader.
    [[nodiscard]] bool is_visible(const Request& request, balance::PartyId id) const;

    Services services_;
    PartyRules rules_;
};

/// 404.
[[nodiscard]] Response unknown_party(std::string_view id);

}  // namespace tollgate::daemon::admin
