// tollgatectl: a small command line over /v1, for whoever runs tollgate.

#include <cstdlib>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "daemon/ctl/client.h"
#include "daemon/ctl/command.h"
#include "daemon/ctl/output.h"
#include "daemon/ctl/token_file.h"
#include "daemon/version.h"

namespace {

using namespace tollgate::daemon::ctl;

/// What was given for one command.
struct Given {
    std::map<std::string_view, std::string> arguments;
    std::map<std::string_view, std::vector<std::string>> many;  ///< The last argument, where it takes all.
    std::map<std::string_view, std::string> options;
    std::map<std::string_view, bool> flags;
};

void add_options(CLI::App& app, std::span<const Option> options, Given& given) {
    for (const Option& option : options) {
        const std::string name = "--" + std::string{option.name};
        const std::string about{option.about};
        if (option.value.empty()) {
            app.add_flag(name, given.flags[option.name], about);
            continue;
        }
        CLI::Option* const added = app.add_option(name, given.options[option.name], about);
        added->type_name(std::string{option.value});
        if (option.words == Words::listed)
            added->check(CLI::IsMember(std::vector<std::string>{option.listed.begin(), option.listed.end()}));
    }
}

void add_arguments(CLI::App& app, const Command& command, Given& given) {
    for (const Argument& argument : command.arguments) {
        const std::string name{argument.name};
        const std::string about{argument.about};
        CLI::Option* const added = argument.is_many
                                       ? app.add_option(name, given.many[argument.name], about)
                                       : app.add_option(name, given.arguments[argument.name], about);
        added->type_name("")->required(argument.is_required);
        if (argument.words == Words::listed)
            added->check(
                CLI::IsMember(std::vector<std::string>{argument.listed.begin(), argument.listed.end()}));
    }
}

/// What the command line said, else the environment, else the default.
std::string setting(const Given& common, std::string_view option, const char* variable,
                    std::string otherwise) {
    if (const auto found = common.options.find(option);
        found != common.options.end() && !found->second.empty())
        return found->second;
    const char* const value = std::getenv(variable);
    return value != nullptr && *value != '\0' ? std::string{value} : std::move(otherwise);
}

int fail(const std::string& what, int code) {
    std::cerr << "tollgatectl: " << printable(what) << '\n';
    return code;
}

int run(const Command& command, const Given& given, const Given& common, const CLI::App& app) {
    constexpr long kTimeoutDefault = 60;
    const std::string url = setting(common, "url", "TOLLGATE_URL", "http://127.0.0.1:7380");
    const std::string token_file = setting(common, "token-file", "TOLLGATE_TOKEN_FILE", default_token_file());
    const std::string& timeout_text = common.options.at("timeout");
    const long timeout =
        timeout_text.empty() ? kTimeoutDefault : std::strtol(timeout_text.c_str(), nullptr, 10);
    if (timeout < 1) return fail("--timeout takes a number of seconds from 1 on", kExitUsage);

    // A login needs no token, and an old one that is out of order must not be in its way.
    const bool needs_token = command.name != "login" && command.name != "completion";
    const StoredToken stored = needs_token ? read_token(token_file) : StoredToken{};
    if (!stored.fault.empty()) return fail(stored.fault, kExitRefused);
    if (!stored.token.empty() && !is_private_way(url))
        std::cerr << "tollgatectl: the token goes unencrypted to another machine; use https\n";

    Client client{url, stored.token, std::chrono::seconds{timeout}};
    Call call{client, std::cout, std::cerr, url, token_file, {}, {}, {}, {}};
    call.json = common.flags.at("json");
    call.show_progress = common.flags.at("progress") || ::isatty(STDERR_FILENO) == 1;
    for (const auto& [name, word] : given.arguments) {
        if (app.count(std::string{name}) > 0) call.arguments.emplace(name, std::vector{word});
    }
    for (const auto& [name, words] : given.many)
        call.arguments.emplace(name, words);
    for (const auto& [name, text] : given.options) {
        if (app.count("--" + std::string{name}) > 0) call.options.emplace(name, text);
    }
    for (const auto& [name, is_set] : given.flags) {
        if (is_set) call.options.emplace(name, std::string{});
    }
    const int code = command.run(call);
    std::cout.flush();
    if (code == 0 && !std::cout)
        return fail("standard output cannot be written: what is there is not all", kExitRefused);
    return code;
}

}  // namespace

int main(int count, char** words) {
    CLI::App app{"Looks after a tollgate daemon over its HTTP interface; docs/tollgatectl.md is the manual."};
    app.name("tollgatectl");
    app.set_version_flag("--version", "tollgatectl " + std::string{tollgate::daemon::kVersion});
    app.require_subcommand(1);
    app.fallthrough();  // Common options stand anywhere.
    Given common;
    add_options(app, common_options(), common);

    std::map<std::string_view, CLI::App*> groups;
    std::map<const Command*, Given> given;
    std::map<const Command*, CLI::App*> apps;
    for (const Command& command : commands()) {
        CLI::App* parent = &app;
        if (!command.group.empty()) {
            CLI::App*& group = groups[command.group];
            if (group == nullptr) {
                group =
                    app.add_subcommand(std::string{command.group}, std::string{about_group(command.group)});
                group->require_subcommand(1);
                group->fallthrough();
            }
            parent = group;
        }
        CLI::App* const made = parent->add_subcommand(std::string{command.name}, std::string{command.about});
        made->fallthrough();
        add_arguments(*made, command, given[&command]);
        add_options(*made, command.options, given[&command]);
        apps[&command] = made;
    }

    try {
        app.parse(count, words);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? kExitDone : kExitUsage;
    }
    for (const auto& [command, made] : apps) {
        if (!made->parsed()) continue;
        try {
            return run(*command, given[command], common, *made);
        } catch (const std::exception& error) {
            return fail(error.what(), kExitRefused);
        }
    }
    return kExitUsage;
}
