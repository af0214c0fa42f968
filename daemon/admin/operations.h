/// Every operation of the contract: its name, and what it asks of whoever wants it. docs/openapi.yaml says
/// the same in `x-permission`, `x-scope`, `x-relations` and `x-kinds`, and a test compares the two.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "daemon/access/decision.h"

namespace tollgate::daemon::admin {

/// What an operation is about, and so who may do it.
enum class Scope : std::uint8_t {
    open,    ///< Anybody, without a token.
    self,    ///< Anybody with one.
    root,    ///< The whole house: people of the provider.
    list,    ///< Of everything what lies in the reader's subtree: the resource leaves the rest out.
    own,     ///< The own party.
    party,   ///< The party in the path.
    record,  ///< The party that the record in the path belongs to.
    body,    ///< The party that the body names.
};

/// Which book an operation's record is in.
enum class RecordOf : std::uint8_t {
    none,
    person,
    token,
    form,
    customer_class,
    transaction,
    intent,
    package,
    subscription,
    plan,
    number,
    draft,
    tariff,
};

struct ContractOperation {
    std::string_view method;
    std::string_view pattern;  ///< As the contract has it, and the router.
    std::string_view name;
    Scope scope;
    access::Need need;
    RecordOf record;
};

[[nodiscard]] std::span<const ContractOperation> operations() noexcept;
/// nullptr where the contract has none. `GET` for `HEAD`.
[[nodiscard]] const ContractOperation* find_operation(std::string_view method,
                                                      std::string_view pattern) noexcept;

}  // namespace tollgate::daemon::admin
