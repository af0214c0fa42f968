/// Who is told of calls that have ended: for figures, never for money.
#pragma once

#include <chrono>
#include <span>
#include <string_view>

#include "balance/session.h"

namespace tollgate::daemon {

/// What a call that has ended came to. Views of its session, for as long as the call lasts.
struct EndedCall {
    const balance::Session& session;
    /// It had ended before and is settled anew: `before` and `used_before` were told of already.
    bool again = false;
    std::chrono::seconds used_before{};
    /// What had been told of each paying level; nothing the first time.
    std::span<const rating::Money> before{};
};

class CallObserver {
  public:
    CallObserver() = default;
    CallObserver(const CallObserver&) = delete;
    CallObserver& operator=(const CallObserver&) = delete;
    virtual ~CallObserver() = default;

    /// Any thread, once the call's event is appended and its money is moved, while it is claimed: it must be
    /// short, and must neither wait nor allocate.
    virtual void ended(const EndedCall& call) noexcept = 0;
};

}  // namespace tollgate::daemon
