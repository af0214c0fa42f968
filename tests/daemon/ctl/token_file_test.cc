#include "daemon/ctl/token_file.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace tollgate::daemon::ctl {
namespace {

class TokenFile : public testing::Test {
  protected:
    void SetUp() override {
        std::string name = testing::TempDir() + "tollgatectl-XXXXXX";
        ASSERT_NE(mkdtemp(name.data()), nullptr);
        folder_ = name;
        file_ = (folder_ / "config" / "token").string();
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    static mode_t mode_of(const std::string& path) {
        struct stat status {};
        EXPECT_EQ(stat(path.c_str(), &status), 0) << path;
        return status.st_mode & 0777U;
    }

    std::filesystem::path folder_;
    std::string file_;
};

TEST_F(TokenFile, IsForItsOwnerAlone) {
    EXPECT_EQ(write_token(file_, "tg-secret"), "");
    EXPECT_EQ(mode_of(file_), 0600U);
    EXPECT_EQ(mode_of((folder_ / "config").string()), 0700U);
    const StoredToken stored = read_token(file_);
    EXPECT_EQ(stored.token, "tg-secret");
    EXPECT_EQ(stored.fault, "");
    EXPECT_EQ(remove_token(file_), "");
    EXPECT_EQ(read_token(file_).token, "");
    EXPECT_EQ(remove_token(file_), "");
}

// Goal: a file that others could read is replaced by one that they cannot, and never written to as it is.
TEST_F(TokenFile, IsReplacedAsAWhole) {
    EXPECT_EQ(write_token(file_, "one"), "");
    ASSERT_EQ(chmod(file_.c_str(), 0644), 0);
    EXPECT_NE(read_token(file_).fault.find("others may use it"), std::string::npos);
    EXPECT_EQ(read_token(file_).token, "");
    EXPECT_EQ(write_token(file_, "two"), "");
    EXPECT_EQ(mode_of(file_), 0600U);
    EXPECT_EQ(read_token(file_).token, "two");
}

TEST_F(TokenFile, HoldsATokenOrNothing) {
    EXPECT_EQ(read_token(file_).token, "");
    EXPECT_EQ(read_token(file_).fault, "");
    std::filesystem::create_directories(folder_ / "config");
    for (const char* text : {"", "\n", "two words\n", "a\r\nX-Header: b\n"}) {
        std::ofstream{file_} << text;
        ASSERT_EQ(chmod(file_.c_str(), 0600), 0);
        EXPECT_EQ(read_token(file_).token, "") << text;
        EXPECT_NE(read_token(file_).fault.find("there is no token in it"), std::string::npos) << text;
    }
    EXPECT_NE(write_token("", "x"), "");
    EXPECT_NE(read_token(folder_.string()).fault, "");
}

}  // namespace
}  // namespace tollgate::daemon::ctl
