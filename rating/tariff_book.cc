#include "rating/tariff_book.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace tollgate::rating {
namespace {

/// A deck with fewer than one in so many of the tree's prefixes gets runs: they are a fraction of the memory,
/// and a binary search among few stays in the caches.
constexpr std::size_t kRunsBelow = 16;

/// The tree is built anew once so large a part of it is of no use.
constexpr std::size_t kStalePartMax = 4;

std::span<const Prefix> without_fallback(const Deck& deck) noexcept {
    const auto prefixes = deck.prefixes();
    return !prefixes.empty() && prefixes.front() == Prefix{} ? prefixes.subspan(1) : prefixes;
}

}  // namespace

struct TariffBook::Tariff {
    std::string_view name;
    TariffId id = kNoTariff;
    VersionPtr current;
    std::shared_ptr<const Column> column;  ///< nullptr: no deck.
    std::vector<VersionPtr> kept;          ///< The oldest first.
    std::uint32_t number_last = 0;
};

Deck::Entrance TariffBook::Column::at(PrefixTree::Place place) const noexcept {
    const auto next = std::upper_bound(begins.begin(), begins.end(), place);
    return entrances[static_cast<std::size_t>(next - begins.begin()) - 1];
}

std::optional<TariffId> TariffBook::Reading::find(std::string_view name) const noexcept {
    const auto& names = *edition_.names;
    const auto at =
        std::lower_bound(names.begin(), names.end(), name,
                         [](const auto& known, std::string_view wanted) { return known.first < wanted; });
    return at == names.end() || at->first != name ? std::nullopt : std::optional{at->second};
}

TariffBook::TariffBook(std::size_t versions_kept)
    : versions_kept_(std::max<std::size_t>(versions_kept, 1)),
      readers_(std::make_unique<std::array<Reading::Reader, kThreadsMax>>()),
      tree_(std::make_shared<const PrefixTree>()) {
    publish_edition();
}

TariffBook::~TariffBook() = default;

std::optional<TariffId> TariffBook::find(std::string_view id) const {
    const std::lock_guard lock{mutex_};
    const auto found = ids_.find(std::string{id});
    if (found == ids_.end()) return std::nullopt;
    return found->second;
}

TariffBook::VersionPtr TariffBook::current(TariffId id) const {
    const std::lock_guard lock{mutex_};
    return tariffs_[static_cast<std::size_t>(id)]->current;
}

std::string_view TariffBook::name(TariffId id) const {
    const std::lock_guard lock{mutex_};
    return tariffs_[static_cast<std::size_t>(id)]->name;
}

std::vector<TariffBook::VersionPtr> TariffBook::history(TariffId id) const {
    const std::lock_guard lock{mutex_};
    return tariffs_[static_cast<std::size_t>(id)]->kept;
}

TariffBook::VersionPtr TariffBook::version(TariffId id, std::uint32_t number) const {
    for (auto& version : history(id)) {
        if (version->number == number) return version;
    }
    return nullptr;
}

std::size_t TariffBook::size() const {
    const std::lock_guard lock{mutex_};
    return ids_.size();
}

TariffBook::Counts TariffBook::counts() const {
    const Reading reading = read();
    return {reading.edition_.entries.size(), version_count_.load(std::memory_order_relaxed),
            reading.edition_.tree_prefixes, reading.edition_.tree_bytes};
}

// ---- Putting in force ----

/// Changes a tariff that exists, under the lock.
template <typename Put>
TariffBook::PutResult TariffBook::change(std::string_view id, const Put& put) {
    PutResult result{PutStatus::unknown_tariff, 0, {}};
    {
        const std::lock_guard lock{mutex_};
        const auto found = ids_.find(std::string{id});
        if (found != ids_.end()) result = put(*tariffs_[static_cast<std::size_t>(found->second)]);
    }
    if (!restoring_) reclaim();
    return result;
}

TariffBook::PutResult TariffBook::put_settings(std::string_view id, const TariffSettings& settings,
                                               Origin origin, const Announce& announce) {
    {
        const std::lock_guard lock{mutex_};
        if (!ids_.contains(std::string{id})) return create(id, settings, std::move(origin), announce);
    }
    return change(id, [&](Tariff& tariff) -> PutResult {
        const TariffVersion& before = *tariff.current;
        if (!(before.settings.currency == settings.currency)) return {PutStatus::currency_differs, 0, {}};
        return publish(tariff, settings, before.deck, before.file, Change::settings, std::move(origin),
                       announce);
    });
}

TariffBook::PutResult TariffBook::create(std::string_view id, const TariffSettings& settings, Origin origin,
                                         const Announce& announce) {
    if (ids_.size() == kTariffsMax) return {PutStatus::too_many, 0, {}};
    auto fresh = std::make_unique<Tariff>();
    fresh->id = static_cast<TariffId>(tariffs_.size());
    fresh->name = ids_.emplace(id, fresh->id).first->first;  // A key of an unordered_map never moves.
    tariffs_.push_back(std::move(fresh));
    PutResult result =
        publish(*tariffs_.back(), settings, nullptr, {}, Change::settings, std::move(origin), announce);
    if (result.done()) {
        result.status = PutStatus::created;
    } else {
        tariffs_.pop_back();
        ids_.erase(std::string{id});
    }
    return result;
}

TariffBook::PutResult TariffBook::put_deck(std::string_view id, std::shared_ptr<const Deck> deck,
                                           Origin origin, DeckFile file, const Announce& announce) {
    return change(id, [&](Tariff& tariff) {
        return publish(tariff, tariff.current->settings, std::move(deck), std::move(file), Change::deck,
                       std::move(origin), announce);
    });
}

TariffBook::PutResult TariffBook::roll_back(std::string_view id, std::uint32_t number, Origin origin,
                                            const Announce& announce) {
    return change(id, [&](Tariff& tariff) -> PutResult {
        const auto kept =
            std::find_if(tariff.kept.begin(), tariff.kept.end(),
                         [number](const VersionPtr& version) { return version->number == number; });
        if (kept == tariff.kept.end()) return {PutStatus::unknown_version, 0, {}};
        if ((*kept)->deck == nullptr) return {PutStatus::no_deck, 0, {}};
        return publish(tariff, tariff.current->settings, (*kept)->deck, (*kept)->file, Change::rollback,
                       std::move(origin), announce);
    });
}

TariffBook::PutResult TariffBook::publish(Tariff& tariff, TariffSettings settings,
                                          std::shared_ptr<const Deck> deck, DeckFile file, Change change,
                                          Origin origin, const Announce& announce) {
    PutResult result;
    if (deck != nullptr) result.faults = window_faults(*deck, settings, kWindowFaultsMax);
    if (!result.faults.empty()) {
        result.status = PutStatus::window_faults;
        return result;
    }
    const auto slot = pins_.take_slot();
    if (!slot) {
        result.status = PutStatus::too_many;
        return result;
    }
    Calendar calendar = deck == nullptr ? Calendar{} : calendar_of(*deck, settings);
    const Deck* const before = tariff.current == nullptr ? nullptr : tariff.current->deck.get();
    if (deck.get() != before && deck != nullptr && !restoring_) {
        if (count_prefixes(before, *deck)) rebuild_tree(*deck);
        tariff.column = column_of(*deck);
    }
    result.number = ++tariff.number_last;
    tariff.current = std::make_shared<const TariffVersion>(
        TariffVersion{tariff.name, tariff.id, result.number, std::move(settings), std::move(deck),
                      std::move(file), std::move(calendar), change, std::move(origin), Pins{pins_, *slot}});
    versions_.push_back(tariff.current);
    version_count_.store(versions_.size(), std::memory_order_relaxed);
    tariff.kept.push_back(tariff.current);
    if (tariff.kept.size() > versions_kept_) tariff.kept.erase(tariff.kept.begin());
    if (announce) announce(*tariff.current);
    if (!restoring_) publish_edition();
    return result;
}

void TariffBook::begin_restoring() {
    const std::lock_guard lock{mutex_};
    restoring_ = true;
}

void TariffBook::end_restoring() {
    {
        const std::lock_guard lock{mutex_};
        restoring_ = false;
        std::vector<Prefix> all;
        for (const auto& tariff : tariffs_) {
            if (tariff->current->deck == nullptr) continue;
            const auto own = without_fallback(*tariff->current->deck);
            all.insert(all.end(), own.begin(), own.end());
        }
        std::sort(all.begin(), all.end());
        prefixes_.clear();
        uses_.clear();
        for (const Prefix prefix : all) {
            if (prefixes_.empty() || !(prefixes_.back() == prefix)) {
                prefixes_.push_back(prefix);
                uses_.push_back(0);
            }
            ++uses_.back();
        }
        tree_ = std::make_shared<const PrefixTree>(prefixes_);
        for (const auto& tariff : tariffs_) {
            if (tariff->current->deck != nullptr) tariff->column = column_of(*tariff->current->deck);
        }
        publish_edition();
    }
    reclaim();
}

TariffBook::PutResult TariffBook::restore(std::string_view id, std::uint32_t number, TariffSettings settings,
                                          std::shared_ptr<const Deck> deck, DeckFile file, Change change,
                                          Origin origin) {
    const std::lock_guard lock{mutex_};
    if (const auto found = ids_.find(std::string{id}); found != ids_.end()) {
        Tariff& tariff = *tariffs_[static_cast<std::size_t>(found->second)];
        tariff.number_last = number - 1;
        return publish(tariff, std::move(settings), std::move(deck), std::move(file), change,
                       std::move(origin), {});
    }
    auto fresh = std::make_unique<Tariff>();
    fresh->id = static_cast<TariffId>(tariffs_.size());
    fresh->name = ids_.emplace(id, fresh->id).first->first;
    fresh->number_last = number - 1;
    tariffs_.push_back(std::move(fresh));
    return publish(*tariffs_.back(), std::move(settings), std::move(deck), std::move(file), change,
                   std::move(origin), {});
}

std::vector<TariffBook::VersionPtr> TariffBook::all_versions() const {
    std::vector<VersionPtr> all;
    {
        const std::lock_guard lock{mutex_};
        all = versions_;
    }
    std::sort(all.begin(), all.end(), [](const VersionPtr& a, const VersionPtr& b) {
        return a->id == b->id ? a->number < b->number : a->id < b->id;
    });
    return all;
}

/// Counts the prefixes of a deck that comes into force, and those of the one that goes; true where the tree
/// has to be built anew.
bool TariffBook::count_prefixes(const Deck* gone, const Deck& fresh) {
    const auto count = [this](const Deck& deck, std::uint32_t by) {
        std::size_t unknown = 0;
        std::size_t place = 0;
        for (const Prefix prefix : without_fallback(deck)) {
            // Decks are read in order, so the next place is mostly near.
            while (place < prefixes_.size() && prefixes_[place] < prefix)
                ++place;
            if (place < prefixes_.size() && prefixes_[place] == prefix) {
                uses_[place] += by;
            } else {
                ++unknown;
            }
        }
        return unknown;
    };
    const std::size_t unknown = count(fresh, 1);
    if (gone != nullptr) count(*gone, UINT32_MAX);  // Less one.
    if (unknown > 0) return true;
    const auto stale = static_cast<std::size_t>(std::count(uses_.begin(), uses_.end(), 0U));
    return stale * kStalePartMax > prefixes_.size();
}

/// The tree of all prefixes that are in use, with those of a deck that is not counted yet where the tree does
/// not know them; and the columns of all decks.
void TariffBook::rebuild_tree(const Deck& fresh) {
    const auto more = without_fallback(fresh);
    std::vector<Prefix> prefixes;
    std::vector<std::uint32_t> uses;
    prefixes.reserve(prefixes_.size() + more.size());
    uses.reserve(prefixes_.size() + more.size());
    std::size_t old = 0;
    for (std::size_t i = 0; old < prefixes_.size() || i < more.size();) {
        const bool known = old < prefixes_.size() && (i == more.size() || prefixes_[old] <= more[i]);
        if (known) {
            if (i < more.size() && prefixes_[old] == more[i]) ++i;
            if (uses_[old] > 0) {
                prefixes.push_back(prefixes_[old]);
                uses.push_back(uses_[old]);
            }
            ++old;
        } else {
            prefixes.push_back(more[i++]);
            uses.push_back(1);
        }
    }
    prefixes.shrink_to_fit();
    uses.shrink_to_fit();
    tree_ = std::make_shared<const PrefixTree>(prefixes);
    prefixes_ = std::move(prefixes);
    uses_ = std::move(uses);
    for (const auto& tariff : tariffs_) {
        if (tariff->current != nullptr && tariff->current->deck != nullptr)
            tariff->column = column_of(*tariff->current->deck);
    }
}

std::shared_ptr<const TariffBook::Column> TariffBook::column_of(const Deck& deck) const {
    auto column = std::make_shared<Column>();
    const auto own = without_fallback(deck);
    const std::size_t skipped = deck.prefix_count() - own.size();
    const Deck::Entrance fallback = skipped > 0 ? deck.entrance(0) : Deck::Entrance{};
    const auto entrance_of = [&](std::size_t i) { return deck.entrance(i + skipped); };
    std::vector<std::size_t> above;  // Prefixes of the deck that the current place may lie below.
    const auto top_entrance = [&] { return above.empty() ? fallback : entrance_of(above.back()); };

    if (own.size() * kRunsBelow > prefixes_.size()) {
        column->entrances.reserve(prefixes_.size() + 1);
        std::size_t next = 0;
        for (const Prefix prefix : prefixes_) {
            while (!above.empty() && !own[above.back()].begins(prefix))
                above.pop_back();
            if (next < own.size() && own[next] == prefix) above.push_back(next++);
            column->entrances.push_back(top_entrance());
        }
        column->entrances.push_back(fallback);
        return column;
    }

    const auto begin_run = [&](PrefixTree::Place place, Deck::Entrance entrance) {
        if (!column->begins.empty() && column->begins.back() == place) {
            column->entrances.back() = entrance;
        } else {
            column->begins.push_back(place);
            column->entrances.push_back(entrance);
        }
    };
    const auto leave_top = [&] {
        const Prefix top = own[above.back()];
        const auto end = std::partition_point(prefixes_.begin(), prefixes_.end(), [top](Prefix prefix) {
            return prefix < top || top.begins(prefix);
        });
        above.pop_back();
        begin_run(static_cast<PrefixTree::Place>(end - prefixes_.begin()), top_entrance());
    };
    begin_run(0, fallback);
    for (std::size_t i = 0; i < own.size(); ++i) {
        while (!above.empty() && !own[above.back()].begins(own[i]))
            leave_top();
        const auto at = std::lower_bound(prefixes_.begin(), prefixes_.end(), own[i]);
        above.push_back(i);
        begin_run(static_cast<PrefixTree::Place>(at - prefixes_.begin()), entrance_of(i));
    }
    while (!above.empty())
        leave_top();
    return column;
}

void TariffBook::publish_edition() {
    auto edition = std::make_unique<Edition>();
    edition->tree = tree_;
    if (names_ == nullptr ||
        names_->size() != tariffs_.size()) {  // A tariff came, or one that was refused went.
        std::vector<Edition::Name> names{ids_.begin(), ids_.end()};
        std::sort(names.begin(), names.end());
        names_ = std::make_shared<const std::vector<Edition::Name>>(std::move(names));
    }
    edition->names = names_;
    edition->tree_prefixes = prefixes_.size();
    edition->tree_bytes = tree_->bytes();
    for (const auto& tariff : tariffs_) {
        const Column* const column = tariff->column.get();
        if (column != nullptr) edition->tree_bytes += column->bytes();
        edition->entries.push_back(
            {tariff->current.get(), tariff->current->deck.get(),
             column == nullptr || !column->begins.empty() ? nullptr : column->entrances.data(), column});
        edition->versions.push_back(tariff->current);
        edition->columns.push_back(tariff->column);
    }
    editions_.push_back(std::move(edition));
    edition_.store(editions_.back().get(), std::memory_order_seq_cst);
}

// ---- Freeing ----

bool TariffBook::being_read(const Edition* edition) const noexcept {
    return std::any_of(readers_->begin(), readers_->end(), [edition](const Reading::Reader& reader) {
        return reader.edition.load(std::memory_order_seq_cst) == edition;
    });
}

void TariffBook::reclaim() {
    std::vector<std::unique_ptr<const Edition>> old_editions;
    std::vector<VersionPtr> old_versions;
    {
        const std::lock_guard lock{mutex_};
        const auto in_use = [this](const std::unique_ptr<const Edition>& edition) {
            return edition == editions_.back() || being_read(edition.get());
        };
        const auto free = std::stable_partition(editions_.begin(), editions_.end(), in_use);
        std::move(free, editions_.end(), std::back_inserter(old_editions));
        editions_.erase(free, editions_.end());
    }
    old_editions.clear();  // Decks are large: without the lock.
    {
        const std::lock_guard lock{mutex_};
        // What stands in an edition, in a history or in somebody's hands is counted twice; what does not can
        // not be pinned any more, so that a sum of 0 stays one.
        const auto unused = std::stable_partition(
            versions_.begin(), versions_.end(),
            [](const VersionPtr& version) { return version.use_count() > 1 || version->pins.sum() != 0; });
        std::move(unused, versions_.end(), std::back_inserter(old_versions));
        versions_.erase(unused, versions_.end());
        version_count_.store(versions_.size(), std::memory_order_relaxed);
    }
}

}  // namespace tollgate::rating
