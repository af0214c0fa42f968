#include "daemon/commands/payment.h"

#include <cstdlib>
#include <utility>

#include "daemon/commands/answer.h"
#include "daemon/commands/sender.h"
#include "daemon/json_text.h"
#include "protocol/resp_writer.h"

namespace tollgate::daemon::commands {
namespace {

std::string_view text_of(PaymentCode code) noexcept {
    switch (code) {
        case PaymentCode::ok:
            return "OK";
        case PaymentCode::unknown_account:
        case PaymentCode::unknown_target:
            return "UNKNOWN_ACCOUNT";
        case PaymentCode::credit_limit:
            return "CREDIT_LIMIT";
        case PaymentCode::unknown_original:
            return "UNKNOWN_SESSION";
        case PaymentCode::conflict:
        case PaymentCode::not_refundable:
        case PaymentCode::not_transferable:
            return "CONFLICT";
        case PaymentCode::busy:
        case PaymentCode::no_room:
        case PaymentCode::out_of_bounds:
        case PaymentCode::faulty:
        case PaymentCode::suspended:
        case PaymentCode::refill_limit:
            break;  // None of RESP's operations is refused so but for the first three.
    }
    std::abort();  // An error, or not an enumerator: memory is corrupt.
}

}  // namespace

std::string_view request_id(Arguments& arguments, std::size_t positional) {
    const std::string_view request = arguments[positional];
    if (!is_request_id(request)) {
        arguments.fault("request", request, "expected 1 to 255 bytes that do not begin with r-");
    }
    return request;
}

NotedMovement::NotedMovement(const Context& context, const Movement& movement) {
    AuditEntry entry;
    const std::string_view sender = sender_of(context);
    entry.actor = sender.empty() ? std::string_view{"console"} : sender;
    entry.operation = movement.operation;
    entry.target = "RESP";
    const balance::PartyTable& parties = context.services.catalog.parties();
    if (const auto id = find_party(context, movement.party); id != balance::kNoParty) {
        entry.party = movement.party;
        const balance::Account& account = parties.get(id).account;
        entry.before = "{\"balance\":\"" + std::string{rating::format(account.balance()).view()} +
                       "\",\"available\":\"" + std::string{rating::format(account.available()).view()} +
                       "\"}";
    }
    const auto say = [&entry](std::string_view name) -> std::string& {
        return entry.after.append(entry.after.empty() ? "{\"" : ",\"").append(name).append("\":");
    };
    if (!movement.of.empty()) add_json(say("of"), movement.of.substr(0, kRequestIdBytesMax));
    if (movement.amount) add_json(say("amount"), rating::format(*movement.amount).view());
    if (movement.force) say("force").append("true");
    entry.after.append("}");
    context.services.registry.audit.add(joint_, std::move(entry), context.now);
}

bool refused_money_of(const Context& context, std::string_view party, bool plain, std::string& out) {
    const access::User* const user = context.client.user;
    if (user == nullptr || !user->is_confined()) return false;
    const PartyId id = find_party(context, party);
    if (id == balance::kNoParty) {
        answer_payment({.code = PaymentCode::unknown_account}, plain, out);
        return true;
    }
    const auto& parties = context.services.catalog.parties();
    if (id != user->under(parties) || id == parties.root()) return false;
    protocol::RespWriter{out}.error("NOPERM the money of " + user->declared().under +
                                    " itself is moved by those above it");
    return true;
}

PaymentRequest payment_of(const Context& context, std::string_view request, std::string_view memo) {
    PaymentRequest payment{request, memo, context.now, sender_of(context), sender_of(context)};
    if (const access::User* const user = context.client.user) {
        const auto& parties = context.services.catalog.parties();
        payment.nobodys = {context.services.users->first_declared(),
                           user->is_confined() ? user->under(parties) : parties.root()};
    }
    return payment;
}

void answer_payment(const PaymentAnswer& payment, bool plain, std::string& out) {
    protocol::RespWriter writer{out};
    if (payment.code == PaymentCode::busy) {
        return writer.error("BUSY retry after 600000 ms: as many request ids are remembered as can be");
    }
    if (payment.code == PaymentCode::no_room)
        return writer.error(
            "BUSY retry after 1000 ms: the journal's disk is full, or memory is; calls may end, nothing "
            "else");
    if (payment.code == PaymentCode::out_of_bounds) {
        return writer.error(
            "BADARG amount: a balance would leave 4000000000000 either way; expected less; nothing was "
            "changed");
    }
    const bool ok = payment.code == PaymentCode::ok;
    Answer answer{out, plain, text_of(payment.code), rating::format(payment.balance), 3};
    answer.pair("available", ok ? rating::format(payment.available).view() : std::string_view{});
    answer.pair("txn", ok ? "t-" + std::to_string(payment.transaction) : std::string{});
    answer.pair("dup", payment.duplicate);
}

}  // namespace tollgate::daemon::commands
