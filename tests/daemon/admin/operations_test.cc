#include "daemon/admin/operations.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "daemon/admin/openapi.h"
#include "daemon/catalog.h"

namespace tollgate::daemon::admin {
namespace {

/// What the contract says of one operation, as it stands there.
struct Said {
    std::string path;
    std::map<std::string, std::string, std::less<>> words;  // `x-scope`: `party`.
};

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        lines.push_back(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return lines;
}

/// By name. It is hand-written YAML, of which these lines have one form.
std::map<std::string, Said> contract() {
    std::map<std::string, Said> operations;
    std::string path;
    std::string method;
    Said* current = nullptr;
    for (std::string_view line : lines_of(openapi_text())) {
        if (line == "components:") break;
        if (line.starts_with("  /") || line.starts_with("  \"/")) {
            line.remove_prefix(2);
            if (line.front() == '"') line.remove_prefix(1);
            path = line.substr(0, line.find_last_not_of("\":") + 1);
            continue;
        }
        if (line.starts_with("    ") && !line.starts_with("     ") && line.ends_with(":")) {
            method = line.substr(4, line.size() - 5);
            std::transform(method.begin(), method.end(), method.begin(),
                           [](char c) { return static_cast<char>(c - 'a' + 'A'); });
            continue;
        }
        if (!line.starts_with("      ") || line.starts_with("       ")) continue;
        line.remove_prefix(6);
        const std::size_t colon = line.find(": ");
        if (colon == std::string_view::npos) continue;
        const std::string_view name = line.substr(0, colon);
        const std::string_view value = line.substr(colon + 2);
        if (name == "operationId") {
            current = &operations[std::string{value}];
            current->path = method;
            current->path += ' ';
            current->path += path;
        } else if (name.starts_with("x-") && current != nullptr) {
            current->words.emplace(name, value);
        }
    }
    return operations;
}

std::string_view text_of(Scope scope) {
    switch (scope) {
        case Scope::open:
            return "open";
        case Scope::self:
            return "self";
        case Scope::root:
            return "root";
        case Scope::list:
            return "list";
        case Scope::own:
            return "none";
        case Scope::party:
            return "party";
        case Scope::record:
            return "record";
        case Scope::body:
            return "body";
    }
    return {};
}

/// `[self, below]` as a list of words.
std::set<std::string> words_of(std::string_view list) {
    std::set<std::string> words;
    std::string word;
    for (const char c : list) {
        if (c >= 'a' && c <= 'z') {
            word.push_back(c);
        } else if (!word.empty()) {
            words.insert(std::exchange(word, {}));
        }
    }
    return words;
}

TEST(Operations, AreThoseOfTheContract) {
    const auto said = contract();
    EXPECT_GT(said.size(), 100U);
    std::set<std::string, std::less<>> known;
    for (const ContractOperation& operation : operations())
        known.emplace(operation.name);
    for (const auto& [name, one] : said)
        EXPECT_TRUE(known.contains(name)) << one.path << " is in the contract and not in the table";
    EXPECT_EQ(said.size(), operations().size());
}

TEST(Operations, NeedWhatTheContractSays) {
    const auto said = contract();
    constexpr std::array kRelationNames = {"self", "below", "tagged", "above"};
    constexpr std::array kKinds = {balance::PartyKind::provider, balance::PartyKind::reseller,
                                   balance::PartyKind::distributor, balance::PartyKind::partner,
                                   balance::PartyKind::customer};
    for (const ContractOperation& operation : operations()) {
        const auto found = said.find(std::string{operation.name});
        ASSERT_NE(found, said.end()) << operation.name;
        const auto word = [&](std::string_view name) {
            const auto at = found->second.words.find(name);
            return at == found->second.words.end() ? std::string{} : at->second;
        };
        EXPECT_EQ(found->second.path, std::string{operation.method} + ' ' + std::string{operation.pattern});
        EXPECT_EQ(word("x-scope"), text_of(operation.scope)) << operation.name;
        const std::string permission = word("x-permission");
        if (permission == "none") {
            EXPECT_EQ(operation.need.permissions, access::Permissions{}) << operation.name;
        } else {
            const auto parsed = access::parse_permission(permission);
            ASSERT_TRUE(parsed) << operation.name << ' ' << permission;
            EXPECT_EQ(operation.need.permissions, access::Permissions{*parsed}) << operation.name;
        }
        if (operation.scope == Scope::party || operation.scope == Scope::record) {
            auto relations = words_of(word("x-relations"));
            if (relations.empty()) relations = {"below"};
            for (std::size_t i = 0; i < kRelationNames.size(); ++i)
                EXPECT_EQ(operation.need.relations.has(static_cast<access::Relation>(i)),
                          relations.contains(kRelationNames[i]))
                    << operation.name << ' ' << kRelationNames[i];
        }
        if (operation.scope == Scope::open || operation.scope == Scope::self) continue;
        const auto kinds =
            operation.scope == Scope::root ? std::set<std::string>{"provider"} : words_of(word("x-kinds"));
        for (const balance::PartyKind kind : kKinds)
            EXPECT_EQ(operation.need.kinds.has(kind), kinds.contains(std::string{daemon::text_of(kind)}))
                << operation.name << ' ' << daemon::text_of(kind);
    }
}

TEST(Operations, AreFoundByMethodAndPattern) {
    const ContractOperation* const found = find_operation("PATCH", "/v1/parties/{id}");
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->name, "changeParty");
    EXPECT_EQ(find_operation("PUT", "/v1/parties/{id}"), nullptr);
    EXPECT_EQ(find_operation("GET", "/v1/nothing"), nullptr);
}

}  // namespace
}  // namespace tollgate::daemon::admin
