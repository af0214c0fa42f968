#include "rating/deck_csv.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <unordered_set>

namespace tollgate::rating {
namespace {

// ---- RFC 4180 ----

/// Cuts CSV into rows of fields. Fields are views into the text, or into a buffer where quotes had to be
/// undone; both are good until the next row.
class CsvReader {
  public:
    explicit CsvReader(std::string_view text) : rest_(text) {
        if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);
    }

    enum class Status { row, end, faulty };

    Status next() {
        fields_.clear();
        error_ = {};
        row_line_ = line_;
        while (rest_.starts_with("\n") || rest_.starts_with("\r\n")) {  // Empty lines say nothing.
            rest_.remove_prefix(rest_.front() == '\n' ? 1 : 2);
            row_line_ = ++line_;
        }
        if (rest_.empty()) return Status::end;
        unquoted_.clear();
        spans_.clear();
        bool more = true;
        while (more) {
            if (rest_.starts_with('"')) {
                if (!quoted_field()) return skip_line();
            } else {
                const std::size_t end = rest_.find_first_of(",\n\"");
                std::string_view field = rest_.substr(0, end);
                rest_.remove_prefix(field.size());
                if (rest_.starts_with('"')) {
                    error_ =
                        "a quote inside a field that does not begin with one; quote the whole field and "
                        "double "
                        "the quotes in it";
                    return skip_line();
                }
                if ((rest_.empty() || rest_.front() == '\n') && field.ends_with('\r')) field.remove_suffix(1);
                spans_.push_back({field, 0, 0});
            }
            more = rest_.starts_with(',');
            if (more) rest_.remove_prefix(1);
        }
        if (rest_.starts_with("\r\n")) rest_.remove_prefix(1);
        if (!rest_.empty()) {
            if (rest_.front() != '\n') {
                error_ = "text after a closing quote; expected a comma or the end of the line";
                return skip_line();
            }
            rest_.remove_prefix(1);
            ++line_;
        }
        for (const auto& span : spans_) {
            fields_.push_back(span.size == 0 ? span.plain
                                             : std::string_view{unquoted_}.substr(span.offset, span.size));
        }
        return Status::row;
    }

    [[nodiscard]] std::span<const std::string_view> fields() const { return fields_; }
    [[nodiscard]] std::uint64_t line() const { return row_line_; }
    [[nodiscard]] std::string_view error() const { return error_; }

  private:
    struct Span {
        std::string_view plain;
        std::size_t offset;  ///< Into unquoted_, where `size` is not 0.
        std::size_t size;
    };

    bool quoted_field() {
        rest_.remove_prefix(1);
        const std::size_t offset = unquoted_.size();
        for (;;) {
            const std::size_t quote = rest_.find('"');
            if (quote == std::string_view::npos) {
                error_ = "a quote that is never closed";
                return false;
            }
            const std::string_view piece = rest_.substr(0, quote);
            line_ += static_cast<std::uint64_t>(std::count(piece.begin(), piece.end(), '\n'));
            unquoted_.append(piece);
            rest_.remove_prefix(quote + 1);
            if (!rest_.starts_with('"')) break;
            unquoted_.push_back('"');
            rest_.remove_prefix(1);
        }
        spans_.push_back({{}, offset, unquoted_.size() - offset});
        return true;
    }

    Status skip_line() {
        const std::size_t end = rest_.find('\n');
        rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
        ++line_;
        return Status::faulty;
    }

    std::string_view rest_;
    std::uint64_t line_ = 1;
    std::uint64_t row_line_ = 1;
    std::string_view error_;
    std::string unquoted_;
    std::vector<Span> spans_;
    std::vector<std::string_view> fields_;
};

bool is_utf8(std::string_view text) noexcept {
    const auto byte = [&text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    for (std::size_t i = 0; i < text.size();) {
        const unsigned lead = byte(i);
        const std::size_t size = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
        if (lead >= 0x80 && (lead < 0xC2 || lead > 0xF4)) return false;
        if (i + size > text.size()) return false;
        for (std::size_t j = 1; j < size; ++j) {
            if ((byte(i + j) & 0xC0U) != 0x80) return false;
        }
        // Overlong forms, surrogates, and what lies beyond U+10FFFF.
        if ((lead == 0xE0 && byte(i + 1) < 0xA0) || (lead == 0xED && byte(i + 1) > 0x9F) ||
            (lead == 0xF0 && byte(i + 1) < 0x90) || (lead == 0xF4 && byte(i + 1) > 0x8F)) {
            return false;
        }
        i += size;
    }
    return true;
}

// ---- The columns ----

/// What is wrong with a field: what was expected instead. Empty: nothing.
using Complaint = std::string_view;

bool set_price(Price& price, std::string_view text) {
    if (text.empty()) return true;
    const auto parsed = parse_price(text);
    if (parsed) price = *parsed;
    return parsed.has_value();
}

bool set_seconds(std::uint32_t& seconds, std::string_view text) {
    if (text.empty()) return true;
    const auto parsed = parse_unsigned(text, kStepMax);
    if (parsed) seconds = static_cast<std::uint32_t>(*parsed);
    return parsed.has_value();
}

bool set_instant(Instant& instant, std::string_view text) {
    if (text.empty()) return true;
    const auto parsed = parse_instant(text);
    if (parsed) instant = *parsed;
    return parsed.has_value();
}

constexpr Complaint kPriceExpected = "expected a decimal number from 0 to 1000000000 with at most 9 places";
constexpr Complaint kSecondsExpected = "expected whole seconds from 0 to 1000000000";
constexpr Complaint kInstantExpected = "expected RFC 3339 such as 2026-03-02T00:00:00Z, or Unix seconds";

Complaint read_prefix(RowSource& row, std::string_view text) {
    const bool digits = !text.empty() && text.size() <= kPrefixDigitsMax &&
                        std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!digits && text != "*")
        return "expected 1 to 15 digits without +, or * for whatever no prefix matches";
    row.prefix = text;
    return {};
}
Complaint read_rate(RowSource& row, std::string_view text) {
    return !text.empty() && set_price(row.rate.price, text) ? Complaint{} : kPriceExpected;
}
Complaint read_destination(RowSource& row, std::string_view text) {
    if (text.size() > kDestinationBytesMax) return "expected at most 1024 bytes";
    if (!is_utf8(text)) return "expected UTF-8";
    row.destination = text;
    return {};
}
template <Price Rate::*Member>
Complaint read_price(RowSource& row, std::string_view text) {
    return set_price(row.rate.*Member, text) ? Complaint{} : kPriceExpected;
}
Complaint read_max_charge(RowSource& row, std::string_view text) {
    if (text.empty()) return {};
    row.rate.max_charge.emplace();
    return set_price(*row.rate.max_charge, text) ? Complaint{} : kPriceExpected;
}
template <std::uint32_t Rate::*Member>
Complaint read_seconds(RowSource& row, std::string_view text) {
    return set_seconds(row.rate.*Member, text) ? Complaint{} : kSecondsExpected;
}
Complaint read_increment(RowSource& row, std::string_view text) {
    return set_seconds(row.rate.increment, text) && row.rate.increment > 0
               ? Complaint{}
               : "expected whole seconds from 1 to 1000000000";
}
template <Instant RowSource::*Member>
Complaint read_instant(RowSource& row, std::string_view text) {
    return set_instant(row.*Member, text) ? Complaint{} : kInstantExpected;
}
Complaint read_country(RowSource& row, std::string_view text) {
    const auto capital = [](char c) { return c >= 'A' && c <= 'Z'; };
    if (!text.empty() && (text.size() != 2 || !capital(text[0]) || !capital(text[1]))) {
        return "expected two capital letters of ISO 3166-1 such as DE";
    }
    row.country = text;
    return {};
}
Complaint read_blocked(RowSource& row, std::string_view text) {
    if (!text.empty() && text != "0" && text != "1") return "expected 0 or 1";
    row.rate.blocked = text == "1";
    return {};
}
Complaint refuse_window(RowSource&, std::string_view text) {
    return text.empty() ? Complaint{} : "time-of-day windows are not available yet; leave it empty";
}
Complaint refuse_weight(RowSource&, std::string_view text) {
    return text.empty() || text == "0" ? Complaint{} : "weights are not available yet; leave it empty or 0";
}
Complaint refuse_tiers(RowSource&, std::string_view text) {
    return text.empty() ? Complaint{} : "tiers are not available yet; leave it empty";
}

struct Column {
    std::string_view name;
    Complaint (*read)(RowSource&, std::string_view);
    bool required = false;
};

constexpr std::array kColumns = {
    Column{"prefix", read_prefix, true},
    Column{"rate_per_minute", read_rate, true},
    Column{"destination", read_destination},
    Column{"connect_fee", read_price<&Rate::connect_fee>},
    Column{"initial_increment", read_seconds<&Rate::initial_increment>},
    Column{"increment", read_increment},
    Column{"grace_seconds", read_seconds<&Rate::grace_seconds>},
    Column{"included_seconds", read_seconds<&Rate::included_seconds>},
    Column{"disconnect_fee", read_price<&Rate::disconnect_fee>},
    Column{"disconnect_after", read_seconds<&Rate::disconnect_after>},
    Column{"min_charge", read_price<&Rate::min_charge>},
    Column{"max_charge", read_max_charge},
    Column{"effective_from", read_instant<&RowSource::effective_from>},
    Column{"effective_until", read_instant<&RowSource::effective_until>},
    Column{"window", refuse_window},
    Column{"weight", refuse_weight},
    Column{"country", read_country},
    Column{"tiers", refuse_tiers},
    Column{"blocked", read_blocked},
};

/// A value as a message shows it: short, and without bytes that a terminal or JSON could trip over.
std::string shown(std::string_view value) {
    constexpr std::size_t kShownMax = 40;
    std::string text = "\"";
    for (const char c : value.substr(0, kShownMax))
        text.push_back(c >= ' ' && c < '\x7F' && c != '"' ? c : '?');
    text += value.size() > kShownMax ? "…\"" : "\"";
    return text;
}

class DeckReader {
  public:
    DeckReader(std::string_view csv, const DeckLimits& limits) : csv_(csv), limits_(limits) {}

    DeckReading read() && {
        if (read_header()) read_rows();
        if (reading_.fault_count == 0 && builder_.row_count() == 0) {
            fault(0, "", "the deck has no rows; expected at least one after the header");
        }
        if (reading_.fault_count == 0) {
            std::vector<RowTie> ties;
            reading_.deck = builder_.build(ties);
            for (const auto& tie : ties) {
                fault(tie.line, "effective_from",
                      "prefix " + tie.prefix + " has another row from the same instant in line " +
                          std::to_string(tie.other_line) + "; expected one row to go before the other");
            }
        }
        return std::move(reading_);
    }

  private:
    bool read_header() {
        const auto status = csv_.next();
        if (status == CsvReader::Status::end) {
            fault(0, "", "the file is empty; expected a header with at least prefix,rate_per_minute");
            return false;
        }
        if (status == CsvReader::Status::faulty) {
            fault(csv_.line(), "", std::string{csv_.error()});
            return false;
        }
        for (const auto name : csv_.fields()) {
            const auto* const column = std::find_if(kColumns.begin(), kColumns.end(),
                                                    [&](const Column& c) { return c.name == name; });
            if (column == kColumns.end()) {
                fault(csv_.line(), std::string{name},
                      "unknown column " + shown(name) + "; expected one of " + column_names());
            } else if (std::find(columns_.begin(), columns_.end(), column) != columns_.end()) {
                fault(csv_.line(), std::string{name}, "the column stands there twice");
            }
            columns_.push_back(column);
        }
        for (const auto& column : kColumns) {
            if (column.required && std::find(columns_.begin(), columns_.end(), &column) == columns_.end()) {
                fault(csv_.line(), std::string{column.name}, "the column is missing; it is required");
            }
        }
        return reading_.fault_count == 0;
    }

    static std::string column_names() {
        std::string names;
        for (const auto& column : kColumns)
            names += (names.empty() ? "" : ", ") + std::string{column.name};
        return names;
    }

    void read_rows() {
        for (;;) {
            const auto status = csv_.next();
            if (status == CsvReader::Status::end) return;
            if (status == CsvReader::Status::faulty) {
                fault(csv_.line(), "", std::string{csv_.error()});
                continue;
            }
            if (builder_.row_count() == limits_.rows_max) {
                fault(csv_.line(), "",
                      "more than " + std::to_string(limits_.rows_max) + " rows (deck.rows_max)");
                return;
            }
            read_row();
        }
    }

    void read_row() {
        const auto fields = csv_.fields();
        if (fields.size() != columns_.size()) {
            fault(csv_.line(), "",
                  "the row has " + std::to_string(fields.size()) + " fields; expected " +
                      std::to_string(columns_.size()) + " as in the header");
            return;
        }
        RowSource row;
        row.line = csv_.line();
        bool good = true;
        for (std::size_t i = 0; i < fields.size(); ++i) {
            const auto complaint = columns_[i]->read(row, fields[i]);
            if (complaint.empty()) continue;
            fault(row.line, std::string{columns_[i]->name}, shown(fields[i]) + ": " + std::string{complaint});
            good = false;
        }
        if (good && row.effective_until <= row.effective_from) {
            fault(row.line, "effective_until", "expected an instant after effective_from");
            good = false;
        }
        // A deck that is refused anyway is only read for its other faults.
        if (good && reading_.fault_count == 0) builder_.add(row);
    }

    void fault(std::uint64_t line, std::string column, std::string message) {
        ++reading_.fault_count;
        if (reading_.faults.size() < limits_.faults_max) {
            reading_.faults.push_back({line, std::move(column), std::move(message)});
        }
    }

    CsvReader csv_;
    DeckLimits limits_;
    std::vector<const Column*> columns_;
    DeckBuilder builder_;
    DeckReading reading_;
};

}  // namespace

DeckReading read_deck_csv(std::string_view csv, const DeckLimits& limits) {
    return DeckReader{csv, limits}.read();
}

}  // namespace tollgate::rating
