/// Tables as CSV, for people who open them in a spreadsheet.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace tollgate::daemon::admin {

/// Rows of cells, as RFC 4180 has them, with LF. A cell that a spreadsheet would take for a formula (it
/// begins with `=`, `+`, `-`, `@`, a tab or a carriage return and is no plain number) gets an apostrophe in
/// front: what somebody called himself is never computed.
class CsvWriter {
  public:
    void cell(std::string_view text);
    void end_row();

    /// All rows; the writer is spent.
    [[nodiscard]] std::string take() { return std::move(out_); }
    [[nodiscard]] std::size_t size() const noexcept { return out_.size(); }

  private:
    std::string out_;
    bool first_ = true;  // Of its row.
};

}  // namespace tollgate::daemon::admin
