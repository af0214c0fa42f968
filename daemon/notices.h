/// What people are told by e-mail: who gets which mail of what happened, and in which words.
#pragma once

#include <memory>
#include <string_view>

#include "balance/event_log.h"
#include "balance/party_table.h"
#include "daemon/mail/templates.h"
#include "daemon/outbox.h"
#include "daemon/partners/registry.h"

namespace tollgate::daemon {

struct ThresholdEvent;

/// Each member adds mails to the event of what they are about, or none where nobody has an address. Any
/// thread.
class Notices {
  public:
    /// All of them must outlive this.
    Notices(const balance::PartyTable& parties, const Registry& registry, Outbox& outbox,
            std::shared_ptr<const mail::Templates> templates)
        : parties_(parties), registry_(registry), outbox_(outbox), templates_(std::move(templates)) {}

    /// A balance crossed a threshold: to the party's `accounting_email`, else to its `email`.
    void threshold(const ThresholdEvent& event, balance::JointEvent& joint) const;

    /// Somebody's password is another one: to his own address, else to those of his party. `changed_by` is a
    /// login.
    void password_changed(const Person& person, std::string_view changed_by, balance::JointEvent& joint,
                          balance::Moment now) const;

  private:
    /// Where mails for a party go, and in which language; an empty `to`: nowhere.
    struct Address {
        std::string to;
        std::string name;
        std::string language;
    };
    [[nodiscard]] Address address_of(std::string_view party) const;
    void add(balance::JointEvent& joint, std::string_view reason, std::string_view party,
             const Address& address, std::span<const mail::Value> values, balance::Moment now) const;

    const balance::PartyTable& parties_;
    const Registry& registry_;
    Outbox& outbox_;
    std::shared_ptr<const mail::Templates> templates_;
};

}  // namespace tollgate::daemon
