#include "daemon/reserve.h"

#include <algorithm>

namespace tollgate::daemon {
namespace {

using balance::ByteReader;
using balance::ByteWriter;
using balance::EventHeader;
using balance::EventKind;
using balance::Party;
using balance::PartyId;

/// The provider's balance is not checked, so nothing could be held back of it.
bool is_held_back(const Party& party) noexcept {
    return party.has_account() && party.kind != balance::PartyKind::provider && party.status().active();
}

}  // namespace

std::optional<Reserve::Standing> Reserve::standing() const {
    const std::lock_guard lock{mutex_};
    if (from_.empty()) return std::nullopt;
    return standing_now();
}

std::optional<Reserve::Standing> Reserve::release(balance::Moment now) {
    const std::lock_guard lock{mutex_};
    if (from_.empty()) return std::nullopt;
    const Standing standing = standing_now();
    std::vector<std::byte> event;
    ByteWriter out{event};
    EventHeader{EventKind::reserve_released, now}.write(out);
    // What raises funds is appended before anybody can spend it.
    events_.append(event);
    give_back();
    return standing;
}

void Reserve::give_back() {
    for (const PartyId party : from_)
        parties_.get(party).account.give_back(amount_);
    from_.clear();
    amount_ = {};
    since_ = {};
}

void Reserve::write_restored(rating::Money amount, balance::Moment now, std::vector<std::byte>& event) {
    ByteWriter out{event};
    EventHeader{EventKind::restored, now}.write(out);
    out.put(amount);
}

bool Reserve::apply_restored(balance::Moment at, ByteReader& in) {
    rating::Money amount;
    in.get(amount);
    if (!in.at_end() || amount < rating::Money{}) return false;
    const std::lock_guard lock{mutex_};
    // One that was restored and lost again: only the newest holds.
    give_back();
    if (amount == rating::Money{}) return true;
    amount_ = amount;
    since_ = at.wall;
    for (std::size_t i = 0; i < parties_.size(); ++i) {
        Party& party = parties_.get(static_cast<PartyId>(i));
        if (!is_held_back(party)) continue;
        party.account.hold_unchecked(amount);
        from_.push_back(static_cast<PartyId>(i));
    }
    return true;
}

bool Reserve::apply_released(ByteReader& in) {
    const std::lock_guard lock{mutex_};
    if (!in.at_end()) return false;
    give_back();
    return true;
}

bool Reserve::apply_standing(balance::Moment at, ByteReader& in) {
    const std::lock_guard lock{mutex_};
    in.get(amount_);
    since_ = at.wall;
    while (in.good() && !in.at_end()) {
        const auto party = in.get<PartyId>();
        if (!in.good() || static_cast<std::size_t>(party) >= parties_.size()) return false;
        from_.push_back(party);
    }
    return in.good();
}

void Reserve::save(const std::function<void(std::span<const std::byte>)>& sink) const {
    constexpr std::size_t kPartiesPerRecord = 10'000;
    const std::lock_guard lock{mutex_};
    for (std::size_t first = 0; first < from_.size(); first += kPartiesPerRecord) {
        std::vector<std::byte> record;
        ByteWriter out{record};
        EventHeader{EventKind::reserve, {since_, {}}}.write(out);
        out.put(amount_);
        for (std::size_t i = first; i < std::min(from_.size(), first + kPartiesPerRecord); ++i)
            out.put(from_[i]);
        sink(record);
    }
}

}  // namespace tollgate::daemon
