/// `/v1/quick-forms`: how distributors make accounts.
#pragma once

#include <memory>
#include <string_view>

#include "daemon/access/directory.h"
#include "daemon/admin/router.h"
#include "daemon/admin/services.h"
#include "daemon/partners/sales.h"

namespace tollgate::daemon::admin {

/// A form has fields that are open, which whoever fills it in may give a value, and defaults, which always
/// hold: what has a default is what the default says. Fields are those of a customer; `line` is the line that
/// is made with it, and the default of `line` an object with a line's fields. Where `customer` is open, a
/// line may be added to a customer that is there.
///
/// A line is typed by hand: one that is a number of the pool is refused. Any thread may call any member.
class QuickForms {
  public:
    QuickForms(Services services, std::shared_ptr<const access::Directory> directory)
        : services_(std::move(services)), directory_(std::move(directory)) {}

    void add_to(Router& router);

    /// Those that the reader may use, or that somebody in his subtree has defined.
    [[nodiscard]] Response list(const Request& request) const;
    [[nodiscard]] Response get(std::string_view id) const;
    /// 201 or 200 with the form; 422 names what is wrong.
    [[nodiscard]] Response put(const Request& request, std::string_view id) const;
    [[nodiscard]] Response remove(std::string_view id) const;
    /// 201 with the account and what the distributor owes for it; 402 where he would owe more than he may.
    [[nodiscard]] Response submit(const Request& request, std::string_view id) const;

  private:
    [[nodiscard]] bool is_for(const Request& request, const QuickForm& form) const;

    Services services_;
    std::shared_ptr<const access::Directory> directory_;
};

}  // namespace tollgate::daemon::admin
