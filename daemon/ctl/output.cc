#include "daemon/ctl/output.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdio>
#include <ostream>

namespace tollgate::daemon::ctl {
namespace {

constexpr std::size_t kBarCells = 30;
constexpr std::chrono::milliseconds kDrawEvery{100};

bool is_control(unsigned char byte) noexcept {
    return byte < 0x20 || byte == 0x7f;
}

}  // namespace

std::string printable(std::string_view text) {
    constexpr std::string_view kHex = "0123456789abcdef";
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        // U+0080 to U+009F control terminals too, in UTF-8 as two bytes.
        const bool is_c1 =
            byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0;
        if (is_control(byte) || is_c1) {
            out += "\\x";
            out += kHex[byte >> 4U];
            out += kHex[byte & 0xfU];
        } else {
            out += text[i];
        }
    }
    return out;
}

void print_lines(std::ostream& out, std::string_view text) {
    while (!text.empty()) {
        const std::size_t size = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, size);
        text.remove_prefix(std::min(size + 1, text.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        out << printable(line) << '\n';
    }
}

std::size_t width_of(std::string_view text) noexcept {
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

void Table::add(const std::vector<std::string>& cells) {
    assert(cells.size() == columns_.size());
    std::vector<std::string> row;
    row.reserve(cells.size());
    for (const std::string& cell : cells)
        row.push_back(printable(cell));
    rows_.push_back(std::move(row));
}

void Table::print(std::ostream& out) const {
    std::vector<std::size_t> widths;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        std::size_t width = width_of(columns_[i].title);
        for (const auto& row : rows_)
            width = std::max(width, width_of(row[i]));
        widths.push_back(width);
    }
    const auto print_row = [&](const auto& cell_of) {
        std::string line;
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            const std::string& cell = cell_of(i);
            const std::string padding(widths[i] - width_of(cell), ' ');
            if (i > 0) line += "  ";
            line += columns_[i].is_figure ? padding + cell : cell + padding;
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out << line << '\n';
    };
    print_row([&](std::size_t i) -> const std::string& { return columns_[i].title; });
    for (const auto& row : rows_)
        print_row([&row](std::size_t i) -> const std::string& { return row[i]; });
}

std::string size_text(std::uint64_t bytes) {
    constexpr std::array<std::string_view, 4> kUnits = {"B", "kB", "MB", "GB"};
    constexpr std::uint64_t kStep = 1000;
    std::uint64_t tenths = bytes * 10;
    std::size_t unit = 0;
    while (tenths >= kStep * 10 && unit + 1 < kUnits.size()) {
        tenths /= kStep;
        ++unit;
    }
    std::string text = std::to_string(tenths / 10);
    if (unit > 0) text += '.' + std::to_string(tenths % 10);
    return text + ' ' + std::string{kUnits[unit]};
}

std::string ProgressBar::line(std::uint64_t done, std::uint64_t size, std::chrono::milliseconds taken) const {
    const std::uint64_t percent = size == 0 ? 100 : done * 100 / size;
    const std::size_t cells = static_cast<std::size_t>(percent) * kBarCells / 100;
    std::string text =
        printable(name_) + "  [" + std::string(cells, '#') + std::string(kBarCells - cells, ' ') + "]";
    const std::string figure = std::to_string(percent);
    text += std::string(4 - std::min<std::size_t>(figure.size(), 4), ' ') + figure + " %  ";
    text += size_text(done) + " of " + size_text(size);
    if (taken.count() > 0)
        text += "  " + size_text(done * 1000 / static_cast<std::uint64_t>(taken.count())) + "/s";
    if (done == size) text += "  waiting for the answer";
    return text;
}

void ProgressBar::show(std::uint64_t done, std::uint64_t size, Time now) {
    if (is_complete_ || size == 0) return;
    if (begun_ == Time{}) begun_ = now;
    is_complete_ = done == size;
    if (!is_complete_ && drawn_ != Time{} && now - drawn_ < kDrawEvery) return;
    drawn_ = now;
    const std::string text = line(done, size, std::chrono::floor<std::chrono::milliseconds>(now - begun_));
    const std::size_t width = width_of(text);
    out_ << '\r' << text << std::string(width_ > width ? width_ - width : 0, ' ') << std::flush;
    width_ = width;
}

void ProgressBar::finish() {
    if (width_ > 0) out_ << '\n' << std::flush;
    width_ = 0;
}

}  // namespace tollgate::daemon::ctl
