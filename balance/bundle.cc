#include "balance/bundle.h"

#include <algorithm>
#include <cassert>

namespace tollgate::balance {

Bundle::Taken Bundle::take(std::uint32_t most) noexcept {
    std::uint64_t before = word_.load(std::memory_order_acquire);
    for (;;) {
        Stand stand = Bundle::stand(before);
        const std::uint32_t taken = std::min(most, stand.available);
        if (taken == 0) return {stand.generation, 0};
        stand.available -= taken;
        stand.held += taken;
        if (word_.compare_exchange_weak(before, word(stand), std::memory_order_acq_rel,
                                        std::memory_order_acquire)) {
            return {stand.generation, taken};
        }
    }
}

void Bundle::settle(Generation generation, std::int64_t available, std::int64_t held) noexcept {
    std::uint64_t before = word_.load(std::memory_order_acquire);
    std::uint64_t after = 0;
    do {
        Stand stand = Bundle::stand(before);
        if (stand.generation != generation) return;
        const std::int64_t available_now = stand.available + available;
        const std::int64_t held_now = stand.held + held;
        assert(available_now >= 0 && held_now >= 0 && available_now + held_now <= source_.seconds);
        stand.available = static_cast<std::uint32_t>(available_now);
        stand.held = static_cast<std::uint32_t>(held_now);
        after = word(stand);
    } while (
        !word_.compare_exchange_weak(before, after, std::memory_order_acq_rel, std::memory_order_acquire));
}

void Bundle::renew() noexcept {
    std::uint64_t before = word_.load(std::memory_order_acquire);
    std::uint64_t after = 0;
    do {
        const auto generation = static_cast<Generation>(stand(before).generation + 1);
        after = word({generation, 0, source_.seconds});
    } while (
        !word_.compare_exchange_weak(before, after, std::memory_order_acq_rel, std::memory_order_acquire));
}

bool Bundle::before(const Bundle& other) const noexcept {
    if (source_.priority != other.source_.priority) return source_.priority < other.source_.priority;
    if (source_.expires != other.source_.expires) return source_.expires < other.source_.expires;
    return number_ < other.number_;
}

Bundle* BundlesOf::find(std::uint16_t number) const noexcept {
    for (Bundle& bundle : *this) {
        if (bundle.number() == number) return &bundle;
    }
    return nullptr;
}

rating::Instant next_month(const rating::TimeZone* zone, rating::Instant now) noexcept {
    using std::chrono::days;
    using std::chrono::floor;
    using std::chrono::seconds;
    using std::chrono::sys_days;
    using std::chrono::year_month_day;
    static const rating::TimeZone utc;
    if (zone == nullptr) zone = &utc;
    const std::int64_t second = floor<seconds>(now).time_since_epoch().count();
    const std::chrono::sys_seconds local{seconds{second + zone->at(second).offset}};
    const year_month_day today{floor<days>(local)};
    const sys_days first = today.year() / today.month() / 1 + std::chrono::months{1};
    return std::chrono::sys_seconds{
        seconds{zone->first_second(std::chrono::sys_seconds{first}.time_since_epoch().count())}};
}

void BundleBook::plan_renewal(Bundle& bundle, rating::Instant now) {
    bundle.renews_at_ = next_month(bundle.zone_.get(), now);
    // One that has expired by then pays for nothing any more.
    if (bundle.pays_at(bundle.renews_at_)) renewals_.push({bundle.renews_at_, &bundle});
}

/// Takes out of the list what expired so long ago that no session names it.
void BundleBook::drop_expired(Party& party, rating::Instant now) noexcept {
    std::atomic<Bundle*>* link = &party.bundles;
    while (Bundle* const bundle = link->load(std::memory_order_relaxed)) {
        const rating::Instant expires = bundle->source().expires;
        if (expires < now && now - expires > kBundleKeptExpired) {
            // Whoever is reading it finds his way on from it.
            link->store(bundle->next_.load(std::memory_order_relaxed), std::memory_order_release);
        } else {
            link = &bundle->next_;
        }
    }
}

BundleBook::AddStatus BundleBook::add(Party& party, PartyId id, BundleSource source,
                                      std::shared_ptr<const rating::TimeZone> zone, rating::Instant now,
                                      const Announce& announce) {
    const std::lock_guard lock{mutex_};
    std::size_t count = 0;
    std::uint16_t number_last = 0;
    for (const Bundle& bundle : BundlesOf{party}) {
        if (bundle.source().id == source.id) {
            return bundle.source() == source ? AddStatus::known : AddStatus::differs;
        }
    }
    // Before any of them is dropped: a number is never given again.
    for (const Bundle& bundle : BundlesOf{party})
        number_last = std::max(number_last, bundle.number());
    drop_expired(party, now);
    for ([[maybe_unused]] const Bundle& bundle : BundlesOf{party})
        ++count;
    if (count >= kBundlesOfPartyMax || number_last == UINT16_MAX) return AddStatus::too_many;

    bundles_.push_back(
        std::make_unique<Bundle>(id, std::move(source), static_cast<std::uint16_t>(number_last + 1)));
    Bundle& bundle = *bundles_.back();
    bundle.zone_ = std::move(zone);
    if (bundle.source().monthly) plan_renewal(bundle, now);
    announce(bundle);
    enter(party, bundle);
    return AddStatus::added;
}

BundleBook::Prepared BundleBook::prepare(const Party* party, PartyId id, std::vector<BundleSource> sources,
                                         const std::shared_ptr<const rating::TimeZone>& zone,
                                         rating::Instant now) {
    const std::lock_guard lock{mutex_};
    std::vector<const Bundle*> known;
    std::size_t count = 0;
    std::uint16_t number_last = 0;
    if (party != nullptr) {
        for (const Bundle& bundle : BundlesOf{*party}) {
            known.push_back(&bundle);
            number_last = std::max(number_last, bundle.number());
            const rating::Instant expires = bundle.source().expires;
            if (expires >= now || now - expires <= kBundleKeptExpired) ++count;
        }
    }
    Prepared prepared;
    for (BundleSource& source : sources) {
        const bool taken = std::any_of(known.begin(), known.end(), [&source](const Bundle* other) {
            return other->source().id == source.id;
        });
        if (taken) return {AddStatus::differs, {}};
        if (++count > kBundlesOfPartyMax || number_last == UINT16_MAX) return {AddStatus::too_many, {}};
        auto bundle = std::make_unique<Bundle>(id, std::move(source), ++number_last);
        bundle->zone_ = zone;
        if (bundle->source().monthly) bundle->renews_at_ = next_month(zone.get(), now);
        known.push_back(bundle.get());
        prepared.bundles.push_back(std::move(bundle));
    }
    return prepared;
}

void BundleBook::enter(Party& party, Prepared prepared, rating::Instant now) {
    const std::lock_guard lock{mutex_};
    drop_expired(party, now);
    for (auto& fresh : prepared.bundles) {
        Bundle& bundle = *fresh;
        bundles_.push_back(std::move(fresh));
        if (bundle.source().monthly) plan_renewal(bundle, now);
        enter(party, bundle);
    }
}

/// Puts a bundle into its party's list.
void BundleBook::enter(Party& party, Bundle& bundle) noexcept {
    std::atomic<Bundle*>* link = &party.bundles;
    while (Bundle* const other = link->load(std::memory_order_relaxed)) {
        if (bundle.before(*other)) break;
        link = &other->next_;
    }
    bundle.next_.store(link->load(std::memory_order_relaxed), std::memory_order_relaxed);
    // Release pairs with the acquire of whoever walks the list: a bundle that is seen is whole.
    link->store(&bundle, std::memory_order_release);
}

std::size_t BundleBook::renew_due(rating::Instant now, const Announce& announce) {
    std::size_t renewed = 0;
    const std::lock_guard lock{mutex_};
    while (!renewals_.empty() && renewals_.top().at <= now) {
        const Renewal due = renewals_.top();
        renewals_.pop();
        if (due.bundle->renews_at_ != due.at) continue;  // It was planned anew.
        announce(*due.bundle);
        due.bundle->renew();
        plan_renewal(*due.bundle, now);
        ++renewed;
    }
    return renewed;
}

rating::Instant BundleBook::next_renewal() const {
    const std::lock_guard lock{mutex_};
    return renewals_.empty() ? rating::kNever : renewals_.top().at;
}

void BundleBook::correct_renewals(rating::Instant now) {
    const std::lock_guard lock{mutex_};
    for (const auto& bundle : bundles_) {
        if (bundle->source().monthly && bundle->renews_at_ > next_month(bundle->zone_.get(), now))
            plan_renewal(*bundle, now);
    }
}

void BundleBook::restore(Party& party, PartyId id, BundleSource source,
                         std::shared_ptr<const rating::TimeZone> zone, std::uint16_t number,
                         Bundle::Stand stand, rating::Instant renews_at, rating::Instant now) {
    drop_expired(party, now);
    bundles_.push_back(std::make_unique<Bundle>(id, std::move(source), number));
    Bundle& bundle = *bundles_.back();
    bundle.zone_ = std::move(zone);
    bundle.restore(stand);
    bundle.renews_at_ = renews_at;
    if (renews_at != rating::kNever && bundle.pays_at(renews_at)) renewals_.push({renews_at, &bundle});
    enter(party, bundle);
}

void BundleBook::restore_renewal(Bundle& bundle, rating::Instant now) {
    bundle.renew();
    plan_renewal(bundle, now);
}

}  // namespace tollgate::balance
