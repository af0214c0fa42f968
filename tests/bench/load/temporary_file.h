/// A file with a text in it, gone with the object.
#pragma once

#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace tollgate::bench::load {

class TemporaryFile {
  public:
    explicit TemporaryFile(std::string_view text)
        : path_(testing::TempDir() + "tollgate-load-" +
                testing::UnitTest::GetInstance()->current_test_info()->name()) {
        std::ofstream{path_, std::ios::binary} << text;
    }
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    ~TemporaryFile() { std::remove(path_.c_str()); }

    [[nodiscard]] const std::string& path() const noexcept { return path_; }

  private:
    std::string path_;
};

}  // namespace tollgate::bench::load
