/// `/v1/numbers`: the pools of numbers that customers may have.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "daemon/admin/fields.h"
#include "daemon/admin/json.h"
#include "daemon/admin/router.h"
#include "daemon/admin/services.h"

namespace tollgate::daemon::admin {

/// What is to become of a number.
struct AssignmentFields {
    std::string number;  ///< Of an entry of a list.
    std::string customer;
    std::string line;
    std::string renewal = "suspend";
};
/// One entry of a list of numbers to be assigned: a text, or an object with `id`, `line` and `renewal`.
[[nodiscard]] AssignmentFields read_assignment(const JsonValue& value, FieldFaults& faults);

/// Any thread may call any member. docs/openapi.yaml has the answers.
class Numbers {
  public:
    explicit Numbers(Services services) : services_(std::move(services)) {}

    void add_to(Router& router) const;

    [[nodiscard]] Response list(const Request& request) const;
    /// All or none; 409 where one is in a pool already.
    [[nodiscard]] Response add(const Request& request) const;
    [[nodiscard]] Response get(std::string_view id) const;
    /// 409 while it is assigned.
    [[nodiscard]] Response remove(const Request& request, std::string_view id) const;
    /// 409 where it is not spare: of two who race for it one gets it.
    [[nodiscard]] Response assign(const Request& request, std::string_view id) const;
    [[nodiscard]] Response give_back(const Request& request, std::string_view id) const;

  private:
    void write_number(JsonWriter& json, const PoolNumber& number) const;
    [[nodiscard]] Response shown(unsigned status, const PoolNumber& number,
                                 const PaymentAnswer* payment) const;

    Services services_;
};

}  // namespace tollgate::daemon::admin
