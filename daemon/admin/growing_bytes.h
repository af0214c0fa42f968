/// Bytes that arrive piece by piece, up to hundreds of megabytes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>

namespace tollgate::daemon::admin {

/// Grows by realloc, which for large blocks moves pages and copies nothing: a std::string would stop the
/// thread of all sockets for as long as it copies a quarter of a gigabyte. One thread at a time.
class GrowingBytes {
  public:
    [[nodiscard]] std::string_view view() const noexcept { return {data_.get(), size_}; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    /// Throws std::bad_alloc and keeps what it has.
    void append(const void* bytes, std::size_t count) {
        if (count == 0) return;
        if (count > capacity_ - size_) {
            const std::size_t wanted = std::max({2 * capacity_, size_ + count, kBytesFirst});
            void* const grown = std::realloc(data_.get(), wanted);
            if (grown == nullptr) throw std::bad_alloc{};
            (void)data_.release();
            data_.reset(static_cast<char*>(grown));
            capacity_ = wanted;
        }
        std::memcpy(data_.get() + size_, bytes, count);
        size_ += count;
    }

    /// Begins again with the memory it has.
    void rewind() noexcept { size_ = 0; }

    /// Gives the memory back.
    void clear() noexcept {
        data_.reset();
        size_ = capacity_ = 0;
    }

  private:
    static constexpr std::size_t kBytesFirst = std::size_t{16} * 1024;
    struct Free {
        void operator()(char* bytes) const noexcept { std::free(bytes); }
    };

    std::unique_ptr<char, Free> data_;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

}  // namespace tollgate::daemon::admin
