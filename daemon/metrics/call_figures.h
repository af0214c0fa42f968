/// Calls, seconds and money by level and destination, counted as calls end.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "balance/party_table.h"
#include "daemon/call_observer.h"
#include "daemon/destination_groups.h"
#include "daemon/group_index.h"

namespace tollgate::daemon::metrics {

/// Destination groups that are told apart; calls elsewhere count as kOther.
inline constexpr std::size_t kGroupsShownMax = 32;
/// Levels that are told apart, from the customer up; those above count as kOther.
inline constexpr std::size_t kLevelsShownMax = 8;
inline constexpr std::string_view kOther = "other";

/// Any thread may call any member at any time. A thread that ends calls counts in memory of its own, so that
/// nobody waits for anybody and no cache line is shared; the first kShards threads, that is, which is more
/// than a daemon has: those beyond share the last one's memory and count with atomic additions.
///
/// What has been counted under some labels stays: they are bounded by the two limits above, by the kinds of
/// parties and by kRowsMax a thread. A row that finds no room counts as one of no group, and at last not at
/// all but in `lost`.
class CallFigures final : public CallObserver {
  public:
    /// `groups` are names of destination groups to be told apart; none: the first kGroupsShownMax there are.
    /// Parties must outlive this.
    CallFigures(const balance::PartyTable& parties, std::vector<std::string> groups);
    ~CallFigures() override;

    void ended(const EndedCall& call) noexcept override;

    /// Takes over which groups there are and what is in them. One thread at a time, from time to time.
    void refresh(const DestinationGroups& groups);

    enum class How : std::uint8_t { stopped, overrun, corrected, late, released, rated, expired };
    [[nodiscard]] static std::string_view text_of(How how) noexcept;

    struct CallRow {
        How how;
        std::string group;
        std::uint64_t calls;
    };
    struct LegRow {
        std::string level;  ///< `1` is the customer's.
        balance::PartyKind kind;
        rating::Currency currency;
        std::string group;
        bool earns;  ///< A commission out of the customer's leg, not a leg.
        std::uint64_t legs = 0;
        std::uint64_t seconds = 0;
        std::int64_t charged_micros = 0;   ///< Or earned.
        std::int64_t returned_micros = 0;  ///< What a later settlement took back.
    };
    struct Figures {
        std::vector<CallRow> calls;
        std::vector<LegRow> legs;
        std::uint64_t settled_again = 0;
        std::uint64_t lost = 0;
        bool groups_whole = true;
    };
    /// Everything so far, added up.
    [[nodiscard]] Figures figures() const;

  private:
    static constexpr std::size_t kShards = 128;
    static constexpr std::size_t kRowsMax = 1024;  // A power of two.

    /// What is counted under one set of labels. The key is 0 until somebody counts.
    struct Row {
        std::atomic<std::uint64_t> key{0};
        std::atomic<std::uint64_t> count{0};
        std::atomic<std::uint64_t> seconds{0};
        std::atomic<std::uint64_t> charged{0};
        std::atomic<std::uint64_t> returned{0};
    };
    struct alignas(64) Shard {
        std::array<Row, kRowsMax> rows{};
        std::atomic<std::size_t> used{0};
        std::atomic<std::uint64_t> settled_again{0};
        std::atomic<std::uint64_t> lost{0};
        /// What a thread of it is reading, which must not be freed. Of the shared shard nothing is, so that
        /// its threads take a lock.
        std::atomic<const GroupIndex*> reading{nullptr};
        bool shared = false;
    };
    class Adder;

    [[nodiscard]] Shard& mine() noexcept;
    [[nodiscard]] std::uint8_t group_of(Shard& shard, std::string_view number) noexcept;
    static Row* find(Shard& shard, std::uint64_t key) noexcept;
    [[nodiscard]] std::string group_name(std::uint8_t slot) const;

    const balance::PartyTable& parties_;
    const std::vector<std::string> wanted_;
    const std::uint64_t id_;  // No other of the process has or had it.
    std::array<std::atomic<Shard*>, kShards> shards_{};
    std::atomic<std::size_t> shards_used_{0};

    std::atomic<const GroupIndex*> index_{nullptr};
    std::mutex shared_mutex_;  // For threads of the shared shard, and for whoever frees an index.

    mutable std::mutex names_mutex_;
    std::vector<std::string> slot_names_;  // By slot; a name keeps its slot.
    struct Source {
        std::string name;
        const DestinationGroup* group;
        bool shown;
        friend bool operator==(const Source&, const Source&) = default;
    };
    std::vector<Source> sources_;  // What the index was made of. For refresh() alone, as the next.
    std::vector<std::unique_ptr<const GroupIndex>> indexes_;  // The newest last; older ones may be in use.
    std::atomic<bool> groups_whole_{true};
};

}  // namespace tollgate::daemon::metrics
