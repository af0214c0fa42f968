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

}  // namespace

Path::Path(const PartyTable& parties, PartyId line) noexcept {
    for (PartyId id = line; id != kNoParty; id = parties_[size_ - 1]->parent) {
        assert(size_ < kPathMax);
        ids_[size_] = id;
        parties_[size_] = &parties.get(id);
        ++size_;
    }
}

Ledger::Holding Ledger::try_open(const Path& path, std::span<SessionLevel> levels,
                                 std::span<const Money> amounts) noexcept {
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
            payer(levels[held]).account.give_back(amounts[held]);
        }
        while (begun > 0)
            parties[--begun]->account.roll_back_call();
        return holding;
    }
    for (std::size_t i = 0; i < levels.size(); ++i)
        levels[i].held = amounts[i];
    for (Party* const party : parties)
        party->account.confirm();
    return holding;
}

Ledger::Holding Ledger::try_extend(std::span<SessionLevel> levels, std::span<const Money> amounts,
                                   Returns& returns) noexcept {
    Holding holding;
    std::array<Money, kChainDepthMax> taken{};
    std::size_t held = 0;
    for (; held < levels.size(); ++held) {
        Account& account = payer(levels[held]).account;
        const Money more = amounts[held] - levels[held].held - returns.amounts[held];
        account.begin_extension();
        if (more <= Money{}) continue;
        if (!checked(payer(levels[held]))) {
            account.hold_unchecked(more);
        } else if (!account.try_hold(more)) {
            account.roll_back_extension();
            holding = {HoldStatus::lost_funds, held};
            break;
        }
        taken[held] = more;
    }
    if (holding.status != HoldStatus::held) {
        while (held > 0) {
            --held;
            Account& account = payer(levels[held]).account;
            if (taken[held] > Money{}) account.give_back(taken[held]);
            account.roll_back_extension();
        }
        return holding;
    }
    for (std::size_t i = 0; i < levels.size(); ++i) {
        returns.amounts[i] = returns.amounts[i] + levels[i].held + taken[i] - amounts[i];
        levels[i].held = amounts[i];
        payer(levels[i]).account.confirm();
    }
    return holding;
}

std::atomic<std::int64_t>& Ledger::earned(const SessionLevel& level,
                                          rating::Currency currency) const noexcept {
    Book& book = parties_.get(level.seller).book(currency);
    return level.seller == level.payer ? book.termination : book.revenue;
}

/// What the level gets back later; what it loses beyond its hold is taken now.
Money Ledger::settle(SessionLevel& level, Money total, bool free_hold) noexcept {
    Party& party = payer(level);
    const Money charged = total - level.charged;
    const Money released = free_hold ? level.held : std::clamp(charged, Money{}, level.held);
    if (charged != Money{}) {
        party.account.move_balance(-charged);
        // Relaxed: a book decides nothing; sums are exact when nothing moves.
        earned(level, party.currency).fetch_add(charged.micros(), std::memory_order_relaxed);
    }
    level.held = level.held - released;
    level.charged = total;
    const Money difference = released - charged;
    if (difference >= Money{}) return difference;
    party.account.hold_unchecked(-difference);
    return {};
}

void Ledger::charge(std::span<SessionLevel> levels, std::span<const Money> totals,
                    Returns& returns) noexcept {
    for (std::size_t i = 0; i < levels.size(); ++i)
        returns.amounts[i] = returns.amounts[i] + settle(levels[i], totals[i], false);
}

void Ledger::settle(std::span<SessionLevel> levels, std::span<const Money> totals,
                    Returns& returns) noexcept {
    for (std::size_t i = 0; i < levels.size(); ++i)
        returns.amounts[i] = returns.amounts[i] + settle(levels[i], totals[i], true);
}

void Ledger::give_back(std::span<const SessionLevel> levels, const Returns& returns) noexcept {
    for (std::size_t i = 0; i < levels.size(); ++i) {
        if (returns.amounts[i] > Money{}) payer(levels[i]).account.give_back(returns.amounts[i]);
    }
}

void Ledger::leave(const Path& path) noexcept {
    for (Party* const party : path.parties())
        party->account.close_call();
}

void Ledger::move_all(const Session& session, std::int64_t sign) noexcept {
    const auto times = [sign](Money amount) { return Money::from_micros(sign * amount.micros()); };
    for (const SessionLevel& level : session.levels()) {
        Party& party = payer(level);
        const Money charged = times(level.charged);
        party.account.move_balance(-charged);
        party.account.hold_unchecked(charged + times(level.held));
        if (charged != Money{})
            earned(level, party.currency).fetch_add(charged.micros(), std::memory_order_relaxed);
    }
    if (!session.open() || session.emergency) return;
    for (Party* const party : Path{parties_, session.line}.parties())
        sign > 0 ? party->account.reopen_call() : party->account.close_call();
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
