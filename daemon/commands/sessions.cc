#include <array>
#include <chrono>
#include <utility>
#include <vector>

#include "daemon/commands/answer.h"
#include "daemon/commands/arguments.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/sender.h"
#include "daemon/commands/words.h"

namespace tollgate::daemon::commands {
namespace {

constexpr std::uint64_t kCountMax = 1000;
constexpr std::uint64_t kCountDefault = 100;
constexpr std::size_t kValuesPerSession = 7;

struct Listed {
    std::string id;
    PartyId line;
    std::string number;
    balance::SessionState state;
    std::int64_t granted;
    rating::Money charged;
    std::chrono::seconds age;
};

}  // namespace

void sessions(Context& context, Words words, std::string& out) {
    std::array keywords = {Keyword{"PARTY"}, Keyword{"COUNT"}, Keyword{"CURSOR"}};
    const auto& [party, count, cursor] = keywords;
    Arguments arguments{words, {}, keywords};
    const auto wanted_count = count.present ? rating::parse_unsigned(count.value, kCountMax) : kCountDefault;
    if (!wanted_count || *wanted_count == 0)
        arguments.fault("COUNT", count.value, "expected a number from 1 to 1000");
    const auto from = cursor.present ? rating::parse_unsigned(cursor.value, INT64_MAX) : 0;
    if (!from) arguments.fault("CURSOR", cursor.value, "expected the cursor of an earlier answer, or 0");
    if (arguments.refused(out)) return;

    const auto& parties = context.services.catalog.parties();
    const PartyId under = party.present ? find_party(context, party.value) : balance::kNoParty;
    if (party.present && under == balance::kNoParty) {
        const Answer answer{out, arguments.plain(), text_of(Code::unknown_account), "0", 0};
        return;
    }
    std::vector<std::string> keys;
    auto& table = context.services.sessions;
    const auto next = table.scan(
        *from, *wanted_count,
        [&](const balance::Session& session) {
            return (under == balance::kNoParty || parties.is_in_subtree(session.line, under)) &&
                   sees(context, session.line);
        },
        [&](std::string_view key) { keys.emplace_back(key); });
    std::vector<Listed> listed;
    for (const std::string& key : keys) {
        const auto session = table.claim(key);
        if (!session || !session->open()) continue;  // It has ended since.
        const auto levels = std::as_const(*session).levels();
        listed.push_back({std::string{session->id()}, session->line, std::string{session->number.view()},
                          session->state, session->granted_seconds,
                          levels.empty() ? rating::Money{} : levels[0].charged,
                          std::chrono::floor<std::chrono::seconds>(context.now.steady - session->opened_at)});
    }

    Answer answer{out, arguments.plain(), text_of(Code::ok),
                  rating::format_decimal(static_cast<std::int64_t>(next), 0),
                  Answer::Elements{listed.size()}};
    for (const Listed& session : listed) {
        answer.nested(kValuesPerSession);
        answer.value(session.id);
        answer.value(id_of(parties, session.line));
        answer.value(session.number);
        answer.value(text_of(session.state));
        answer.value(rating::format_decimal(session.granted, 0));
        answer.value(rating::format(session.charged));
        answer.value(rating::format_decimal(session.age.count(), 0));
    }
}

}  // namespace tollgate::daemon::commands
