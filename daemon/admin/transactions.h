/// The transactions of money outside calls, as lists: of everybody, of one party, and one with its postings.
#pragma once

#include <string_view>
#include <utility>

#include "daemon/admin/listing.h"
#include "daemon/admin/router.h"
#include "daemon/admin/services.h"

namespace tollgate::daemon::admin {

/// Any thread may call any member. A transaction is seen by whoever has a party in his subtree whose balance
/// it moved, and so far as it is about parties of that subtree. Customers see no memos: those are for whoever
/// wrote them.
class Transactions {
  public:
    explicit Transactions(Services services) : services_(std::move(services)) {}

    /// The newest first. Filters: party, kind, actor, from, until.
    [[nodiscard]] Response list(const Request& request) const;
    /// Those of one party, with what its own balance was after each.
    [[nodiscard]] Response list_of(const Request& request, std::string_view party) const;
    [[nodiscard]] Response get(const Request& request, std::string_view id) const;

  private:
    [[nodiscard]] Response page(const Request& request, const Listing& listing, std::string_view party) const;

    Services services_;
};

}  // namespace tollgate::daemon::admin
