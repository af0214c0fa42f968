#include "bench/load/answer.h"

#include <string>

#include <gtest/gtest.h>

namespace tollgate::bench::load {
namespace {

using Status = Answer::Status;

TEST(Answer, ReadsEveryKind) {
    Answer answer;
    ASSERT_EQ(answer.read("*3\r\n$2\r\nOK\r\n$0\r\n\r\n$3\r\na\r\n\r\n+next"), Status::complete);
    EXPECT_EQ(answer.consumed(), 27);
    ASSERT_EQ(answer.elements().size(), 3);
    EXPECT_EQ(answer.elements()[0], "OK");
    EXPECT_EQ(answer.elements()[1], "");
    EXPECT_EQ(answer.elements()[2], "a\r\n");
    ASSERT_EQ(answer.read("*2\r\n:1\r\n+OK\r\n"), Status::complete);
    EXPECT_EQ(answer.elements()[0], "1");
    EXPECT_EQ(answer.elements()[1], "OK");
    ASSERT_EQ(answer.read("-BUSY retry\r\n"), Status::complete);
    EXPECT_EQ(answer.kind(), Answer::Kind::error);
    EXPECT_EQ(answer.text(), "BUSY retry");
    ASSERT_EQ(answer.read("$5\r\nhello\r\n"), Status::complete);
    EXPECT_EQ(answer.text(), "hello");
    ASSERT_EQ(answer.read("$-1\r\n"), Status::complete);
    EXPECT_EQ(answer.text(), "");
    ASSERT_EQ(answer.read(":17\r\n"), Status::complete);
    EXPECT_EQ(answer.text(), "17");
    ASSERT_EQ(answer.read("+PONG\r\n"), Status::complete);
    EXPECT_EQ(answer.text(), "PONG");
}

TEST(Answer, EveryFrontOfOneIsIncomplete) {
    const std::string text = "*2\r\n$2\r\nOK\r\n$4\r\n0.02\r\n";
    for (std::size_t size = 0; size < text.size(); ++size) {
        Answer answer;
        EXPECT_EQ(answer.read(std::string_view{text}.substr(0, size)), Status::incomplete) << size;
    }
}

TEST(Answer, WhatIsNoRespIsMalformed) {
    for (const std::string_view text : {"HTTP/1.1 400\r\n", "*x\r\n", "*0\r\n", "*300\r\n", "$x\r\n", "+a\n",
                                        "$99999999999\r\n", "*1\r\n*1\r\n$1\r\na\r\n"}) {
        Answer answer;
        EXPECT_EQ(answer.read(text), Status::malformed) << text;
    }
}

}  // namespace
}  // namespace tollgate::bench::load
