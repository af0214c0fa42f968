/// Values under names that administration puts, replaces and removes while calls read them.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tollgate::daemon {

/// A name's place in its table. Given out once for a name and never to another.
using NamePlace = std::uint16_t;

/// `get` may be called by any thread at any time and neither blocks nor allocates; the others take a lock and
/// are for administration. A value that was replaced or removed stays in memory as long as the table: a call
/// may be reading it.
template <typename Value>
class NamedValues {
  public:
    /// Places for so many names, those of removed values included. At most UINT16_MAX of them.
    explicit NamedValues(std::size_t names_max)
        : names_max_(names_max),
          slots_(std::make_unique<std::atomic<const Value*>[]>(names_max)) {
    }  // NOLINT(modernize-avoid-c-arrays)

    /// nullptr where there is no value now, and for a place that was never given out.
    [[nodiscard]] const Value* get(NamePlace place) const noexcept {
        // Acquire pairs with the release in `put`: whoever sees the pointer sees the whole value.
        return place < names_max_ ? slots_[place].load(std::memory_order_acquire) : nullptr;
    }

    /// The place of a name that has a value.
    [[nodiscard]] std::optional<NamePlace> find(std::string_view name) const {
        const std::lock_guard lock{mutex_};
        const auto found = places_.find(name);
        if (found == places_.end() || get(found->second) == nullptr) return std::nullopt;
        return found->second;
    }
    /// The place of a name, whether it has a value or may get one later; nullopt where all are given out.
    [[nodiscard]] std::optional<NamePlace> reserve(std::string_view name) {
        const std::lock_guard lock{mutex_};
        return place_of(name);
    }
    /// Requires: a place that was given out.
    [[nodiscard]] std::string name_of(NamePlace place) const {
        const std::lock_guard lock{mutex_};
        return names_[place];
    }
    /// The names that have a value, in their order.
    [[nodiscard]] std::vector<std::string> names() const {
        const std::lock_guard lock{mutex_};
        std::vector<std::string> names;
        for (const auto& [name, place] : places_) {
            if (get(place) != nullptr) names.push_back(name);
        }
        return names;
    }

    enum class PutStatus : std::uint8_t { created, replaced, too_many };
    PutStatus put(std::string_view name, Value value) {
        const std::lock_guard lock{mutex_};
        const auto place = place_of(name);
        if (!place) return PutStatus::too_many;
        const bool is_new = get(*place) == nullptr;
        values_.push_back(std::make_unique<const Value>(std::move(value)));
        slots_[*place].store(values_.back().get(), std::memory_order_release);
        return is_new ? PutStatus::created : PutStatus::replaced;
    }
    /// Requires: a place that was given out.
    void remove(NamePlace place) {
        const std::lock_guard lock{mutex_};
        slots_[place].store(nullptr, std::memory_order_release);
    }

  private:
    std::optional<NamePlace> place_of(std::string_view name) {
        if (const auto found = places_.find(name); found != places_.end()) return found->second;
        if (names_.size() == names_max_) return std::nullopt;
        const auto place = static_cast<NamePlace>(names_.size());
        names_.emplace_back(name);
        places_.emplace(name, place);
        return place;
    }

    mutable std::mutex mutex_;
    const std::size_t names_max_;
    std::map<std::string, NamePlace, std::less<>> places_;
    std::vector<std::string> names_;  // By place.
    std::vector<std::unique_ptr<const Value>> values_;
    // Written under the mutex, read by every worker without it.
    std::unique_ptr<std::atomic<const Value*>[]> slots_;  // NOLINT(modernize-avoid-c-arrays)
};

}  // namespace tollgate::daemon
