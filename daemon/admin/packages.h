/// `/v1/packages`, what resellers sell on of them, catalogues, and the packages that customers have.
#pragma once

#include <string_view>
#include <utility>

#include "daemon/admin/router.h"
#include "daemon/admin/services.h"

namespace tollgate::daemon::admin {

/// Any thread may call any member. docs/openapi.yaml has the answers.
class Packages {
  public:
    explicit Packages(Services services) : services_(std::move(services)) {}

    void add_to(Router& router) const;

    [[nodiscard]] Response list(const Request& request) const;
    /// Belongs to the reader's party. 409 where the id is taken.
    [[nodiscard]] Response create(const Request& request) const;
    [[nodiscard]] Response get(std::string_view id) const;
    [[nodiscard]] Response change(const Request& request, std::string_view id) const;

    [[nodiscard]] Response offers(std::string_view reseller) const;
    /// 404 where nobody above offers it to him; 422 for a commission reseller who names a price.
    [[nodiscard]] Response put_offer(const Request& request, std::string_view reseller,
                                     std::string_view package) const;
    [[nodiscard]] Response remove_offer(const Request& request, std::string_view reseller,
                                        std::string_view package) const;

    [[nodiscard]] Response catalogues(const Request& request) const;
    [[nodiscard]] Response put_catalogue(const Request& request, std::string_view id) const;
    /// What a customer may buy.
    [[nodiscard]] Response catalogue_of(std::string_view customer) const;

    [[nodiscard]] Response subscriptions(std::string_view customer) const;
    [[nodiscard]] Response activate(const Request& request, std::string_view customer) const;
    [[nodiscard]] Response renew(const Request& request, std::string_view id) const;
    [[nodiscard]] Response cancel(const Request& request, std::string_view id) const;

  private:
    [[nodiscard]] Response shown_subscription(unsigned status, std::string_view id,
                                              const PaymentAnswer* payment) const;

    Services services_;
};

}  // namespace tollgate::daemon::admin
