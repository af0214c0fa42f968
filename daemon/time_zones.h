/// The time zones of the system's database (Debian's package tzdata), as rating wants them.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "rating/time_zone.h"

namespace tollgate::daemon {

/// The longest name of a zone, in bytes.
inline constexpr std::size_t kZoneNameBytesMax = 64;

/// Any thread may ask; a zone is read once. For administration: it takes a lock and may read a file.
class TimeZones {
  public:
    /// The zone of an IANA name such as `Europe/Berlin`; nullptr where there is none of that name.
    [[nodiscard]] std::shared_ptr<const rating::TimeZone> find(std::string_view name) const;

  private:
    mutable std::mutex mutex_;
    mutable std::unordered_map<std::string, std::shared_ptr<const rating::TimeZone>> known_;
};

}  // namespace tollgate::daemon
