/// From events, and from whole states, to batches of changes.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "daemon/flush/changes.h"
#include "daemon/group_index.h"

namespace tollgate::daemon::flush {

/// Applies events to a replica, one after the other, and notes what they did. One thread.
///
/// What a row says is read from the replica when the batch is finished, so that it stands in a batch once,
/// however many events touched it. What is told in order, such as transactions, is noted event by event.
class BatchMaker {
  public:
    /// Reads a file beside the journal; throws std::runtime_error where it cannot be read.
    using ReadAside = Catalog::ReadAside;

    /// The replica stands where the next event begins; a deck that `live` has it takes from there. All must
    /// outlive this.
    BatchMaker(State& replica, const rating::TariffBook& live, ReadAside read_aside);

    /// Applies one event. Empty, or why it cannot be: then neither the replica nor this is good any more.
    [[nodiscard]] std::string apply(Sequence sequence, std::span<const std::byte> event);

    [[nodiscard]] std::size_t events() const noexcept { return batch_.event_count; }
    [[nodiscard]] std::size_t bytes() const noexcept { return batch_.events.size(); }
    /// Decks that were put in force since it was made: the replica keeps them all.
    [[nodiscard]] std::size_t decks() const noexcept { return decks_; }

    /// What was noted since the last. The caller sets its positions.
    [[nodiscard]] Batch finish();

    /// All that the replica holds, in batches of at most so many rows, in order. The first says `clear`, all
    /// say `filling`. `emit(batch, last)` may throw.
    void fill(std::size_t rows_max, const std::function<void(Batch&& batch, bool last)>& emit);

  private:
    using Header = balance::EventHeader;
    using Visit = std::function<void(const Header& header, balance::ByteReader in)>;
    /// Visits an event, or the parts of one of several.
    void each_part(std::span<const std::byte> event, const Visit& visit);
    const std::vector<std::byte>& aside(std::string_view name);

    void look_before(const Header& header, balance::ByteReader in);
    void look_after(Sequence sequence, const Header& header, balance::ByteReader in);
    void note_session(Sequence sequence, const Header& header, balance::ByteReader in);
    void note_catalog(Sequence sequence, const Header& header, balance::ByteReader in);
    void touch_levels(const balance::Session& session);
    void touch(PartyId party);
    void touch_row(Sequence sequence, PartyId party, Moment at);

    [[nodiscard]] Batch empty_batch() const;
    [[nodiscard]] PartyRow party_row(PartyId party, Moment at) const;
    [[nodiscard]] BalanceRow balance_row(PartyId party) const;
    [[nodiscard]] std::string group_of(std::string_view number);
    [[nodiscard]] SessionRow session_row(const balance::Session& session) const;

    State& state_;
    const rating::TariffBook& live_;
    ReadAside read_aside_;
    std::unordered_map<std::string, std::vector<std::byte>> asides_;  // Of the event that is applied.
    Batch batch_;
    std::map<PartyId, Moment> rows_;      // Parties whose row was made or changed.
    std::vector<PartyId> balances_;       // Whose account was moved.
    std::vector<std::uint8_t> touched_;   // By party: stands in balances_.
    std::vector<std::uint8_t> statuses_;  // By party: as it was last noted.
    /// Sessions that were opened or changed; true: the store cannot have it.
    std::unordered_map<std::string, bool> sessions_;
    std::unordered_map<std::uint64_t, std::size_t> records_;  // By number: its place in the batch.
    std::vector<std::uint64_t> records_before_;  // Of the sessions of the event that is applied, in order.
    std::size_t sessions_seen_ = 0;              // Of them, since.
    std::size_t decks_ = 0;
    std::optional<GroupIndex> groups_;      // Of the groups as they stand; made when it is asked for.
    std::vector<std::string> group_names_;  // By slot.
};

}  // namespace tollgate::daemon::flush
