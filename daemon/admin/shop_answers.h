/// What the resources that sell something have in common.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "daemon/admin/bodies.h"
#include "daemon/admin/json.h"
#include "daemon/admin/money.h"
#include "daemon/admin/router.h"
#include "daemon/admin/services.h"

namespace tollgate::daemon::admin {

/// 404, 409 or 422.
[[nodiscard]] Response refused(const ShopFault& fault);
/// A problem where nothing was sold; nullopt where it was. 402 names who cannot pay only to those who may
/// know of him.
[[nodiscard]] std::optional<Response> refusal_of(const Services& services, const Request& request,
                                                 const Shop::Answer& answer);

/// `txn` and `dup`, inside an object that is open.
void write_sale(JsonWriter& json, const PaymentAnswer& payment);

/// Whether a party lies in the reader's subtree.
[[nodiscard]] bool is_in_reach(const Services& services, const Request& request, std::string_view party);

/// The body's object, or why there is none. An empty body is an empty object.
class ObjectBody {
  public:
    explicit ObjectBody(const Request& request);
    [[nodiscard]] const std::optional<Response>& refusal() const noexcept { return refusal_; }
    [[nodiscard]] const JsonValue& object() const noexcept { return *object_; }

  private:
    JsonReader reader_;
    const JsonValue* object_ = nullptr;
    std::optional<Response> refusal_;
};

}  // namespace tollgate::daemon::admin
