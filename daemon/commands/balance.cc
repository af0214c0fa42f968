#include <array>

#include "balance/bundle.h"
#include "daemon/commands/answer.h"
#include "daemon/commands/arguments.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/sender.h"
#include "daemon/commands/words.h"

namespace tollgate::daemon::commands {
namespace {

constexpr std::array<const char*, 5> kPartyPairs = {"currency", "held", "available", "credit_limit",
                                                    "status"};
/// Of each bundle that has not expired, in the order in which they pay.
constexpr std::array<const char*, 3> kBundlePairs = {"bundle", "seconds", "expires"};

}  // namespace

void balance(Context& context, Words words, std::string& out) {
    static constexpr std::array<std::string_view, 1> kPositionals = {"party"};
    Arguments arguments{words, kPositionals, {}};
    if (arguments.refused(out)) return;
    const auto& parties = context.services.catalog.parties();
    const PartyId id = find_party(context, arguments[0]);
    if (id == tollgate::balance::kNoParty || !parties.get(id).has_account()) {
        Answer answer{out, arguments.plain(), text_of(Code::unknown_account), "0", kPartyPairs.size()};
        for (const auto* const name : kPartyPairs)
            answer.pair(name, "");
        return;
    }
    const auto& party = parties.get(id);
    const auto& account = party.account;
    // Their number is said before them, and one may be added meanwhile.
    std::array<const tollgate::balance::Bundle*, tollgate::balance::kBundlesOfPartyMax> bundles;
    std::size_t bundle_count = 0;
    for (const auto& bundle : tollgate::balance::BundlesOf{party}) {
        if (bundle_count == bundles.size()) break;
        if (bundle.pays_at(context.now.wall)) bundles[bundle_count++] = &bundle;
    }
    Answer answer{out, arguments.plain(), text_of(Code::ok), rating::format(account.balance()),
                  kPartyPairs.size() + kBundlePairs.size() * bundle_count};
    answer.pair(kPartyPairs[0], party.currency.view());
    answer.pair(kPartyPairs[1], account.held());
    answer.pair(kPartyPairs[2], account.available());
    answer.pair(kPartyPairs[3], account.credit_limit());
    answer.pair(kPartyPairs[4], party.status().text().view());
    for (std::size_t i = 0; i < bundle_count; ++i) {
        const auto& source = bundles[i]->source();
        answer.pair(kBundlePairs[0], std::string_view{source.id});
        answer.pair(kBundlePairs[1], std::int64_t{bundles[i]->stand().available});
        const auto expires = rating::format(source.expires);
        answer.pair(kBundlePairs[2], source.expires == rating::kNever ? std::string_view{} : expires.view());
    }
}

}  // namespace tollgate::daemon::commands
