#include "daemon/ctl/client.h"

#include <gtest/gtest.h>

namespace tollgate::daemon::ctl {
namespace {

TEST(Encoded, LeavesOnlyWhatIsPlain) {
    EXPECT_EQ(encoded("abc-XYZ_0.9~"), "abc-XYZ_0.9~");
    EXPECT_EQ(encoded("a/b c?d=e&f%\xc3\xbc"), "a%2Fb%20c%3Fd%3De%26f%25%C3%BC");
    EXPECT_EQ(encoded(".."), "..");
}

TEST(QueryOf, LeavesOutWhatWasNotSaid) {
    EXPECT_EQ(query_of({}), "");
    EXPECT_EQ(query_of({{"a", ""}}), "");
    EXPECT_EQ(query_of({{"a", "1"}, {"b", ""}, {"c", "x y"}}), "?a=1&c=x%20y");
}

// Goal: a token never goes to another machine in clear text without a word about it.
TEST(IsPrivateWay, KnowsThisMachine) {
    for (const char* url : {"http://127.0.0.1:7380", "http://localhost", "http://[::1]:7380/x",
                            "https://example.com", "http://127.1.2.3"}) {
        EXPECT_TRUE(is_private_way(url)) << url;
    }
    for (const char* url : {"http://example.com", "http://10.0.0.1:7380", "http://localhost.example.com",
                            "ftp://localhost", "", "http://[::2]/"}) {
        EXPECT_FALSE(is_private_way(url)) << url;
    }
}

TEST(Client, SaysWhyThereIsNoAnswer) {
    Client client{"http://127.0.0.1:1/", {}, std::chrono::seconds{5}};
    const Answer answer = client.send("GET", "/healthz");
    EXPECT_EQ(answer.status, 0);
    EXPECT_NE(answer.error, "");
    EXPECT_FALSE(answer.good());
    EXPECT_NE(
        client.upload("PUT", "/x", "/nowhere/at/all", {}, {}).error.find("/nowhere/at/all: No such file"),
        std::string::npos);
}

}  // namespace
}  // namespace tollgate::daemon::ctl
