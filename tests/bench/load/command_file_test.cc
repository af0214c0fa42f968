#include "bench/load/command_file.h"

#include <gtest/gtest.h>

#include "tests/bench/load/temporary_file.h"

namespace tollgate::bench::load {
namespace {

std::string fault_of(std::string_view text) {
    const TemporaryFile file{text};
    CommandFile commands;
    const std::string fault = commands.read(file.path());
    return fault.starts_with(file.path()) ? fault.substr(file.path().size()) : fault;
}

TEST(CommandFile, EncodesEachLine) {
    const TemporaryFile file{"GET  k:1\nSET a{pass}b 7\r\n"};
    CommandFile commands;
    ASSERT_EQ(commands.read(file.path()), "");
    ASSERT_EQ(commands.size(), 2);
    std::string out;
    commands.append(out, 0, 5);
    EXPECT_EQ(out, "*2\r\n$3\r\nGET\r\n$3\r\nk:1\r\n");
    out.clear();
    commands.append(out, 1, 42);
    EXPECT_EQ(out, "*3\r\n$3\r\nSET\r\n$10\r\na00000042b\r\n$1\r\n7\r\n");
}

TEST(CommandFile, SaysWhatIsWrong) {
    EXPECT_EQ(fault_of("GET a\n\nGET b\n"), ":2: is empty; expected a command in each line");
    EXPECT_EQ(fault_of("SET {pass} {pass}\n"), ":1: has {pass} more than once");
    EXPECT_EQ(fault_of(""), ": is empty; expected a command in each line");
    EXPECT_EQ(fault_of("GET " + std::string(20'000, 'x')), ":1: is longer than 16384 bytes");
}

}  // namespace
}  // namespace tollgate::bench::load
