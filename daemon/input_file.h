/// A file that is read from front to back, unpacked on the way where it is packed with gzip.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace tollgate::daemon {

/// Packed or not is told by the file's first bytes, not by its name. One thread at a time.
///
/// Throws std::runtime_error with the file's name for what cannot be opened or read, and where a packed file
/// is damaged or cut short.
class InputFile {
  public:
    explicit InputFile(std::string path);

    /// The next bytes, unpacked. Fewer than `bytes` come at the end of the file only.
    [[nodiscard]] std::size_t read(char* into, std::size_t bytes);

    /// How much of the file was taken so far and how much there is, both as it lies on the disk. The size is
    /// 0 for what has none, such as a pipe.
    [[nodiscard]] std::uint64_t position() const;
    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

    [[nodiscard]] const std::string& path() const noexcept { return path_; }

  private:
    struct Close {
        void operator()(void* file) const noexcept;
    };

    std::string path_;
    std::unique_ptr<void, Close> file_;  // zlib's gzFile.
    std::uint64_t size_ = 0;
};

}  // namespace tollgate::daemon
