/// All records that administration keeps, and who changed what: one part of State.
#pragma once

#include <functional>
#include <mutex>
#include <span>

#include "daemon/partners/audit_log.h"
#include "daemon/partners/mail_record.h"
#include "daemon/partners/payment_intent.h"
#include "daemon/partners/people.h"
#include "daemon/partners/products.h"
#include "daemon/partners/profile.h"
#include "daemon/partners/record_book.h"

namespace tollgate::daemon {

/// Any thread may look at a book at any time.
struct Registry {
    /// Whoever changes records holds it from before he looks until his event is appended, so that what he saw
    /// still is so. Calls never meet it. It is taken before any lock of Payments or Catalog.
    std::mutex mutex;

    RecordBook<Profile> profiles;  ///< By the party's id.
    RecordBook<CustomerClass> classes;
    RecordBook<Package> packages;
    RecordBook<Offer> offers;
    RecordBook<Subscription> subscriptions;
    RecordBook<ServicePlan> plans;
    RecordBook<PoolNumber> numbers;
    RecordBook<Catalogue> catalogues;
    RecordBook<AccountDraft> drafts;
    RecordBook<Person> people;  ///< By login.
    RecordBook<Token> tokens;
    RecordBook<QuickForm> forms;
    RecordBook<PaymentIntent> intents;
    PaymentReferences references{intents};
    RecordBook<MailRecord> mails;
    AuditLog audit;

    // ---- For a restart and for snapshots, with no other thread ----

    /// The rest of an event of EventKind::record.
    [[nodiscard]] bool apply(balance::ByteReader& in);
    /// Events that say all of it.
    void save(const std::function<void(std::span<const std::byte>)>& sink) const;
};

}  // namespace tollgate::daemon
