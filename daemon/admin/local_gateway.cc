#include "daemon/admin/local_gateway.h"

#include <array>
#include <vector>

#include "daemon/access/signature.h"
#include "daemon/admin/fields.h"
#include "daemon/admin/json.h"

namespace tollgate::daemon::admin {
namespace {

struct Body {
    GatewayNotice notice;
    std::string state;
    std::optional<rating::Money> amount;
    std::optional<rating::Currency> currency;
};

constexpr std::array<Field<Body>, 5> kNoticeFields = {
    {{"intent", [](const JsonValue& value, Body& body,
                   FieldFaults& faults) { body.notice.intent = text_of(value, faults); }},
     {"reference", [](const JsonValue& value, Body& body,
                      FieldFaults& faults) { body.notice.reference = text_of(value, faults); }},
     {"state",
      [](const JsonValue& value, Body& body, FieldFaults& faults) { body.state = text_of(value, faults); }},
     {"amount",
      [](const JsonValue& value, Body& body, FieldFaults& faults) { body.amount = money_of(value, faults); }},
     {"currency", [](const JsonValue& value, Body& body, FieldFaults& faults) {
          body.currency = rating::Currency::parse(text_of(value, faults));
      }}}};

}  // namespace

std::string LocalGateway::url_of(const PaymentIntent& intent) const {
    return url_.empty() ? std::string{} : url_ + intent.id;
}

bool LocalGateway::is_signed(std::string_view signature, std::string_view body) const {
    return access::is_signature(signature, body, secret_);
}

std::optional<GatewayNotice> LocalGateway::read(std::string_view text) const {
    JsonReader reader;
    const JsonValue* const object = reader.read(text);
    if (object == nullptr) return std::nullopt;
    std::vector<RequestFault> all;
    FieldFaults faults{all};
    Body body;
    read_fields(*object, kNoticeFields, Nulls::are_absent, body, faults);
    const bool has_state = body.state == "paid" || body.state == "failed";
    const std::size_t reference = body.notice.reference.size();
    if (!all.empty() || !has_state || !body.amount || !body.currency || reference == 0 ||
        reference > kReferenceBytesMax)
        return std::nullopt;
    body.notice.paid = body.state == "paid";
    body.notice.amount = *body.amount;
    body.notice.currency = *body.currency;
    return std::move(body.notice);
}

}  // namespace tollgate::daemon::admin
