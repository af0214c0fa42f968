#include "balance/ledger.h"

#include <algorithm>
#include <cassert>
#include <cstdlib>

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
    while (leg < levels.size() && (levels[leg].payer != payer || levels[leg].earns()))
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
            payer(levels[held]).account.give_back(amounts[held]);
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
                                   Returns& returns, const Spend& spend) noexcept {
    Holding holding;
    std::array<Money, kChainDepthMax> taken{};
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
        each_counter(spend, levels, [&](std::size_t place, const Limits&, Spending& spending, std::size_t) {
            if ((counted & bit(place)) != 0 && more_spent[place] > Money{}) {
                spending.spend(spend.at, spend.now, -more_spent[place]);
            }
            return true;
        });
        return holding;
    }
    for (std::size_t place = 0; place < more_spent.size(); ++place) {
        if (more_spent[place] < Money{})
            returns.uncounted[place] = returns.uncounted[place] - more_spent[place];
    }
    if (spend.counted != nullptr) *spend.counted |= counted;
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
Money Ledger::settle(SessionLevel& level, Money total, bool free_hold, Money* credited) noexcept {
    Party& party = payer(level);
    const Money charged = total - level.charged;
    const Money released = free_hold ? level.held : std::clamp(charged, Money{}, level.held);
    if (charged != Money{}) {
        const Money after = party.account.move_balance(-charged);
        // Relaxed: a book decides nothing; sums are exact when nothing moves.
        if (credited == nullptr) {
            earned(level, party.currency).fetch_add(charged.micros(), std::memory_order_relaxed);
        } else {
            credit_seller(level, charged, *credited);
        }
        note_crossings(level.payer, party, after + charged, after);
    }
    level.held = level.held - released;
    level.charged = total;
    const Money difference = released - charged;
    if (difference >= Money{}) return difference;
    party.account.hold_unchecked(-difference);
    return {};
}

/// What a charge gives becomes available once it is written down; what a correction takes back is gone now.
void Ledger::credit_seller(const SessionLevel& level, Money charged, Money& credited) noexcept {
    Party& seller = parties_.get(level.seller);
    const Money after = seller.account.move_balance(charged);
    credited = credited + charged;
    if (credited < Money{}) {
        seller.account.hold_unchecked(-credited);
        credited = Money{};
    }
    note_crossings(level.seller, seller, after - charged, after);
}

void Ledger::settle_all(std::span<SessionLevel> levels, std::span<const Money> totals, bool free_holds,
                        Returns& returns, const Spend& spend) noexcept {
    each_counter(spend, levels, [&](std::size_t place, const Limits&, Spending& spending, std::size_t leg) {
        if ((*spend.counted & bit(place)) == 0) return true;
        const Money change = change_of(levels[leg], totals[leg], free_holds);
        if (change > Money{}) {
            spending.spend(spend.at, spend.now, change);
        } else {
            returns.uncounted[place] = returns.uncounted[place] - change;
        }
        return true;
    });
    for (std::size_t i = 0; i < levels.size(); ++i) {
        // What others earn of the customer's leg comes out of where that goes.
        const bool is_credited = spend.credits_seller && (i == 0 || levels[i].earns());
        Money* const credited = is_credited ? &returns.credited : nullptr;
        returns.amounts[i] = returns.amounts[i] + settle(levels[i], totals[i], free_holds, credited);
    }
}

void Ledger::give_back(std::span<const SessionLevel> levels, const Returns& returns,
                       const Spend& spend) noexcept {
    for (std::size_t i = 0; i < levels.size(); ++i) {
        if (returns.amounts[i] > Money{}) payer(levels[i]).account.give_back(returns.amounts[i]);
    }
    if (returns.credited > Money{}) parties_.get(levels[0].seller).account.give_back(returns.credited);
    each_counter(spend, levels, [&](std::size_t place, const Limits&, Spending& spending, std::size_t) {
        if (returns.uncounted[place] > Money{})
            spending.spend(spend.at, spend.now, -returns.uncounted[place]);
        return true;
    });
}

void Ledger::leave(const Path& path) noexcept {
    for (Party* const party : path.parties())
        party->account.close_call();
}

void Ledger::move_all(const Session& session, std::int64_t sign, rating::Instant now) noexcept {
    const auto times = [sign](Money amount) { return Money::from_micros(sign * amount.micros()); };
    for (const SessionLevel& level : session.levels()) {
        Party& party = payer(level);
        const Money charged = times(level.charged);
        party.account.move_balance(-charged);
        party.account.hold_unchecked(charged + times(level.held));
        if (charged == Money{}) continue;
        if (session.credits_seller && (&level == &session.levels().front() || level.earns())) {
            Account& seller = parties_.get(level.seller).account;
            seller.move_balance(charged);
            seller.give_back(charged);
        } else {
            earned(level, party.currency).fetch_add(charged.micros(), std::memory_order_relaxed);
        }
    }
    const bool on_path = session.open() && !session.emergency;
    if (!on_path && session.spend_counted == 0) return;
    const Path path{parties_, session.line};
    std::uint32_t counted = session.spend_counted;
    each_counter({&path, session.rated_at, now, &counted}, session.levels(),
                 [&](std::size_t place, const Limits&, Spending& spending, std::size_t leg) {
                     const SessionLevel& level = session.levels()[leg];
                     if ((counted & bit(place)) != 0)
                         spending.spend(session.rated_at, now, times(level.charged + level.held));
                     return true;
                 });
    if (!on_path) return;
    for (Party* const party : path.parties())
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

std::atomic<std::int64_t>& Ledger::book_of(const Posting& posting) const noexcept {
    Book& book = parties_.get(posting.party).book(posting.currency);
    switch (posting.place) {
        case PostingPlace::balance:
            break;
        case PostingPlace::revenue:
            return book.revenue;
        case PostingPlace::cash:
            return book.cash;
        case PostingPlace::termination:
            return book.termination;
        case PostingPlace::commission:
            return book.commission;
        case PostingPlace::funds:
            return book.funds;
        case PostingPlace::exchange:
            return book.exchange;
    }
    std::abort();  // A balance is no book; else not an enumerator: memory is corrupt.
}

Ledger::Posted Ledger::begin_posting(std::span<Posting> postings, std::span<const Funds> funds) noexcept {
    assert(balanced(postings) && (postings.empty() || postings[0].place == PostingPlace::balance));
    assert(funds.size() == 1 || funds.size() == postings.size());
    Posted posted;
    posted.parties = parties_.size();
    const auto is_later = [&posted](const Posting& posting) {
        const bool later = static_cast<std::size_t>(posting.party) >= posted.parties;
        assert(!later || (posting.place == PostingPlace::balance && posting.amount >= Money{}));
        return later;
    };
    for (const Posting& posting : postings) {
        if (is_later(posting)) continue;
        const Money before = posting.place == PostingPlace::balance
                                 ? parties_.get(posting.party).account.balance()
                                 : read(book_of(posting));
        if (!may_move(before, posting.amount)) return {.status = PostStatus::out_of_bounds};
    }
    const auto takes = [](const Posting& posting) {
        return posting.place == PostingPlace::balance && posting.amount < Money{};
    };
    for (std::size_t i = 0; i < postings.size(); ++i) {
        if (!takes(postings[i])) continue;
        Party& party = parties_.get(postings[i].party);
        const Money amount = -postings[i].amount;
        const Funds from = funds.size() == 1 ? funds[0] : funds[i];
        if (from == Funds::any || !checked(party)) {
            party.account.hold_unchecked(amount);
        } else if (!(from == Funds::own ? party.account.try_hold_own(amount)
                                        : party.account.try_hold(amount))) {
            while (i > 0) {
                --i;
                if (takes(postings[i]))
                    parties_.get(postings[i].party).account.give_back(-postings[i].amount);
            }
            return {.status = PostStatus::insufficient};
        }
    }
    // Nothing below fails. Balances and books decide nothing.
    for (std::size_t i = 0; i < postings.size(); ++i) {
        Posting& posting = postings[i];
        if (is_later(posting)) {
            posting.after = posting.amount;
            if (i == 0) posted.balance = posted.available = posting.amount;
            continue;
        }
        if (posting.place != PostingPlace::balance) {
            book_of(posting).fetch_add(posting.amount.micros(), std::memory_order_relaxed);
            continue;
        }
        Party& party = parties_.get(posting.party);
        const Money after = party.account.move_balance(posting.amount);
        posting.after = after;
        if (i == 0) {
            posted.balance = after;
            posted.available = party.account.available() + std::max(posting.amount, Money{});
        }
        note_crossings(posting.party, party, after - posting.amount, after);
    }
    return posted;
}

void Ledger::finish_posting(std::span<const Posting> postings, const Posted& posted) noexcept {
    for (const Posting& posting : postings) {
        if (posting.place != PostingPlace::balance || posting.amount <= Money{}) continue;
        Account& account = parties_.get(posting.party).account;
        if (static_cast<std::size_t>(posting.party) >= posted.parties) account.move_balance(posting.amount);
        account.give_back(posting.amount);
    }
}

void Ledger::replay_posting(std::span<const Posting> postings) noexcept {
    for (const Posting& posting : postings) {
        if (posting.place == PostingPlace::balance) {
            Account& account = parties_.get(posting.party).account;
            account.move_balance(posting.amount);
            account.give_back(posting.amount);
        } else {
            book_of(posting).fetch_add(posting.amount.micros(), std::memory_order_relaxed);
        }
    }
}

void Ledger::tell_crossings(PartyId id, const Party& party, const Warnings& warnings, Money before,
                            Money after) noexcept {
    const Money limit = party.account.credit_limit();
    for (const Warning warning : kWarnings) {
        if (!warnings.beyond(warning, before, limit) && warnings.beyond(warning, after, limit))
            crossings_->crossed({id, warning, after});
    }
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
            sum.commission += read(book->commission).micros();
            sum.funds += read(book->funds).micros();
            sum.exchange += read(book->exchange).micros();
        }
    }
    return sums;
}

}  // namespace tollgate::balance
