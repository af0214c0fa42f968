#include "daemon/notices.h"

#include <array>
#include <string>

#include "balance/bytes.h"
#include "daemon/threshold_events.h"
#include "rating/decimal.h"
#include "rating/instant.h"

namespace tollgate::daemon {
namespace {

constexpr std::string_view kThreshold = "threshold";
constexpr std::string_view kPasswordChanged = "password_changed";

std::string text_of(rating::Money amount) {
    return std::string{rating::format(amount).view()};
}

/// `owes more than 90 % of the credit limit`.
std::string words_of(const balance::Crossing& crossing, const balance::WarningSettings& settings,
                     std::string_view currency) {
    const auto money = [currency](rating::Money amount) {
        return text_of(amount) + ' ' + std::string{currency};
    };
    switch (crossing.warning) {
        case balance::Warning::percent: {
            constexpr int kHundredths = 2;
            const auto percent = rating::format_decimal(settings.percent_hundredths, kHundredths);
            return "more than " + std::string{percent.view()} + " % of the credit limit is owed";
        }
        case balance::Warning::owed:
            return "more than " + money(settings.owed) + " is owed";
        case balance::Warning::balance:
            return "the balance is below " + money(settings.balance.value_or(rating::Money{}));
    }
    std::abort();  // Not an enumerator: memory is corrupt.
}

}  // namespace

Notices::Address Notices::address_of(std::string_view party) const {
    const auto profile = registry_.profiles.find(party);
    if (!profile) return {};
    Address address{profile->accounting_email, profile->name, profile->language};
    if (address.to.empty()) address.to = profile->email;
    if (address.name.empty()) address.name = profile->company;
    if (address.language.empty() && !profile->customer_class.empty()) {
        if (const auto policy = registry_.classes.find(profile->customer_class))
            address.language = policy->language;
    }
    return address;
}

void Notices::add(balance::JointEvent& joint, std::string_view reason, std::string_view party,
                  const Address& address, std::span<const mail::Value> values, balance::Moment now) const {
    mail::Written written = templates_->fill(reason, address.language, values);
    outbox_.add(joint,
                {std::string{party}, std::string{reason}, address.to, std::move(written.subject),
                 std::move(written.text)},
                now);
}

void Notices::threshold(const ThresholdEvent& event, balance::JointEvent& joint) const {
    const balance::Party& party = parties_.get(event.crossing.party);
    const Address address = address_of(party.id);
    if (address.to.empty()) return;
    const balance::Warnings* const warnings = party.warnings.load(std::memory_order_acquire);
    const auto settings = warnings == nullptr ? balance::WarningSettings{} : warnings->settings();
    const std::array<mail::Value, 9> values{
        {{"party", std::string{party.id}},
         {"name", address.name},
         {"currency", std::string{party.currency.view()}},
         {"balance", text_of(event.crossing.balance)},
         {"owed", text_of(event.crossing.owed())},
         {"credit_limit", text_of(party.account.credit_limit())},
         {"threshold_is", words_of(event.crossing, settings, party.currency.view())},
         {"warning", std::string{daemon::text_of(event.crossing.warning)}},
         {"time", std::string{rating::format(event.at.wall).view()}}}};
    add(joint, kThreshold, party.id, address, values, event.at);
}

void Notices::password_changed(const Person& person, std::string_view changed_by, balance::JointEvent& joint,
                               balance::Moment now) const {
    Address address = address_of(person.party);
    if (!person.email.empty()) address.to = person.email;
    if (!person.name.empty()) address.name = person.name;
    if (!person.language.empty()) address.language = person.language;
    if (address.to.empty()) return;
    const std::array<mail::Value, 5> values{{{"party", person.party},
                                             {"name", address.name},
                                             {"login", person.id},
                                             {"changed_by", std::string{changed_by}},
                                             {"time", std::string{rating::format(now.wall).view()}}}};
    add(joint, kPasswordChanged, person.party, address, values, now);
}

}  // namespace tollgate::daemon
