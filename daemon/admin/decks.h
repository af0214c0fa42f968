/// `/v1/tariffs/{id}/deck…` and `/v1/tariffs/{id}/versions`: price lists, as they come, go and come back.
#pragma once

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
    /// 200 with the new version; 422 names every faulty row, and the deck in force stays.
    [[nodiscard]] Response put(const Request& request, std::string_view id) const;
    /// All that a put does but for putting it in force: 200 with warnings, or the same 422.
    [[nodiscard]] Response check(const Request& request, std::string_view id) const;
    /// 200 with what `to` changes of `from`, as JSON or CSV; 404.
    [[nodiscard]] Response diff(const Request& request, std::string_view id) const;
    /// 200 with the new version, which has the deck of an earlier one; 404, 409, 422.
    [[nodiscard]] Response roll_back(const Request& request, std::string_view id) const;

  private:
    /// Calls `use` with the deck and the checksum of its file, and answers what it answers; or a refusal.
    template <typename Use>
    [[nodiscard]] Response with_upload(const Request& request, std::string_view id, const Use& use) const;
    [[nodiscard]] Response in_force(const rating::TariffBook::PutResult& result, const rating::Deck& deck,
                                    balance::Steady begun) const;

    Services services_;
};

}  // namespace tollgate::daemon::admin
