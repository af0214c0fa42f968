/// Values to bytes and back, for events and snapshots: fixed widths, the low byte first.
#pragma once

#include <bit>
#include <cassert>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "rating/instant.h"
#include "rating/money.h"

namespace tollgate::balance {

static_assert(std::endian::native == std::endian::little, "values are copied as they stand in memory");

/// What may be copied byte by byte: its size is the same everywhere and no byte of it is padding.
template <typename T>
concept PlainValue = (std::is_integral_v<T> || std::is_enum_v<T>)&&!std::is_same_v<T, bool>;

/// Writes one event into memory that somebody else has. One thread.
class ByteWriter {
  public:
    /// Grows as it must.
    explicit ByteWriter(std::vector<std::byte>& bytes) noexcept : grown_(&bytes) {}
    /// Requires: all that is written fits.
    explicit ByteWriter(std::span<std::byte> room) noexcept : room_(room) {}

    template <PlainValue T>
    void put(T value) {
        std::memcpy(next(sizeof value), &value, sizeof value);
    }
    void put(bool value) { put(static_cast<std::uint8_t>(value)); }
    void put(rating::Money amount) { put(amount.micros()); }
    void put(std::chrono::nanoseconds time) { put(time.count()); }
    void put(rating::Instant instant) { put(instant.time_since_epoch()); }
    /// At most 4 GiB.
    void text(std::string_view text) {
        put(static_cast<std::uint32_t>(text.size()));
        raw(text);
    }
    /// At most 255 bytes.
    void short_text(std::string_view text) {
        assert(text.size() <= UINT8_MAX);
        put(static_cast<std::uint8_t>(text.size()));
        raw(text);
    }
    /// As they stand.
    void bytes(std::span<const std::byte> bytes) {
        if (!bytes.empty()) std::memcpy(next(bytes.size()), bytes.data(), bytes.size());
    }
    /// Room for up to `size` bytes, of which filled() then says where those that were written end.
    [[nodiscard]] std::byte* room_for(std::size_t size) { return next(size); }
    /// Requires: nothing was written since room_for(), and no more than that.
    void filled(const std::byte* end) {
        const std::byte* const all = grown_ != nullptr ? grown_->data() : room_.data();
        const auto used = static_cast<std::size_t>(end - all);
        assert(used <= size());
        if (grown_ != nullptr) {
            grown_->resize(used);
        } else {
            used_ = used;
        }
    }
    [[nodiscard]] std::size_t size() const noexcept { return grown_ != nullptr ? grown_->size() : used_; }

  private:
    void raw(std::string_view text) { bytes(std::as_bytes(std::span{text})); }
    std::byte* next(std::size_t size) {
        if (grown_ != nullptr) {
            grown_->resize(grown_->size() + size);
            return grown_->data() + (grown_->size() - size);
        }
        assert(room_.size() - used_ >= size);
        used_ += size;
        return room_.data() + (used_ - size);
    }

    std::vector<std::byte>* grown_ = nullptr;
    std::span<std::byte> room_;
    std::size_t used_ = 0;
};

/// Reads what a ByteWriter wrote. Beyond the end everything is 0 and empty, and good() says so.
class ByteReader {
  public:
    explicit ByteReader(std::span<const std::byte> bytes) noexcept : bytes_(bytes) {}

    template <PlainValue T>
    [[nodiscard]] T get() noexcept {
        T value{};
        if (const std::byte* const from = next(sizeof value)) std::memcpy(&value, from, sizeof value);
        return value;
    }
    template <PlainValue T>
    void get(T& value) noexcept {
        value = get<T>();
    }
    void get(bool& value) noexcept { value = get<std::uint8_t>() != 0; }
    void get(rating::Money& amount) noexcept { amount = rating::Money::from_micros(get<std::int64_t>()); }
    void get(std::chrono::nanoseconds& time) noexcept {
        time = std::chrono::nanoseconds{get<std::int64_t>()};
    }
    void get(rating::Instant& instant) noexcept {
        instant = rating::Instant{std::chrono::nanoseconds{get<std::int64_t>()}};
    }
    [[nodiscard]] bool flag() noexcept { return get<std::uint8_t>() != 0; }
    /// The views live as long as the bytes.
    [[nodiscard]] std::string_view text() noexcept { return raw(get<std::uint32_t>()); }
    [[nodiscard]] std::string_view short_text() noexcept { return raw(get<std::uint8_t>()); }

    /// What was read has no sense: as if it had ended too early.
    void fail() noexcept {
        good_ = false;
        bytes_ = {};
    }

    /// Nothing was read beyond the end.
    [[nodiscard]] bool good() const noexcept { return good_; }
    [[nodiscard]] bool at_end() const noexcept { return good_ && bytes_.empty(); }

  private:
    [[nodiscard]] std::string_view raw(std::size_t size) noexcept {
        const std::byte* const from = next(size);
        return from == nullptr ? std::string_view{}
                               : std::string_view{reinterpret_cast<const char*>(from), size};
    }
    const std::byte* next(std::size_t size) noexcept {
        if (bytes_.size() < size) {
            good_ = false;
            bytes_ = {};
            return nullptr;
        }
        const std::byte* const from = bytes_.data();
        bytes_ = bytes_.subspan(size);
        return from;
    }

    std::span<const std::byte> bytes_;
    bool good_ = true;
};

}  // namespace tollgate::balance
