/// CSV as RFC 4180 has it, with LF or CRLF, and a byte-order mark being ordinary: the one reader of the
/// house.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::rating {

/// The longest row, in bytes.
inline constexpr std::size_t kRowBytesMax = std::size_t{64} * 1024;

/// Cuts CSV into rows of fields, from text that may not have come whole yet. Fields are views into the text,
/// or into a buffer where doubled quotes had to be undone; both are good until the next row.
class CsvReader {
  public:
    enum class Status {
        row,
        end,     ///< Nothing is left.
        faulty,  ///< error() says why; the line is skipped.
        more,    ///< The row goes on beyond the text; nothing was taken.
    };

    /// Where the text begins: a byte-order mark stands at the beginning of a file only.
    enum class Begin : bool { file, row };

    explicit CsvReader(Begin begins = Begin::file) : begun_(begins == Begin::row) {}

    /// The next row of `text`. `whole`: nothing comes behind it. consumed() is how much of it was taken.
    Status next(std::string_view text, bool whole);

    [[nodiscard]] std::size_t consumed() const { return static_cast<std::size_t>(at_ - begin_); }
    [[nodiscard]] std::span<const std::string_view> fields() const { return fields_; }
    [[nodiscard]] std::uint32_t line() const { return row_line_; }
    [[nodiscard]] std::string_view error() const { return error_; }

  private:
    static constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

    Status read_fields(bool whole);

    /// A field in quotes; afterwards at_ is behind the closing one. `faulty`: there is none.
    Status quoted_field(bool whole);

    Status skip_line(const char* from, std::string_view error);
    /// To the end of the line that is being skipped; false where it is not in the text.
    bool skip_on();

    const char* begin_ = nullptr;
    const char* at_ = nullptr;
    const char* end_ = nullptr;  ///< Of what a row may take.
    const char* text_end_ = nullptr;
    bool begun_;
    bool skipping_ = false;
    std::uint32_t line_ = 1;
    std::uint32_t row_line_ = 1;
    std::string_view error_;
    std::string unquoted_;
    std::vector<std::string_view> fields_;
};

/// A value as a message shows it: short, and without bytes that a terminal or JSON could trip over.
[[nodiscard]] std::string shown(std::string_view value);

/// A field as CSV has it, in quotes where it needs them.
void append_field(std::string& csv, std::string_view text);

}  // namespace tollgate::rating
