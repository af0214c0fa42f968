#include "daemon/input_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

namespace tollgate::daemon {
namespace {

constexpr unsigned kBufferBytes = 256U * 1024;
/// zlib counts in int.
constexpr std::size_t kReadBytesMax = std::size_t{1} << 30U;

gzFile gz(void* file) noexcept {
    return static_cast<gzFile>(file);
}

}  // namespace

void InputFile::Close::operator()(void* file) const noexcept {
    gzclose_r(gz(file));
}

InputFile::InputFile(std::string path) : path_(std::move(path)) {
    const int descriptor = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) throw std::runtime_error(path_ + ": " + std::strerror(errno));
    struct stat status {};
    if (fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode)) {
        size_ = static_cast<std::uint64_t>(status.st_size);
    }
    file_.reset(gzdopen(descriptor, "rb"));
    if (file_ == nullptr) {
        close(descriptor);
        throw std::runtime_error(path_ + ": out of memory");
    }
    gzbuffer(gz(file_.get()), kBufferBytes);
}

std::size_t InputFile::read(char* into, std::size_t bytes) {
    std::size_t done = 0;
    while (done < bytes) {
        const auto wanted = static_cast<unsigned>(std::min(bytes - done, kReadBytesMax));
        const int got = gzread(gz(file_.get()), into + done, wanted);
        if (got > 0) done += static_cast<std::size_t>(got);
        if (got == static_cast<int>(wanted)) continue;
        int error = Z_OK;
        const char* const text = gzerror(gz(file_.get()), &error);
        if (error == Z_ERRNO) throw std::runtime_error(path_ + ": " + std::strerror(errno));
        if (error == Z_BUF_ERROR) throw std::runtime_error(path_ + ": the gzip file is cut short");
        if (error != Z_OK && error != Z_STREAM_END) {
            throw std::runtime_error(path_ + ": the gzip file is damaged: " + text);
        }
        if (got <= 0 || gzeof(gz(file_.get())) != 0) break;
    }
    return done;
}

std::uint64_t InputFile::position() const {
    const auto offset = gzoffset(gz(file_.get()));
    return offset < 0 ? 0 : static_cast<std::uint64_t>(offset);
}

}  // namespace tollgate::daemon
