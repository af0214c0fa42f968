#include <array>

#include "daemon/commands/answer.h"
#include "daemon/commands/arguments.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/sender.h"
#include "daemon/commands/words.h"

namespace tollgate::daemon::commands {
namespace {

/// The session that he calls so; who begins none himself means whoever's has that id, `of` alone where it is
/// given.
ExplainAnswer explain_session(const Context& context, std::string_view id, const Keyword& of) {
    Charging& charging = context.services.charging;
    const auto explain = [&charging](std::string_view key) { return charging.explain(key); };
    const bool looks_everywhere = context.client.user != nullptr && may(context.client, Need::view);
    if (!of.present) {
        auto own = on_session(context, id, explain);
        if (own.code != Code::unknown_session || !looks_everywhere || context.services.users == nullptr)
            return own;
        const balance::SessionKey nobodys{{}, id};
        own = explain(nobodys.view());
        if (own.code != Code::unknown_session && sees(context, own.line)) return own;
        const balance::SessionKey of_http{kHttpScope, id};
        own = explain(of_http.view());
        if (own.code != Code::unknown_session && sees(context, own.line)) return own;
    }
    if (!looks_everywhere || context.services.users == nullptr) return {.code = Code::unknown_session};
    // There is no index by id alone: every call would pay for it, and few look.
    for (const auto& user : context.services.users->current().all()) {
        if (of.present && user->name() != of.value) continue;
        const balance::SessionKey key{user->name(), id};
        ExplainAnswer theirs = explain(key.view());
        if (theirs.code != Code::unknown_session && sees(context, theirs.line)) return theirs;
    }
    return {.code = Code::unknown_session};
}

}  // namespace

void explain(Context& context, Words words, std::string& out) {
    std::array keywords = {Keyword{"SWITCH"}};
    static constexpr std::array<std::string_view, 1> kPositionals = {"session-or-record"};
    Arguments arguments{words, kPositionals, keywords};
    if (arguments.refused(out)) return;
    ExplainAnswer explained = explain_session(context, arguments[0], keywords[0]);
    if (explained.code == Code::unknown_session) {
        if (const auto record = parse_record_id(arguments[0]); record != 0)
            explained = context.services.charging.explain_record(record);
    }
    const bool confined = context.client.user != nullptr && context.client.user->is_confined();
    if (confined && !sees(context, explained.line)) explained = {.code = Code::unknown_session};
    leave_out_unseen(context, explained.derivation);
    Answer answer{out, arguments.plain(), text_of(explained.code),
                  rating::format_decimal(explained.granted.count(), 0), pairs_of(explained.derivation)};
    write_derivation(answer, explained.derivation);
}

}  // namespace tollgate::daemon::commands
