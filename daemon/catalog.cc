#include "daemon/catalog.h"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>

namespace tollgate::daemon {
namespace {

using balance::kNoParty;
using balance::Party;
using balance::PartyId;
using balance::PartyKind;
using balance::Terms;

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

bool may_have_tariff(PartyKind kind, Terms terms) noexcept {
    return kind == PartyKind::provider || kind == PartyKind::customer ||
           (kind == PartyKind::reseller && terms == Terms::margin);
}

bool is_limit(rating::Money amount) noexcept {
    return amount >= rating::Money{} && amount <= rating::kAmountMax;
}

std::string quoted(std::string_view text) {
    return "\"" + std::string{text.substr(0, 80)} + "\"";
}

constexpr std::string_view kLimitExpected = "expected an amount from 0 to 10000000000";

/// What the checks of a draft need to know of its parent, be it in the table or earlier in the list.
struct ParentFacts {
    PartyKind kind;
    std::size_t depth;
    rating::Currency currency;
    std::string time_zone;
    bool closed;
};

class DraftChecker {
  public:
    DraftChecker(rating::TariffBook& tariffs, const balance::PartyTable& parties, const TimeZones& zones)
        : tariffs_(tariffs), parties_(parties), zones_(zones) {}

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
                                              source.time_zone, draft.status && draft.status->closed()});
        sources_.push_back(std::move(source));
        parents_.push_back(draft.parent);
    }

    [[nodiscard]] std::vector<Fault>& faults() { return faults_; }

    void add_all(balance::PartyTable& parties) {
        for (std::size_t i = 0; i < sources_.size(); ++i) {
            if (!parents_[i].empty()) sources_[i].parent = parties.find(parents_[i]);
            parties.add(sources_[i]);
        }
    }

  private:
    std::optional<ParentFacts> parent_of(const PartyDraft& draft, balance::PartySource& source) const {
        if (draft.parent.empty()) return std::nullopt;
        if (const auto found = drafts_.find(draft.parent); found != drafts_.end()) return found->second;
        source.parent = parties_.find(draft.parent);
        if (source.parent == kNoParty) return std::nullopt;
        const Party& parent = parties_.get(source.parent);
        return ParentFacts{parent.kind, parent.depth, parent.currency, std::string{parent.time_zone},
                           parent.status().closed()};
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
    }

    template <typename Complain>
    void check_service(const PartyDraft& draft, const std::optional<ParentFacts>& parent,
                       balance::PartySource& source, const Complain& fault) const {
        source.terms = draft.terms.value_or(Terms::margin);
        if (draft.terms && draft.kind != PartyKind::reseller) fault("terms", "only a reseller has terms");
        source.status = draft.status.value_or(balance::Status{});
        source.time_zone = draft.time_zone.value_or(parent ? parent->time_zone : "UTC");
        // A parent's zone has been checked.
        if (draft.time_zone && zones_.find(source.time_zone) == nullptr) {
            fault("time_zone", quoted(source.time_zone) + ": expected an IANA name such as Europe/Berlin");
        }
        if (draft.max_calls) source.max_calls = *draft.max_calls;
        if (!draft.tariff) return;
        if (!may_have_tariff(draft.kind, source.terms)) {
            fault("tariff", "a " +
                                std::string{draft.kind == PartyKind::reseller ? "commission reseller"
                                                                              : text_of(draft.kind)} +
                                " pays for no calls and has no tariff");
            return;
        }
        if (const auto id = checked_tariff(tariffs_, *draft.tariff, source.currency, fault))
            source.tariff = *id;
    }

  public:
    /// The tariff of that name if a party of `currency` may have it; otherwise a fault.
    template <typename Complain>
    static std::optional<rating::TariffId> checked_tariff(rating::TariffBook& tariffs,
                                                          const std::string& name, rating::Currency currency,
                                                          const Complain& fault) {
        const auto id = tariffs.find(name);
        if (!id) {
            fault("tariff", quoted(name) + ": no such tariff; PUT /v1/tariffs/" + name + " makes one");
            return std::nullopt;
        }
        const auto theirs = tariffs.current(*id)->settings.currency;
        if (!(theirs == currency)) {
            fault("tariff", quoted(name) + " is in " + std::string{theirs.view()} + "; the party pays in " +
                                std::string{currency.view()});
            return std::nullopt;
        }
        return id;
    }

  private:
    rating::TariffBook& tariffs_;
    const balance::PartyTable& parties_;
    const TimeZones& zones_;
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

std::vector<Fault> Catalog::add(std::span<const PartyDraft> drafts) {
    const std::lock_guard lock{mutex_};
    if (parties_.size() + drafts.size() > parties_.parties_max()) {
        return {{0, "", "more than " + std::to_string(parties_.parties_max()) + " parties (party.max)"}};
    }
    DraftChecker checker{tariffs_, parties_, zones_};
    for (const auto& draft : drafts)
        checker.check(draft);
    if (checker.faults().empty()) checker.add_all(parties_);
    return std::move(checker.faults());
}

std::vector<Fault> Catalog::change(PartyId id, const PartyChange& change) {
    const std::lock_guard lock{mutex_};
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
    auto tariff = rating::kNoTariff;
    if (change.tariff && *change.tariff) {
        if (!may_have_tariff(party.kind, party.terms)) {
            fault("tariff", "this party pays for no calls and has no tariff");
        } else if (const auto found =
                       DraftChecker::checked_tariff(tariffs_, **change.tariff, party.currency, fault)) {
            tariff = *found;
        }
    }
    if (!faults.empty()) return faults;

    if (change.status) party.status_bits.store(change.status->bits(), std::memory_order_relaxed);
    if (change.credit_limit) party.account.set_credit_limit(*change.credit_limit);
    if (change.min_available)
        party.min_available.store(change.min_available->micros(), std::memory_order_relaxed);
    if (change.tariff) party.tariff.store(tariff, std::memory_order_relaxed);
    if (change.max_calls) {
        party.max_calls.store(change.max_calls->value_or(balance::kCallsUnlimited),
                              std::memory_order_relaxed);
    }
    return faults;
}

bool Catalog::close(PartyId id) {
    const std::lock_guard lock{mutex_};
    Party& party = parties_.get(id);
    if (party.kind == PartyKind::provider) return false;
    party.status_bits.store(balance::Status::kClosed, std::memory_order_relaxed);
    return true;
}

std::string_view Catalog::tariff_of(const Party& party) const {
    const auto tariff = party.tariff.load(std::memory_order_relaxed);
    return tariff == rating::kNoTariff ? std::string_view{} : tariffs_.name(tariff);
}

std::vector<rating::TariffId> Catalog::tariffs_above(rating::TariffId tariff) const {
    std::vector<rating::TariffId> found;
    PartyId parent_before = kNoParty;  // Customers of one reseller often stand side by side.
    const std::size_t count = parties_.size();
    for (std::size_t i = 0; i < count; ++i) {
        const Party& party = parties_.get(static_cast<PartyId>(i));
        if (party.tariff.load(std::memory_order_relaxed) != tariff || party.status().closed()) continue;
        if (party.parent == kNoParty || party.parent == parent_before) continue;
        parent_before = party.parent;
        const Party* above = &parties_.get(party.parent);
        while (!above->pays_for_calls() && above->parent != kNoParty)
            above = &parties_.get(above->parent);
        const auto theirs = above->tariff.load(std::memory_order_relaxed);
        const bool comparable = above->pays_for_calls() && above->currency == party.currency;
        if (!comparable || theirs == rating::kNoTariff || theirs == tariff) continue;
        if (std::find(found.begin(), found.end(), theirs) == found.end()) found.push_back(theirs);
    }
    return found;
}

}  // namespace tollgate::daemon
