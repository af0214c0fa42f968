/// Fetches what a batch of commands will touch, before the first of them runs.
///
/// One command waits for memory a dozen times, because each load says where the next one goes: index, party,
/// parent; tree, column, rate. Those of different commands wait at once: this goes through all of them step
/// by step, and each step asks the caches for what the next one reads. bench/README.md has what that brings.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "balance/party_table.h"
#include "balance/session_table.h"
#include "rating/tariff_book.h"

namespace tollgate::daemon {

/// Changes nothing and decides nothing: whatever it takes for granted (that the digits are the number, that a
/// hash is an id's) may be wrong and costs no more than a fetch in vain. One thread.
class Foresight {
  public:
    /// More gain nothing: by then what was fetched first begins to leave the first cache.
    static constexpr std::size_t kCallsMax = 16;

    Foresight(const rating::TariffBook& tariffs, const balance::PartyTable& parties,
              const balance::SessionTable& sessions) noexcept
        : tariffs_(tariffs), parties_(parties), sessions_(sessions) {}

    // What is beyond kCallsMax is left out.

    /// An AUTHORIZE of that line is coming. `destination` must stay until fetch().
    void expect_opening(std::string_view line, std::string_view destination,
                        std::string_view session_key) noexcept;
    /// A command about a session that there is.
    void expect_session(std::string_view session_key) noexcept;

    /// Fetches for all of them, and forgets them.
    void fetch() noexcept;

  private:
    /// Levels above these are few parties, which stay in the caches by themselves.
    static constexpr std::size_t kLevelsMax = 4;

    struct Call {
        std::uint64_t session;  ///< Hash of its key.
        std::uint64_t line;     ///< Hash of its id.
        std::string_view digits;
        bool opens;
        balance::PartyId party;  ///< The line; kNoParty: not known yet, or there is none.
        rating::PrefixTree::Place place;
        std::array<rating::TariffId, kLevelsMax> tariffs;
        std::size_t levels;
    };

    void find_tariffs(Call& call, const rating::TariffBook::Reading& reading) const noexcept;

    const rating::TariffBook& tariffs_;
    const balance::PartyTable& parties_;
    const balance::SessionTable& sessions_;
    std::array<Call, kCallsMax> calls_;
    std::size_t count_ = 0;
};

}  // namespace tollgate::daemon
