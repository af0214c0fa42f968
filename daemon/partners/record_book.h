/// All records of one kind, by their ids.
#pragma once

#include <cassert>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "balance/event.h"
#include "balance/event_log.h"
#include "daemon/partners/record.h"

namespace tollgate::daemon {

/// Records lie here as the bytes that stand in the journal, so that a field that nobody uses takes no room,
/// and are made anew for whoever asks.
///
/// Any thread may call any member; a change is for one thread at a time, which holds Registry::mutex from
/// before it looks until its event is appended.
template <typename T>
class RecordBook {
  public:
    /// Told what became of a record, inside the book's lock: for an index. nullptr: there was none, there is
    /// none any more. Set before anything is put; it must not call the book.
    std::function<void(const T* before, const T* after)> on_change;

    [[nodiscard]] std::optional<T> find(std::string_view id) const {
        const std::shared_lock lock{mutex_};
        const auto found = records_.find(id);
        if (found == records_.end()) return std::nullopt;
        return decoded(found->second);
    }
    [[nodiscard]] bool contains(std::string_view id) const {
        const std::shared_lock lock{mutex_};
        return records_.contains(id);
    }
    [[nodiscard]] std::size_t size() const {
        const std::shared_lock lock{mutex_};
        return records_.size();
    }

    /// Calls `visit(record)` in the order of ids, for those behind `after`, until it returns false. A change
    /// meanwhile waits, so a visit of everything is for small books.
    template <typename Visit>
    void visit(std::string_view after, const Visit& visit) const {
        const std::shared_lock lock{mutex_};
        for (auto at = after.empty() ? records_.begin() : records_.upper_bound(after); at != records_.end();
             ++at) {
            if (!visit(decoded(at->second))) return;
        }
    }
    /// The same from the last id below `before` (empty: of all) on backwards.
    template <typename Visit>
    void visit_back(std::string_view before, const Visit& visit) const {
        const std::shared_lock lock{mutex_};
        for (auto at = before.empty() ? records_.end() : records_.lower_bound(before);
             at != records_.begin();) {
            --at;
            if (!visit(decoded(at->second))) return;
        }
    }
    template <typename Visit>
    void visit(const Visit& visit_all) const {
        visit({}, [&visit_all](const T& record) {
            visit_all(record);
            return true;
        });
    }

    /// The record stands here as soon as `joint` is appended. Requires: an id.
    void put(balance::JointEvent& joint, const T& record, balance::Moment now) {
        assert(!record.id.empty());
        std::string image = image_of(record);
        const auto event = event_of(record.id, image, now);
        joint.add(event,
                  [this, id = record.id, image = std::move(image)]() mutable { set(id, std::move(image)); });
    }
    /// It stands here no more as soon as `joint` is appended.
    void remove(balance::JointEvent& joint, std::string_view id, balance::Moment now) {
        joint.add(event_of(id, {}, now), [this, id = std::string{id}] { unset(id); });
    }

    // ---- For a restart and for snapshots, with no other thread ----

    /// The rest of an event behind its kind of record.
    [[nodiscard]] bool apply(balance::ByteReader& in) {
        const std::string id{in.short_text()};
        std::string image{in.text()};
        if (!in.at_end() || id.empty()) return false;
        if (image.empty()) {
            unset(id);
            return true;
        }
        const auto record = record_of<T>(image);
        if (!record || record->id != id) return false;
        set(id, std::move(image));
        return true;
    }
    void save(const std::function<void(std::span<const std::byte>)>& sink) const {
        const std::shared_lock lock{mutex_};
        for (const auto& [id, image] : records_)
            sink(event_of(id, image, {}));
    }

  private:
    static T decoded(const std::string& image) {
        auto record = record_of<T>(image);
        assert(record.has_value());
        return *std::move(record);
    }
    static std::vector<std::byte> event_of(std::string_view id, std::string_view image, balance::Moment at) {
        std::vector<std::byte> event;
        balance::ByteWriter out{event};
        balance::EventHeader{balance::EventKind::record, at}.write(out);
        out.put(T::kKind);
        out.short_text(id);
        out.text(image);
        return event;
    }
    void set(const std::string& id, std::string&& image) {
        const std::unique_lock lock{mutex_};
        std::string& place = records_[id];
        if (on_change) {
            const auto before = place.empty() ? std::nullopt : record_of<T>(place);
            const T after = decoded(image);
            on_change(before ? &*before : nullptr, &after);
        }
        place = std::move(image);
    }
    void unset(const std::string& id) {
        const std::unique_lock lock{mutex_};
        const auto found = records_.find(id);
        if (found == records_.end()) return;
        if (on_change) {
            const T before = decoded(found->second);
            on_change(&before, nullptr);
        }
        records_.erase(found);
    }

    mutable std::shared_mutex mutex_;
    std::map<std::string, std::string, std::less<>> records_;  // Image by id.
};

}  // namespace tollgate::daemon
