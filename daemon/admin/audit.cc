#include "daemon/admin/audit.h"

#include <algorithm>
#include <array>

#include "daemon/admin/bodies.h"
#include "daemon/admin/json_copy.h"
#include "daemon/admin/listing.h"
#include "rating/decimal.h"

namespace tollgate::daemon::admin {
namespace {

/// What those above say of a party and it does not read.
constexpr std::array<std::string_view, 4> kFromAbove = {"memo", "comment", "target", "collected_by"};

/// What the entry has is JSON already. `whole`: with what those above have for themselves.
void write_image(JsonWriter& json, const std::string& image, bool whole) {
    JsonReader reader;
    const JsonValue* const read = image.empty() || whole ? nullptr : reader.read(image);
    if (read == nullptr || read->kind != JsonValue::Kind::object) {
        image.empty() ? json.null() : json.number(image);
        return;
    }
    json.open_object();
    for (const JsonValue& field : read->children()) {
        if (std::find(kFromAbove.begin(), kFromAbove.end(), field.name) != kFromAbove.end()) continue;
        json.name(field.name);
        write_value(json, field);
    }
    json.close_object();
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
    const bool sees_all = parties.size() == 0 || request.actor.party == parties.root();
    const auto belongs = [&](const AuditEntry& entry) {
        if (!is("actor", entry.actor) || !is("party", entry.party) || !is("operation", entry.operation))
            return false;
        if (entry.party.empty()) return sees_all;
        const auto relation = directory_->relation(request.actor.party, parties.find(entry.party));
        return relation == access::Relation::self || relation == access::Relation::below;
    };
    const auto is_by_own_people = [&](const AuditEntry& entry) {
        const auto person = services_.registry.people.find(entry.actor);
        return person && parties.is_in_subtree(parties.find(person->party), request.actor.party);
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
        const bool whole = sees_all || is_by_own_people(entry);
        // What those above do with a customer is theirs; what came of it he sees in what is his.
        if (!whole && request.actor.kind == balance::PartyKind::customer) return true;
        ++rows;
        JsonWriter& json = page.row();
        json.open_object().name("number").whole(entry.number);
        json.name("at").text(rating::format(entry.at));
        json.name("actor").text(entry.actor).name("operation").text(entry.operation);
        json.name("party").text_or_null(entry.party).name("target").text(entry.target);
        json.name("before");
        write_image(json, entry.before, whole);
        json.name("after");
        write_image(json, entry.after, whole);
        // It is made of all that the entry says, also of what is not for everybody.
        const bool hashed = sees_all && entry.link.has_value();
        json.name("hash").text_or_null(hashed ? entry.link->hash.text() : std::string{});
        json.close_object();
        return true;
    });
    return page.done(more ? std::to_string(last) : std::string{});
}

}  // namespace tollgate::daemon::admin
