#include "daemon/admin/listing.h"

#include <algorithm>

#include "daemon/admin/bodies.h"
#include "rating/decimal.h"

namespace tollgate::daemon::admin {

Listing Listing::read(const Request& request, std::initializer_list<std::string_view> filters) {
    Listing listing;
    std::vector<RequestFault> faults;
    const auto fault = [&faults](std::string_view name, std::string message) {
        faults.push_back({{}, std::string{name.substr(0, kShownBytesMax)}, std::move(message)});
    };
    listing.csv = request.accept.find("text/csv") != std::string::npos;
    bool has_cursor = false;
    for (const auto& [name, value] : request.query) {
        const std::string shown_value = '"' + value.substr(0, kShownBytesMax) + '"';
        if (name == "limit") {
            const auto limit = rating::parse_unsigned(value, kRowsMax);
            if (!limit || *limit == 0) {
                fault(name, shown_value + ": expected a number from 1 to " + std::to_string(kRowsMax));
            } else if (std::exchange(listing.limited, true)) {
                fault(name, "stands there twice");
            } else {
                listing.limit = *limit;
            }
        } else if (name == "cursor") {
            if (std::exchange(has_cursor, true)) fault(name, "stands there twice");
            listing.cursor = value;
        } else if (std::find(filters.begin(), filters.end(), name) == filters.end()) {
            listing.refusal = problem({.status = 400,
                                       .detail = '"' + name.substr(0, kShownBytesMax) +
                                                 "\": nothing that this list can be searched by"});
            return listing;
        } else if (!listing.filter(name).empty()) {
            fault(name, "stands there twice");
        } else {
            listing.filters.emplace_back(name, value);
        }
    }
    if (!faults.empty()) listing.refusal = invalid(faults);
    return listing;
}

std::string_view Listing::filter(std::string_view name) const noexcept {
    for (const auto& [known, value] : filters) {
        if (known == name) return value;
    }
    return {};
}

Response wrong_filter(std::string_view name, std::string message) {
    const RequestFault fault{{}, std::string{name}, std::move(message)};
    return invalid({&fault, 1});
}

Response wrong_cursor(std::string_view cursor) {
    return wrong_filter("cursor", '"' + std::string{cursor.substr(0, kShownBytesMax)} +
                                      "\": no page of this list ended so; expected the `next` of one");
}

Response csv_response(CsvWriter& csv) {
    return {200, "text/csv; charset=utf-8", csv.take(), {}};
}

}  // namespace tollgate::daemon::admin
