#include "daemon/admin/audit.h"

#include "daemon/admin/listing.h"
#include "rating/decimal.h"

namespace tollgate::daemon::admin {
namespace {

/// What the entry has is JSON already.
void write_image(JsonWriter& json, const std::string& image) {
    image.empty() ? json.null() : json.number(image);
}

}  // namespace

Response Audit::list(const Request& request) const {
    auto listing = Listing::read(request, {"actor", "party", "operation"});
    if (listing.refusal) return *std::move(listing.refusal);
    std::uint64_t before = 0;
    if (!listing.cursor.empty()) {
        const auto number = rating::parse_unsigned(listing.cursor, INT64_MAX);
        if (!number || *number == 0) return wrong_cursor(listing.cursor);
        before = static_cast<std::uint64_t>(*number);
    }
    const auto& parties = services_.catalog.parties();
    const auto is = [&](std::string_view name, std::string_view value) {
        const std::string_view wanted = listing.filter(name);
        return wanted.empty() || wanted == value;
    };
    const auto belongs = [&](const AuditEntry& entry) {
        if (!is("actor", entry.actor) || !is("party", entry.party) || !is("operation", entry.operation))
            return false;
        if (entry.party.empty()) return request.actor.party == parties.root();
        const auto relation = directory_->relation(request.actor.party, parties.find(entry.party));
        return relation == access::Relation::self || relation == access::Relation::below;
    };
    PageWriter page{"entries"};
    std::size_t rows = 0;
    std::size_t looks = 0;
    std::uint64_t last = 0;
    bool more = false;
    services_.registry.audit.visit_back(before, [&](const AuditEntry& entry) {
        if (rows == listing.limit || looks == kBookLooksMax) {
            more = true;
            return false;
        }
        ++looks;
        last = entry.number;
        if (!belongs(entry)) return true;
        ++rows;
        JsonWriter& json = page.row();
        json.open_object().name("number").whole(entry.number);
        json.name("at").text(rating::format(entry.at));
        json.name("actor").text(entry.actor).name("operation").text(entry.operation);
        json.name("party").text_or_null(entry.party).name("target").text(entry.target);
        json.name("before");
        write_image(json, entry.before);
        json.name("after");
        write_image(json, entry.after);
        json.close_object();
        return true;
    });
    return page.done(more ? std::to_string(last) : std::string{});
}

}  // namespace tollgate::daemon::admin
