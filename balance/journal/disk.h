/// What the journal asks of a file system, so that tests can put a simulated disk in its place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace tollgate::balance::journal {

/// 0, or an errno. Nothing here throws and nothing is retried: what an error means is for the caller to say.
using Errno = int;

/// An open file. One thread at a time.
class File {
  public:
    File() = default;
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    virtual ~File() = default;

    struct Moved {
        Errno error = 0;
        std::size_t bytes = 0;  ///< How many were written or read; may be fewer than asked for.
    };
    virtual Moved write(std::uint64_t offset, std::span<const std::byte> bytes) = 0;
    /// Fewer bytes than asked for only at the end of the file.
    virtual Moved read(std::uint64_t offset, std::span<std::byte> bytes) = 0;
    /// Afterwards everything written so far is on the disk.
    virtual Errno sync() = 0;
};

/// One directory. Any thread may call any member.
class Disk {
  public:
    Disk() = default;
    Disk(const Disk&) = delete;
    Disk& operator=(const Disk&) = delete;
    virtual ~Disk() = default;

    enum class Mode : std::uint8_t { read, write, create };  ///< `create` empties what is there.
    virtual Errno open(const std::string& name, Mode mode, std::unique_ptr<File>& file) = 0;
    virtual Errno rename(const std::string& from, const std::string& to) = 0;
    virtual Errno remove(const std::string& name) = 0;
    /// Afterwards creations, renames and removals so far are on the disk.
    virtual Errno sync_directory() = 0;
    virtual Errno list(std::vector<std::string>& names) = 0;
    virtual Errno size(const std::string& name, std::uint64_t& bytes) = 0;
    /// Keeps every other process, and every other Disk, out for as long as the file lives. EWOULDBLOCK where
    /// another has it; `holder` is then its process, as far as it is known.
    virtual Errno lock(const std::string& name, std::unique_ptr<File>& lock, std::string& holder) = 0;
    /// The path of a file, for people.
    [[nodiscard]] virtual std::string path(const std::string& name) const = 0;
};

/// A directory of the file system; made if it is not there.
class PosixDisk final : public Disk {
  public:
    explicit PosixDisk(std::string directory) : directory_(std::move(directory)) {}

    /// Makes the directory unless it is there. Call it before anything else, unless only to read.
    Errno make_directory();

    Errno open(const std::string& name, Mode mode, std::unique_ptr<File>& file) override;
    Errno rename(const std::string& from, const std::string& to) override;
    Errno remove(const std::string& name) override;
    Errno sync_directory() override;
    Errno list(std::vector<std::string>& names) override;
    Errno size(const std::string& name, std::uint64_t& bytes) override;
    Errno lock(const std::string& name, std::unique_ptr<File>& lock, std::string& holder) override;
    [[nodiscard]] std::string path(const std::string& name) const override { return directory_ + "/" + name; }

  private:
    std::string directory_;
};

/// The text of an errno.
std::string text_of(Errno error);

/// Writes all of it; a write that came out short is continued once. EIO where it stays short.
Errno write_all(File& file, std::uint64_t offset, std::span<const std::byte> bytes);
/// Writes and syncs all of it, a portion of kPortionBytes after the other: what is large must not make the
/// requests of others wait, whose syncs stand behind one portion at most. Beside portions of 8 MiB they took
/// 6 ms (p99), beside these 1, and beside whole snapshots 100; and still 385 MB are written a second.
Errno write_in_portions(File& file, std::uint64_t offset, std::span<const std::byte> bytes);
inline constexpr std::size_t kPortionBytes = std::size_t{256} << 10;
/// Reads until `bytes` is full or the file ends; `count` says how far.
Errno read_all(File& file, std::uint64_t offset, std::span<std::byte> bytes, std::size_t& count);
/// The whole file, if it is not above `bytes_max` (EFBIG).
Errno read_file(Disk& disk, const std::string& name, std::uint64_t bytes_max, std::vector<std::byte>& bytes);
/// Writes a file in portions so that after a crash there is all of it or nothing: beside, synced, renamed,
/// directory synced.
Errno write_file(Disk& disk, const std::string& name, std::span<const std::byte> bytes);

/// What a file is called until it is whole. Left-overs are removed at the next start.
inline constexpr const char* kTemporarySuffix = ".tmp";

}  // namespace tollgate::balance::journal
