/// `/v1/classes`: policies that customers and those who sell inherit.
#pragma once

#include <string_view>

#include "daemon/admin/router.h"
#include "daemon/admin/services.h"

namespace tollgate::daemon::admin {

/// Any thread may call any member. What a class says is in force for its members at once: nothing is copied.
class Classes {
  public:
    explicit Classes(Services services) : services_(std::move(services)) {}

    /// Those of the reader's own subtree.
    [[nodiscard]] Response list(const Request& request) const;
    /// 201 with the class, which is the reader's own party's; 409 where the id is taken; 422.
    [[nodiscard]] Response create(const Request& request) const;
    /// 200 with its ETag; 404.
    [[nodiscard]] Response get(const Request& request, std::string_view id) const;
    /// 200 with the class; 404; 412; 422.
    [[nodiscard]] Response change(const Request& request, std::string_view id) const;
    /// 204; 404; 409 as long as it has members; 412.
    [[nodiscard]] Response remove(const Request& request, std::string_view id) const;

  private:
    /// nullopt where there is none, or none for the reader.
    [[nodiscard]] std::optional<CustomerClass> find(const Request& request, std::string_view id) const;
    [[nodiscard]] bool is_for(const Request& request, const CustomerClass& shown) const;

    Services services_;
};

}  // namespace tollgate::daemon::admin
