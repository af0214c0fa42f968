#include "rating/tariff_book.h"

namespace tollgate::rating {

TariffBook::TariffBook() : slots_(std::make_unique<std::atomic<const TariffVersion*>[]>(kTariffsMax)) {}
TariffBook::~TariffBook() = default;

std::optional<TariffId> TariffBook::find(std::string_view id) const {
    const std::lock_guard lock{mutex_};
    const auto found = ids_.find(std::string{id});
    if (found == ids_.end()) return std::nullopt;
    return found->second;
}

void TariffBook::publish(TariffId id, std::string_view name, TariffSettings settings,
                         std::shared_ptr<const Deck> deck, std::uint32_t number) {
    versions_.push_back(std::make_unique<const TariffVersion>(
        TariffVersion{name, number, std::move(settings), std::move(deck)}));
    slots_[static_cast<std::size_t>(id)].store(versions_.back().get(), std::memory_order_release);
}

TariffBook::PutStatus TariffBook::put_settings(std::string_view id, const TariffSettings& settings) {
    const std::lock_guard lock{mutex_};
    const auto found = ids_.find(std::string{id});
    if (found == ids_.end()) {
        if (ids_.size() == kTariffsMax) return PutStatus::too_many;
        const auto fresh = static_cast<TariffId>(ids_.size());
        const auto& name = ids_.emplace(id, fresh).first->first;  // A key of an unordered_map never moves.
        publish(fresh, name, settings, nullptr, 1);
        return PutStatus::created;
    }
    const auto& before = current(found->second);
    if (!(before.settings.currency == settings.currency)) return PutStatus::currency_differs;
    publish(found->second, before.tariff, settings, before.deck, before.number + 1);
    return PutStatus::replaced;
}

std::optional<std::uint32_t> TariffBook::put_deck(std::string_view id, std::shared_ptr<const Deck> deck) {
    const std::lock_guard lock{mutex_};
    const auto found = ids_.find(std::string{id});
    if (found == ids_.end()) return std::nullopt;
    const auto& before = current(found->second);
    publish(found->second, before.tariff, before.settings, std::move(deck), before.number + 1);
    return before.number + 1;
}

std::size_t TariffBook::size() const {
    const std::lock_guard lock{mutex_};
    return ids_.size();
}

}  // namespace tollgate::rating
