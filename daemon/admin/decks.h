/// `/v1/tariffs/{id}/deck…` and `/v1/tariffs/{id}/versions`: price lists, as they come, go and come back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "daemon/admin/router.h"
#include "daemon/admin/services.h"

namespace tollgate::daemon::admin {

/// How many differences of a kind are listed, where a query does not say, and at most.
inline constexpr std::size_t kDifferencesListed = 1'000;
inline constexpr std::size_t kDifferencesListedMax = 100'000;

/// Any thread may call any member. A deck that is put is in force for the next call; running ones keep
/// theirs. Each answers 404 where there is no such tariff.
class Decks {
  public:
    explicit Decks(const Services& services) : services_(services) {}

    /// 200 with the versions that are kept, the newest first.
    [[nodiscard]] Response versions(const Request& request, std::string_view id) const;
    /// 200 with the deck in force, or that of `?version=`, as CSV; 404.
    [[nodiscard]] Response get(const Request& request, std::string_view id) const;
    /// A deck on its way into force: 200 with the new version; 422 names every faulty row, and the deck in
    /// force stays.
    [[nodiscard]] Router::Opened put(const Request& request, std::string_view id) const;
    /// All that a put does but for putting it in force: 200 with warnings, or the same 422.
    [[nodiscard]] Router::Opened check(const Request& request, std::string_view id) const;
    /// 200 with what `to` changes of `from`, as JSON or CSV; 404.
    [[nodiscard]] Response diff(const Request& request, std::string_view id) const;
    /// 200 with the new version, which has the deck of an earlier one; 404, 409, 422.
    [[nodiscard]] Response roll_back(const Request& request, std::string_view id) const;

  private:
    class Sink;
    /// What is done with a deck that was read without faults.
    using Use = Response (Decks::*)(const Sink& sink, const std::shared_ptr<const rating::Deck>& deck,
                                    std::uint32_t checksum) const;
    [[nodiscard]] Router::Opened open(const Request& request, std::string_view id, Use use) const;
    [[nodiscard]] Response refused(std::string_view id, rating::DeckReading reading) const;
    [[nodiscard]] Response put_in_force(const Sink& sink, const std::shared_ptr<const rating::Deck>& deck,
                                        std::uint32_t checksum) const;
    [[nodiscard]] Response warn(const Sink& sink, const std::shared_ptr<const rating::Deck>& deck,
                                std::uint32_t checksum) const;
    [[nodiscard]] Response in_force(const rating::TariffBook::PutResult& result, const rating::Deck& deck,
                                    balance::Steady begun) const;

    Services services_;
};

}  // namespace tollgate::daemon::admin
