/// `GET /v1/events`: what happened, for whoever looks on.
#pragma once

#include "daemon/admin/router.h"
#include "daemon/admin/services.h"

namespace tollgate::daemon::admin {

/// Three kinds of events, each with numbers of its own, told as one list in the order of their time:
/// thresholds that were crossed, changes by somebody, and movements of money outside calls. Nothing is kept
/// for it.
///
/// An event's number says up to where each kind has been told, so that whoever asks for what comes after it
/// gets each event once, also of kinds that are told together. Any thread may call any member.
class Events {
  public:
    explicit Events(const Services& services) : services_(services) {}

    /// What the reader may see of it, the oldest first, after the number `after`; 200, 422. Without one it
    /// begins with the oldest of the newest kLooksMax of each kind; `after=latest` tells nothing but where
    /// the end is now.
    [[nodiscard]] Response list(const Request& request) const;

    static constexpr std::size_t kLooksMax = 10'000;

  private:
    Services services_;
};

}  // namespace tollgate::daemon::admin
