#include <array>

#include "daemon/commands/answer.h"
#include "daemon/commands/arguments.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/words.h"

namespace tollgate::daemon::commands {
namespace {

constexpr std::array<std::string_view, 1> kPositionals = {"party"};
constexpr std::array<const char*, 5> kPairs = {"currency", "held", "available", "credit_limit", "status"};

}  // namespace

void balance(Context& context, Words words, std::string& out) {
    Arguments arguments{words, kPositionals, {}};
    if (arguments.refused(out)) return;
    const auto& parties = context.services.catalog.parties();
    const PartyId id = parties.find(arguments[0]);
    if (id == tollgate::balance::kNoParty || !parties.get(id).has_account()) {
        Answer answer{out, arguments.plain(), text_of(Code::unknown_account), "0", kPairs.size()};
        for (const auto* const name : kPairs)
            answer.pair(name, "");
        return;
    }
    const auto& party = parties.get(id);
    const auto& account = party.account;
    Answer answer{out, arguments.plain(), text_of(Code::ok), rating::format(account.balance()),
                  kPairs.size()};
    answer.pair(kPairs[0], party.currency.view());
    answer.pair(kPairs[1], account.held());
    answer.pair(kPairs[2], account.available());
    answer.pair(kPairs[3], account.credit_limit());
    answer.pair(kPairs[4], party.status().text().view());
}

}  // namespace tollgate::daemon::commands
