#include "daemon/metrics/call_figures.h"

#include <algorithm>
#include <map>
#include <utility>

#include "daemon/charging.h"

namespace tollgate::daemon::metrics {
namespace {

using balance::PartyKind;
using balance::SessionState;

std::atomic<std::uint64_t> figures_made{0};

// A row's key: what it is of, then the labels.
constexpr std::uint64_t kOfCalls = 1;
constexpr std::uint64_t kOfLegs = 2;
constexpr std::uint64_t kOfEarnings = 3;
constexpr unsigned kWhatBits = 2;
constexpr unsigned kGroupBits = 8;
constexpr unsigned kLevelBits = 8;  // Or how the call ended.
constexpr unsigned kKindBits = 8;
constexpr std::uint64_t kByte = 0xFF;

constexpr std::uint64_t key_of(std::uint64_t what, std::uint64_t group, std::uint64_t level,
                               std::uint64_t kind, std::uint64_t currency) noexcept {
    std::uint64_t key = currency;
    key = key << kKindBits | kind;
    key = key << kLevelBits | level;
    key = key << kGroupBits | group;
    return key << kWhatBits | what;
}
constexpr std::uint64_t what_of(std::uint64_t key) noexcept {
    return key & ((1U << kWhatBits) - 1);
}
constexpr std::uint8_t group_in(std::uint64_t key) noexcept {
    return static_cast<std::uint8_t>(key >> kWhatBits & kByte);
}
constexpr std::uint8_t level_in(std::uint64_t key) noexcept {
    return static_cast<std::uint8_t>(key >> (kWhatBits + kGroupBits) & kByte);
}
constexpr std::uint8_t kind_in(std::uint64_t key) noexcept {
    return static_cast<std::uint8_t>(key >> (kWhatBits + kGroupBits + kLevelBits) & kByte);
}
constexpr std::uint64_t currency_in(std::uint64_t key) noexcept {
    return key >> (kWhatBits + kGroupBits + kLevelBits + kKindBits);
}
constexpr std::uint64_t without_group(std::uint64_t key) noexcept {
    return key & ~(kByte << kWhatBits);
}

std::uint64_t packed(rating::Currency currency) noexcept {
    std::uint64_t letters = 0;
    for (const char letter : currency.view())
        letters = letters << 8 | static_cast<unsigned char>(letter);
    return letters;
}
rating::Currency unpacked(std::uint64_t letters) noexcept {
    std::string text;
    for (; letters != 0; letters >>= 8)
        text.insert(text.begin(), static_cast<char>(letters & kByte));
    return rating::Currency::parse(text).value_or(rating::Currency{});
}

CallFigures::How how_of(const balance::Session& session) noexcept {
    using How = CallFigures::How;
    if (session.state == SessionState::expired) return How::expired;
    if (session.state == SessionState::released) return How::released;
    switch (static_cast<EndStatus>(session.end_status)) {
        case EndStatus::overrun:
            return How::overrun;
        case EndStatus::corrected:
            return How::corrected;
        case EndStatus::late:
            return How::late;
        case EndStatus::released:
            return How::released;
        case EndStatus::rated:
            return How::rated;
        case EndStatus::none:
        case EndStatus::stopped:
            break;
    }
    return How::stopped;
}

}  // namespace

/// Counts in one shard: alone where it is one thread's.
class CallFigures::Adder {
  public:
    explicit Adder(Shard& shard) noexcept : shard_(shard) {}

    void add(std::atomic<std::uint64_t>& counter, std::uint64_t more) const noexcept {
        if (shard_.shared) {
            counter.fetch_add(more, std::memory_order_relaxed);
        } else {
            counter.store(counter.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
        }
    }
    /// The row of that key, or of the same without its group; nullptr where there is room for neither.
    [[nodiscard]] Row* row(std::uint64_t key) const noexcept {
        Row* row = find(shard_, key);
        if (row == nullptr) row = find(shard_, without_group(key));
        if (row == nullptr) add(shard_.lost, 1);
        return row;
    }

  private:
    Shard& shard_;
};

CallFigures::CallFigures(const balance::PartyTable& parties, std::vector<std::string> groups)
    : parties_(parties),
      wanted_(std::move(groups)),
      id_(figures_made.fetch_add(1, std::memory_order_relaxed) + 1),
      slot_names_{std::string{kOther}} {}

CallFigures::~CallFigures() {
    for (auto& shard : shards_)
        delete shard.load(std::memory_order_relaxed);
}

CallFigures::Shard& CallFigures::mine() noexcept {
    struct Mine {
        std::uint64_t figures = 0;
        Shard* shard = nullptr;
    };
    thread_local Mine mine;
    if (mine.figures == id_) return *mine.shard;
    const std::size_t place = std::min(shards_used_.fetch_add(1, std::memory_order_relaxed), kShards - 1);
    Shard* shard = shards_[place].load(std::memory_order_acquire);
    if (shard == nullptr) {
        auto fresh = std::make_unique<Shard>();
        fresh->shared = place == kShards - 1;
        // Of the shared place another thread may be making one too; the release shows it whole.
        if (shards_[place].compare_exchange_strong(shard, fresh.get(), std::memory_order_acq_rel))
            shard = fresh.release();
    }
    mine = {id_, shard};
    return *shard;
}

CallFigures::Row* CallFigures::find(Shard& shard, std::uint64_t key) noexcept {
    // A quarter stays empty, so that a search ends soon.
    constexpr std::size_t kUsedMax = kRowsMax / 4 * 3;
    constexpr std::uint64_t kSpread = 0x9E3779B97F4A7C15;
    constexpr unsigned kShift = 64 - std::bit_width(kRowsMax - 1);
    for (std::size_t at = key * kSpread >> kShift;; at = (at + 1) % kRowsMax) {
        Row& row = shard.rows[at];
        std::uint64_t found = row.key.load(std::memory_order_relaxed);
        if (found == key) return &row;
        if (found != 0) continue;
        if (shard.used.load(std::memory_order_relaxed) >= kUsedMax) return nullptr;
        // Relaxed: whoever reads the key reads counters that are right from zero on.
        if (row.key.compare_exchange_strong(found, key, std::memory_order_relaxed)) {
            shard.used.fetch_add(1, std::memory_order_relaxed);
            return &row;
        }
        if (found == key) return &row;
    }
}

std::uint8_t CallFigures::group_of(Shard& shard, std::string_view number) noexcept {
    if (shard.shared) {
        const std::lock_guard lock{shared_mutex_};
        const GroupIndex* const index = index_.load(std::memory_order_acquire);
        return index == nullptr ? std::uint8_t{0} : static_cast<std::uint8_t>(index->find(number));
    }
    // Said before it is looked at again, both sequentially consistent: refresh() puts a new index first and
    // looks at what is being read then, so it sees this, or this sees the new one.
    const GroupIndex* index = index_.load(std::memory_order_acquire);
    for (;;) {
        if (index == nullptr) return 0;
        shard.reading.store(index, std::memory_order_seq_cst);
        const GroupIndex* const again = index_.load(std::memory_order_seq_cst);
        if (again == index) break;
        index = again;
    }
    const auto slot = static_cast<std::uint8_t>(index->find(number));
    shard.reading.store(nullptr, std::memory_order_release);
    return slot;
}

void CallFigures::ended(const EndedCall& call) noexcept {
    Shard& shard = mine();
    const Adder adder{shard};
    const balance::Session& session = call.session;
    const std::uint8_t group = group_of(shard, session.number.view());
    if (call.again) {
        adder.add(shard.settled_again, 1);
    } else if (Row* const row =
                   adder.row(key_of(kOfCalls, group, static_cast<std::uint64_t>(how_of(session)), 0, 0))) {
        adder.add(row->count, 1);
    }
    const std::uint32_t used = session.state == SessionState::released ? 0 : session.used_seconds;
    const auto before = static_cast<std::uint32_t>(call.again ? call.used_before.count() : 0);
    const auto levels = session.levels();
    const std::size_t paying = session.paying_count();
    for (std::size_t i = 0; i < levels.size(); ++i) {
        const balance::SessionLevel& level = levels[i];
        const bool earns = i >= paying;
        if (earns && call.again) continue;
        const balance::Party& party = parties_.get(level.payer);
        const std::uint64_t shown = earns ? 0 : std::min(i + 1, kLevelsShownMax + 1);
        Row* const row = adder.row(key_of(earns ? kOfEarnings : kOfLegs, group, shown,
                                          static_cast<std::uint64_t>(party.kind), packed(party.currency)));
        if (row == nullptr) continue;
        const bool told = call.again && i < call.before.size();
        if (!told) adder.add(row->count, 1);
        if (used > before && !earns) adder.add(row->seconds, used - before);
        std::int64_t micros = earns ? -level.charged.micros() : level.charged.micros();
        if (told) micros -= call.before[i].micros();
        if (micros > 0) adder.add(row->charged, static_cast<std::uint64_t>(micros));
        if (micros < 0) adder.add(row->returned, static_cast<std::uint64_t>(-micros));
    }
}

void CallFigures::refresh(const DestinationGroups& groups) {
    std::vector<Source> sources;
    std::size_t shown = 0;
    for (const std::string& name : groups.names()) {
        const auto place = groups.find(name);
        const DestinationGroup* const group = place ? groups.get(*place) : nullptr;
        if (group == nullptr) continue;
        const bool is_shown =
            shown < kGroupsShownMax &&
            (wanted_.empty() || std::find(wanted_.begin(), wanted_.end(), name) != wanted_.end());
        if (is_shown) ++shown;
        sources.push_back({name, group, is_shown});
    }
    if (sources != sources_ || indexes_.empty()) {
        std::vector<GroupIndex::Group> chosen;
        {
            const std::lock_guard lock{names_mutex_};
            for (const Source& source : sources) {
                if (!source.shown) {
                    chosen.push_back({source.group, 0});
                    continue;
                }
                auto found = std::find(slot_names_.begin() + 1, slot_names_.end(), source.name);
                if (found == slot_names_.end()) {
                    // Names that are gone keep their slots, so new ones may find none.
                    if (slot_names_.size() > kGroupsShownMax) {
                        chosen.push_back({source.group, 0});
                        continue;
                    }
                    found = slot_names_.insert(slot_names_.end(), source.name);
                }
                chosen.push_back({source.group, static_cast<std::uint16_t>(found - slot_names_.begin())});
            }
        }
        indexes_.push_back(std::make_unique<const GroupIndex>(chosen));
        groups_whole_.store(indexes_.back()->whole(), std::memory_order_relaxed);
        index_.store(indexes_.back().get(), std::memory_order_seq_cst);
        sources_ = std::move(sources);
    }
    if (indexes_.size() == 1) return;
    // Threads of the shared shard read under the lock.
    const std::lock_guard lock{shared_mutex_};
    const auto is_free = [this](const std::unique_ptr<const GroupIndex>& index) {
        if (index.get() == index_.load(std::memory_order_relaxed)) return false;
        return std::none_of(shards_.begin(), shards_.end(), [&index](const std::atomic<Shard*>& place) {
            const Shard* const shard = place.load(std::memory_order_acquire);
            return shard != nullptr && shard->reading.load(std::memory_order_seq_cst) == index.get();
        });
    };
    std::erase_if(indexes_, is_free);
}

std::string CallFigures::group_name(std::uint8_t slot) const {
    return slot_names_[slot];
}

std::string_view CallFigures::text_of(How how) noexcept {
    constexpr std::array<std::string_view, 7> kWords = {"stopped",  "overrun", "corrected", "late",
                                                        "released", "rated",   "expired"};
    return kWords[static_cast<std::size_t>(how)];
}

CallFigures::Figures CallFigures::figures() const {
    struct Sums {
        std::uint64_t count = 0;
        std::uint64_t seconds = 0;
        std::uint64_t charged = 0;
        std::uint64_t returned = 0;
    };
    Figures figures;
    std::map<std::uint64_t, Sums> sums;
    for (const auto& place : shards_) {
        const Shard* const shard = place.load(std::memory_order_acquire);
        if (shard == nullptr) continue;
        figures.settled_again += shard->settled_again.load(std::memory_order_relaxed);
        figures.lost += shard->lost.load(std::memory_order_relaxed);
        for (const Row& row : shard->rows) {
            const std::uint64_t key = row.key.load(std::memory_order_relaxed);
            if (key == 0) continue;
            Sums& sum = sums[key];
            sum.count += row.count.load(std::memory_order_relaxed);
            sum.seconds += row.seconds.load(std::memory_order_relaxed);
            sum.charged += row.charged.load(std::memory_order_relaxed);
            sum.returned += row.returned.load(std::memory_order_relaxed);
        }
    }
    figures.groups_whole = groups_whole_.load(std::memory_order_relaxed);
    const std::lock_guard lock{names_mutex_};
    for (const auto& [key, sum] : sums) {
        if (what_of(key) == kOfCalls) {
            figures.calls.push_back({static_cast<How>(level_in(key)), group_name(group_in(key)), sum.count});
            continue;
        }
        const std::uint8_t level = level_in(key);
        figures.legs.push_back(
            {.level = level > kLevelsShownMax ? std::string{kOther} : std::to_string(level),
             .kind = static_cast<PartyKind>(kind_in(key)),
             .currency = unpacked(currency_in(key)),
             .group = group_name(group_in(key)),
             .earns = what_of(key) == kOfEarnings,
             .legs = sum.count,
             .seconds = sum.seconds,
             .charged_micros = static_cast<std::int64_t>(sum.charged),
             .returned_micros = static_cast<std::int64_t>(sum.returned)});
    }
    return figures;
}

}  // namespace tollgate::daemon::metrics
