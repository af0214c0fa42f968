/// `/v1/account-drafts`: an account in two steps. Nothing of it exists, and nothing is billed, before it is
/// submitted; then all of it does, or none.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "daemon/admin/fields.h"
#include "daemon/admin/json.h"
#include "daemon/admin/router.h"
#include "daemon/admin/services.h"

namespace tollgate::daemon::admin {

/// Any thread may call any member. docs/openapi.yaml has the answers.
///
/// A draft is an object: `seller` (the reader's own party), `customer` and `lines` with the fields of
/// parties, `credit`, `plan`, `numbers` and `bundles`. What is wrong with it is shown, and hinders only its
/// submission.
class AccountDrafts {
  public:
    explicit AccountDrafts(Services services) : services_(std::move(services)) {}

    void add_to(Router& router) const;

    [[nodiscard]] Response create(const Request& request) const;
    [[nodiscard]] Response get(std::string_view id) const;
    /// Fields that are named replace what was there; null takes one away.
    [[nodiscard]] Response change(const Request& request, std::string_view id) const;
    [[nodiscard]] Response remove(const Request& request, std::string_view id) const;
    [[nodiscard]] Response submit(const Request& request, std::string_view id) const;

  private:
    [[nodiscard]] std::optional<AccountDraft> find(std::string_view id) const;
    [[nodiscard]] Response shown_draft(unsigned status, const AccountDraft& draft) const;
    /// What a draft comes to; faults with the places where they are.
    [[nodiscard]] Shop::Account read(const AccountDraft& draft, FieldFaults& faults) const;
    [[nodiscard]] Response shown_account(const Request& request, const PaymentAnswer& payment) const;

    Services services_;
};

}  // namespace tollgate::daemon::admin
