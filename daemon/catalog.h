/// Administration of tariffs, dial plans, destination groups and parties: everything that changes what calls
/// are decided by.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "balance/bundle.h"
#include "balance/crossing.h"
#include "balance/event.h"
#include "balance/event_log.h"
#include "balance/party_table.h"
#include "daemon/destination_groups.h"
#include "daemon/dial_plan.h"
#include "daemon/images.h"
#include "daemon/tariff_giving.h"
#include "daemon/time_zones.h"
#include "rating/deck_csv.h"
#include "rating/tariff_book.h"

namespace tollgate::daemon {

using balance::Moment;

/// One thing that is wrong with what an operator sent.
struct Fault {
    std::size_t item = 0;  ///< Which of several, from 0; the line of an import less one.
    std::string field;     ///< Empty where the whole is meant.
    std::string message;   ///< The value, and what was expected.
    bool exists = false;   ///< The fault is that the id is taken.
};

/// A party as an operator describes it. Absent is nullopt; defaults are the catalog's.
struct PartyDraft {
    std::string id;
    std::string parent;  ///< Empty for the provider only.
    balance::PartyKind kind = balance::PartyKind::customer;
    std::optional<balance::Terms> terms;
    std::optional<balance::Billing> billing;
    std::optional<balance::Status> status;
    bool keeps_calls = false;                  ///< Suspended, it lets running calls go on.
    std::optional<rating::Currency> currency;  ///< Default: the parent's.
    std::optional<std::string> time_zone;      ///< Default: the parent's.
    std::optional<rating::Money> credit_limit;
    std::optional<rating::Money> min_available;
    std::optional<std::string> tariff;                     ///< Short for a list of one, for voice.
    std::optional<std::vector<TariffEntryDraft>> tariffs;  ///< Where there is no `tariff`.
    std::optional<std::uint32_t> max_calls;
    std::optional<std::string> dial_plan;
    balance::WarningSettings warnings;
    std::shared_ptr<const balance::LimitSettings> limits;  ///< nullptr: none.
};

/// What may be changed of a party. The outer optional: whether it is named; an inner one: whether it has a
/// value.
struct PartyChange {
    std::optional<balance::Status> status;
    std::optional<bool> keeps_calls;
    std::optional<rating::Money> credit_limit;
    std::optional<rating::Money> min_available;
    std::optional<std::optional<std::string>> tariff;
    std::optional<std::vector<TariffEntryDraft>> tariffs;  ///< Where `tariff` is not named; empty: none.
    std::optional<std::optional<std::uint32_t>> max_calls;
    std::optional<std::optional<std::string>> dial_plan;
    // Thresholds; an inner 0 or nullopt takes one away.
    std::optional<std::uint32_t> warn_percent_hundredths;
    std::optional<rating::Money> warn_owed;
    std::optional<std::optional<rating::Money>> warn_balance;
    balance::LimitChange limits;
};

/// A bundle as an operator describes it.
struct BundleDraft {
    std::string id;
    std::uint32_t seconds = 0;
    // Destinations that it pays for; all where nothing is named.
    std::vector<std::string> prefixes;
    std::vector<std::string> countries;
    std::vector<std::string> groups;
    std::optional<rating::Instant> expires;
    bool monthly = false;
    std::int32_t priority = 0;
};

/// Any thread may call any member; those that change something take a lock and take turns. Calls go on
/// meanwhile and never wait for it.
class Catalog {
  public:
    /// All must outlive this. Whatever is changed is appended to `events` before it is in force; the `now` of
    /// what changes something is for them. `crossings` is told where a lower credit limit makes a party cross
    /// a threshold; nullptr: nobody is.
    Catalog(rating::TariffBook& tariffs, balance::PartyTable& parties, balance::EventLog& events,
            balance::CrossingSink* crossings = nullptr)
        : tariffs_(tariffs), parties_(parties), events_(events), crossings_(crossings) {}

    /// All of them, or none and the faults: at most kFaultsMax of them. A parent exists or stands earlier in
    /// the list.
    [[nodiscard]] std::vector<Fault> add(std::span<const PartyDraft> drafts, Moment now = {});
    /// The same as a part of `joint`: they are there once it is appended, with the ids from parties().size()
    /// on. Until then it is appended or abandoned, this thread alone changes settings.
    [[nodiscard]] std::vector<Fault> add(std::span<const PartyDraft> drafts, Moment now,
                                         balance::JointEvent& joint);
    static constexpr std::size_t kFaultsMax = 100;

    /// All of it, or nothing and the faults. Requires: a party of the table.
    [[nodiscard]] std::vector<Fault> change(balance::PartyId id, const PartyChange& change, Moment now = {});
    /// The same as a part of `joint`: in force once it is appended. Not for a lower credit limit.
    [[nodiscard]] std::vector<Fault> change(balance::PartyId id, const PartyChange& change, Moment now,
                                            balance::JointEvent& joint);

    struct BundleAdded {
        balance::BundleBook::AddStatus status = balance::BundleBook::AddStatus::added;
        std::vector<Fault> faults;  ///< Where there are any, nothing was added and there is no status.
    };
    /// Gives a party free seconds. Requires: a party of the table.
    [[nodiscard]] BundleAdded add_bundle(balance::PartyId id, const BundleDraft& draft, Moment now);
    /// Gives several as a part of `joint`: calls may use them once it is appended. `id` may be that of a
    /// party that the joint event makes, `time_zone` is the party's. Until then this thread alone changes
    /// settings. Requires: the party pays for calls.
    [[nodiscard]] std::vector<Fault> add_bundles(balance::PartyId id, std::string_view time_zone,
                                                 std::span<const BundleDraft> drafts, Moment now,
                                                 balance::JointEvent& joint);
    /// Renews the bundles whose month is over. How many.
    std::size_t renew_bundles(Moment now);
    /// When the next is due; kNever where there is none.
    [[nodiscard]] rating::Instant next_renewal() const { return bundles_.next_renewal(); }
    /// What a clock that was ahead put off for longer than a month is due when it should be.
    void correct_renewals(Moment now) { bundles_.correct_renewals(now.wall); }
    /// A bundle as an operator described it.
    [[nodiscard]] BundleDraft draft_of(const balance::Bundle& bundle) const;

    /// Closes parties for good, and everyone below them: they place no more calls, and nothing of them is
    /// changed any more. Those that were open until now; nullopt, and nothing was done, where one of `tops`
    /// is the provider, who stays. Requires: parties of the table.
    [[nodiscard]] std::optional<std::vector<balance::PartyId>> close(std::span<const balance::PartyId> tops,
                                                                     Moment now = {});
    [[nodiscard]] bool close(balance::PartyId id, Moment now = {}) {
        return close({&id, 1}, now).has_value();
    }

    /// All that administration may change of a party, as bytes: the same where nothing has been changed.
    [[nodiscard]] std::string image_of(const balance::Party& party) const;

    /// Lines of a customer that are not closed.
    [[nodiscard]] std::size_t open_lines(balance::PartyId customer) const noexcept;
    /// Asks from now on how many lines a customer may have; nullopt: as many as he likes. Before any other
    /// thread. It is called while settings are held.
    using LinesMax = std::function<std::optional<std::int64_t>(balance::PartyId customer)>;
    void limit_lines(LinesMax lines_max) { lines_max_ = std::move(lines_max); }

    /// While it is held, nobody else changes a setting of a party, but a payment may lift a suspension. An
    /// import holds it for seconds: for nothing that calls wait for.
    [[nodiscard]] std::unique_lock<std::recursive_mutex> hold_settings() { return std::unique_lock{mutex_}; }
    /// While it is held, nobody else changes a party's status. Held for microseconds, and never across an
    /// import. Who holds both took this one second.
    [[nodiscard]] std::unique_lock<std::recursive_mutex> hold_statuses() {
        return std::unique_lock{status_mutex_};
    }

    struct TariffPut {
        rating::TariffBook::PutResult result;
        std::vector<Fault> faults;  ///< Where there are any, nothing was put and there is no result.
    };
    /// Makes a tariff or a new version of one. Its owner must be the provider or a margin reseller, and every
    /// open party that has the tariff must be one that the owner may give it to.
    [[nodiscard]] TariffPut put_tariff(std::string_view id, const rating::TariffSettings& settings,
                                       rating::Origin origin = {}, Moment now = {});

    /// Keeps the deck as a file and puts it in force. `checksum` is that of what was sent. Throws
    /// std::runtime_error where the file cannot be written.
    [[nodiscard]] rating::TariffBook::PutResult put_deck(std::string_view id,
                                                         std::shared_ptr<const rating::Deck> deck,
                                                         std::uint32_t checksum, rating::Origin origin = {},
                                                         Moment now = {});
    /// Puts the deck of a version that is kept in force again.
    [[nodiscard]] rating::TariffBook::PutResult roll_back(std::string_view id, std::uint32_t number,
                                                          rating::Origin origin = {}, Moment now = {});

    DialPlans::PutStatus put_dial_plan(std::string_view id, const DialPlan& plan, Moment now = {});
    DestinationGroups::PutStatus put_group(std::string_view id, const DestinationGroup& group,
                                           Moment now = {});
    /// Removes a dial plan, unless a party that is not closed has it: then the party's id, else empty.
    /// Requires: a place of dial_plans().
    [[nodiscard]] std::string remove_dial_plan(NamePlace place, Moment now = {});
    /// Requires: a place of destination_groups().
    void remove_group(NamePlace place, Moment now = {});

    // ---- For a restart and for snapshots, with no other thread ----

    /// The bytes of a file that an event names. May throw.
    using ReadAside = std::function<std::vector<std::byte>(std::string_view name)>;
    /// Does again what an event says: one of parties_added to group_removed. False, or std::runtime_error,
    /// where it cannot have been written by a catalog.
    [[nodiscard]] bool apply(balance::EventKind kind, Moment at, ByteReader& in, const ReadAside& read_aside);
    /// Decks that `live` has need not be read. Before the first event is applied.
    void share_decks(const rating::TariffBook& live);
    /// All events have been applied: what was read is in force.
    void restored();
    /// Events that make an empty catalog what this one is, in order; parties without their money.
    void save(const std::function<void(std::span<const std::byte>)>& sink) const;
    /// The files that versions in memory are kept in.
    [[nodiscard]] std::set<std::string> deck_files() const;

    [[nodiscard]] const balance::PartyTable& parties() const noexcept { return parties_; }
    [[nodiscard]] rating::TariffBook& tariffs() noexcept { return tariffs_; }
    [[nodiscard]] DialPlans& dial_plans() noexcept { return dial_plans_; }
    [[nodiscard]] DestinationGroups& destination_groups() noexcept { return destination_groups_; }
    [[nodiscard]] const TimeZones& time_zones() const noexcept { return zones_; }

    /// The id of a party's dial plan, empty without one.
    [[nodiscard]] std::string dial_plan_of(const balance::Party& party) const;

    /// The id of a party's tariff where `tariff` says it all; empty without one and for a list.
    [[nodiscard]] std::string_view tariff_of(const balance::Party& party) const;
    /// All a party's tariffs, as `tariffs` says them.
    [[nodiscard]] std::vector<TariffEntryDraft> tariffs_of(const balance::Party& party) const;

    /// What is paid for the calls of parties that have this tariff, one level up: the tariffs of the next
    /// level above each of them that pays for calls, where it pays in the same currency. Each once and never
    /// the tariff itself; closed parties left aside. It looks at everyone who buys from the tariff's owner.
    [[nodiscard]] std::vector<rating::TariffId> tariffs_above(rating::TariffId tariff) const;

    /// What a party may do beyond its funds.
    [[nodiscard]] static balance::LimitSettings limits_of(const balance::Party& party);

  private:
    [[nodiscard]] std::vector<Fault> too_many_lines(std::span<const balance::PartySource> sources) const;
    /// What the draft describes; more faults where it is none.
    [[nodiscard]] balance::BundleSource checked_bundle(const BundleDraft& draft, std::size_t item,
                                                       std::vector<Fault>& faults) const;
    void write_bundle(const balance::Bundle& bundle, ByteWriter& out) const;
    [[nodiscard]] bool read_bundle(rating::Instant now, ByteReader& in);
    [[nodiscard]] std::vector<Fault> owner_faults(std::string_view id, std::string_view owner) const;
    [[nodiscard]] std::string_view name_of(rating::TariffId tariff) const { return tariffs_.name(tariff); }
    [[nodiscard]] balance::PartySource source_of(const balance::Party& party) const;
    [[nodiscard]] balance::PartySource read_source(ByteReader& in);
    void adopt(balance::Party& party, const balance::PartySource& source) const;
    [[nodiscard]] bool has_open(balance::PartyId top) const noexcept;
    /// Those that were open until now.
    std::vector<balance::PartyId> close_subtree(balance::PartyId top);
    [[nodiscard]] std::vector<Fault> add_to(std::span<const PartyDraft> drafts, Moment now,
                                            balance::JointEvent* joint);
    [[nodiscard]] std::vector<Fault> change_to(balance::PartyId id, const PartyChange& change, Moment now,
                                               balance::JointEvent* joint);
    void put(balance::PartyId id, const balance::PartySource& source, Moment now, balance::JointEvent* joint);
    [[nodiscard]] balance::EventAndFile event_of(balance::EventKind kind, Moment now,
                                                 std::span<const std::byte> body);
    void append(balance::EventKind kind, Moment now, std::span<const std::byte> body);
    void append_name(balance::EventKind kind, std::string_view name, Moment now);
    /// Appends a version that is sure to come into force.
    [[nodiscard]] rating::TariffBook::Announce announcing(balance::EventKind kind, Moment now);
    [[nodiscard]] std::shared_ptr<const rating::Deck> read_deck(const rating::DeckFile& file,
                                                                const ReadAside& read_aside);

    rating::TariffBook& tariffs_;
    balance::PartyTable& parties_;
    DialPlans dial_plans_;
    DestinationGroups destination_groups_;
    balance::BundleBook bundles_;
    TimeZones zones_;
    balance::EventLog& events_;
    balance::CrossingSink* crossings_;
    std::unordered_map<std::string, std::shared_ptr<const rating::Deck>> decks_read_;  // By file.
    LinesMax lines_max_;
    std::recursive_mutex status_mutex_;  // After the other one.
    std::recursive_mutex mutex_;  // One operation may change several things, each of them part of one event.
};

/// The words of the administration interface.
[[nodiscard]] std::string_view text_of(balance::PartyKind kind) noexcept;
[[nodiscard]] std::string_view text_of(balance::Terms terms) noexcept;
[[nodiscard]] std::string_view text_of(balance::Billing billing) noexcept;
[[nodiscard]] std::optional<balance::PartyKind> parse_kind(std::string_view text) noexcept;
[[nodiscard]] std::optional<balance::Terms> parse_terms(std::string_view text) noexcept;
[[nodiscard]] std::optional<balance::Billing> parse_billing(std::string_view text) noexcept;

}  // namespace tollgate::daemon
