#include "balance/journal/disk.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tollgate::balance::journal {
namespace {

constexpr mode_t kDirectoryMode = 0750;
constexpr mode_t kFileMode = 0640;

class PosixFile final : public File {
  public:
    explicit PosixFile(int descriptor) noexcept : descriptor_(descriptor) {}
    ~PosixFile() override { ::close(descriptor_); }

    Moved write(std::uint64_t offset, std::span<const std::byte> bytes) override {
        for (;;) {
            const auto written =
                ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
            if (written >= 0) return {0, static_cast<std::size_t>(written)};
            if (errno != EINTR) return {errno, 0};
        }
    }
    Moved read(std::uint64_t offset, std::span<std::byte> bytes) override {
        std::size_t done = 0;
        while (done < bytes.size()) {
            const auto got = ::pread(descriptor_, bytes.data() + done, bytes.size() - done,
                                     static_cast<off_t>(offset + done));
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) return {errno, done};
            if (got == 0) break;
            done += static_cast<std::size_t>(got);
        }
        return {0, done};
    }
    Errno sync() override { return ::fdatasync(descriptor_) == 0 ? 0 : errno; }

  private:
    int descriptor_;
};

}  // namespace

Errno PosixDisk::make_directory() {
    return ::mkdir(directory_.c_str(), kDirectoryMode) == 0 || errno == EEXIST ? 0 : errno;
}

Errno PosixDisk::open(const std::string& name, Mode mode, std::unique_ptr<File>& file) {
    int flags = O_CLOEXEC;
    switch (mode) {
        case Mode::read:
            flags |= O_RDONLY;
            break;
        case Mode::write:
            flags |= O_RDWR;
            break;
        case Mode::create:
            flags |= O_RDWR | O_CREAT | O_TRUNC;
            break;
    }
    const int descriptor = ::open(path(name).c_str(), flags, kFileMode);
    if (descriptor < 0) return errno;
    file = std::make_unique<PosixFile>(descriptor);
    return 0;
}

Errno PosixDisk::rename(const std::string& from, const std::string& to) {
    return ::rename(path(from).c_str(), path(to).c_str()) == 0 ? 0 : errno;
}

Errno PosixDisk::remove(const std::string& name) {
    return ::unlink(path(name).c_str()) == 0 ? 0 : errno;
}

Errno PosixDisk::sync_directory() {
    const int descriptor = ::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return errno;
    const Errno error = ::fsync(descriptor) == 0 ? 0 : errno;
    ::close(descriptor);
    return error;
}

Errno PosixDisk::list(std::vector<std::string>& names) {
    names.clear();
    DIR* directory = ::opendir(directory_.c_str());
    if (directory == nullptr) return errno;
    for (;;) {
        errno = 0;
        const dirent* entry = ::readdir(directory);
        if (entry == nullptr) break;
        if (entry->d_type != DT_DIR) names.emplace_back(entry->d_name);
    }
    const Errno error = errno;
    ::closedir(directory);
    return error;
}

Errno PosixDisk::size(const std::string& name, std::uint64_t& bytes) {
    struct stat status {};
    if (::stat(path(name).c_str(), &status) != 0) return errno;
    bytes = static_cast<std::uint64_t>(status.st_size);
    return 0;
}

Errno PosixDisk::lock(const std::string& name, std::unique_ptr<File>& lock, std::string& holder) {
    const int descriptor = ::open(path(name).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kFileMode);
    if (descriptor < 0) return errno;
    auto file = std::make_unique<PosixFile>(descriptor);
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        const Errno error = errno;
        char text[32];
        const auto got = ::pread(descriptor, text, sizeof text, 0);
        if (got > 0) holder.assign(text, static_cast<std::size_t>(got));
        while (!holder.empty() && holder.back() == '\n')
            holder.pop_back();
        return error;
    }
    // Only for the message above: a full disk must not keep a daemon from starting.
    const std::string process = std::to_string(::getpid()) + "\n";
    if (::ftruncate(descriptor, 0) == 0) {
        [[maybe_unused]] const auto written = ::pwrite(descriptor, process.data(), process.size(), 0);
    }
    lock = std::move(file);
    return 0;
}

std::string text_of(Errno error) {
    return std::generic_category().message(error);
}

Errno write_all(File& file, std::uint64_t offset, std::span<const std::byte> bytes) {
    auto moved = file.write(offset, bytes);
    if (moved.error == 0 && moved.bytes != 0 && moved.bytes < bytes.size()) {
        const auto first = moved.bytes;
        moved = file.write(offset + first, bytes.subspan(first));
        moved.bytes += first;
    }
    if (moved.error != 0) return moved.error;
    return moved.bytes == bytes.size() ? 0 : EIO;
}

Errno write_in_portions(File& file, std::uint64_t offset, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const auto portion = bytes.first(std::min(kPortionBytes, bytes.size()));
        if (const Errno error = write_all(file, offset, portion); error != 0) return error;
        if (const Errno error = file.sync(); error != 0) return error;
        offset += portion.size();
        bytes = bytes.subspan(portion.size());
    }
    return 0;
}

Errno read_all(File& file, std::uint64_t offset, std::span<std::byte> bytes, std::size_t& count) {
    const auto moved = file.read(offset, bytes);
    count = moved.bytes;
    return moved.error;
}

Errno read_file(Disk& disk, const std::string& name, std::uint64_t bytes_max, std::vector<std::byte>& bytes) {
    std::uint64_t size = 0;
    if (const Errno error = disk.size(name, size); error != 0) return error;
    if (size > bytes_max) return EFBIG;
    std::unique_ptr<File> file;
    if (const Errno error = disk.open(name, Disk::Mode::read, file); error != 0) return error;
    bytes.resize(size);
    std::size_t count = 0;
    const Errno error = read_all(*file, 0, bytes, count);
    bytes.resize(count);
    return error;
}

Errno write_file(Disk& disk, const std::string& name, std::span<const std::byte> bytes) {
    const std::string temporary = name + kTemporarySuffix;
    std::unique_ptr<File> file;
    Errno error = disk.open(temporary, Disk::Mode::create, file);
    if (error != 0) return error;
    error = write_in_portions(*file, 0, bytes);
    if (error == 0) error = file->sync();  // Where there is nothing to write, too.
    file.reset();
    if (error == 0) error = disk.rename(temporary, name);
    if (error == 0) return disk.sync_directory();
    disk.remove(temporary);
    return error;
}

}  // namespace tollgate::balance::journal
