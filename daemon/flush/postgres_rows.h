/// Rows as PostgreSQL's binary COPY takes them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rating/instant.h"
#include "rating/money.h"

namespace tollgate::daemon::flush {

/// Rows of one table, each field behind the other:
///
///     PostgresRows rows;
///     rows.begin_row(3).number(7).text("alice").money(amount);
///     connection.copy(rows.finish());
///
/// The type of a column decides which member writes it; PostgreSQL refuses what has another length.
class PostgresRows {
  public:
    PostgresRows() { clear(); }

    PostgresRows& begin_row(std::int16_t fields) {
        ++rows_;
        put(fields);
        return *this;
    }
    PostgresRows& null() {
        put(std::int32_t{-1});
        return *this;
    }
    PostgresRows& flag(bool value);                              ///< boolean
    PostgresRows& small(std::int16_t value);                     ///< smallint
    PostgresRows& whole(std::int32_t value);                     ///< integer
    PostgresRows& number(std::uint64_t value);                   ///< bigint. Requires: at most INT64_MAX.
    PostgresRows& money(rating::Money amount);                   ///< numeric, six places
    PostgresRows& decimal(std::int64_t units, unsigned places);  ///< numeric. Requires: places <= 12.
    PostgresRows& instant(rating::Instant at);  ///< timestamptz; what is finer than a microsecond is cut.
    PostgresRows& instant_or_null(rating::Instant at) { return at == rating::kAlways ? null() : instant(at); }
    PostgresRows& text(std::string_view value);  ///< text, as sql_text() has it
    PostgresRows& text_or_null(std::string_view value) { return value.empty() ? null() : text(value); }
    PostgresRows& json(std::string_view value);             ///< jsonb. Requires: JSON in UTF-8.
    PostgresRows& bytes(std::span<const std::byte> value);  ///< bytea

    [[nodiscard]] std::size_t rows() const noexcept { return rows_; }
    [[nodiscard]] std::size_t size() const noexcept { return used_; }
    /// All of it, with its end. clear() begins anew, in the same memory.
    [[nodiscard]] std::span<const std::byte> finish();
    void clear();
    /// What there is so far, to be handed over before more of the same COPY is written.
    [[nodiscard]] std::span<const std::byte> so_far() const noexcept {
        return std::span{bytes_}.first(used_);
    }
    void drop_so_far() noexcept { used_ = 0; }

  private:
    /// Room for so many bytes more.
    std::byte* room(std::size_t count) {
        if (bytes_.size() - used_ < count) grow(count);
        return bytes_.data() + std::exchange(used_, used_ + count);
    }
    void grow(std::size_t count);
    template <typename Number>
    void put(Number value);
    void put_bytes(std::span<const std::byte> bytes);

    std::vector<std::byte> bytes_;  // With room behind what is used.
    std::size_t used_ = 0;
    std::size_t rows_ = 0;
};

/// Rows as parameters of a statement, for what is not simply added: an array for each column.
///
///     PostgresArrays rows{"text", "numeric"};
///     rows.text("alice").money(amount);
///     connection.execute(statement({"INSERT INTO … SELECT * FROM ", rows.unnest(), " ON CONFLICT …"}),
///                        rows.finish());
///     rows.clear();
class PostgresArrays {
  public:
    /// The types of the columns.
    PostgresArrays(std::initializer_list<std::string_view> types);

    PostgresArrays& null() { return add("NULL"); }
    PostgresArrays& flag(bool value) { return add(value ? "t" : "f"); }
    PostgresArrays& number(std::uint64_t value) { return add(std::to_string(value)); }
    PostgresArrays& money(rating::Money amount) { return add(rating::format(amount).view()); }
    PostgresArrays& instant(rating::Instant at);  ///< What is finer than a microsecond is cut.
    PostgresArrays& instant_or_null(rating::Instant at) {
        return at == rating::kAlways ? null() : instant(at);
    }
    PostgresArrays& text(std::string_view value);  ///< As sql_text() has it.
    PostgresArrays& text_or_null(std::string_view value) { return value.empty() ? null() : text(value); }
    PostgresArrays& json(std::string_view value) { return add_quoted(value); }

    /// `unnest($1::text[], $2::numeric[])`.
    [[nodiscard]] const std::string& unnest() const noexcept { return unnest_; }
    /// How many bytes of elements there are.
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    /// Requires: whole rows.
    [[nodiscard]] std::span<const std::optional<std::string>> finish();
    /// Begins anew, in the same memory.
    void clear();

  private:
    std::string& next();
    PostgresArrays& add(std::string_view element);
    PostgresArrays& add_quoted(std::string_view element);

    std::string unnest_;
    std::vector<std::optional<std::string>> columns_;
    std::size_t next_ = 0;
    std::size_t size_ = 0;
};

/// Text for PostgreSQL, which takes UTF-8 without the character 0 and nothing else. Whatever is no such text,
/// and what begins with `\x`, becomes `\x` and its bytes in hexadecimal; everything else stays what it is.
[[nodiscard]] std::string sql_text(std::string_view bytes);
/// Whether it stays what it is.
[[nodiscard]] bool is_sql_text(std::string_view bytes) noexcept;

}  // namespace tollgate::daemon::flush
