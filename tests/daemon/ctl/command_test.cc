#include "daemon/ctl/command.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

namespace tollgate::daemon::ctl {
namespace {

std::string path_of(const Command& command) {
    return (command.group.empty() ? "" : std::string{command.group} + ' ') + std::string{command.name};
}

std::string manual() {
    std::ifstream file(TOLLGATE_CTL_MANUAL);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

TEST(Commands, HaveNamesOfTheirOwn) {
    std::set<std::string> paths;
    for (const Command& command : commands()) {
        EXPECT_TRUE(paths.insert(path_of(command)).second) << path_of(command);
        EXPECT_FALSE(command.about.empty()) << path_of(command);
        if (!command.group.empty()) {
            EXPECT_FALSE(about_group(command.group).empty()) << command.group;
        }
    }
}

TEST(Commands, TakeManyOnlyAtTheEnd) {
    for (const Command& command : commands()) {
        bool may_be_absent = false;
        for (std::size_t i = 0; i < command.arguments.size(); ++i) {
            const Argument& argument = command.arguments[i];
            EXPECT_TRUE(!argument.is_many || i + 1 == command.arguments.size()) << path_of(command);
            EXPECT_FALSE(may_be_absent && argument.is_required) << path_of(command);
            may_be_absent = may_be_absent || !argument.is_required;
        }
    }
}

TEST(Commands, NoOptionMeansTwoThings) {
    for (const Command& command : commands()) {
        std::set<std::string_view> names{"help", "version"};
        for (const Option& option : common_options())
            EXPECT_TRUE(names.insert(option.name).second) << option.name;
        for (const Option& option : command.options)
            EXPECT_TRUE(names.insert(option.name).second) << path_of(command) << " --" << option.name;
    }
}

// Goal: the manual has every command with what it takes, and every common option.
TEST(Commands, AreInTheManual) {
    const std::string text = manual();
    ASSERT_FALSE(text.empty());
    for (const Command& command : commands()) {
        std::string usage = "| `" + path_of(command);
        for (const Argument& argument : command.arguments) {
            const std::string name = std::string{argument.name} + (argument.is_many ? "…" : "");
            usage += argument.is_required ? ' ' + name : " [" + name + ']';
        }
        EXPECT_NE(text.find(usage + "` |"), std::string::npos) << usage;
        const std::size_t row = text.find(usage);
        const std::string line = text.substr(row, text.find('\n', row) - row);
        for (const Option& option : command.options)
            EXPECT_NE(line.find("`--" + std::string{option.name}), std::string::npos)
                << usage << " --" << option.name;
    }
    for (const Option& option : common_options())
        EXPECT_NE(text.find("| `--" + std::string{option.name}), std::string::npos) << option.name;
}

// Goal: a shell reads what is made for it.
TEST(Completion, IsAScript) {
    for (const char* shell : {"bash", "zsh"}) {
        if (std::system(("command -v " + std::string{shell} + " >/dev/null").c_str()) != 0) continue;
        const std::string file = testing::TempDir() + "tollgatectl-completion." + shell;
        std::ofstream{file} << completion_script(shell);
        EXPECT_EQ(std::system((std::string{shell} + " -n " + file).c_str()), 0) << completion_script(shell);
        std::remove(file.c_str());
    }
}

/// What bash offers for the last of these words.
std::string completed(const std::string& words) {
    const std::string file = testing::TempDir() + "tollgatectl-complete.bash";
    std::ofstream{file} << completion_script("bash") << "COMP_WORDS=(tollgatectl " << words
                        << ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_tollgatectl 2>/dev/null\n"
                           "printf '%s ' \"${COMPREPLY[@]}\"\n";
    std::FILE* const pipe = popen(("bash " + file).c_str(), "r");
    if (pipe == nullptr) return "no bash";
    std::string out;
    std::array<char, 4096> bytes{};
    while (const std::size_t size = std::fread(bytes.data(), 1, bytes.size(), pipe))
        out.append(bytes.data(), size);
    pclose(pipe);
    std::remove(file.c_str());
    return out;
}

TEST(Completion, OffersWhatComesNext) {
    EXPECT_EQ(completed("par"), "parties ");
    EXPECT_EQ(completed("parties ''"), "list show create set close import ");
    EXPECT_EQ(completed("parties cr"), "create ");
    EXPECT_EQ(completed("parties create ''"), "reseller distributor partner customer line provider ");
    EXPECT_EQ(completed("parties list --ki"), "--kind ");
    EXPECT_EQ(completed("parties list --kind c"), "customer ");
    EXPECT_EQ(completed("--json parties list --sort na"), "name ");
    EXPECT_EQ(completed("--url http://x people c"), "create ");
    EXPECT_EQ(completed("people create ann acme ''"), "viewer operator finance admin ");
    EXPECT_EQ(completed("completion z"), "zsh ");
    EXPECT_EQ(completed("money topup acme ''"), " ");  // Nothing is known of an amount.
}

}  // namespace
}  // namespace tollgate::daemon::ctl
