#include "daemon/admin/audit.h"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "daemon/admin/json_copy.h"
#include "daemon/admin/listing.h"
#include "rating/decimal.h"

namespace tollgate::daemon::admin {
namespace {

/// Of what somebody above the reader did: what is said among those above, and who else is there.
constexpr std::array<std::string_view, 6> kFromAbove = {"comment", "memo",         "target",
                                                        "of",      "collected_by", "distributor"};
/// Of what his own people did to his own party.
constexpr std::array<std::string_view, 1> kOfHimself = {"comment"};
using Hidden = std::span<const std::string_view>;

/// The value without its hidden fields, however deep they stand.
void write_without(JsonWriter& json, const JsonValue& value, Hidden hidden) {
    if (value.kind == JsonValue::Kind::list) {
        json.open_list();
        for (const JsonValue& element : value.children())
            write_without(json, element, hidden);
        json.close_list();
    } else if (value.kind == JsonValue::Kind::object) {
        json.open_object();
        for (const JsonValue& field : value.children()) {
            if (std::find(hidden.begin(), hidden.end(), field.name) != hidden.end()) continue;
            json.name(field.name);
            write_without(json, field, hidden);
        }
        json.close_object();
    } else {
        write_value(json, value);
    }
}

/// What the entry has is JSON already.
void write_image(JsonWriter& json, JsonReader& reader, const std::string& image, Hidden hidden) {
    const bool is_whole = hidden.empty();
    const JsonValue* const value = image.empty() || is_whole ? nullptr : reader.read(image);
    if (value != nullptr) {
        write_without(json, *value, hidden);
    } else if (image.empty() || !is_whole) {
        json.null();
    } else {
        json.number(image);
    }
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
    std::vector<AuditEntry> shown;
    std::size_t looks = 0;
    std::uint64_t last = 0;
    bool more = false;
    services_.registry.audit.visit_back(before, [&](const AuditEntry& entry) {
        if (shown.size() == listing.limit || looks == kBookLooksMax) {
            more = true;
            return false;
        }
        ++looks;
        last = entry.number;
        if (belongs(entry)) shown.push_back(entry);
        return true;
    });
    const auto hidden_of = [&](const AuditEntry& entry) -> Hidden {
        if (request.actor.party == parties.root() || request.actor.login.empty()) return {};
        // Who is not known any more, and who is no person, is above everybody.
        const auto actor = services_.registry.people.find(entry.actor);
        if (!actor || !parties.is_in_subtree(parties.find(actor->party), request.actor.party))
            return kFromAbove;
        return parties.find(entry.party) == request.actor.party ? Hidden{kOfHimself} : Hidden{};
    };
    PageWriter page{"entries"};
    JsonReader reader;
    for (const AuditEntry& entry : shown) {
        const Hidden hidden = hidden_of(entry);
        JsonWriter& json = page.row();
        json.open_object().name("number").whole(entry.number);
        json.name("at").text(rating::format(entry.at));
        json.name("actor").text(entry.actor).name("operation").text(entry.operation);
        json.name("party").text_or_null(entry.party).name("target").text(entry.target);
        json.name("before");
        write_image(json, reader, entry.before, hidden);
        json.name("after");
        write_image(json, reader, entry.after, hidden);
        json.close_object();
    }
    return page.done(more ? std::to_string(last) : std::string{});
}

}  // namespace tollgate::daemon::admin
