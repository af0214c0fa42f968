#include "daemon/bundling.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "daemon/country_codes.h"

namespace tollgate::daemon {
namespace {

using balance::Bundle;
using balance::BundlesOf;
using balance::BundleUse;
using balance::LevelBundles;
using balance::Session;
using balance::SessionLevel;
using std::chrono::seconds;

std::uint32_t clamped(seconds duration) noexcept {
    return static_cast<std::uint32_t>(std::min<std::int64_t>(duration.count(), LevelBundles::kNever - 1));
}

const BundleUse* find(const LevelBundles& level, std::uint16_t bundle,
                      Bundle::Generation generation) noexcept {
    const auto* const end = level.uses.data() + level.use_count;
    const auto* const found = std::find_if(level.uses.data(), end, [&](const BundleUse& use) {
        return use.bundle == bundle && use.generation == generation;
    });
    return found == end ? nullptr : found;
}

/// Adds seconds at the place where their bundle's turn is. Requires: room, or a use of that bundle.
void add(LevelBundles& level, const BundlesOf& bundles, const Bundle& bundle, Bundle::Taken taken) noexcept {
    level.seconds += taken.seconds;
    if (const BundleUse* const use = find(level, bundle.number(), taken.generation)) {
        level.uses[static_cast<std::size_t>(use - level.uses.data())].seconds += taken.seconds;
        return;
    }
    assert(level.use_count < LevelBundles::kUsesMax);
    // Those of a generation that is over come before those of the one that followed it.
    std::size_t at = level.use_count++;
    for (; at > 0; --at) {
        const Bundle* const other = bundles.find(level.uses[at - 1].bundle);
        if (other == nullptr || other == &bundle || other->before(bundle)) break;
        level.uses[at] = level.uses[at - 1];
    }
    level.uses[at] = {bundle.number(), taken.generation, taken.seconds, 0};
}

/// Takes the last seconds away, down to so many.
void cut(LevelBundles& level, std::uint32_t keep) noexcept {
    while (level.seconds > keep) {
        BundleUse& last = level.uses[level.use_count - 1U];
        const std::uint32_t less = std::min(last.seconds, level.seconds - keep);
        last.seconds -= less;
        level.seconds -= less;
        if (last.seconds == 0) --level.use_count;
    }
}

/// Says that so many seconds are charged: those of the first uses.
void charge(LevelBundles& level, std::uint32_t used) noexcept {
    for (std::size_t i = 0; i < level.use_count; ++i) {
        BundleUse& use = level.uses[i];
        use.used = std::min(use.seconds, used);
        used -= use.used;
    }
}

}  // namespace

// ---- Which bundles ----

std::size_t Bundling::levels_with_bundles(balance::PartyId line) const noexcept {
    std::size_t count = 0;
    for (balance::PartyId id = line; id != balance::kNoParty; id = parties_.get(id).parent) {
        if (parties_.get(id).bundles.load(std::memory_order_relaxed) != nullptr) ++count;
    }
    return count;
}

void Bundling::attach(Session& session) const noexcept {
    const auto levels = session.levels();
    for (std::size_t i = 0; i < levels.size() && session.bundles_count < session.bundles_capacity; ++i) {
        if (parties_.get(levels[i].payer).bundles.load(std::memory_order_acquire) == nullptr) continue;
        LevelBundles& mine = session.bundles_memory()[session.bundles_count++];
        mine = LevelBundles{};
        mine.level = static_cast<std::uint8_t>(i);
        mine.money_from = LevelBundles::kNever;
    }
}

bool Bundling::pays(const Bundle& bundle, const SessionLevel& level, std::string_view number,
                    rating::Instant at) const noexcept {
    if (!bundle.pays_at(at)) return false;
    if (bundle.everywhere() || !bundle.prefixes().find(number).empty()) return true;
    const auto& source = bundle.source();
    if (source.countries.empty() && source.groups.empty()) return false;
    const std::string_view row_country = level.tariff->deck->row(level.row).country;
    const std::string_view country = row_country.empty() ? country_of(number) : row_country;
    if (std::find(source.countries.begin(), source.countries.end(), country) != source.countries.end()) {
        return true;
    }
    return groups_ != nullptr &&
           std::any_of(source.groups.begin(), source.groups.end(), [&](NamePlace place) {
               const DestinationGroup* const group = groups_->get(place);
               return group != nullptr &&
                      group->find(number, row_country).reason != DestinationGroup::Reason::none;
           });
}

std::uint32_t Bundling::available(const SessionLevel& level, std::string_view number, rating::Instant at,
                                  seconds target) const noexcept {
    const balance::Party& payer = parties_.get(level.payer);
    if (payer.bundles.load(std::memory_order_relaxed) == nullptr || level.rate == nullptr ||
        rating::is_free(level.call(at), target)) {
        return 0;
    }
    std::uint64_t sum = 0;
    std::size_t count = 0;
    for (const Bundle& bundle : BundlesOf{payer}) {
        if (count == LevelBundles::kUsesMax) break;
        const std::uint32_t there = bundle.stand().available;
        if (there == 0 || !pays(bundle, level, number, at)) continue;
        sum += there;
        ++count;
    }
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(sum, clamped(target)));
}

BundledSeconds Bundling::reach(const Session& session, seconds target) const noexcept {
    BundledSeconds reach{};
    for (const LevelBundles& mine : session.bundles()) {
        const SessionLevel& level = session.levels()[mine.level];
        const std::uint32_t wanted = std::min(clamped(target), mine.money_from);
        std::uint32_t& seconds_of_level = reach[mine.level];
        seconds_of_level = std::min(mine.seconds, wanted);
        if (wanted <= mine.seconds || rating::is_free(level.call(session.rated_at), target)) continue;
        std::size_t room = LevelBundles::kUsesMax - mine.use_count;
        for (const Bundle& bundle : BundlesOf{parties_.get(level.payer)}) {
            const Bundle::Stand stand = bundle.stand();
            if (stand.available == 0 || !pays(bundle, level, session.number.view(), session.rated_at))
                continue;
            if (find(mine, bundle.number(), stand.generation) == nullptr && room-- == 0) break;
            seconds_of_level += std::min(stand.available, wanted - seconds_of_level);
            if (seconds_of_level == wanted) break;
        }
    }
    return reach;
}

bool Bundling::held_by_others(const Session& session, const SessionLevel& level) const noexcept {
    if (session.bundles_of(level) == nullptr) return false;
    for (const Bundle& bundle : BundlesOf{parties_.get(level.payer)}) {
        if (bundle.stand().held > 0 && pays(bundle, level, session.number.view(), session.rated_at))
            return true;
    }
    return false;
}

// ---- What a command does to them ----

BundleChange::BundleChange(const Bundling& bundling, Session& session) noexcept
    : bundling_(bundling), session_(session), count_(session.bundles_count) {
    for (std::size_t i = 0; i < count_; ++i)
        before_[i] = counted_[i] = session.bundles()[i];
}

BundleChange::~BundleChange() {
    if (count_ == 0 || finished_) return;
    if (attempts_ != 0) roll_back();
    for (std::size_t i = 0; i < count_; ++i) {
        session_.bundles()[i] = before_[i];
        return_to(i, before_[i]);
    }
}

balance::Party& BundleChange::payer(std::size_t index) const noexcept {
    return bundling_.parties().get(session_.levels()[session_.bundles()[index].level].payer);
}

/// Takes from one bundle after the other until the level has `wanted`, or nothing is left to take.
void BundleChange::take(std::size_t index, std::uint32_t wanted) noexcept {
    Level& mine = session_.bundles()[index];
    const SessionLevel& level = session_.levels()[mine.level];
    const BundlesOf bundles{payer(index)};
    for (Bundle& bundle : bundles) {
        if (mine.seconds >= wanted) return;
        const Bundle::Stand stand = bundle.stand();
        if (stand.available == 0 ||
            !bundling_.pays(bundle, level, session_.number.view(), session_.rated_at)) {
            continue;
        }
        if (mine.use_count == Level::kUsesMax && find(mine, bundle.number(), stand.generation) == nullptr) {
            continue;
        }
        const Bundle::Taken taken = bundle.take(wanted - mine.seconds);
        if (taken.seconds == 0) continue;
        if (mine.use_count == Level::kUsesMax && find(mine, bundle.number(), taken.generation) == nullptr) {
            // It was renewed just now, and there is no room for another generation of it.
            bundle.settle(taken.generation, taken.seconds, -std::int64_t{taken.seconds});
            continue;
        }
        add(mine, bundles, bundle, taken);
        add(counted_[index], bundles, bundle, taken);
    }
}

/// Makes the bundles count what `target` says, which has no more seconds of any than they count now.
void BundleChange::return_to(std::size_t index, const Level& target) noexcept {
    Level& counted = counted_[index];
    const BundlesOf bundles{payer(index)};
    for (std::size_t i = 0; i < counted.use_count; ++i) {
        const BundleUse& use = counted.uses[i];
        const BundleUse* const kept = find(target, use.bundle, use.generation);
        const auto held_of = [](const BundleUse& of) { return std::int64_t{of.seconds} - of.used; };
        const std::int64_t less = std::int64_t{use.seconds} - (kept == nullptr ? 0 : kept->seconds);
        const std::int64_t held = (kept == nullptr ? 0 : held_of(*kept)) - held_of(use);
        assert(less >= 0);
        if (less == 0 && held == 0) continue;
        // One that is in no list any more expired long ago.
        if (Bundle* const bundle = bundles.find(use.bundle)) bundle->settle(use.generation, less, held);
    }
    counted = target;
}

bool BundleChange::try_take(const BundledSeconds& wanted) noexcept {
    assert(attempts_ == 0);
    bool all = true;
    for (std::size_t i = 0; i < count_; ++i) {
        Level& mine = session_.bundles()[i];
        attempted_[i] = mine;
        if (!all || wanted[mine.level] <= mine.seconds) continue;
        // Counted before anything is taken: who finds the bundle empty meanwhile must not believe it.
        payer(i).account.begin_extension();
        attempts_ |= 1U << i;
        take(i, wanted[mine.level]);
        all = mine.seconds >= wanted[mine.level];
    }
    if (!all) roll_back();
    return all;
}

void BundleChange::confirm() noexcept {
    for (std::size_t i = 0; i < count_; ++i) {
        if ((attempts_ >> i & 1) != 0) payer(i).account.confirm();
    }
    attempts_ = 0;
}

void BundleChange::roll_back() noexcept {
    for (std::size_t i = 0; i < count_; ++i) {
        if ((attempts_ >> i & 1) == 0) continue;
        session_.bundles()[i] = attempted_[i];
        return_to(i, attempted_[i]);
        payer(i).account.roll_back_extension();
    }
    attempts_ = 0;
}

/// A call of that length has so many bundled seconds. Where the rest costs something, it stays on money.
void BundleChange::put_on_money(Level& mine, std::uint32_t bundled, seconds duration) const noexcept {
    if (bundled >= std::min(clamped(duration), mine.money_from)) return;
    const SessionLevel& level = session_.levels()[mine.level];
    if (rating::cost(level.call(session_.rated_at, bundled), duration) > rating::Money{})
        mine.money_from = bundled;
}

void BundleChange::cover(seconds used) noexcept {
    for (std::size_t i = 0; i < count_; ++i) {
        Level& mine = session_.bundles()[i];
        const SessionLevel& level = session_.levels()[mine.level];
        if (used.count() <= level.rate->grace_seconds ||
            rating::is_free(level.call(session_.rated_at), used)) {
            continue;
        }
        take(i, std::min(clamped(used), mine.money_from));
        put_on_money(mine, mine.seconds, used);
    }
}

void BundleChange::finish(seconds grant, const BundledSeconds& bundled, seconds used) noexcept {
    for (Level& mine : session_.bundles()) {
        const rating::Rate& rate = *session_.levels()[mine.level].rate;
        const std::uint32_t granted = std::min(bundled[mine.level], clamped(grant));
        put_on_money(mine, granted, grant);
        const std::uint32_t charged = clamped(rating::bundled_seconds(rate, mine.seconds, used));
        cut(mine, std::max(granted, charged));
        charge(mine, charged);
    }
    finished_ = true;
}

void BundleChange::finish_all(seconds used) noexcept {
    for (Level& mine : session_.bundles()) {
        const rating::Rate& rate = *session_.levels()[mine.level].rate;
        const std::uint32_t charged = clamped(rating::bundled_seconds(rate, mine.seconds, used));
        cut(mine, charged);
        charge(mine, charged);
    }
    finished_ = true;
}

void BundleChange::give_back() noexcept {
    if (!std::exchange(finished_, true)) return;  // The command changed nothing of them.
    for (std::size_t i = 0; i < count_; ++i)
        return_to(i, session_.bundles()[i]);
}

}  // namespace tollgate::daemon
