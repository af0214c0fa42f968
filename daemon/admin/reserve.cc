#include "daemon/admin/reserve.h"

#include <string>

#include "daemon/admin/json.h"
#include "daemon/reserve.h"

namespace tollgate::daemon::admin {
namespace {

std::string json_of(const Reserve::Standing& standing) {
    JsonWriter json;
    json.open_object().name("amount").text(rating::format(standing.amount));
    json.name("parties").whole(standing.parties).name("since");
    standing.parties == 0 ? json.null() : json.text(rating::format(standing.since));
    json.close_object();
    return json.take();
}

}  // namespace

Response ReserveResource::get() const {
    return json_response(200, json_of(services_.reserve->standing().value_or(Reserve::Standing{})));
}

Response ReserveResource::release() const {
    const auto released = services_.reserve->release(now_of(services_));
    if (!released)
        return problem({.status = 409, .detail = "nothing is held back: there is no reserve to release"});
    return json_response(200, json_of(*released));
}

}  // namespace tollgate::daemon::admin
