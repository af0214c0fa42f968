#include "daemon/admin/parties.h"

#include <algorithm>
#include <array>
#include <random>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "daemon/admin/bodies.h"
#include "daemon/admin/etag.h"
#include "daemon/admin/listing.h"
#include "daemon/admin/party_fields.h"
#include "daemon/admin/party_json.h"
#include "daemon/letters.h"
#include "daemon/partners/party_list.h"

namespace tollgate::daemon::admin {
namespace {

using balance::kNoParty;
using balance::Party;
using balance::PartyId;
using balance::PartyKind;
using Kind = JsonValue::Kind;

/// The catalog's faults as a response's. `lines[i]` is the line of draft i; empty for a body that is one
/// object.
std::vector<RequestFault> request_faults(const std::vector<Fault>& faults,
                                         std::span<const std::uint64_t> lines) {
    std::vector<RequestFault> result;
    result.reserve(faults.size());
    for (const auto& fault : faults) {
        const auto line = fault.item < lines.size() ? std::optional{lines[fault.item]} : std::nullopt;
        result.push_back({line, fault.field, fault.message});
    }
    return result;
}

/// 409 where what is to be unique is taken, else 422 with every fault.
Response refused(const std::vector<Fault>& faults) {
    const auto taken =
        std::find_if(faults.begin(), faults.end(), [](const Fault& fault) { return fault.exists; });
    if (taken != faults.end()) return problem({.status = 409, .detail = taken->message});
    return invalid(request_faults(faults, {}));
}

/// The next line without its end and without blanks around it, taken off the front of `text`.
std::string_view take_line(std::string_view& text) noexcept {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    constexpr std::string_view kBlanks = " \t\r";
    line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
    return line.substr(0, line.find_last_not_of(kBlanks) + 1);
}

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// ---- Searching ----

/// Whether `part`, which is in small letters, stands somewhere in `text`.
bool contains(std::string_view text, std::string_view part) noexcept {
    const auto found = std::search(text.begin(), text.end(), part.begin(), part.end(),
                                   [](char a, char b) { return in_small(a) == b; });
    return part.empty() || found != text.end();
}

/// What a list is searched by.
struct PartyFilter {
    std::optional<PartyKind> kind;
    std::string status;  ///< `active`, `suspended`, `closed`, or reasons, all of which are there.
    std::uint8_t reasons = 0;
    std::optional<balance::Billing> billing;
    std::optional<rating::Currency> currency;
    balance::PartyId below = kNoParty;
    // In small letters, somewhere in the text; empty: any.
    std::string anywhere;  ///< In id, name, company or e-mail.
    std::string name;
    std::string email;
    std::string customer_class;
    std::string came_with;

    [[nodiscard]] bool asks_profiles() const noexcept {
        return !name.empty() || !email.empty() || !customer_class.empty() || !came_with.empty();
    }

    [[nodiscard]] bool matches(const Services& services, PartyId id) const {
        const auto& parties = services.catalog.parties();
        const Party& party = parties.get(id);
        if (kind && party.kind != *kind) return false;
        if (!matches_status(party.status())) return false;
        if (billing && (!party.has_account() || party.billing != *billing)) return false;
        if (currency && !(party.currency == *currency)) return false;
        if (below != kNoParty && !parties.is_below(id, below)) return false;
        const bool by_id = !anywhere.empty() && contains(party.id, anywhere);
        if (!asks_profiles() && (anywhere.empty() || by_id)) return true;
        const auto profile = services.registry.profiles.find(party.id);
        if (!profile) return false;
        if (!anywhere.empty() && !by_id && !contains(profile->name, anywhere) &&
            !contains(profile->company, anywhere) && !contains(profile->email, anywhere))
            return false;
        return contains(profile->name, name) && contains(profile->email, email) &&
               (customer_class.empty() || profile->customer_class == customer_class) &&
               (came_with.empty() || profile->came_with == came_with);
    }

    [[nodiscard]] bool matches_status(balance::Status of) const noexcept {
        if (status.empty()) return true;
        if (status == "active") return of.active();
        if (status == "closed") return of.closed();
        if (status == "suspended") return !of.active() && !of.closed();
        return !of.closed() && (of.bits() & reasons) == reasons;
    }
};

/// The filter that a listing says; what it does not understand is a fault.
PartyFilter filter_of(const Listing& listing, FieldFaults& faults) {
    PartyFilter filter;
    const auto read = [&](std::string_view name, auto parse, std::string_view expected) {
        const std::string_view text = listing.filter(name);
        const auto value = text.empty() ? std::nullopt : parse(text);
        if (!text.empty() && !value) {
            faults.add(name, '"' + std::string{text.substr(0, kShownBytesMax)} + "\": expected " +
                                 std::string{expected});
        }
        return value;
    };
    filter.kind = read("kind", parse_kind, "provider, reseller, distributor, partner, customer or line");
    filter.billing = read("billing", parse_billing, "prepaid or postpaid");
    filter.currency = read("currency", rating::Currency::parse, "an ISO 4217 code such as EUR");
    filter.status = listing.filter("status");
    constexpr std::array<std::string_view, 3> kWords = {"active", "suspended", "closed"};
    if (std::find(kWords.begin(), kWords.end(), filter.status) == kWords.end()) {
        const auto reasons = read("status", balance::Status::parse,
                                  "active, suspended, closed, or some of admin, fraud, overdue and limit");
        if (reasons) filter.reasons = reasons->bits();
    }
    filter.anywhere = in_small_letters(listing.filter("q"));
    filter.name = in_small_letters(listing.filter("name"));
    filter.email = in_small_letters(listing.filter("email"));
    filter.customer_class = listing.filter("class");
    filter.came_with = listing.filter("came_with");
    return filter;
}

}  // namespace

Response unknown_party(std::string_view id) {
    return problem(
        {.status = 404, .detail = "no party \"" + std::string{id.substr(0, kShownBytesMax)} + '"'});
}

bool Parties::is_visible(const Request& request, PartyId id) const {
    return view_of(services_, request.actor, id) != PartyView::none;
}

Response Parties::shown_party(unsigned status, const Request& request, PartyId id) const {
    JsonWriter json;
    write_party(json, services_, id, view_of(services_, request.actor, id));
    return with_etag(json_response(status, json.take()), etag_of_party(services_, id));
}

// ---- Lists ----

Response Parties::list(const Request& request) const {
    auto listing = Listing::read(request, {"under", "parent", "kind", "status", "q", "name", "email", "class",
                                           "came_with", "billing", "currency", "sort"});
    if (listing.refusal) return *std::move(listing.refusal);
    std::vector<RequestFault> all;
    FieldFaults faults{all};
    PartyFilter filter = filter_of(listing, faults);
    std::string_view sort = listing.filter("sort");
    PartySearch search;
    search.backwards = sort.starts_with('-');
    if (search.backwards) sort.remove_prefix(1);
    const auto order = parse_order(sort.empty() ? "tree" : sort);
    if (order) {
        search.order = *order;
    } else {
        faults.add("sort", "expected tree, id, name, balance or made, with or without a minus sign in front");
    }
    const auto& parties = services_.catalog.parties();
    const Actor& reader = request.actor;
    if (!reader.login.empty() && parties.get(reader.party).kind == PartyKind::partner) {
        // What he may not see must not be found by searching either.
        constexpr std::string_view kHidden = "nothing that a partner may search by";
        for (const std::string_view name : {"billing", "class"}) {
            if (!listing.filter(name).empty()) faults.add(name, std::string{kHidden});
        }
        if (search.order == PartyOrder::balance) faults.add("sort", std::string{kHidden});
    }
    if (!all.empty()) return invalid(all);

    search.top = parties.size() == 0 ? kNoParty : reader.party;
    for (const std::string_view name : {"under", "parent"}) {
        const std::string_view wanted = listing.filter(name);
        if (wanted.empty()) continue;
        const PartyId id = parties.find(wanted);
        if (!parties.is_in_subtree(id, reader.party)) return unknown_party(wanted);
        if (name == "parent") filter.below = search.with_top ? kNoParty : search.top;
        search.top = id;
        search.with_top = false;
        search.children_only = name == "parent";
    }
    const bool is_partner =
        search.top != kNoParty && parties.get(search.top).kind == PartyKind::partner && !reader.login.empty();
    if (is_partner) {
        const auto own = services_.registry.profiles.find(parties.get(search.top).id);
        search.instead = services_.profile_index.came_with(own ? own->code : std::string{});
    } else if (!filter.came_with.empty() && !search.children_only && search.top != kNoParty) {
        // Few of very many: who is not below the reader is left out below.
        filter.below = search.top;
        search.with_top = false;
        search.instead = services_.profile_index.came_with(filter.came_with);
    }
    search.matches = [&](PartyId id) { return filter.matches(services_, id); };
    search.name_of = [&](PartyId id) {
        const auto profile = services_.registry.profiles.find(parties.get(id).id);
        return profile ? profile->name : std::string{};
    };

    const std::size_t wanted = listing.csv && !listing.limited ? kCsvRowsMax + 1 : listing.limit;
    PageWriter page{"parties"};
    CsvWriter csv;
    JsonReader json;
    if (listing.csv) write_party_columns(csv);
    std::string cursor = listing.cursor;
    std::size_t rows = 0;
    do {
        const PartyPage found = page_of(parties, search, cursor, wanted - rows);
        if (found.status == PartyPage::Status::wrong_cursor) return wrong_cursor(cursor);
        if (found.status == PartyPage::Status::too_many) {
            return wrong_filter("sort",
                                "there are more than " + std::to_string(kSortedLooksMax) +
                                    " parties to sort; search below one of them, or leave them in the "
                                    "order of the tree");
        }
        for (const PartyId id : found.parties) {
            const PartyView view = view_of(services_, reader, id);
            if (listing.csv) {
                write_party_row(csv, json, services_, id, view);
            } else {
                write_party(page.row(), services_, id, view);
            }
        }
        rows += found.parties.size();
        cursor = found.next;
    } while (listing.csv && !listing.limited && !cursor.empty() && rows < wanted);
    if (!listing.csv) return page.done(cursor);
    if (rows > kCsvRowsMax) {
        return wrong_filter("limit", "these are more than " + std::to_string(kCsvRowsMax) +
                                         " parties; search for fewer, or read them page by page");
    }
    return csv_response(csv);
}

// ---- Making ----

std::string Parties::draw_id(const std::function<bool(const std::string&)>& taken) const {
    std::random_device chance;
    std::uniform_int_distribution<std::uint64_t> ten_digits{1'000'000'000, 9'999'999'999};
    for (;;) {
        std::string id = std::to_string(ten_digits(chance));
        if (services_.catalog.parties().find(id) == kNoParty && !taken(id)) return id;
    }
}

std::vector<Fault> Parties::add(std::span<const PartyDraft> drafts, const Images& profiles,
                                Moment now) const {
    balance::JointEvent* const joint = balance::JointEvent::current();
    if (profiles.empty() || joint == nullptr) return services_.catalog.add(drafts, now);
    auto faults = services_.catalog.add(drafts, now, *joint);
    if (!faults.empty()) return faults;
    for (const std::string& image : profiles) {
        if (image.empty()) continue;
        auto profile = record_of<Profile>(image);
        profile->made = now.wall;
        services_.registry.profiles.put(*joint, *profile, now);
    }
    joint->write(services_.events, now);
    return {};
}

std::vector<Fault> Parties::prepare(std::span<PartyDraft> drafts, Images& profiles) const {
    const auto& parties = services_.catalog.parties();
    std::unordered_map<std::string_view, std::string_view> parents;  // Of those that are about to be made.
    std::unordered_set<std::string> drawn;
    for (PartyDraft& draft : drafts) {
        if (draft.id.empty()) {
            draft.id = draw_id([&drawn](const std::string& id) { return drawn.contains(id); });
            drawn.insert(draft.id);
        }
    }
    std::vector<Fault> faults;
    if (profiles.empty()) return faults;
    for (const PartyDraft& draft : drafts)
        parents.emplace(draft.id, draft.parent);
    // Classes and catalogues are those of somebody who is there already.
    const auto place_of = [&](const PartyDraft& draft) {
        std::string_view parent = draft.parent;
        for (std::size_t steps = 0; steps < balance::kChainDepthMax; ++steps) {
            const auto made = parents.find(parent);
            if (parties.find(parent) != kNoParty || made == parents.end()) break;
            parent = made->second;
        }
        return PartyRules::Place{draft.kind, parties.find(parent), kNoParty};
    };
    std::unordered_set<std::string> codes;
    std::unordered_set<std::string> names;  // Of distributors, behind their parents.
    for (std::size_t i = 0; i < profiles.size() && faults.size() < Catalog::kFaultsMax; ++i) {
        if (profiles[i].empty()) continue;
        Profile profile = record_of<Profile>(profiles[i]).value_or(Profile{});
        const PartyDraft& draft = drafts[i];
        profile.id = draft.id;
        profiles[i] = image_of(profile);
        for (Fault& fault : rules_.faults_of(profile, {}, place_of(draft))) {
            if (fault.field == "came_with" && codes.contains(profile.came_with)) continue;
            fault.item = i;
            faults.push_back(std::move(fault));
        }
        if (!profile.code.empty() && !codes.insert(profile.code).second)
            faults.push_back({i, "code", "stands on an earlier line too", true});
        if (draft.kind == PartyKind::distributor && !profile.name.empty() &&
            !names.insert(draft.parent + '/' + profile.name).second)
            faults.push_back({i, "name", "is the name of a distributor on an earlier line", true});
    }
    return faults;
}

Response Parties::create(const Request& request) const {
    JsonReader reader;
    const JsonValue* const object = reader.read(request.body);
    if (object == nullptr) return not_json(reader);
    std::vector<RequestFault> all;
    FieldFaults faults{all};
    PartyFields fields = read_party_draft(*object, faults);
    if (!all.empty()) return invalid(all);
    PartyDraft& draft = fields.draft;

    const std::scoped_lock lock{services_.registry.mutex};
    const auto& parties = services_.catalog.parties();
    if (draft.parent.empty() && !request.actor.login.empty())
        draft.parent = parties.get(request.actor.party).id;
    if (draft.id.empty()) draft.id = draw_id([](const std::string&) { return false; });
    const PartyRules::Place place{draft.kind, parties.find(draft.parent), kNoParty};
    Profile& profile = fields.profile;
    profile.id = draft.id;
    rules_.complete(profile, place);
    const auto wrong = rules_.faults_of(profile, {}, place);
    if (!wrong.empty() && balance::is_id(draft.id)) return refused(wrong);
    const auto refusal = add({&draft, 1}, {image_of(profile)}, now_of(services_));
    if (!refusal.empty()) return refused(refusal);
    Response response = shown_party(201, request, parties.find(draft.id));
    // An id has no byte that would have to be encoded in a path.
    response.headers.emplace_back("Location", "/v1/parties/" + draft.id);
    return response;
}

Response Parties::import(const Request& request) const {
    const PlainBody body{request, services_.body_bytes_max};
    if (body.refusal()) return *body.refusal();
    std::string_view rest = body.text();
    if (rest.starts_with(kByteOrderMark)) rest.remove_prefix(kByteOrderMark.size());

    JsonReader reader;
    std::vector<PartyDraft> drafts;
    std::vector<std::uint64_t> lines;  // Of each draft.
    Images profiles;
    std::vector<RequestFault> all;
    // Beyond what the table takes nothing more is read: the catalog will say so.
    const auto& parties = services_.catalog.parties();
    const std::size_t drafts_max = parties.parties_max() + 1;
    for (std::uint64_t line = 1;
         !rest.empty() && all.size() < Catalog::kFaultsMax && drafts.size() < drafts_max; ++line) {
        const std::string_view text = take_line(rest);
        if (text.empty()) continue;
        FieldFaults faults{all, line};
        const JsonValue* const object = reader.read(text);
        if (object == nullptr) {
            faults.add("", reader.error());
            continue;
        }
        PartyFields fields = read_party_draft(*object, faults);
        if (!all.empty()) continue;  // Only faults are of interest from the first one on.
        if (fields.says_profile) {
            profiles.resize(drafts.size());
            profiles.push_back(image_of(fields.profile));
        }
        drafts.push_back(std::move(fields.draft));
        lines.push_back(line);
    }
    if (!all.empty()) return invalid(all);

    const std::scoped_lock lock{services_.registry.mutex};
    all = request_faults(prepare(drafts, profiles), lines);
    if (all.empty()) all = request_faults(add(drafts, profiles, now_of(services_)), lines);
    if (!all.empty()) return invalid(all);
    JsonWriter json;
    json.open_object().name("imported").whole(drafts.size()).close_object();
    return json_response(200, json.take());
}

// ---- One of them ----

Response Parties::get(const Request& request, std::string_view id) const {
    const PartyId party = services_.catalog.parties().find(id);
    return is_visible(request, party) ? shown_party(200, request, party) : unknown_party(id);
}

Response Parties::change(const Request& request, std::string_view id) const {
    const std::scoped_lock lock{services_.registry.mutex};
    const auto& parties = services_.catalog.parties();
    const PartyId party_id = parties.find(id);
    if (!is_visible(request, party_id)) return unknown_party(id);
    const Party& party = parties.get(party_id);
    const auto known = services_.registry.profiles.find(party.id);
    const Profile before = known.value_or(Profile{});
    JsonReader reader;
    const JsonValue* const object = reader.read(request.body);
    if (object == nullptr) return not_json(reader);
    std::vector<RequestFault> all;
    FieldFaults faults{all};
    PartyFields fields = read_party_change(*object, before, faults);
    if (!all.empty()) return invalid(all);

    // Whoever changes settings otherwise, and a payment that lifts a suspension, does it before or after
    // this.
    const auto settings = services_.catalog.hold_settings();
    const auto statuses = services_.catalog.hold_statuses();
    if (auto stale = refusal_of(request, etag_of_party(services_, party_id))) return *std::move(stale);
    if (party.status().closed()) {
        return problem({.status = 409, .detail = "the party is closed; nothing of it can be changed"});
    }
    Profile& profile = fields.profile;
    const auto wrong = rules_.faults_of(profile, before, {party.kind, party.parent, party_id});
    if (!wrong.empty()) return refused(wrong);
    const Moment now = now_of(services_);
    balance::JointEvent* const joint = balance::JointEvent::current();
    if (fields.says_profile && joint != nullptr) {
        profile.id = party.id;
        if (image_of(profile) != image_of(before)) services_.registry.profiles.put(*joint, profile, now);
    }
    if (fields.says_party) {
        const auto refusal = services_.catalog.change(party_id, fields.change, now);
        if (!refusal.empty()) {
            if (joint != nullptr) joint->abandon();
            return refused(refusal);
        }
    } else if (joint != nullptr) {
        joint->write(services_.events, now);
    }
    return shown_party(200, request, party_id);
}

Response Parties::close(const Request& request, std::string_view id) const {
    const std::scoped_lock lock{services_.registry.mutex};
    const PartyId party = services_.catalog.parties().find(id);
    if (!is_visible(request, party)) return unknown_party(id);
    const auto settings = services_.catalog.hold_settings();
    const auto statuses = services_.catalog.hold_statuses();
    if (auto stale = refusal_of(request, etag_of_party(services_, party))) return *std::move(stale);
    if (!services_.catalog.close(party, now_of(services_))) {
        return problem({.status = 409, .detail = "the provider is the root of the tree and is never closed"});
    }
    return shown_party(200, request, party);
}

Response Parties::close_several(const Request& request) const {
    JsonReader reader;
    const JsonValue* const object = reader.read(request.body);
    if (object == nullptr) return not_json(reader);
    std::vector<RequestFault> all;
    FieldFaults faults{all};
    std::vector<std::string> ids;
    const std::array<Field<std::vector<std::string>>, 1> table = {
        {{"ids", [](const JsonValue& value, std::vector<std::string>& target, FieldFaults& wrong) {
              target = read_texts(value, kRowsMax, balance::is_id, "ids", wrong);
              if (target.empty()) wrong.add("ids", "names nobody");
          }}}};
    read_fields(*object, table, Nulls::are_absent, ids, faults);
    if (all.empty() && ids.empty()) faults.add("ids", "missing; expected a list of ids");
    if (!all.empty()) return invalid(all);

    const std::scoped_lock lock{services_.registry.mutex};
    const auto& parties = services_.catalog.parties();
    std::vector<PartyId> tops;
    for (const std::string& id : ids) {
        const PartyId party = parties.find(id);
        if (!is_visible(request, party)) return unknown_party(id);
        tops.push_back(party);
    }
    const auto closed = services_.catalog.close(tops, now_of(services_));
    if (!closed) {
        return problem({.status = 409, .detail = "the provider is the root of the tree and is never closed"});
    }
    JsonWriter json;
    json.open_object().name("closed").whole(closed->size()).name("left").open_list();
    for (const PartyId id : *closed) {
        const Party& party = parties.get(id);
        const rating::Money balance = party.account.balance();
        if (!party.has_account() || balance == rating::Money{}) continue;
        json.open_object().name("party").text(party.id).name("currency").text(party.currency.view());
        json.name("balance").text(rating::format(balance)).close_object();
    }
    json.close_list().close_object();
    return json_response(200, json.take());
}

}  // namespace tollgate::daemon::admin
