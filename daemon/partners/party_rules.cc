#include "daemon/partners/party_rules.h"

#include <type_traits>
#include <utility>

#include "config/values.h"
#include "daemon/partners/sales.h"

namespace tollgate::daemon {
namespace {

using balance::kNoParty;
using balance::PartyId;
using balance::PartyKind;
using config::quoted;

}  // namespace

bool PartyRules::is_in_force(std::string_view code) const {
    const PartyId owner = index_.with_code(code);
    if (owner == kNoParty || !parties_.get(owner).status().active()) return false;
    const auto profile = registry_.profiles.find(parties_.get(owner).id);
    return profile && !profile->code_inactive;
}

bool PartyRules::is_above(std::string_view owner, PartyId parent) const noexcept {
    return parties_.is_in_subtree(parent, parties_.find(owner));
}

void PartyRules::complete(Profile& profile, const Place& place) const {
    if (place.kind != PartyKind::customer || !profile.came_with.empty()) return;
    if (place.parent == kNoParty || place.parent != parties_.root()) return;
    const auto provider = registry_.profiles.find(parties_.get(place.parent).id);
    if (provider && !provider->default_code.empty() && is_in_force(provider->default_code))
        profile.came_with = provider->default_code;
}

std::vector<Fault> PartyRules::faults_of(const Profile& profile, const Profile& before,
                                         const Place& place) const {
    std::vector<Fault> faults;
    const auto fault = [&faults](std::string_view field, std::string message, bool taken = false) {
        faults.push_back({0, std::string{field}, std::move(message), taken});
    };
    const bool is_reseller = place.kind == PartyKind::reseller;
    if (profile.code != before.code && !profile.code.empty()) {
        const PartyId owner = index_.with_code(profile.code);
        if (place.kind != PartyKind::partner && !is_reseller) {
            fault("code", "only a partner or a reseller has a code with which customers come");
        } else if (owner != kNoParty && owner != place.id) {
            fault("code", quoted(profile.code) + " is somebody else's code", true);
        }
    }
    if (profile.came_with != before.came_with && !profile.came_with.empty()) {
        if (place.kind != PartyKind::customer) {
            fault("came_with", "only customers come with a code");
        } else if (!is_in_force(profile.came_with)) {
            fault("came_with", quoted(profile.came_with) + ": expected a code that is known and active");
        }
    }
    if (profile.default_code != before.default_code && !profile.default_code.empty()) {
        if (place.kind != PartyKind::provider) {
            fault("default_code", "only the provider has one");
        } else if (!is_in_force(profile.default_code)) {
            fault("default_code",
                  quoted(profile.default_code) + ": expected a code that is known and active");
        }
    }
    if (profile.name != before.name && !profile.name.empty() && place.kind == PartyKind::distributor) {
        const PartyId named = index_.distributor_named(place.parent, profile.name);
        if (named != kNoParty && named != place.id)
            fault("name", quoted(profile.name) + " is the name of another distributor", true);
    }
    if (profile.customer_class != before.customer_class && !profile.customer_class.empty()) {
        const auto known = registry_.classes.find(profile.customer_class);
        if (!known || !is_above(known->owner, place.parent)) {
            fault("class", quoted(profile.customer_class) + ": no such class; POST /v1/classes makes one");
        }
    }
    if (profile.catalogue != before.catalogue && !profile.catalogue.empty()) {
        const auto known = registry_.catalogues.find(profile.catalogue);
        if (place.kind != PartyKind::customer) {
            fault("catalogue", "only customers have one");
        } else if (!known || !is_above(known->owner, place.parent)) {
            fault("catalogue",
                  quoted(profile.catalogue) + ": no such catalogue; PUT /v1/catalogues/{id} makes one");
        }
    }
    if (is_reseller && place.id != kNoParty) {
        // What was made out of nothing must not come back to him as his own when it is spent.
        const balance::Terms terms = parties_.get(place.id).terms;
        if (refills_by_transfer(profile.refill_policy, terms) !=
                refills_by_transfer(before.refill_policy, terms) &&
            money_of_customers(parties_, place.id) != rating::Money{})
            fault("refill_policy", "stays as it is while his customers have money");
    }
    return faults;
}

EffectivePolicy PartyRules::effective(const Profile& profile) const {
    EffectivePolicy policy{profile.billing_period,   profile.payment_collection, profile.grace_days,
                           profile.invoice_template, profile.statistics,         profile.invoices_by_email,
                           profile.language};
    if (profile.customer_class.empty()) return policy;
    const auto known = registry_.classes.find(profile.customer_class);
    if (!known) return policy;
    const auto inherit = [](auto& own, const auto& of_class) {
        if (own == std::remove_reference_t<decltype(own)>{}) own = of_class;
    };
    inherit(policy.billing_period, known->billing_period);
    inherit(policy.payment_collection, known->payment_collection);
    inherit(policy.grace_days, known->grace_days);
    inherit(policy.invoice_template, known->invoice_template);
    inherit(policy.statistics, known->statistics);
    inherit(policy.invoices_by_email, known->invoices_by_email);
    inherit(policy.language, known->language);
    return policy;
}

}  // namespace tollgate::daemon
