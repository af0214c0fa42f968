/// A switch that restarted says which calls it still has; its others close as reported.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "daemon/charging.h"
#include "daemon/resync_tokens.h"

namespace tollgate::daemon {

/// The longest name of a switch or token of a resync, in bytes.
using balance::kSwitchNameBytesMax;

/// Collects the ids of `RESYNC name token id…` until `RESYNC name token END`. Any thread may call any member;
/// takes a lock that only resyncs meet.
class Resync {
  public:
    /// All must outlive this. `memory_is_full`: whether ids may be kept now; empty: always.
    Resync(Charging& charging, ResyncTokens& tokens, balance::EventLog& events,
           std::function<bool()> memory_is_full = {})
        : charging_(charging), tokens_(tokens), events_(events), memory_is_full_(std::move(memory_is_full)) {}

    static constexpr std::size_t kUnderWayMax = 64;             ///< Resyncs at one time.
    static constexpr std::size_t kUnderWayOfUserMax = 16;       ///< Of them, those of one declared user.
    static constexpr std::size_t kIdsMax = 1'000'000;           ///< Ids of one resync.
    static constexpr std::size_t kIdBytesMore = 96;             ///< What an id takes beside its letters.
    static constexpr std::size_t kBytesMax = 512 << 20;         ///< Of all ids that are kept.
    static constexpr std::size_t kBytesOfUserMax = 256 << 20;   ///< Of them, those of one declared user.
    static constexpr std::chrono::minutes kAbandonedAfter{10};  ///< Without a further word.

    // `scope` is the user whose sessions they are (balance/session_key.h): his names and tokens are his own.
    // It is empty while nobody is declared: then there is nobody else whom a share is to be kept for.

    /// False where one of the limits is reached, memory is full, the journal has no room, or what it named is
    /// lost: by a restart, or by the first refusal. Its END is refused from then on: it must not close calls
    /// that could not be named.
    [[nodiscard]] bool name(std::string_view switch_name, std::string_view token,
                            std::span<const std::string_view> ids, Moment now, std::string_view scope = {});
    /// Closes the sessions of that switch that were authorised before its first word and named in none, all
    /// of them where this is the first word. How many; the same for a repeat, which closes nothing more.
    /// nullopt where kUnderWayMax is reached or what it named is lost and nothing is closed, or where the
    /// journal has no room for the rest, which another END closes.
    std::optional<std::size_t> end(std::string_view switch_name, std::string_view token, Moment now,
                                   std::string_view scope = {});

    /// Forgets the ids of those that were abandoned. To be called from time to time, by any thread.
    void sweep(Moment now);

  private:
    struct UnderWay {
        std::string scope;
        std::size_t bytes = 0;  ///< Of what is in `alive`.
        balance::Steady began{};
        balance::Steady last_word{};
        std::unordered_set<std::string> alive;
        std::size_t count = 0;  ///< Closed so far.
    };
    static std::string key_of(std::string_view switch_name, std::string_view token, std::string_view scope);
    /// The resync of that key, made if need be; nullptr where there are too many.
    UnderWay* of(const std::string& key, std::string_view scope, Moment now);
    /// How many it closed, where it has ended.
    [[nodiscard]] std::optional<std::size_t> ended(const std::string& key) const;
    /// What it named is lost from now on.
    void refuse(const std::string& key, Moment now);
    [[nodiscard]] bool has_place_for(std::string_view scope) const;
    [[nodiscard]] bool has_room_for(std::size_t bytes, std::string_view scope) const;
    void forget_abandoned(Moment now);

    Charging& charging_;
    ResyncTokens& tokens_;  // Under the lock.
    balance::EventLog& events_;
    const std::function<bool()> memory_is_full_;
    std::mutex mutex_;
    std::unordered_map<std::string, UnderWay> under_way_;
};

}  // namespace tollgate::daemon
