/// Parties by what their profiles say: codes, names that are taken, members of classes.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "balance/party_table.h"
#include "daemon/partners/registry.h"

namespace tollgate::daemon {

/// Any thread may ask at any time. What it says stays so for whoever holds Registry::mutex.
class ProfileIndex {
  public:
    /// Follows the book of profiles from now on: nothing stands in it yet. Both must outlive this.
    ProfileIndex(Registry& registry, const balance::PartyTable& parties);
    ProfileIndex(const ProfileIndex&) = delete;
    ProfileIndex& operator=(const ProfileIndex&) = delete;

    /// Whose code it is; kNoParty: nobody's. One that was taken back or whose party is suspended or closed is
    /// still his.
    [[nodiscard]] balance::PartyId with_code(std::string_view code) const;
    /// The customers that came with a code, in the order in which they were made.
    [[nodiscard]] std::vector<balance::PartyId> came_with(std::string_view code) const;
    /// The distributor of that name directly below a party; kNoParty: none. Not one that is closed.
    [[nodiscard]] balance::PartyId distributor_named(balance::PartyId parent, std::string_view name) const;
    /// How many parties are of a class.
    [[nodiscard]] std::size_t members_of(std::string_view customer_class) const;

  private:
    void change(const Profile* before, const Profile* after);
    void take_out(const Profile& profile);
    void put_in(const Profile& profile);

    const balance::PartyTable& parties_;
    mutable std::mutex mutex_;
    std::map<std::string, balance::PartyId, std::less<>> codes_;
    std::map<std::string, std::set<balance::PartyId>, std::less<>> customers_;  // By the code they came with.
    std::map<std::string, std::set<balance::PartyId>, std::less<>> distributors_;  // By name.
    std::map<std::string, std::size_t, std::less<>> members_;                      // By class.
};

}  // namespace tollgate::daemon
