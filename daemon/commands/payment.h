/// What TOPUP, DEBIT and REFUND have in common.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "balance/event_log.h"
#include "daemon/commands/arguments.h"
#include "daemon/commands/context.h"
#include "daemon/payments.h"

namespace tollgate::daemon::commands {

/// The request id that stands there; a fault where it is none.
[[nodiscard]] std::string_view request_id(Arguments& arguments, std::size_t positional);

/// While it lives, the movement of money that this thread carries out takes along into the journal who did it
/// and what the party had: the audit log of administration knows what switches' consoles do.
class NotedMovement {
  public:
    struct Movement {
        std::string_view operation;             ///< As docs/openapi.yaml names it.
        std::string_view party;                 ///< Need not exist.
        std::optional<rating::Money> amount{};  ///< nullopt: as much as there is.
        bool force = false;                     ///< Whatever the party has.
        std::string_view of{};                  ///< What is taken back.
    };
    NotedMovement(const Context& context, const Movement& movement);

  private:
    balance::JointEvent joint_;
};

/// Whether somebody's money is none of his business: writes the answer then. A party that does not exist for
/// him is none; that of the party he is confined to is moved by those above it.
[[nodiscard]] bool refused_money_of(const Context& context, std::string_view party, bool plain,
                                    std::string& out);

/// What each operation has.
[[nodiscard]] PaymentRequest payment_of(const Context& context, std::string_view request,
                                        std::string_view memo);

void answer_payment(const PaymentAnswer& payment, bool plain, std::string& out);

}  // namespace tollgate::daemon::commands
