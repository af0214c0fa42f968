/// What people read: tables, values, progress. Nothing that came from elsewhere reaches a terminal as it is:
/// control characters are shown as `\xNN`.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::daemon::ctl {

[[nodiscard]] std::string printable(std::string_view text);

/// A text of several lines: each printable, and ended, also the last one.
void print_lines(std::ostream& out, std::string_view text);

/// How many columns of a terminal a text takes, a character being one; wide ones and marks are not told
/// apart.
[[nodiscard]] std::size_t width_of(std::string_view text) noexcept;

/// Columns as wide as they must be, two spaces between them, figures to the right.
class Table {
  public:
    struct Column {
        std::string title;
        bool is_figure = false;
    };
    explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

    /// As many cells as there are columns, made printable here.
    void add(const std::vector<std::string>& cells);
    void print(std::ostream& out) const;
    [[nodiscard]] bool empty() const noexcept { return rows_.empty(); }

  private:
    std::vector<Column> columns_;
    std::vector<std::vector<std::string>> rows_;
};

/// `26.1 MB`.
[[nodiscard]] std::string size_text(std::uint64_t bytes);

/// One line that is drawn over and over: `retail.csv  [#########           ]  45 %  11.2 MB of 24.9 MB  8.1
/// MB/s`.
class ProgressBar {
  public:
    using Time = std::chrono::steady_clock::time_point;
    ProgressBar(std::ostream& out, std::string name) : out_(out), name_(std::move(name)) {}

    /// Draws at most ten times a second, and once all is there; after that it says that the answer is
    /// awaited.
    void show(std::uint64_t done, std::uint64_t size, Time now);
    /// Ends the line, if there is one.
    void finish();
    /// The line for so much done, without drawing it.
    [[nodiscard]] std::string line(std::uint64_t done, std::uint64_t size,
                                   std::chrono::milliseconds taken) const;

  private:
    std::ostream& out_;
    std::string name_;
    Time begun_{};
    Time drawn_{};
    bool is_complete_ = false;
    std::size_t width_ = 0;
};

}  // namespace tollgate::daemon::ctl
