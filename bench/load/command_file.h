/// Commands that stand in a file, for servers that speak RESP and are no tollgate.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::bench::load {

/// The most commands of a file.
inline constexpr std::size_t kFileCommandsMax = 10'000'000;

/// A command a line, its words apart by blanks. `{pass}` in one, once, is how often the file was gone through
/// before, in kPassDigits digits: ids that never repeat. Encoded once, so that sending is copying. Immutable
/// once read, so threads share one.
class CommandFile {
  public:
    static constexpr std::size_t kPassDigits = 8;

    /// What is wrong, with file and line; empty where nothing is.
    [[nodiscard]] std::string read(const std::string& path);

    [[nodiscard]] std::size_t size() const noexcept { return commands_.size(); }
    void append(std::string& out, std::size_t command, std::uint64_t pass) const;

  private:
    struct Command {
        std::size_t begin;
        std::size_t size;
        std::size_t pass;  ///< Where the digits stand, from `begin`; 0: nowhere.
    };
    std::string bytes_;
    std::vector<Command> commands_;
};

}  // namespace tollgate::bench::load
