/// Who is told that a balance has crossed a threshold.
#pragma once

#include "balance/party.h"
#include "balance/warnings.h"

namespace tollgate::balance {

struct Crossing {
    PartyId party = kNoParty;
    Warning warning = Warning::balance;
    Money balance{};  ///< That of the movement that crossed it.

    [[nodiscard]] Money owed() const noexcept { return balance < Money{} ? -balance : Money{}; }
};

class CrossingSink {
  public:
    CrossingSink() = default;
    CrossingSink(const CrossingSink&) = delete;
    CrossingSink& operator=(const CrossingSink&) = delete;
    virtual ~CrossingSink() = default;

    /// Any thread, in the middle of a movement of money: it must be short. It is told before the event of
    /// the movement is appended, so that a crash between the two cannot lose a crossing.
    virtual void crossed(const Crossing& crossing) noexcept = 0;
};

}  // namespace tollgate::balance
