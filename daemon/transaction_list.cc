#include "daemon/transaction_list.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace tollgate::daemon {

TransactionList::Entries::const_iterator TransactionList::place_of(std::uint64_t number) const {
    return std::partition_point(entries_.begin(), entries_.end(),
                                [number](const Entry& entry) { return entry->number < number; });
}

void TransactionList::add(Entry transaction) {
    const std::lock_guard lock{mutex_};
    const std::uint64_t number = transaction->number;
    const std::uint64_t first = entries_.empty() ? number : std::min(number, entries_.front()->number);
    for (const balance::Posting& posting : transaction->postings) {
        if (posting.place != balance::PostingPlace::balance) continue;
        std::vector<std::uint64_t>& numbers = by_party_[posting.party];
        if (numbers.size() == numbers.capacity()) {
            numbers.erase(numbers.begin(), std::lower_bound(numbers.begin(), numbers.end(), first));
        }
        // Two threads may come in another order than they were numbered; a party may have two postings.
        const auto place = std::lower_bound(numbers.begin(), numbers.end(), number);
        if (place == numbers.end() || *place != number) numbers.insert(place, number);
    }
    if (entries_.empty() || entries_.back()->number < number) {
        entries_.push_back(std::move(transaction));
    } else {
        entries_.insert(place_of(number), std::move(transaction));
    }
}

TransactionList::Entry TransactionList::find(std::uint64_t number) const {
    const std::lock_guard lock{mutex_};
    const auto place = place_of(number);
    return place != entries_.end() && (*place)->number == number ? *place : nullptr;
}

std::vector<TransactionList::Entry> TransactionList::rows_before(std::uint64_t before) const {
    const std::lock_guard lock{mutex_};
    const auto end = place_of(before);
    const auto count = std::min(kRowsAtOnce, static_cast<std::size_t>(end - entries_.begin()));
    return {std::make_reverse_iterator(end),
            std::make_reverse_iterator(end - static_cast<std::ptrdiff_t>(count))};
}

std::vector<TransactionList::Entry> TransactionList::rows_before(balance::PartyId party,
                                                                 std::uint64_t before) const {
    const std::lock_guard lock{mutex_};
    std::vector<Entry> rows;
    const auto found = by_party_.find(party);
    if (found == by_party_.end()) return rows;
    const auto& numbers = found->second;
    for (auto at = std::lower_bound(numbers.begin(), numbers.end(), before);
         at != numbers.begin() && rows.size() < kRowsAtOnce;) {
        const auto place = place_of(*--at);
        if (place == entries_.end() || (*place)->number != *at) break;  // Forgotten, and so are those before.
        rows.push_back(*place);
    }
    return rows;
}

}  // namespace tollgate::daemon
