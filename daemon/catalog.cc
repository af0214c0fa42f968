#include "daemon/catalog.h"

#include <algorithm>
#include <array>
#include <limits>
#include <stdexcept>
#include <unordered_map>
#include <utility>

#include "config/values.h"

namespace tollgate::daemon {
namespace {

using balance::EventKind;
using balance::kNoParty;
using balance::Party;
using balance::PartyId;
using balance::PartyKind;
using balance::Terms;
using config::quoted;

template <typename Enum, std::size_t N>
using Words = std::array<std::pair<Enum, std::string_view>, N>;

constexpr Words<PartyKind, 6> kKinds = {{{PartyKind::provider, "provider"},
                                         {PartyKind::reseller, "reseller"},
                                         {PartyKind::distributor, "distributor"},
                                         {PartyKind::partner, "partner"},
                                         {PartyKind::customer, "customer"},
                                         {PartyKind::line, "line"}}};
constexpr Words<Terms, 2> kTerms = {{{Terms::margin, "margin"}, {Terms::commission, "commission"}}};
constexpr Words<balance::Billing, 2> kBillings = {
    {{balance::Billing::prepaid, "prepaid"}, {balance::Billing::postpaid, "postpaid"}}};

template <typename Enum, std::size_t N>
constexpr std::string_view word_of(const Words<Enum, N>& words, Enum value) noexcept {
    for (const auto& [known, word] : words) {
        if (known == value) return word;
    }
    return {};
}
template <typename Enum, std::size_t N>
constexpr std::optional<Enum> value_of(const Words<Enum, N>& words, std::string_view text) noexcept {
    for (const auto& [value, word] : words) {
        if (word == text) return value;
    }
    return std::nullopt;
}

/// Under whom a party of `kind` may stand, and how to say it.
std::pair<std::vector<PartyKind>, std::string_view> parents_of(PartyKind kind) {
    switch (kind) {
        case PartyKind::provider:
            return {{}, "nobody"};
        case PartyKind::reseller:
        case PartyKind::distributor:
            return {{PartyKind::provider, PartyKind::reseller}, "a provider or a reseller"};
        case PartyKind::partner:
            return {{PartyKind::provider}, "the provider"};
        case PartyKind::customer:
            return {{PartyKind::provider, PartyKind::reseller, PartyKind::distributor},
                    "the provider, a reseller or a distributor"};
        case PartyKind::line:
            return {{PartyKind::customer}, "a customer"};
    }
    std::abort();  // Not an enumerator: memory is corrupt.
}

bool is_limit(rating::Money amount) noexcept {
    return amount >= rating::Money{} && amount <= rating::kAmountMax;
}

/// What an event holds itself; more stands in a file of its own.
constexpr std::size_t kInlineBytesMax = balance::kEventBytesMax - balance::JointEvent::kBytesMax - 1024;
/// So many parties of a snapshot in one event.
constexpr std::size_t kPartiesPerEvent = 1'000;

/// A version but for its deck, which its file is.
struct VersionImage {
    std::string tariff;
    std::uint32_t number = 0;
    rating::Change change = rating::Change::settings;
    rating::TariffSettings settings;
    rating::DeckFile file;
    rating::Origin origin;
};

void write_version(const rating::TariffVersion& version, balance::ByteWriter& out) {
    out.text(version.tariff);
    out.put(version.number);
    out.put(version.change);
    write_settings(version.settings, out);
    write_file(version.file, out);
    write_origin(version.origin, out);
}

VersionImage read_version(ByteReader& in, const TimeZones& zones) {
    VersionImage version;
    version.tariff = in.text();
    in.get(version.number);
    in.get(version.change);
    version.settings = read_settings(in, zones);
    version.file = read_file(in);
    version.origin = read_origin(in);
    return version;
}

constexpr std::string_view kLimitExpected = "expected an amount from 0 to 10000000000";

/// What the checks of a draft need to know of its parent, be it in the table or earlier in the list.
struct ParentFacts {
    PartyKind kind;
    std::size_t depth;
    rating::Currency currency;
    std::string time_zone;
    bool closed;
    std::string seller_below;  ///< Who sells to those who stand under it.
};

constexpr std::string_view kTooManyLists =
    "there are as many different lists of tariffs as there may be; use one that another party has";

/// What a party is to be charged by. `tariff` is short for a list of one.
template <typename Complain>
std::optional<balance::TariffChoice> checked_tariffs(const rating::TariffBook& tariffs,
                                                     balance::TariffLists& lists, const TariffTaker& taker,
                                                     const std::optional<std::string>& tariff,
                                                     const std::optional<std::vector<TariffEntryDraft>>& list,
                                                     const Complain& fault) {
    const std::string field = tariff ? "tariff" : "tariffs";
    std::vector<TariffEntryDraft> drafts;
    if (tariff) {
        drafts.push_back({.from_prefixes = {}, .tariff = *tariff});
    } else if (list) {
        drafts = *list;
    }
    GivenTariffs given = give_tariffs(tariffs, taker, drafts);
    for (auto& message : given.faults)
        fault(field, std::move(message));
    if (!given.faults.empty()) return std::nullopt;
    const auto choice = lists.intern(std::move(given.entries));
    if (!choice) fault(field, std::string{kTooManyLists});
    return choice;
}

/// The place of the dial plan of that name, if a party of `kind` may have one; otherwise a fault.
template <typename Complain>
std::uint16_t checked_dial_plan(const DialPlans& plans, PartyKind kind, const std::string& name,
                                const Complain& fault) {
    if (kind != PartyKind::line && kind != PartyKind::customer) {
        fault("dial_plan", "only a line or a customer has a dial plan");
        return balance::kNoDialPlan;
    }
    const auto place = plans.find(name);
    if (!place) fault("dial_plan", quoted(name) + ": no such dial plan; PUT /v1/dial-plans/{id} makes one");
    return place.value_or(balance::kNoDialPlan);
}

/// Whether a party of this kind and credit limit may have these thresholds.
template <typename Complain>
void check_warnings(PartyKind kind, const balance::WarningSettings& warnings, rating::Money credit_limit,
                    const Complain& fault) {
    if (!warnings.any()) return;
    if (kind == PartyKind::line || kind == PartyKind::partner) {
        const auto* const field = warnings.percent_hundredths != 0   ? "warn_percent"
                                  : warnings.owed != rating::Money{} ? "warn_owed"
                                                                     : "warn_balance";
        fault(field, "a " + std::string{text_of(kind)} + " has no account of its own");
    }
    if (warnings.percent_hundredths > balance::kWarnPercentMax)
        fault("warn_percent", "expected a percentage above 0 and up to 100");
    if (warnings.percent_hundredths != 0 && credit_limit <= rating::Money{})
        fault("warn_percent", "is a part of the credit limit; expected one above 0");
    if (!is_limit(warnings.owed)) fault("warn_owed", std::string{kLimitExpected});
    if (warnings.balance && !is_limit(*warnings.balance)) fault("warn_balance", std::string{kLimitExpected});
}

/// Whether a party of `kind` may have these limits, and where it may, the list of countries they name.
template <typename Complain>
const balance::CountrySet* checked_limits(const balance::LimitSettings& limits, PartyKind kind,
                                          balance::CountrySets& sets, const Complain& fault) {
    const auto check_cap = [&fault](const char* field, const std::optional<rating::Money>& cap) {
        if (cap && !is_limit(*cap)) fault(field, std::string{kLimitExpected});
    };
    check_cap("cap_call", limits.cap_call);
    check_cap("cap_day", limits.cap_day);
    check_cap("cap_month", limits.cap_month);
    if (kind == PartyKind::line) {
        constexpr std::string_view kOfCustomer = "a line has its customer's";
        if (limits.home_country) fault("home_country", std::string{kOfCustomer});
        if (limits.opened_countries) fault("opened_countries", std::string{kOfCustomer});
        if (limits.refuse_loss) fault("loss_policy", "a line pays nothing of its own");
    }
    if (!limits.opened_countries) return nullptr;
    balance::CountrySet set;
    for (const balance::Country country : *limits.opened_countries)
        set.insert(country);
    const auto* const kept = sets.intern(set);
    if (kept == nullptr) {
        fault(
            "opened_countries",
            "there are as many different lists of countries as there may be; use one that another party has");
    }
    return kept;
}

class DraftChecker {
  public:
    DraftChecker(const rating::TariffBook& tariffs, const DialPlans& dial_plans, const TimeZones& zones,
                 balance::PartyTable& parties)
        : tariffs_(tariffs), dial_plans_(dial_plans), zones_(zones), parties_(parties) {}

    /// Checks one draft against the table and the drafts before it, and keeps what is needed to add it.
    void check(const PartyDraft& draft) {
        const std::size_t item = sources_.size();
        const auto fault = [&](std::string field, std::string message, bool exists = false) {
            if (faults_.size() < Catalog::kFaultsMax) {
                faults_.push_back({item, std::move(field), std::move(message), exists});
            }
        };
        balance::PartySource source;
        std::string parent_in_list;
        source.id = draft.id;
        source.kind = draft.kind;
        if (!balance::is_id(draft.id)) {
            fault("id", quoted(draft.id) + ": expected 1 to 64 of A-Z a-z 0-9 . _ : @ + -");
        } else if (parties_.find(draft.id) != kNoParty || drafts_.contains(draft.id)) {
            fault("id", quoted(draft.id) + " exists already; ids are unique and never reused", true);
        }
        const auto parent = parent_of(draft, source);
        if (!parent) {
            if (draft.kind != PartyKind::provider) {
                fault("parent", draft.parent.empty() ? "missing; only the provider has no parent"
                                                     : quoted(draft.parent) +
                                                           ": expected a party that exists or "
                                                           "stands on an earlier line");
            } else if (!draft.parent.empty()) {
                fault("parent", quoted(draft.parent) + ": the provider has no parent");
            } else if (parties_.size() + sources_.size() > 0) {
                fault("kind", "there is a provider already; expected one root of the tree");
            }
        } else {
            const auto& [kinds, wanted] = parents_of(draft.kind);
            if (std::find(kinds.begin(), kinds.end(), parent->kind) == kinds.end()) {
                fault("parent", quoted(draft.parent) + " is a " + std::string{text_of(parent->kind)} +
                                    "; a " + std::string{text_of(draft.kind)} + " stands under " +
                                    std::string{wanted});
            } else if (parent->closed) {
                fault("parent", quoted(draft.parent) + " is closed");
            } else if (parent->depth + 1 > balance::kChainDepthMax) {
                fault("parent", quoted(draft.parent) + " stands at level " + std::to_string(parent->depth) +
                                    "; a tree has at most " + std::to_string(balance::kChainDepthMax) +
                                    " levels");
            }
        }
        check_money(draft, parent, source, fault);
        check_service(draft, parent, source, fault);

        drafts_.emplace(draft.id, ParentFacts{draft.kind, parent ? parent->depth + 1 : 0, source.currency,
                                              source.time_zone, draft.status && draft.status->closed(),
                                              sells_by_tariff(draft.kind, source.terms) ? draft.id
                                              : parent                                  ? parent->seller_below
                                                                                        : std::string{}});
        sources_.push_back(std::move(source));
        parents_.push_back(draft.parent);
    }

    [[nodiscard]] std::vector<Fault>& faults() { return faults_; }

    /// The parties to be added, in order; each names its parent by the place that it has or will have.
    [[nodiscard]] const std::vector<balance::PartySource>& sources() {
        std::unordered_map<std::string_view, PartyId> fresh;
        const std::size_t before = parties_.size();
        for (std::size_t i = 0; i < sources_.size(); ++i) {
            if (const auto found = fresh.find(parents_[i]); found != fresh.end()) {
                sources_[i].parent = found->second;
            } else if (!parents_[i].empty()) {
                sources_[i].parent = parties_.find(parents_[i]);
            }
            fresh.emplace(sources_[i].id, static_cast<PartyId>(before + i));
        }
        return sources_;
    }
    /// The same, for the last time.
    [[nodiscard]] std::vector<balance::PartySource> take_sources() { return std::move(sources_); }

  private:
    std::optional<ParentFacts> parent_of(const PartyDraft& draft, balance::PartySource& source) const {
        if (draft.parent.empty()) return std::nullopt;
        if (const auto found = drafts_.find(draft.parent); found != drafts_.end()) return found->second;
        source.parent = parties_.find(draft.parent);
        if (source.parent == kNoParty) return std::nullopt;
        const Party& parent = parties_.get(source.parent);
        return ParentFacts{parent.kind,
                           parent.depth,
                           parent.currency,
                           std::string{parent.time_zone},
                           parent.status().closed(),
                           std::string{seller_from(parties_, source.parent)}};
    }

    template <typename Complain>
    void check_money(const PartyDraft& draft, const std::optional<ParentFacts>& parent,
                     balance::PartySource& source, const Complain& fault) const {
        if (draft.currency) {
            source.currency = *draft.currency;
            if (draft.kind == PartyKind::line && parent && !(parent->currency == source.currency)) {
                fault("currency", quoted(source.currency.view()) + ": a line has its customer's, " +
                                      std::string{parent->currency.view()});
            }
        } else if (parent) {
            source.currency = parent->currency;
        } else if (draft.kind == PartyKind::provider) {
            fault("currency", "missing; expected an ISO 4217 code such as EUR");
        }
        source.billing = draft.billing.value_or(balance::Billing::prepaid);
        if (draft.credit_limit) {
            if (!is_limit(*draft.credit_limit)) fault("credit_limit", std::string{kLimitExpected});
            if (draft.kind == PartyKind::line || draft.kind == PartyKind::partner) {
                fault("credit_limit", "a " + std::string{text_of(draft.kind)} + " has no account of its own");
            }
            source.credit_limit = *draft.credit_limit;
        }
        if (draft.min_available) {
            if (!is_limit(*draft.min_available)) fault("min_available", std::string{kLimitExpected});
            source.min_available = *draft.min_available;
        }
        check_warnings(draft.kind, draft.warnings, source.credit_limit, fault);
        source.warnings = draft.warnings;
    }

    template <typename Complain>
    void check_service(const PartyDraft& draft, const std::optional<ParentFacts>& parent,
                       balance::PartySource& source, const Complain& fault) {
        source.terms = draft.terms.value_or(Terms::margin);
        if (draft.terms && draft.kind != PartyKind::reseller) fault("terms", "only a reseller has terms");
        source.status = draft.status.value_or(balance::Status{}).keeping_calls(draft.keeps_calls);
        source.time_zone = draft.time_zone.value_or(parent ? parent->time_zone : "UTC");
        // A parent's zone has been checked.
        if (draft.time_zone && zones_.find(source.time_zone) == nullptr) {
            fault("time_zone", quoted(source.time_zone) + ": expected an IANA name such as Europe/Berlin");
        }
        if (draft.max_calls) source.max_calls = *draft.max_calls;
        if (draft.dial_plan) {
            source.dial_plan = checked_dial_plan(dial_plans_, draft.kind, *draft.dial_plan, fault);
        }
        if (draft.limits != nullptr) {
            source.limits = draft.limits;
            source.opened_countries =
                checked_limits(*draft.limits, draft.kind, parties_.country_sets(), fault);
            source.zone = zones_.find(source.time_zone);
        }
        if (!draft.tariff && !draft.tariffs) return;
        const TariffTaker taker{
            .id = draft.id,
            .seller = parent ? std::string_view{parent->seller_below} : std::string_view{},
            .kind = draft.kind,
            .terms = source.terms,
            .currency = source.currency};
        const auto choice =
            checked_tariffs(tariffs_, parties_.tariff_lists(), taker, draft.tariff, draft.tariffs, fault);
        if (choice) source.tariff = *choice;
    }

    const rating::TariffBook& tariffs_;
    const DialPlans& dial_plans_;
    const TimeZones& zones_;
    balance::PartyTable& parties_;
    std::unordered_map<std::string, ParentFacts> drafts_;
    std::vector<balance::PartySource> sources_;
    std::vector<std::string> parents_;
    std::vector<Fault> faults_;
};

}  // namespace

std::string_view text_of(PartyKind kind) noexcept {
    return word_of(kKinds, kind);
}
std::string_view text_of(Terms terms) noexcept {
    return word_of(kTerms, terms);
}
std::string_view text_of(balance::Billing billing) noexcept {
    return word_of(kBillings, billing);
}
std::optional<PartyKind> parse_kind(std::string_view text) noexcept {
    return value_of(kKinds, text);
}
std::optional<Terms> parse_terms(std::string_view text) noexcept {
    return value_of(kTerms, text);
}
std::optional<balance::Billing> parse_billing(std::string_view text) noexcept {
    return value_of(kBillings, text);
}

// ---- Events ----

balance::EventAndFile Catalog::event_of(EventKind kind, Moment now, std::span<const std::byte> body) {
    balance::EventAndFile made;
    balance::ByteWriter out{made.event};
    balance::EventHeader{kind, now}.write(out);
    const bool aside = body.size() > kInlineBytesMax;
    out.put(aside);
    if (aside) {
        made.file = events_.put_aside("event", body);
        out.text(made.file.name);
    } else {
        made.event.insert(made.event.end(), body.begin(), body.end());
    }
    return made;
}

void Catalog::append(EventKind kind, Moment now, std::span<const std::byte> body) {
    const auto made = event_of(kind, now, body);
    events_.append(made.event);
}

rating::TariffBook::Announce Catalog::announcing(EventKind kind, Moment now) {
    return [this, kind, now](const rating::TariffVersion& version) {
        std::vector<std::byte> body;
        balance::ByteWriter out{body};
        write_version(version, out);
        append(kind, now, body);
    };
}

std::shared_ptr<const rating::Deck> Catalog::read_deck(const rating::DeckFile& file,
                                                       const ReadAside& read_aside) {
    if (file.name.empty()) return nullptr;
    auto& deck = decks_read_[file.name];
    if (deck != nullptr) return deck;
    const auto bytes = read_aside(file.name);
    auto reading =
        rating::read_deck_csv({reinterpret_cast<const char*>(bytes.data()), bytes.size()},
                              {.rows_max = std::numeric_limits<std::size_t>::max(), .faults_max = 1});
    if (reading.deck == nullptr) throw std::runtime_error(file.name + " is not a deck");
    deck = std::move(reading.deck);
    return deck;
}

balance::PartySource Catalog::read_source(ByteReader& in) {
    auto source = read_party(in, parties_.tariff_lists(), dial_plans_);
    if (source.limits == nullptr) return source;
    source.zone = zones_.find(source.time_zone);
    if (source.limits->opened_countries) {
        balance::CountrySet set;
        for (const balance::Country country : *source.limits->opened_countries)
            set.insert(country);
        source.opened_countries = parties_.country_sets().intern(set);
    }
    return source;
}

bool Catalog::apply(EventKind kind, Moment at, ByteReader& in, const ReadAside& read_aside) {
    std::vector<std::byte> bytes;
    if (in.flag()) {
        bytes = read_aside(in.text());
        in = ByteReader{bytes};
    }
    switch (kind) {
        case EventKind::parties_added:
            for (auto left = in.get<std::uint32_t>(); left > 0; --left) {
                const auto source = read_source(in);
                if (!in.good()) return false;
                if (parties_.size() == parties_.parties_max()) {
                    throw std::runtime_error("there are more parties than party.max, which is " +
                                             std::to_string(parties_.parties_max()) + "; raise it");
                }
                parties_.add(source);
            }
            break;
        case EventKind::party_changed: {
            const auto id = in.get<PartyId>();
            const auto source = read_source(in);
            if (!in.good() || static_cast<std::size_t>(id) >= parties_.size()) return false;
            adopt(parties_.get(id), source);
            break;
        }
        case EventKind::parties_closed:
            for (auto left = in.get<std::uint32_t>(); left > 0; --left) {
                const auto id = in.get<PartyId>();
                if (!in.good() || static_cast<std::size_t>(id) >= parties_.size()) return false;
                (void)close_subtree(id);
            }
            break;
        case EventKind::tariff_put:
        case EventKind::deck_put:
        case EventKind::deck_rolled_back: {
            auto version = read_version(in, zones_);
            if (!in.good()) return false;
            auto deck = read_deck(version.file, read_aside);
            const auto put =
                tariffs_.restore(version.tariff, version.number, std::move(version.settings), std::move(deck),
                                 std::move(version.file), version.change, std::move(version.origin));
            if (!put.done()) return false;
            break;
        }
        case EventKind::dial_plan_put: {
            const std::string id{in.text()};
            dial_plans_.put(id, read_plan(in));
            break;
        }
        case EventKind::group_put: {
            const std::string id{in.text()};
            destination_groups_.put(id, read_group(in));
            break;
        }
        case EventKind::dial_plan_removed:
            if (const auto place = dial_plans_.find(in.text())) dial_plans_.remove(*place);
            break;
        case EventKind::group_removed:
            if (const auto place = destination_groups_.find(in.text())) destination_groups_.remove(*place);
            break;
        case EventKind::bundle:
            if (!read_bundle(at.wall, in)) return false;
            break;
        case EventKind::bundle_renewed: {
            const auto id = in.get<PartyId>();
            const auto number = in.get<std::uint16_t>();
            if (!in.good() || static_cast<std::size_t>(id) >= parties_.size()) return false;
            // One that is in no list any more expired long ago.
            if (auto* const bundle = balance::BundlesOf{parties_.get(id)}.find(number)) {
                bundles_.restore_renewal(*bundle, at.wall);
            }
            break;
        }
        case EventKind::founded:
        case EventKind::started:
        case EventKind::record:
        case EventKind::audit:
        case EventKind::together:
        case EventKind::together_aside:
        case EventKind::session_opened:
        case EventKind::session_changed:
        case EventKind::session_rewritten:
        case EventKind::transaction:
        case EventKind::threshold:
        case EventKind::resync:
        case EventKind::account:
        case EventKind::book:
        case EventKind::session:
        case EventKind::request:
        case EventKind::spending:
        case EventKind::horizon:
        case EventKind::restored:
        case EventKind::reserve_released:
        case EventKind::reserve:
            return false;
    }
    return in.at_end();
}

void Catalog::share_decks(const rating::TariffBook& live) {
    for (const auto& version : live.all_versions()) {
        if (version->deck != nullptr) decks_read_.emplace(version->file.name, version->deck);
    }
}

void Catalog::restored() {
    tariffs_.end_restoring();
    decks_read_.clear();
}

void Catalog::save(const std::function<void(std::span<const std::byte>)>& sink) const {
    std::vector<std::byte> event;
    const auto begin = [&event](EventKind kind) {
        event.clear();
        balance::ByteWriter out{event};
        balance::EventHeader{kind, {}}.write(out);
        out.put(false);  // Not aside.
        return out;
    };
    for (const auto& version : tariffs_.all_versions()) {
        auto out = begin(EventKind::tariff_put);
        write_version(*version, out);
        sink(event);
    }
    for (const std::string& name : dial_plans_.names()) {
        auto out = begin(EventKind::dial_plan_put);
        out.text(name);
        write_plan(*dial_plans_.get(*dial_plans_.find(name)), out);
        sink(event);
    }
    for (const std::string& name : destination_groups_.names()) {
        auto out = begin(EventKind::group_put);
        out.text(name);
        write_group(*destination_groups_.get(*destination_groups_.find(name)), out);
        sink(event);
    }
    const std::size_t count = parties_.size();
    for (std::size_t first = 0; first < count; first += kPartiesPerEvent) {
        const std::size_t end = std::min(count, first + kPartiesPerEvent);
        auto out = begin(EventKind::parties_added);
        out.put(static_cast<std::uint32_t>(end - first));
        for (std::size_t i = first; i < end; ++i) {
            const auto source = source_of(parties_.get(static_cast<PartyId>(i)));
            write_party(source, parties_.tariff_lists(), dial_plans_, out);
        }
        sink(event);
    }
    for (std::size_t i = 0; i < count; ++i) {
        for (const balance::Bundle& bundle : balance::BundlesOf{parties_.get(static_cast<PartyId>(i))}) {
            auto out = begin(EventKind::bundle);
            write_bundle(bundle, out);
            sink(event);
        }
    }
}

std::set<std::string> Catalog::deck_files() const {
    std::set<std::string> files;
    for (const auto& version : tariffs_.all_versions())
        files.insert(version->file.name);
    files.erase("");
    return files;
}

balance::PartySource Catalog::source_of(const Party& party) const {
    balance::PartySource source;
    source.id = party.id;
    source.parent = party.parent;
    source.kind = party.kind;
    source.terms = party.terms;
    source.billing = party.billing;
    source.status = party.status();
    source.currency = party.currency;
    source.time_zone = party.time_zone;
    source.credit_limit = party.account.credit_limit();
    source.min_available = rating::Money::from_micros(party.min_available.load(std::memory_order_relaxed));
    source.tariff = party.tariff.load(std::memory_order_acquire);
    source.max_calls = party.max_calls.load(std::memory_order_relaxed);
    source.dial_plan = party.dial_plan.load(std::memory_order_relaxed);
    if (const auto* const limits = party.limits.load(std::memory_order_acquire)) {
        source.limits = std::make_shared<const balance::LimitSettings>(limits->settings());
        source.opened_countries = limits->opened();
    }
    source.warnings = party.warning_settings();
    return source;
}

/// Makes what may be changed of a party what `source` says.
void Catalog::adopt(Party& party, const balance::PartySource& source) const {
    party.status_bits.store(source.status.bits(), std::memory_order_relaxed);
    if (source.credit_limit != party.account.credit_limit())
        party.account.set_credit_limit(source.credit_limit);
    party.min_available.store(source.min_available.micros(), std::memory_order_relaxed);
    party.tariff.store(source.tariff, std::memory_order_release);
    party.dial_plan.store(source.dial_plan, std::memory_order_relaxed);
    party.max_calls.store(source.max_calls, std::memory_order_relaxed);
    party.set_warnings(source.warnings);
    if (source.limits != nullptr && (party.limits.load(std::memory_order_relaxed) != nullptr ||
                                     !(*source.limits == balance::LimitSettings{}))) {
        party.set_limits(*source.limits, zones_.find(party.time_zone), source.opened_countries);
    }
}

// ---- Parties ----

std::vector<Fault> Catalog::add(std::span<const PartyDraft> drafts, Moment now) {
    return add_to(drafts, now, nullptr);
}

std::vector<Fault> Catalog::add(std::span<const PartyDraft> drafts, Moment now, balance::JointEvent& joint) {
    return add_to(drafts, now, &joint);
}

std::size_t Catalog::open_lines(PartyId customer) const noexcept {
    std::size_t lines = 0;
    for (PartyId line = parties_.first_child(customer); line != kNoParty;
         line = parties_.next_sibling(line)) {
        if (!parties_.get(line).status().closed()) ++lines;
    }
    return lines;
}

std::vector<Fault> Catalog::too_many_lines(std::span<const balance::PartySource> sources) const {
    if (!lines_max_) return {};
    struct Lines {
        std::size_t count = 0;
        std::size_t first = 0;  ///< In the list.
    };
    std::unordered_map<std::uint32_t, Lines> of_customer;
    for (std::size_t i = 0; i < sources.size(); ++i) {
        const auto parent = static_cast<std::uint32_t>(sources[i].parent);
        if (sources[i].kind != PartyKind::line || parent >= parties_.size()) continue;
        of_customer.try_emplace(parent, Lines{0, i}).first->second.count++;
    }
    for (const auto& [parent, lines] : of_customer) {
        const PartyId customer{parent};
        const auto most = lines_max_(customer);
        if (most && static_cast<std::int64_t>(open_lines(customer) + lines.count) > *most) {
            return {{lines.first, "parent",
                     quoted(parties_.get(customer).id) + " has a plan for " + std::to_string(*most) +
                         " users; expected no more lines than that"}};
        }
    }
    return {};
}

std::vector<Fault> Catalog::add_to(std::span<const PartyDraft> drafts, Moment now,
                                   balance::JointEvent* joint) {
    std::unique_lock lock{mutex_};
    if (parties_.size() + drafts.size() > parties_.parties_max()) {
        return {{0, "", "more than " + std::to_string(parties_.parties_max()) + " parties (party.max)"}};
    }
    DraftChecker checker{tariffs_, dial_plans_, zones_, parties_};
    for (const auto& draft : drafts)
        checker.check(draft);
    if (!checker.faults().empty() || drafts.empty()) return std::move(checker.faults());
    const auto& sources = checker.sources();
    if (auto faults = too_many_lines(sources); !faults.empty()) return faults;
    std::vector<std::byte> body;
    balance::ByteWriter out{body};
    out.put(static_cast<std::uint32_t>(sources.size()));
    for (const auto& source : sources)
        write_party(source, parties_.tariff_lists(), dial_plans_, out);
    if (joint == nullptr) {
        append(EventKind::parties_added, now, body);
        for (const auto& source : sources)
            parties_.add(source);
        return {};
    }
    const auto kept = std::make_shared<std::unique_lock<std::recursive_mutex>>(std::move(lock));
    const auto added = std::make_shared<std::vector<balance::PartySource>>(checker.take_sources());
    auto made = event_of(EventKind::parties_added, now, body);
    joint->keep(std::move(made.file));
    joint->add_before(made.event, [this, kept, added] {
        for (const auto& source : *added)
            parties_.add(source);
    });
    return {};
}

std::vector<Fault> Catalog::change(PartyId id, const PartyChange& change, Moment now) {
    return change_to(id, change, now, nullptr);
}

std::vector<Fault> Catalog::change(PartyId id, const PartyChange& change, Moment now,
                                   balance::JointEvent& joint) {
    return change_to(id, change, now, &joint);
}

std::vector<Fault> Catalog::change_to(PartyId id, const PartyChange& change, Moment now,
                                      balance::JointEvent* joint) {
    const std::lock_guard lock{mutex_};
    const std::lock_guard statuses{status_mutex_};
    Party& party = parties_.get(id);
    std::vector<Fault> faults;
    const auto fault = [&faults](std::string field, std::string message) {
        faults.push_back({0, std::move(field), std::move(message)});
    };
    if (party.status().closed()) {
        fault("", "the party is closed; nothing of it can be changed");
        return faults;
    }
    if (change.credit_limit && !is_limit(*change.credit_limit))
        fault("credit_limit", std::string{kLimitExpected});
    if (change.credit_limit && !party.has_account()) {
        fault("credit_limit", "a " + std::string{text_of(party.kind)} + " has no account of its own");
    }
    if (change.min_available && !is_limit(*change.min_available))
        fault("min_available", std::string{kLimitExpected});
    std::optional<balance::TariffChoice> tariff;
    if (change.tariff || change.tariffs) {
        tariff = checked_tariffs(tariffs_, parties_.tariff_lists(), TariffTaker::of(parties_, party),
                                 change.tariff ? *change.tariff : std::nullopt, change.tariffs, fault);
    }
    std::uint16_t dial_plan = balance::kNoDialPlan;
    if (change.dial_plan && *change.dial_plan) {
        dial_plan = checked_dial_plan(dial_plans_, party.kind, **change.dial_plan, fault);
    }
    balance::WarningSettings warnings = party.warning_settings();
    if (change.warn_percent_hundredths) warnings.percent_hundredths = *change.warn_percent_hundredths;
    if (change.warn_owed) warnings.owed = *change.warn_owed;
    if (change.warn_balance) warnings.balance = *change.warn_balance;
    check_warnings(party.kind, warnings, change.credit_limit.value_or(party.account.credit_limit()), fault);
    balance::PartySource source = source_of(party);
    if (change.limits.named != 0) {
        const auto limits = change.limits.applied_to(limits_of(party));
        source.opened_countries = checked_limits(limits, party.kind, parties_.country_sets(), fault);
        source.limits = std::make_shared<const balance::LimitSettings>(limits);
    }
    if (!faults.empty()) return faults;

    const bool keeps_calls = change.keeps_calls.value_or(source.status.keeps_calls());
    source.status = change.status.value_or(source.status).keeping_calls(keeps_calls);
    if (change.credit_limit) source.credit_limit = *change.credit_limit;
    if (change.min_available) source.min_available = *change.min_available;
    if (tariff) source.tariff = *tariff;
    if (change.dial_plan) source.dial_plan = dial_plan;
    if (change.max_calls) source.max_calls = change.max_calls->value_or(balance::kCallsUnlimited);
    source.warnings = warnings;
    put(id, source, now, joint);
    return faults;
}

balance::BundleSource Catalog::checked_bundle(const BundleDraft& draft, std::size_t item,
                                              std::vector<Fault>& faults) const {
    const auto fault = [&faults, item](std::string field, std::string message) {
        faults.push_back({.item = item, .field = std::move(field), .message = std::move(message)});
    };
    if (!balance::is_id(draft.id)) fault("id", "expected 1 to 64 of A-Z a-z 0-9 . _ : @ + -");
    if (draft.seconds == 0 || draft.seconds > balance::kBundleSecondsMax) {
        fault("seconds", "expected a whole number from 1 to " + std::to_string(balance::kBundleSecondsMax));
    }
    balance::BundleSource source{.id = draft.id,
                                 .seconds = draft.seconds,
                                 .prefixes = draft.prefixes,
                                 .countries = draft.countries,
                                 .groups = {},
                                 .expires = draft.expires.value_or(rating::kNever),
                                 .monthly = draft.monthly,
                                 .priority = draft.priority};
    for (const std::string& name : draft.groups) {
        const auto place = destination_groups_.find(name);
        if (place) {
            source.groups.push_back(*place);
        } else {
            fault("groups",
                  "no destination group \"" + name + "\"; PUT /v1/destination-groups/{id} makes one");
        }
    }
    return source;
}

Catalog::BundleAdded Catalog::add_bundle(balance::PartyId id, const BundleDraft& draft, Moment now) {
    const std::lock_guard lock{mutex_};
    balance::Party& party = parties_.get(id);
    std::vector<Fault> faults;
    if (!party.pays_for_calls()) {
        faults.push_back(
            {0,
             {},
             std::string{party.id} + " is a " + std::string{text_of(party.kind)} +
                 " that pays for no calls; expected a customer, a margin reseller or the provider"});
    }
    balance::BundleSource source = checked_bundle(draft, 0, faults);
    if (!faults.empty()) return {.faults = std::move(faults)};
    const auto announce = [&](const balance::Bundle& bundle) {
        std::vector<std::byte> body;
        balance::ByteWriter out{body};
        write_bundle(bundle, out);
        append(EventKind::bundle, now, body);
    };
    return {.status =
                bundles_.add(party, id, std::move(source), zones_.find(party.time_zone), now.wall, announce),
            .faults = {}};
}

std::vector<Fault> Catalog::add_bundles(PartyId id, std::string_view time_zone,
                                        std::span<const BundleDraft> drafts, Moment now,
                                        balance::JointEvent& joint) {
    const auto kept = std::make_shared<std::unique_lock<std::recursive_mutex>>(mutex_);
    std::vector<Fault> faults;
    std::vector<balance::BundleSource> sources;
    for (const BundleDraft& draft : drafts)
        sources.push_back(checked_bundle(draft, sources.size(), faults));
    if (!faults.empty()) return faults;
    const Party* const party = static_cast<std::size_t>(id) < parties_.size() ? &parties_.get(id) : nullptr;
    const auto prepared = std::make_shared<balance::BundleBook::Prepared>(
        bundles_.prepare(party, id, std::move(sources), zones_.find(time_zone), now.wall));
    if (prepared->status != balance::BundleBook::AddStatus::added) {
        const bool differs = prepared->status == balance::BundleBook::AddStatus::differs;
        return {{0, "id",
                 differs ? "the party has another bundle of that id"
                         : "the party has as many bundles as it may have"}};
    }
    for (std::size_t i = 0; i < prepared->bundles.size(); ++i) {
        std::vector<std::byte> body;
        balance::ByteWriter out{body};
        write_bundle(*prepared->bundles[i], out);
        auto made = event_of(EventKind::bundle, now, body);
        joint.keep(std::move(made.file));
        if (i + 1 < prepared->bundles.size()) {
            joint.add(made.event);
        } else {
            joint.add(made.event, [this, kept, prepared, id, now] {
                bundles_.enter(parties_.get(id), std::move(*prepared), now.wall);
            });
        }
    }
    return {};
}

std::size_t Catalog::renew_bundles(Moment now) {
    // What a full disk puts off is made up for: a renewal is due until it is done.
    if (events_.admission() != balance::Admission::open) return 0;
    return bundles_.renew_due(now.wall, [&](const balance::Bundle& bundle) {
        std::vector<std::byte> body;
        balance::ByteWriter out{body};
        out.put(bundle.party());
        out.put(bundle.number());
        append(EventKind::bundle_renewed, now, body);
    });
}

/// Groups go by name: a place may be another one after a restart.
void Catalog::write_bundle(const balance::Bundle& bundle, ByteWriter& out) const {
    const balance::BundleSource& source = bundle.source();
    const balance::Bundle::Stand stand = bundle.stand();
    const auto write_texts = [&out](const std::vector<std::string>& texts) {
        out.put(static_cast<std::uint16_t>(texts.size()));
        for (const std::string& text : texts)
            out.short_text(text);
    };
    out.put(bundle.party());
    out.put(bundle.number());
    out.put(stand.generation);
    out.put(stand.held);
    out.put(stand.available);
    out.put(bundle.renews_at());
    out.short_text(source.id);
    out.put(source.seconds);
    out.put(source.expires);
    out.put(source.monthly);
    out.put(source.priority);
    write_texts(source.prefixes);
    write_texts(source.countries);
    std::vector<std::string> groups;
    for (const NamePlace place : source.groups)
        groups.push_back(destination_groups_.name_of(place));
    write_texts(groups);
}

bool Catalog::read_bundle(rating::Instant now, ByteReader& in) {
    const auto read_texts = [&in] {
        std::vector<std::string> texts;
        for (auto left = in.get<std::uint16_t>(); left > 0 && in.good(); --left)
            texts.emplace_back(in.short_text());
        return texts;
    };
    const auto id = in.get<PartyId>();
    const auto number = in.get<std::uint16_t>();
    balance::Bundle::Stand stand;
    in.get(stand.generation);
    in.get(stand.held);
    in.get(stand.available);
    rating::Instant renews_at{};
    in.get(renews_at);
    balance::BundleSource source;
    source.id = in.short_text();
    in.get(source.seconds);
    in.get(source.expires);
    in.get(source.monthly);
    in.get(source.priority);
    source.prefixes = read_texts();
    source.countries = read_texts();
    for (const std::string& name : read_texts()) {
        const auto place = destination_groups_.reserve(name);
        if (!place) return false;
        source.groups.push_back(*place);
    }
    if (!in.good() || static_cast<std::size_t>(id) >= parties_.size()) return false;
    Party& party = parties_.get(id);
    bundles_.restore(party, id, std::move(source), zones_.find(party.time_zone), number, stand, renews_at,
                     now);
    return true;
}

BundleDraft Catalog::draft_of(const balance::Bundle& bundle) const {
    const balance::BundleSource& source = bundle.source();
    BundleDraft draft{.id = source.id,
                      .seconds = source.seconds,
                      .prefixes = source.prefixes,
                      .countries = source.countries,
                      .groups = {},
                      .expires = std::nullopt,
                      .monthly = source.monthly,
                      .priority = source.priority};
    for (const NamePlace place : source.groups)
        draft.groups.push_back(destination_groups_.name_of(place));
    if (source.expires != rating::kNever) draft.expires = source.expires;
    return draft;
}

/// What takes funds away is done before the event, what gives some after it.
void Catalog::put(PartyId id, const balance::PartySource& source, Moment now, balance::JointEvent* joint) {
    Party& party = parties_.get(id);
    std::vector<std::byte> body;
    balance::ByteWriter out{body};
    out.put(id);
    write_party(source, parties_.tariff_lists(), dial_plans_, out);
    const rating::Money limit_before = party.account.credit_limit();
    if (joint != nullptr) {
        assert(source.credit_limit >= limit_before);
        const auto kept = std::make_shared<std::unique_lock<std::recursive_mutex>>(mutex_);
        const auto statuses = std::make_shared<std::unique_lock<std::recursive_mutex>>(status_mutex_);
        auto made = event_of(EventKind::party_changed, now, body);
        joint->keep(std::move(made.file));
        joint->add_before(made.event, [this, kept, statuses, &party, source] { adopt(party, source); });
        return;
    }
    if (source.credit_limit < limit_before) party.account.set_credit_limit(source.credit_limit);
    append(EventKind::party_changed, now, body);
    adopt(party, source);
    // A lower limit makes the same debt a greater part of it.
    const balance::Warnings* const warnings = party.warnings.load(std::memory_order_relaxed);
    if (warnings == nullptr || crossings_ == nullptr || source.credit_limit >= limit_before) return;
    constexpr auto kPercent = balance::Warning::percent;
    const rating::Money balance = party.account.balance();
    if (!warnings->beyond(kPercent, balance, limit_before) &&
        warnings->beyond(kPercent, balance, source.credit_limit)) {
        crossings_->crossed({id, kPercent, balance});
    }
}

std::optional<std::vector<PartyId>> Catalog::close(std::span<const PartyId> tops, Moment now) {
    const std::lock_guard lock{mutex_};
    const std::lock_guard statuses{status_mutex_};
    std::vector<PartyId> open;
    for (const PartyId top : tops) {
        if (parties_.get(top).kind == PartyKind::provider) return std::nullopt;
        if (has_open(top)) open.push_back(top);
    }
    std::vector<PartyId> closed;
    if (open.empty()) return closed;
    std::vector<std::byte> body;
    balance::ByteWriter out{body};
    out.put(static_cast<std::uint32_t>(open.size()));
    for (const PartyId top : open)
        out.put(top);
    append(EventKind::parties_closed, now, body);
    for (const PartyId top : open) {
        const auto below = close_subtree(top);
        closed.insert(closed.end(), below.begin(), below.end());
    }
    return closed;
}

bool Catalog::has_open(PartyId top) const noexcept {
    for (PartyId at = top; at != kNoParty; at = parties_.next_in_subtree(at, top)) {
        if (!parties_.get(at).status().closed()) return true;
    }
    return false;
}

std::vector<PartyId> Catalog::close_subtree(PartyId top) {
    std::vector<PartyId> closed;
    for (PartyId at = top; at != kNoParty; at = parties_.next_in_subtree(at, top)) {
        auto& status = parties_.get(at).status_bits;
        const auto before = status.exchange(balance::Status::kClosed, std::memory_order_relaxed);
        if (!balance::Status{before}.closed()) closed.push_back(at);
    }
    return closed;
}

std::string Catalog::image_of(const Party& party) const {
    std::vector<std::byte> bytes;
    balance::ByteWriter out{bytes};
    write_party(source_of(party), parties_.tariff_lists(), dial_plans_, out);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// ---- Dial plans and destination groups ----

DialPlans::PutStatus Catalog::put_dial_plan(std::string_view id, const DialPlan& plan, Moment now) {
    const std::lock_guard lock{mutex_};
    if (!dial_plans_.reserve(id)) return DialPlans::PutStatus::too_many;
    std::vector<std::byte> body;
    balance::ByteWriter out{body};
    out.text(id);
    write_plan(plan, out);
    append(EventKind::dial_plan_put, now, body);
    return dial_plans_.put(id, plan);
}

DestinationGroups::PutStatus Catalog::put_group(std::string_view id, const DestinationGroup& group,
                                                Moment now) {
    const std::lock_guard lock{mutex_};
    if (!destination_groups_.reserve(id)) return DestinationGroups::PutStatus::too_many;
    std::vector<std::byte> body;
    balance::ByteWriter out{body};
    out.text(id);
    write_group(group, out);
    append(EventKind::group_put, now, body);
    return destination_groups_.put(id, group);
}

std::string Catalog::remove_dial_plan(NamePlace place, Moment now) {
    const std::lock_guard lock{mutex_};
    const std::size_t count = parties_.size();
    for (std::size_t i = 0; i < count; ++i) {
        const Party& party = parties_.get(static_cast<PartyId>(i));
        if (party.dial_plan.load(std::memory_order_relaxed) != place) continue;
        // Who is closed makes no calls, and nothing of him can be changed.
        if (!party.status().closed()) return std::string{party.id};
    }
    append_name(EventKind::dial_plan_removed, dial_plans_.name_of(place), now);
    dial_plans_.remove(place);
    return {};
}

void Catalog::remove_group(NamePlace place, Moment now) {
    const std::lock_guard lock{mutex_};
    append_name(EventKind::group_removed, destination_groups_.name_of(place), now);
    destination_groups_.remove(place);
}

void Catalog::append_name(EventKind kind, std::string_view name, Moment now) {
    std::vector<std::byte> body;
    balance::ByteWriter out{body};
    out.text(name);
    append(kind, now, body);
}

balance::LimitSettings Catalog::limits_of(const Party& party) {
    const balance::Limits* const limits = party.limits.load(std::memory_order_acquire);
    return limits == nullptr ? balance::LimitSettings{} : limits->settings();
}

std::string Catalog::dial_plan_of(const Party& party) const {
    const auto place = party.dial_plan.load(std::memory_order_relaxed);
    return place == balance::kNoDialPlan ? std::string{} : dial_plans_.name_of(place);
}

std::vector<Fault> Catalog::owner_faults(std::string_view id, std::string_view owner) const {
    const auto fault = [](std::string message) {
        return std::vector<Fault>{{0, "owner", std::move(message)}};
    };
    if (owner.empty()) return {};
    const PartyId found = parties_.find(owner);
    if (found == kNoParty) return fault(quoted(owner) + ": no such party");
    if (const Party& party = parties_.get(found); !sells_by_tariff(party.kind, party.terms)) {
        return fault(quoted(owner) + " is a " + (party.kind == PartyKind::reseller ? "commission " : "") +
                     std::string{text_of(party.kind)} + "; expected the provider or a margin reseller");
    }
    const auto tariff = tariffs_.find(id);
    if (!tariff || tariffs_.current(*tariff)->settings.owner == owner) return {};
    const std::size_t count = parties_.size();
    for (std::size_t i = 0; i < count; ++i) {
        const Party& party = parties_.get(static_cast<PartyId>(i));
        if (!parties_.tariff_lists().names(party.tariff.load(std::memory_order_relaxed), *tariff)) continue;
        if (party.status().closed()) continue;  // It makes no calls, and nothing of it can be changed.
        std::string message = ownership_fault(id, owner, TariffTaker::of(parties_, party));
        if (!message.empty()) return fault(message + " and has it");
    }
    return {};
}

Catalog::TariffPut Catalog::put_tariff(std::string_view id, const rating::TariffSettings& settings,
                                       rating::Origin origin, Moment now) {
    const std::lock_guard lock{mutex_};
    TariffPut put;
    put.faults = owner_faults(id, settings.owner);
    if (put.faults.empty()) {
        put.result =
            tariffs_.put_settings(id, settings, std::move(origin), announcing(EventKind::tariff_put, now));
    }
    return put;
}

rating::TariffBook::PutResult Catalog::put_deck(std::string_view id, std::shared_ptr<const rating::Deck> deck,
                                                std::uint32_t checksum, rating::Origin origin, Moment now) {
    const std::string csv = rating::write_deck_csv(*deck);
    const auto file = events_.put_aside("deck", std::as_bytes(std::span{csv}));  // Held until it is named.
    return tariffs_.put_deck(id, std::move(deck), std::move(origin), {checksum, file.name},
                             announcing(EventKind::deck_put, now));
}

rating::TariffBook::PutResult Catalog::roll_back(std::string_view id, std::uint32_t number,
                                                 rating::Origin origin, Moment now) {
    return tariffs_.roll_back(id, number, std::move(origin), announcing(EventKind::deck_rolled_back, now));
}

std::string_view Catalog::tariff_of(const Party& party) const {
    const auto choice = party.tariff.load(std::memory_order_acquire);
    return choice.none() || choice.is_list() ? std::string_view{} : name_of(choice.one());
}

std::vector<TariffEntryDraft> Catalog::tariffs_of(const Party& party) const {
    std::vector<TariffEntryDraft> drafts;
    for (auto& entry : parties_.tariff_lists().entries(party.tariff.load(std::memory_order_acquire))) {
        drafts.push_back(
            {std::move(entry.service), std::move(entry.from_prefixes), std::string{name_of(entry.tariff)}});
    }
    return drafts;
}

std::vector<rating::TariffId> Catalog::tariffs_above(rating::TariffId tariff) const {
    std::vector<rating::TariffId> found;
    const auto& lists = parties_.tariff_lists();
    // Only those who buy from its owner have a tariff; where nobody owns it, anybody may.
    const std::string owner = tariffs_.current(tariff)->settings.owner;
    const PartyId top = owner.empty() ? parties_.root() : parties_.find(owner);
    // Customers of one reseller often stand side by side and pay by the same tariffs.
    PartyId parent_before = kNoParty;
    balance::TariffChoice choice_before;
    for (PartyId at = top, next = kNoParty; at != kNoParty; at = next) {
        const Party& party = parties_.get(at);
        const bool buys_elsewhere = !owner.empty() && at != top && sells_by_tariff(party.kind, party.terms);
        next = party.kind == PartyKind::customer || buys_elsewhere ? parties_.next_beside(at, top)
                                                                   : parties_.next_in_subtree(at, top);
        const auto choice = party.tariff.load(std::memory_order_acquire);
        if (!lists.names(choice, tariff) || party.status().closed() || party.parent == kNoParty) continue;
        if (party.parent == parent_before && choice == choice_before) continue;
        parent_before = party.parent;
        choice_before = choice;
        const Party* above = &parties_.get(party.parent);
        while (!above->pays_for_calls() && above->parent != kNoParty)
            above = &parties_.get(above->parent);
        if (!above->pays_for_calls() || !(above->currency == party.currency)) continue;
        for (const auto& entry : lists.entries(choice)) {
            if (entry.tariff != tariff) continue;
            for (const auto& theirs : lists.entries(above->tariff.load(std::memory_order_acquire))) {
                if (theirs.service != entry.service || theirs.tariff == tariff) continue;
                if (std::find(found.begin(), found.end(), theirs.tariff) == found.end())
                    found.push_back(theirs.tariff);
            }
        }
    }
    return found;
}

}  // namespace tollgate::daemon
