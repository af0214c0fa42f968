#include "daemon/partners/registry.h"

namespace tollgate::daemon {

bool Registry::apply(balance::ByteReader& in) {
    switch (in.get<RecordKind>()) {
        case RecordKind::profile:
            return profiles.apply(in);
        case RecordKind::customer_class:
            return classes.apply(in);
        case RecordKind::package:
            return packages.apply(in);
        case RecordKind::offer:
            return offers.apply(in);
        case RecordKind::subscription:
            return subscriptions.apply(in);
        case RecordKind::service_plan:
            return plans.apply(in);
        case RecordKind::pool_number:
            return numbers.apply(in);
        case RecordKind::catalogue:
            return catalogues.apply(in);
        case RecordKind::account_draft:
            return drafts.apply(in);
        case RecordKind::person:
            return people.apply(in);
        case RecordKind::token:
            return tokens.apply(in);
        case RecordKind::quick_form:
            return forms.apply(in);
        case RecordKind::payment_intent:
            return intents.apply(in);
        case RecordKind::mail:
            return mails.apply(in);
    }
    return false;  // Not an enumerator: it was not this daemon that wrote it.
}

void Registry::save(const std::function<void(std::span<const std::byte>)>& sink) const {
    profiles.save(sink);
    classes.save(sink);
    packages.save(sink);
    offers.save(sink);
    subscriptions.save(sink);
    plans.save(sink);
    numbers.save(sink);
    catalogues.save(sink);
    drafts.save(sink);
    people.save(sink);
    tokens.save(sink);
    forms.save(sink);
    intents.save(sink);
    mails.save(sink);
    audit.save(sink);
}

}  // namespace tollgate::daemon
