/// Fields of which most have their usual value: a bit each says so, and only the others are written.
#pragma once

#include <cassert>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "balance/bytes.h"
#include "rating/instant.h"
#include "rating/money.h"

namespace tollgate::balance {

/// Writes such a group of fields: the bits in kMaskBytes, then what is not usual. A field is stored wherever
/// the next one will stand, and only then counted, so that nothing depends on a branch. One thread.
template <std::size_t kMaskBytes>
class PackedWriter {
  public:
    /// Each field has a bit of its own and at most 8 bytes.
    static constexpr std::size_t kBytesMax = kMaskBytes + 8 * kMaskBytes * sizeof(std::uint64_t);

    /// Requires: `room` has kBytesMax bytes.
    explicit PackedWriter(std::byte* room) noexcept : mask_at_(room), next_(room + kMaskBytes) {}

    void operator()(bool value) noexcept { mark(value); }
    template <PlainValue T>
    void operator()(T value, T usual = {}) noexcept {
        store(value, value != usual);
    }
    void operator()(rating::Instant value, rating::Instant usual) noexcept {
        (*this)(value.time_since_epoch().count(), usual.time_since_epoch().count());
    }
    /// Nothing, `or_else`, or another time.
    void operator()(std::chrono::nanoseconds value, std::chrono::nanoseconds or_else) noexcept {
        mark(value == or_else);
        store(value.count(), value != or_else && value.count() != 0);
    }
    /// Nothing, below 2^32 millionths, or more.
    void operator()(rating::Money value) noexcept {
        const auto micros = static_cast<std::uint64_t>(value.micros());
        const bool narrow = micros <= UINT32_MAX;
        mark(!narrow);
        put(micros, micros == 0 ? 0 : narrow ? sizeof(std::uint32_t) : sizeof micros);
        mark(micros != 0);
    }

    /// The end of what is written. Requires: no field comes behind.
    [[nodiscard]] std::byte* finish() noexcept {
        assert(bit_ <= 8 * kMaskBytes);
        std::memcpy(mask_at_, &mask_, kMaskBytes);
        return next_;
    }

  private:
    void mark(bool bit) noexcept { mask_ |= std::uint64_t{bit} << bit_++; }
    template <typename T>
    void store(T value, bool there) noexcept {
        put(value, there ? sizeof value : 0);
        mark(there);
    }
    template <typename T>
    void put(T value, std::size_t size) noexcept {
        std::memcpy(next_, &value, sizeof value);
        next_ += size;
    }

    std::byte* mask_at_;
    std::byte* next_;
    std::uint64_t mask_ = 0;
    unsigned bit_ = 0;
    static_assert(kMaskBytes <= sizeof mask_);
};

/// Reads what a PackedWriter of so many bytes wrote, field by field with the same usual values.
template <std::size_t kMaskBytes>
class PackedReader {
  public:
    explicit PackedReader(ByteReader& in) noexcept : in_(in) {
        for (std::size_t i = 0; i < kMaskBytes; ++i)
            mask_ |= std::uint64_t{in_.get<std::uint8_t>()} << 8 * i;
    }

    void operator()(bool& value) noexcept { value = marked(); }
    template <PlainValue T>
    void operator()(T& value, std::type_identity_t<T> usual = {}) noexcept {
        value = marked() ? in_.get<T>() : usual;
    }
    void operator()(rating::Instant& value, rating::Instant usual) noexcept {
        value = usual;
        if (marked()) in_.get(value);
    }
    void operator()(std::chrono::nanoseconds& value, std::chrono::nanoseconds or_else) noexcept {
        value = marked() ? or_else : std::chrono::nanoseconds{};
        if (marked()) in_.get(value);
    }
    void operator()(rating::Money& value) noexcept {
        const bool wide = marked();
        value = {};
        if (!marked()) return;
        value = rating::Money::from_micros(wide ? in_.get<std::int64_t>()
                                                : std::int64_t{in_.get<std::uint32_t>()});
    }

  private:
    bool marked() noexcept { return ((mask_ >> bit_++) & 1) != 0; }

    ByteReader& in_;
    std::uint64_t mask_ = 0;
    unsigned bit_ = 0;
};

}  // namespace tollgate::balance
