#include "balance/ledger.h"

#include <algorithm>
#include <cassert>

namespace tollgate::balance {
namespace {

/// Whether `before` may move by `change` and stay within kBalanceMax either way.
bool may_move(Money before, Money change) noexcept {
    std::int64_t after = 0;
    return !__builtin_add_overflow(before.micros(), change.micros(), &after) &&
           Money::from_micros(after) <= rating::kBalanceMax &&
           Money::from_micros(after) >= -rating::kBalanceMax;
}

Money read(const std::atomic<std::int64_t>& sum) noexcept {
    return Money::from_micros(sum.load(std::memory_order_relaxed));
}

/// Calls `visit(place, limits, spending, leg)` for whoever of the path counts what is spent on days and
/// months and has a leg; until it says false.
template <typename Visit>
void each_counter(const Spend& spend, std::span<const SessionLevel> levels, const Visit& visit) noexcept {
    if (spend.path == nullptr) return;
    const auto parties = spend.path->parties();
    for (std::size_t place = 0; place < parties.size(); ++place) {
        // Acquire: what is behind the pointer is whole.
        const Limits* const limits = parties[place]->limits.load(std::memory_order_acquire);
        if (limits == nullptr) continue;
        Spending* const spending = limits->spending();
        if (spending == nullptr) continue;
        const std::size_t leg = leg_of(*spend.path, place, levels);
        if (leg == levels.size()) continue;
        if (!visit(place, *limits, *spending, leg)) return;
    }
}

constexpr std::uint32_t bit(std::size_t place) noexcept {
    return std::uint32_t{1} << place;
}

/// How a charge of `total` in all changes what a level has been charged and holds together.
Money change_of(const SessionLevel& level, Money total, bool give_hold_back) noexcept {
    const Money charged = total - level.charged;
    return charged - (give_hold_back ? level.held : std::clamp(charged, Money{}, level.held));
}

}  // namespace

std::size_t leg_of(const Path& path, std::size_t place, std::span<const SessionLevel> levels) noexcept {
    const PartyId payer = path.id(std::max<std::size_t>(place, 1));
    std::size_t leg = 0;
    while (leg < levels.size() && levels[leg].payer != payer)
        ++leg;
    return leg;
}

Path::Path(const PartyTable& parties, PartyId line) noexcept {
    for (PartyId id = line; id != kNoParty; id = parties_[size_ - 1]->parent) {
        assert(size_ < kPathMax);
        ids_[size_] = id;
        parties_[size_] = &parties.get(id);
        ++size_;
    }
}

Ledger::Holding Ledger::try_open(const Path& path, std::span<SessionLevel> levels,
                                 std::span<const Money> amounts, const Spend& spend) noexcept {
    const auto parties = path.parties();
    Holding holding;
    std::size_t begun = 0;
    for (; begun < parties.size(); ++begun) {
        Party& party = *parties[begun];
        if (!party.account.try_begin_call(
                std::min(party.max_calls.load(std::memory_order_relaxed), kCallsMax))) {
            holding = {HoldStatus::too_many_calls, begun};
            break;
        }
    }
    std::uint32_t counted = 0;
    if (holding.status == HoldStatus::held) {
        each_counter(
            spend, levels, [&](std::size_t place, const Limits& limits, Spending& spending, std::size_t leg) {
                const Money amount = amounts[leg];
                if (amount > Money{} && !spending.try_spend(spend.at, spend.now, amount, limits.caps())) {
                    holding = {HoldStatus::lost_cap, place};
                    return false;
                }
                counted |= bit(place);
                return true;
            });
    }
    std::size_t held = 0;
    for (; holding.status == HoldStatus::held && held < levels.size(); ++held) {
        Party& party = payer(levels[held]);
        if (!checked(party)) {
            party.account.hold_unchecked(amounts[held]);
        } else if (amounts[held] > Money{} && !party.account.try_hold(amounts[held])) {
            holding = {HoldStatus::lost_funds, held};
            break;
        }
    }
    // A status that changed while we held is obeyed: whoever suspended the party sees no call begin after it.
    for (std::size_t i = 0; holding.status == HoldStatus::held && i < parties.size(); ++i) {
        if (stops_calls(*parties[i])) holding = {HoldStatus::stopped, i};
    }
    if (holding.status != HoldStatus::held) {
        while (held > 0) {
            --held;
            payer(levels[held]).account.settle(amounts[held], Money{});
        }
        each_counter(spend, levels,
                     [&](std::size_t place, const Limits&, Spending& spending, std::size_t leg) {
                         if ((counted & bit(place)) != 0) spending.spend(spend.at, spend.now, -amounts[leg]);
                         return true;
                     });
        while (begun > 0)
            parties[--begun]->account.roll_back_call();
        return holding;
    }
    for (std::size_t i = 0; i < levels.size(); ++i)
        levels[i].held = amounts[i];
    if (spend.counted != nullptr) *spend.counted = counted;
    for (Party* const party : parties)
        party->account.confirm();
    return holding;
}

Ledger::Holding Ledger::try_extend(std::span<SessionLevel> levels, std::span<const Money> amounts,
                                   const Spend& spend) noexcept {
    Holding holding;
    // What each counter of the path is to count more, or less.
    std::array<Money, kPathMax> more_spent{};
    std::uint32_t counted = 0;
    each_counter(spend, levels,
                 [&](std::size_t place, const Limits& limits, Spending& spending, std::size_t leg) {
                     const SessionLevel& level = levels[leg];
                     const bool known = (*spend.counted & bit(place)) != 0;
                     const Money more = known ? amounts[leg] - level.held : amounts[leg] + level.charged;
                     more_spent[place] = more;
                     if (more > Money{}) {
                         if (amounts[leg] <= level.held) {
                             spending.spend(spend.at, spend.now, more);  // Nothing new is granted.
                         } else if (!spending.try_spend(spend.at, spend.now, more, limits.caps())) {
                             holding = {HoldStatus::lost_cap, place};
                             return false;
                         }
                     }
                     counted |= bit(place);
                     return true;
                 });
    std::size_t held = 0;
    for (; holding.status == HoldStatus::held && held < levels.size(); ++held) {
        Account& account = payer(levels[held]).account;
        const Money more = amounts[held] - levels[held].held;
        account.begin_extension();
        if (more <= Money{}) continue;  // What is given back is given back when all is sure.
        if (!checked(payer(levels[held]))) {
            account.hold_unchecked(more);
        } else if (!account.try_hold(more)) {
            account.roll_back_extension();
            holding = {HoldStatus::lost_funds, held};
            break;
        }
    }
    if (holding.status != HoldStatus::held) {
        while (held > 0) {
            --held;
            Account& account = payer(levels[held]).account;
            const Money more = amounts[held] - levels[held].held;
            if (more > Money{}) account.settle(more, Money{});
            account.roll_back_extension();
        }
        each_counter(spend, levels, [&](std::size_t place, const Limits&, Spending& spending, std::size_t) {
            if ((counted & bit(place)) != 0 && more_spent[place] > Money{}) {
                spending.spend(spend.at, spend.now, -more_spent[place]);
            }
            return true;
        });
        return holding;
    }
    each_counter(spend, levels, [&](std::size_t place, const Limits&, Spending& spending, std::size_t) {
        if (more_spent[place] < Money{}) spending.spend(spend.at, spend.now, more_spent[place]);
        return true;
    });
    if (spend.counted != nullptr) *spend.counted |= counted;
    for (std::size_t i = 0; i < levels.size(); ++i) {
        Account& account = payer(levels[i]).account;
        if (amounts[i] < levels[i].held) account.settle(levels[i].held - amounts[i], Money{});
        levels[i].held = amounts[i];
        account.confirm();
    }
    return holding;
}

std::atomic<std::int64_t>& Ledger::earned(const SessionLevel& level,
                                          rating::Currency currency) const noexcept {
    Book& book = parties_.get(level.seller).book(currency);
    return level.seller == level.payer ? book.termination : book.revenue;
}

void Ledger::settle(SessionLevel& level, Money total, bool give_hold_back) noexcept {
    Party& party = payer(level);
    const Money charged = total - level.charged;
    const Money released = give_hold_back ? level.held : std::clamp(charged, Money{}, level.held);
    party.account.settle(released, charged);
    // Relaxed: a book decides nothing; sums are exact when nothing moves.
    if (charged != Money{})
        earned(level, party.currency).fetch_add(charged.micros(), std::memory_order_relaxed);
    level.held = level.held - released;
    level.charged = total;
}

void Ledger::settle_all(std::span<SessionLevel> levels, std::span<const Money> totals, bool give_holds_back,
                        const Spend& spend) noexcept {
    std::array<Money, kPathMax> changes{};
    each_counter(spend, levels, [&](std::size_t place, const Limits&, Spending& spending, std::size_t leg) {
        if ((*spend.counted & bit(place)) == 0) return true;
        changes[place] = change_of(levels[leg], totals[leg], give_holds_back);
        if (changes[place] > Money{}) spending.spend(spend.at, spend.now, changes[place]);
        return true;
    });
    for (std::size_t i = 0; i < levels.size(); ++i)
        settle(levels[i], totals[i], give_holds_back);
    each_counter(spend, levels, [&](std::size_t place, const Limits&, Spending& spending, std::size_t) {
        if (changes[place] < Money{}) spending.spend(spend.at, spend.now, changes[place]);
        return true;
    });
}

void Ledger::charge(std::span<SessionLevel> levels, std::span<const Money> totals,
                    const Spend& spend) noexcept {
    settle_all(levels, totals, false, spend);
}

void Ledger::count_again(std::span<const SessionLevel> levels, const Spend& spend) noexcept {
    each_counter(spend, levels, [&](std::size_t place, const Limits&, Spending& spending, std::size_t leg) {
        if ((*spend.counted & bit(place)) != 0)
            spending.spend(spend.at, spend.now, levels[leg].charged + levels[leg].held);
        return true;
    });
}

void Ledger::close(const Path& path, std::span<SessionLevel> levels, std::span<const Money> totals,
                   const Spend& spend) noexcept {
    settle_all(levels, totals, true, spend);
    for (Party* const party : path.parties())
        party->account.close_call();
}

bool Ledger::can_charge(std::span<const SessionLevel> levels, std::span<const Money> totals) const noexcept {
    for (std::size_t i = 0; i < levels.size(); ++i) {
        if (totals[i] == rating::kCostTooLarge) return false;
        const Party& party = payer(levels[i]);
        const Money charged = totals[i] - levels[i].charged;
        if (!may_move(party.account.balance(), -charged)) return false;
        if (!may_move(read(earned(levels[i], party.currency)), charged)) return false;
    }
    return true;
}

PartyId Ledger::seller_of(PartyId party) const noexcept {
    for (PartyId id = parties_.get(party).parent; id != kNoParty; id = parties_.get(id).parent) {
        const PartyKind kind = parties_.get(id).kind;
        if (kind == PartyKind::reseller || kind == PartyKind::provider) return id;
    }
    return party;
}

Ledger::Posting Ledger::top_up(PartyId id, Money amount) noexcept {
    Party& party = parties_.get(id);
    auto& cash = parties_.get(seller_of(id)).book(party.currency).cash;
    if (!may_move(party.account.balance(), amount) || !may_move(read(cash), -amount)) {
        return {.status = PostStatus::out_of_bounds};
    }
    cash.fetch_sub(amount.micros(), std::memory_order_relaxed);
    return {PostStatus::posted, party.account.post(amount)};
}

Ledger::Posting Ledger::debit(PartyId id, Money amount, bool force) noexcept {
    Party& party = parties_.get(id);
    auto& revenue = parties_.get(seller_of(id)).book(party.currency).revenue;
    if (!may_move(party.account.balance(), -amount) || !may_move(read(revenue), amount)) {
        return {.status = PostStatus::out_of_bounds};
    }
    Posting posting;
    if (force || !checked(party)) {
        posting.balance = party.account.post(-amount);
    } else if (const auto balance = party.account.try_debit(amount)) {
        posting.balance = *balance;
    } else {
        return {.status = PostStatus::insufficient};
    }
    revenue.fetch_add(amount.micros(), std::memory_order_relaxed);
    return posting;
}

std::vector<Ledger::TrialBalance> Ledger::trial_balance() const {
    std::vector<TrialBalance> sums;
    const auto of = [&sums](rating::Currency currency) -> TrialBalance& {
        const auto found = std::find_if(sums.begin(), sums.end(),
                                        [&](const TrialBalance& sum) { return sum.currency == currency; });
        if (found != sums.end()) return *found;
        sums.push_back({.currency = currency});
        return sums.back();
    };
    const std::size_t count = parties_.size();
    for (std::size_t i = 0; i < count; ++i) {
        const Party& party = parties_.get(static_cast<PartyId>(i));
        if (party.has_account()) {
            TrialBalance& sum = of(party.currency);
            sum.balances += party.account.balance().micros();
            sum.held += party.account.held().micros();
        }
        for (const Book* book = party.books.load(std::memory_order_acquire); book != nullptr;
             book = book->next) {
            TrialBalance& sum = of(book->currency);
            sum.revenue += read(book->revenue).micros();
            sum.cash += read(book->cash).micros();
            sum.termination += read(book->termination).micros();
        }
    }
    return sums;
}

}  // namespace tollgate::balance
