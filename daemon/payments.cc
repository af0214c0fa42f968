#include "daemon/payments.h"

#include <algorithm>
#include <utility>

namespace tollgate::daemon {
namespace {

using balance::kNoParty;
using balance::Ledger;
using balance::Party;
using balance::PartyId;
using balance::Posting;
using balance::PostingPlace;
using balance::Session;
using balance::SessionLevel;
using balance::SessionState;
using balance::Transaction;
using balance::TransactionKind;
using rating::Money;

constexpr balance::KeyedHash kFingerprint{0};

/// Of the arguments as given: tells a repeat from a conflict, also after a restart.
std::uint64_t fingerprint_of(char operation, std::string_view party, std::string_view other,
                             std::optional<Money> amount, std::string_view memo) {
    std::uint64_t hash = kFingerprint.mix(static_cast<unsigned char>(operation),
                                          static_cast<std::uint64_t>(amount.value_or(Money{}).micros()));
    hash = kFingerprint.mix(hash, kFingerprint(party));
    hash = kFingerprint.mix(hash, kFingerprint(other));
    return kFingerprint.mix(hash, kFingerprint(memo));
}

constexpr std::string_view kRecordPrefix = "r-";
constexpr std::string_view kTransactionPrefix = "t-";
constexpr std::chrono::minutes kSweepEvery{10};

bool is_record(std::string_view text) noexcept {
    return text.starts_with(kRecordPrefix);
}
/// Requires: is_record(text).
std::optional<std::uint64_t> record_number(std::string_view text) noexcept {
    return rating::parse_unsigned(text.substr(kRecordPrefix.size()), INT64_MAX);
}

/// The number of a transaction by its name, `t-12`.
std::optional<std::uint64_t> transaction_number(std::string_view text) noexcept {
    if (!text.starts_with(kTransactionPrefix)) return std::nullopt;
    return rating::parse_unsigned(text.substr(kTransactionPrefix.size()), INT64_MAX);
}

/// `part * factor / divisor`, rounded towards zero. Requires: |factor| <= divisor, divisor > 0.
Money pro_rata(Money part, Money factor, Money divisor) noexcept {
    __extension__ typedef __int128 Wide;  // NOLINT(modernize-use-using)
    return Money::from_micros(
        static_cast<std::int64_t>(Wide{part.micros()} * factor.micros() / divisor.micros()));
}

Money magnitude(Money amount) noexcept {
    return amount < Money{} ? -amount : amount;
}

/// What has been charged and not been given back.
Money left_of(const SessionLevel& level) noexcept {
    return level.charged - level.refunded;
}

/// Whether a repeat of it gets the same refusal for a while. A conflict is about another request, and what is
/// an error of RESP changed nothing and is not remembered anywhere.
bool is_remembered(PaymentCode code) noexcept {
    return code != PaymentCode::conflict && code != PaymentCode::busy && code != PaymentCode::out_of_bounds &&
           code != PaymentCode::faulty;
}

}  // namespace

std::size_t Payments::KeyHash::operator()(const Key& key) const noexcept {
    return kFingerprint.mix(kFingerprint(key.scope), kFingerprint(key.request));
}

PartyId Payments::account(std::string_view party) const noexcept {
    const PartyId id = parties_.find(party);
    if (id == kNoParty) return kNoParty;
    const Party& found = parties_.get(id);
    return found.has_account() && !found.status().closed() ? id : kNoParty;
}

// ---- Requests ----

Payments::Stripe& Payments::stripe_of(const Key& key) noexcept {
    // The map uses the lower bits.
    return stripes_[(KeyHash{}(key) >> 32) % kStripes];
}

bool Payments::forgettable(const Remembered& entry, balance::Steady now) const noexcept {
    return now - entry.at > (entry.code == PaymentCode::ok ? settings_.remember : settings_.repeat);
}

Payments::Remembered* Payments::find(Stripe& stripe, const Key& key) const noexcept {
    const auto found = stripe.requests.find(key);
    return found == stripe.requests.end() ? nullptr : found->second.get();
}

void Payments::list(const std::shared_ptr<Remembered>& entry) {
    list_.add({entry, &entry->transaction});
}

void Payments::unlist_due(balance::Steady now) {
    list_.forget(
        [&](const Transaction& transaction) { return now - transaction.at.steady > settings_.remember; });
}

bool Payments::knows(const Key& key, balance::Steady now) noexcept {
    Stripe& stripe = stripe_of(key);
    const std::lock_guard lock{stripe.mutex};
    const Remembered* const asked = find(stripe, key);
    return asked != nullptr && !forgettable(*asked, now);
}

Payments::Key Payments::key_of(const PaymentRequest& request, std::string_view id) noexcept {
    const Key own{request.scope, id};
    const PaymentRequest::Nobodys& nobodys = request.nobodys;
    if (request.scope.empty() || nobodys.under == kNoParty || knows(own, request.now.steady)) return own;
    const Key other{{}, id};
    Stripe& stripe = stripe_of(other);
    const std::lock_guard lock{stripe.mutex};
    const Remembered* const asked = find(stripe, other);
    if (asked == nullptr || asked->at >= nobodys.before || forgettable(*asked, request.now.steady))
        return own;
    // Each start counts as the moment of the first declaration, and who is nobody over HTTP goes on choosing
    // ids.
    if (nobodys.before - asked->at > kAnswerUnderWay) return own;
    const auto& postings = asked->transaction.postings;
    const bool sees = nobodys.under == parties_.root() ||
                      (!postings.empty() && parties_.is_in_subtree(postings[0].party, nobodys.under));
    return sees ? other : own;
}

void Payments::make_room(Stripe& stripe, balance::Steady now) {
    const bool full = stripe.requests.size() >= kRequestsMax / kStripes;
    if (now - stripe.swept < (full ? settings_.repeat : std::chrono::nanoseconds{kSweepEvery})) return;
    stripe.swept = now;
    std::erase_if(stripe.requests, [&](const auto& entry) { return forgettable(*entry.second, now); });
    unlist_due(now);
}

template <typename CarryOut>
PaymentAnswer Payments::once(Stripe& stripe, const Key& key, const PaymentRequest& request,
                             std::uint64_t fingerprint, const CarryOut& carry_out) {
    const balance::Steady now = request.now.steady;
    if (const auto known = stripe.requests.find(key); known != stripe.requests.end()) {
        const Remembered& entry = *known->second;
        if (!forgettable(entry, now)) {
            const Transaction& done = entry.transaction;
            if (done.fingerprint != fingerprint) return {.code = PaymentCode::conflict};
            return {entry.code, done.balance, done.available, done.number, true, done.subject};
        }
        stripe.requests.erase(known);
    }
    make_room(stripe, now);
    if (stripe.requests.size() >= kRequestsMax / kStripes) return {.code = PaymentCode::busy};

    if (events_.admission() != balance::Admission::open) return {.code = PaymentCode::no_room};

    auto entry = std::make_shared<Remembered>();
    entry->at = now;
    Transaction& transaction = entry->transaction;
    transaction.scope = key.scope;
    transaction.request = key.request;
    transaction.memo = request.memo;
    transaction.actor = request.actor;
    transaction.fingerprint = fingerprint;
    transaction.at = request.now;
    // Before it is done, so that nothing can fail after it is.
    const auto place =
        stripe.requests.emplace(Key{transaction.scope, transaction.request}, std::move(entry)).first;
    Remembered& stored = *place->second;
    stored.code = carry_out(stored.transaction);
    if (stored.code == PaymentCode::ok) {
        const Transaction& done = stored.transaction;
        list(place->second);
        numbers_.settle(done.number);
        return {PaymentCode::ok, done.balance, done.available, done.number, false, done.subject};
    }
    const PaymentCode refusal = stored.code;
    if (is_remembered(refusal)) {
        stored.transaction.postings = {};
    } else {
        stripe.requests.erase(place);
    }
    return {.code = refusal};
}

template <typename CarryOut>
PaymentAnswer Payments::once(const PaymentRequest& request, std::uint64_t fingerprint,
                             const CarryOut& carry_out) {
    const Key key = key_of(request, request.id);
    Stripe& stripe = stripe_of(key);
    const std::lock_guard lock{stripe.mutex};
    return once(stripe, key, request, fingerprint, carry_out);
}

// ---- Doing it ----

void Payments::commit(Transaction& transaction) {
    const std::lock_guard lock{commit_mutex_};
    transaction.number = numbers_.draw();
    std::vector<std::byte> event;
    balance::ByteWriter out{event};
    balance::EventHeader{balance::EventKind::transaction, transaction.at}.write(out);
    balance::write_transaction(transaction, out);
    events_.append(event);
}

PaymentCode Payments::post(std::span<const Ledger::Funds> funds, Transaction& transaction) {
    const Ledger::Posted posted = ledger_.begin_posting(transaction.postings, funds);
    switch (posted.status) {
        case Ledger::PostStatus::insufficient:
            return PaymentCode::credit_limit;
        case Ledger::PostStatus::out_of_bounds:
            return PaymentCode::out_of_bounds;
        case Ledger::PostStatus::posted:
            break;
    }
    transaction.balance = posted.balance;
    transaction.available = posted.available;
    commit(transaction);
    ledger_.finish_posting(transaction.postings, posted);
    return PaymentCode::ok;
}

PaymentCode Payments::move(std::string_view party, Money amount, PostingPlace other, Ledger::Funds funds,
                           Transaction& transaction) {
    const PartyId id = account(party);
    if (id == kNoParty) return PaymentCode::unknown_account;
    const rating::Currency currency = parties_.get(id).currency;
    transaction.postings = {{id, PostingPlace::balance, currency, amount},
                            {ledger_.seller_of(id), other, currency, -amount}};
    return post(funds, transaction);
}

PaymentAnswer Payments::top_up(std::string_view party, Money amount, const PaymentRequest& request) {
    return once(request, fingerprint_of('T', party, {}, amount, request.memo), [&](Transaction& transaction) {
        transaction.kind = TransactionKind::top_up;
        const auto pay = [&] {
            return move(party, amount, PostingPlace::cash, Ledger::Funds::any, transaction);
        };
        const PartyId id = account(party);
        if (id == kNoParty) return PaymentCode::unknown_account;
        Party& paying = parties_.get(id);
        constexpr auto kLifted =
            static_cast<std::uint8_t>(balance::Status::kOverdue | balance::Status::kLimit);
        if ((paying.status().bits() & kLifted) == 0) return pay();
        // An operator who sets a reason meanwhile does it before or after the payment, not in its midst.
        const auto statuses = catalog_.hold_statuses();
        transaction.lifted = paying.status().bits() & kLifted;
        const PaymentCode code = pay();
        if (code == PaymentCode::ok) {
            paying.status_bits.fetch_and(static_cast<std::uint8_t>(~transaction.lifted),
                                         std::memory_order_relaxed);
        }
        return code;
    });
}

PaymentAnswer Payments::debit(std::string_view party, Money amount, bool force,
                              const PaymentRequest& request) {
    return once(request, fingerprint_of(force ? 'F' : 'D', party, {}, amount, request.memo),
                [&](Transaction& transaction) {
                    transaction.kind = TransactionKind::debit;
                    return move(party, -amount, PostingPlace::revenue,
                                force ? Ledger::Funds::any : Ledger::Funds::available, transaction);
                });
}

PaymentAnswer Payments::adjust(std::string_view party, Money amount, bool force,
                               const PaymentRequest& request) {
    return once(request, fingerprint_of(force ? 'B' : 'A', party, {}, amount, request.memo),
                [&](Transaction& transaction) {
                    transaction.kind = TransactionKind::adjustment;
                    return move(party, amount, PostingPlace::revenue,
                                force ? Ledger::Funds::any : Ledger::Funds::available, transaction);
                });
}

PaymentAnswer Payments::pay_out(std::string_view party, Money amount, const PaymentRequest& request) {
    return once(request, fingerprint_of('P', party, {}, amount, request.memo), [&](Transaction& transaction) {
        transaction.kind = TransactionKind::payout;
        return move(party, -amount, PostingPlace::cash, Ledger::Funds::own, transaction);
    });
}

PaymentAnswer Payments::transfer(std::string_view source, std::string_view target, Money amount,
                                 const PaymentRequest& request) {
    return once(request, fingerprint_of('M', source, target, amount, request.memo),
                [&](Transaction& transaction) {
                    transaction.kind = TransactionKind::transfer;
                    const PartyId from = account(source);
                    if (from == kNoParty) return PaymentCode::unknown_account;
                    const PartyId to = account(target);
                    if (to == kNoParty) return PaymentCode::unknown_target;
                    const rating::Currency currency = parties_.get(from).currency;
                    // The provider has no seller, and its balance is not checked.
                    if (from == to || from == parties_.root() || to == parties_.root() ||
                        !(currency == parties_.get(to).currency) ||
                        ledger_.seller_of(from) != ledger_.seller_of(to)) {
                        return PaymentCode::not_transferable;
                    }
                    transaction.postings = {{from, PostingPlace::balance, currency, -amount},
                                            {to, PostingPlace::balance, currency, amount}};
                    return post(Ledger::Funds::own, transaction);
                });
}

std::uint64_t Payments::fingerprint(std::span<const std::string_view> arguments) noexcept {
    std::uint64_t hash = arguments.size();
    for (const std::string_view argument : arguments)
        hash = kFingerprint.mix(hash, kFingerprint(argument));
    return hash;
}

PaymentAnswer Payments::transact(TransactionKind kind, std::uint64_t fingerprint,
                                 const PaymentRequest& request, const Decide& decide) {
    return once(request, fingerprint, [&](Transaction& transaction) {
        transaction.kind = kind;
        std::vector<Ledger::Funds> funds;
        PaymentCode code = decide(transaction, funds);
        if (code == PaymentCode::ok) {
            std::unique_lock<std::recursive_mutex> statuses;
            Party* const paying = transaction.lifted == 0 || transaction.postings.empty()
                                      ? nullptr
                                      : &parties_.get(transaction.postings[0].party);
            if (paying != nullptr) {
                statuses = catalog_.hold_statuses();
                transaction.lifted &= paying->status().bits();
            }
            if (funds.empty()) funds.push_back(Ledger::Funds::available);
            code = post(funds, transaction);
            if (code == PaymentCode::ok && paying != nullptr) {
                paying->status_bits.fetch_and(static_cast<std::uint8_t>(~transaction.lifted),
                                              std::memory_order_relaxed);
            }
        }
        auto* const joint = balance::JointEvent::current();
        if (code != PaymentCode::ok && joint != nullptr) joint->abandon();
        return code;
    });
}

// ---- Refunds ----

Payments::Key Payments::original_of(const RefundRequest& refund, const PaymentRequest& request,
                                    TransactionList::Entry& named) noexcept {
    // By the request id that whoever asks chose, or else by its number, whoever had it done.
    const Key own = key_of(request, refund.of);
    if (const auto number = transaction_number(refund.of); number && !knows(own, request.now.steady))
        named = list_.find(*number);
    return named == nullptr ? own : Key{named->scope, named->request};
}

PartyId Payments::payer_of(const RefundRequest& refund, const PaymentRequest& request) {
    if (is_record(refund.of)) {
        const auto record = record_number(refund.of);
        if (!record) return kNoParty;
        const auto claim = sessions_.claim_record(*record);
        return claim && claim->level_count > 0 ? claim->levels()[0].payer : kNoParty;
    }
    TransactionList::Entry named;
    const Key original = original_of(refund, request, named);
    Stripe& stripe = stripe_of(original);
    const std::lock_guard lock{stripe.mutex};
    const Remembered* const paid = find(stripe, original);
    return paid == nullptr || paid->transaction.postings.empty() ? kNoParty
                                                                 : paid->transaction.postings[0].party;
}

PaymentAnswer Payments::refund(const RefundRequest& refund, const PaymentRequest& request) {
    const bool of_call = is_record(refund.of);
    // An amount that is not given differs from each that is.
    const char operation = of_call ? (refund.amount ? 'C' : 'c') : (refund.amount ? 'R' : 'r');
    const std::uint64_t fingerprint =
        fingerprint_of(operation, refund.asker, refund.of, refund.amount, request.memo);
    if (of_call) {
        const auto record = record_number(refund.of);
        return once(request, fingerprint, [&](Transaction& transaction) {
            return record ? refund_call(refund, *record, transaction) : PaymentCode::unknown_original;
        });
    }
    TransactionList::Entry named;
    const Key original = original_of(refund, request, named);
    // The payment's stripe too: two refunds of it take turns.
    const Key key = key_of(request, request.id);
    Stripe& own = stripe_of(key);
    Stripe& other = stripe_of(original);
    std::unique_lock lock{own.mutex, std::defer_lock};
    std::unique_lock other_lock{other.mutex, std::defer_lock};
    if (&own == &other) {
        lock.lock();
    } else {
        std::lock(lock, other_lock);
    }
    return once(own, key, request, fingerprint, [&](Transaction& transaction) {
        // A request cannot refund itself: it is there already, and nothing of it is done.
        const bool itself = key == original;
        Remembered* const entry = itself ? nullptr : find(other, original);
        return refund_payment(refund, entry, transaction);
    });
}

PaymentCode Payments::refund_call(const RefundRequest& refund, std::uint64_t record,
                                  Transaction& transaction) {
    transaction.kind = TransactionKind::refund;
    const auto claim = sessions_.claim_record(record);
    // One that is about to be forgotten changes no more: a replay may have forgotten it.
    if (!claim || sessions_.is_over(*claim, transaction.at.steady)) return PaymentCode::unknown_original;
    if (claim->level_count == 0) return PaymentCode::not_refundable;  // An emergency call costs nobody.
    Session& session = *claim;
    const auto levels = session.levels();
    const SessionLevel& customer = levels[0];
    const PartyId asker = refund.asker.empty() ? parties_.root() : parties_.find(refund.asker);
    if (!refund.party.empty() && parties_.find(refund.party) != customer.payer)
        return PaymentCode::unknown_original;
    if (!parties_.is_below(customer.payer, asker)) return PaymentCode::unknown_original;
    // What expired may still be settled by a late STOP: until then nobody knows what it cost.
    if (session.state != SessionState::stopped && session.state != SessionState::released)
        return PaymentCode::not_refundable;

    const Money left = left_of(customer);
    const Money amount = refund.amount.value_or(left);
    if (amount > left) return PaymentCode::not_refundable;
    std::array<Money, balance::kChainDepthMax + 1> parts{};
    bool any = false;
    const bool credited = session.credits_seller;
    for (std::size_t i = 0; i < levels.size(); ++i) {
        const SessionLevel& level = levels[i];
        // A reseller reverses what those below him paid; what he paid himself is for those above him. What
        // somebody earned of the customer's leg goes with that.
        const bool his = level.earns() || asker == parties_.root() || parties_.is_below(level.payer, asker);
        if (!his) continue;
        const Money rest = left_of(level);
        const Money part = amount == left ? rest : pro_rata(level.charged, amount, customer.charged);
        parts[i] = level.earns() ? std::max(part, rest) : std::min(part, rest);
        const bool seconds = amount == left && has_seconds_to_return(session, i, transaction.at.wall);
        any = any || parts[i] != Money{} || seconds;
        if (i > 0 && parts[i] == Money{} && !seconds) continue;
        const rating::Currency currency = parties_.get(level.payer).currency;
        const auto book = credited && i == 0            ? PostingPlace::balance
                          : level.seller == level.payer ? PostingPlace::termination
                                                        : PostingPlace::revenue;
        transaction.postings.push_back({level.payer, PostingPlace::balance, currency, parts[i]});
        if (credited && level.earns()) {
            // So much less for the seller to give back: whatever else his balance gets is of his own leg.
            transaction.postings[1].amount = transaction.postings[1].amount - parts[i];
            continue;
        }
        if (parts[i] != Money{} || book != PostingPlace::balance)
            transaction.postings.push_back({level.seller, book, currency, -parts[i]});
    }
    if (!any) return PaymentCode::not_refundable;
    transaction.refunded_record = record;
    const PaymentCode code = post(Ledger::Funds::any, transaction);
    if (code != PaymentCode::ok) return code;
    for (std::size_t i = 0; i < levels.size(); ++i)
        levels[i].refunded = levels[i].refunded + parts[i];
    give_back_bundle_seconds(session, transaction);
    return code;
}

/// Calls `visit(use, bundle)` for what a level of an ended call used of bundles that have not expired at
/// `at`.
template <typename Visit>
void Payments::each_use(balance::LevelBundles& mine, PartyId payer, rating::Instant at,
                        const Visit& visit) const {
    const balance::BundlesOf bundles{parties_.get(payer)};
    for (std::size_t i = 0; i < mine.use_count; ++i) {
        balance::BundleUse& use = mine.uses[i];
        balance::Bundle* const bundle = use.used > 0 ? bundles.find(use.bundle) : nullptr;
        if (bundle != nullptr && bundle->pays_at(at)) visit(use, *bundle);
    }
}

bool Payments::has_seconds_to_return(Session& session, std::size_t level, rating::Instant at) const {
    bool any = false;
    for (balance::LevelBundles& mine : session.bundles()) {
        if (mine.level != level) continue;
        each_use(mine, session.levels()[level].payer, at, [&any](auto&, auto&) { any = true; });
    }
    return any;
}

/// Seconds have no price of their own: those that a call used return once nothing of the customer's leg is
/// left to refund, to the levels that the refund reaches.
void Payments::give_back_bundle_seconds(Session& session, const Transaction& refund) const {
    if (left_of(session.levels()[0]) > Money{}) return;
    for (balance::LevelBundles& mine : session.bundles()) {
        const PartyId payer = session.levels()[mine.level].payer;
        const bool reached =
            std::any_of(refund.postings.begin(), refund.postings.end(), [payer](const Posting& posting) {
                return posting.place == PostingPlace::balance && posting.party == payer &&
                       posting.amount >= Money{};
            });
        if (!reached) continue;
        each_use(mine, payer, refund.at.wall, [](balance::BundleUse& use, balance::Bundle& bundle) {
            bundle.settle(use.generation, use.used, 0);
            use.seconds -= use.used;
            use.used = 0;
        });
    }
}

PaymentCode Payments::refund_payment(const RefundRequest& refund, Remembered* original,
                                     Transaction& transaction) {
    transaction.kind = TransactionKind::refund;
    if (original == nullptr || original->code != PaymentCode::ok) return PaymentCode::unknown_original;
    const Transaction& paid = original->transaction;
    const PartyId party = paid.postings.empty() ? kNoParty : paid.postings[0].party;
    const PartyId asker = refund.asker.empty() ? parties_.root() : parties_.find(refund.asker);
    if (!refund.party.empty() && parties_.find(refund.party) != party) return PaymentCode::unknown_original;
    if (party == kNoParty || (asker != parties_.root() && !parties_.is_below(party, asker)))
        return PaymentCode::unknown_original;
    if (paid.kind == TransactionKind::refund) return PaymentCode::not_refundable;
    // As of a call: a reseller reverses what those below him paid him, not what he paid himself.
    const bool reaches_above =
        std::any_of(paid.postings.begin(), paid.postings.end(), [&](const auto& posting) {
            return posting.place == PostingPlace::balance ? !parties_.is_below(posting.party, asker)
                                                          : !parties_.is_in_subtree(posting.party, asker);
        });
    if (asker != parties_.root() && reaches_above) return PaymentCode::not_refundable;

    const Money whole = magnitude(paid.postings[0].amount);
    const Money before = original->refunded;
    const Money amount = refund.amount.value_or(whole - before);
    if (amount <= Money{} || amount > whole - before) return PaymentCode::not_refundable;
    const Money after = before + amount;
    // What was refunded of a posting follows from what was refunded of the first one, so parts always add up
    // to the whole. The last posting takes what rounding leaves.
    std::vector<Posting>& postings = transaction.postings;
    postings = paid.postings;
    Money others;
    for (std::size_t i = 0; i + 1 < postings.size(); ++i) {
        const Money part = paid.postings[i].amount;
        postings[i].amount = pro_rata(part, before, whole) - pro_rata(part, after, whole);
        others = others + postings[i].amount;
    }
    postings.back().amount = -others;
    transaction.refunded_request = paid.request;
    transaction.subject = kTransactionPrefix;
    transaction.subject += std::to_string(paid.number);
    const PaymentCode code = post(Ledger::Funds::available, transaction);
    if (code == PaymentCode::ok) original->refunded = after;
    return code;
}

// ---- Restarts ----

/// Notes on the payment or the session what a refund has given back of it.
void Payments::note_refund(const Transaction& refund) noexcept {
    if (!refund.refunded_request.empty()) {
        // Earlier versions did not say its number: then it was of the same scope.
        const auto number = transaction_number(refund.subject);
        const auto named = number ? list_.find(*number) : nullptr;
        const Key key{named == nullptr ? refund.scope : named->scope, refund.refunded_request};
        Remembered* const original = find(stripe_of(key), key);
        if (original != nullptr && !refund.postings.empty())
            original->refunded = original->refunded + magnitude(refund.postings[0].amount);
    }
}

void Payments::remember(const Transaction& transaction) {
    numbers_.restore(transaction.number);
    note_refund(transaction);
    auto entry = std::make_shared<Remembered>();
    entry->transaction = transaction;
    entry->at = transaction.at.steady;
    const Key key{entry->transaction.scope, entry->transaction.request};
    auto& requests = stripe_of(key).requests;
    requests.erase(key);  // The key of an older one lies in the older one.
    requests.emplace(key, entry);
    list(entry);
}

void Payments::restore(const Transaction& transaction) {
    ledger_.replay_posting(transaction.postings);
    if (!transaction.postings.empty()) {
        parties_.get(transaction.postings[0].party)
            .status_bits.fetch_and(static_cast<std::uint8_t>(~transaction.lifted), std::memory_order_relaxed);
    }
    if (transaction.refunded_record != 0) {
        if (const auto claim = sessions_.claim_record(transaction.refunded_record)) {
            const auto& postings = transaction.postings;
            for (std::size_t i = 0; i < postings.size(); ++i) {
                // What a seller who was credited gives back is no leg of his.
                const bool of_credited = i == 1 && claim->credits_seller && postings[0].amount != Money{};
                if (postings[i].place != PostingPlace::balance || of_credited) continue;
                for (SessionLevel& level : claim->levels()) {
                    // Whoever paid gets, and whoever earned gives.
                    if (postings[i].party == level.payer && (postings[i].amount > Money{}) != level.earns())
                        level.refunded = level.refunded + postings[i].amount;
                }
            }
            give_back_bundle_seconds(*claim, transaction);
        }
    }
    remember(transaction);
}

bool Payments::read(balance::ByteReader& in, Transaction& transaction) const {
    if (!balance::read_transaction(in, transaction) || transaction.number <= numbers_.last()) return false;
    const auto known = [this](const Posting& posting) {
        return static_cast<std::size_t>(posting.party) < parties_.size();
    };
    return std::all_of(transaction.postings.begin(), transaction.postings.end(), known);
}

bool Payments::apply(balance::ByteReader& in) {
    Transaction transaction;
    if (!read(in, transaction)) return false;
    restore(transaction);
    return true;
}

bool Payments::apply_remembered(balance::ByteReader& in) {
    if (in.flag()) {
        numbers_.restore(in.get<std::uint64_t>());
        return in.at_end();
    }
    Transaction transaction;
    if (!read(in, transaction)) return false;
    remember(transaction);
    return true;
}

void Payments::save(const std::function<void(std::span<const std::byte>)>& sink) const {
    std::vector<std::byte> record;
    const auto begin = [&record](bool only_the_number) {
        record.clear();
        balance::ByteWriter out{record};
        balance::EventHeader{balance::EventKind::request, {}}.write(out);
        out.put(only_the_number);
        return out;
    };
    for (const Transaction& transaction : remembered()) {
        auto out = begin(false);
        balance::write_transaction(transaction, out);
        sink(record);
    }
    auto out = begin(true);  // The newest may be forgotten.
    out.put(last_number());
    sink(record);
}

void Payments::forget_due(balance::Steady now) {
    for (Stripe& stripe : stripes_) {
        const std::lock_guard lock{stripe.mutex};
        std::erase_if(stripe.requests, [&](const auto& entry) { return forgettable(*entry.second, now); });
    }
    unlist_due(now);
}

std::vector<Transaction> Payments::remembered() const {
    std::vector<Transaction> all;
    for (const Stripe& stripe : stripes_) {
        const std::lock_guard lock{stripe.mutex};
        for (const auto& [key, entry] : stripe.requests) {
            if (entry->code == PaymentCode::ok) all.push_back(entry->transaction);
        }
    }
    std::sort(all.begin(), all.end(),
              [](const Transaction& a, const Transaction& b) { return a.number < b.number; });
    return all;
}

}  // namespace tollgate::daemon
