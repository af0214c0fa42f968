#include "rating/deck_csv.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include "rating/csv.h"

namespace tollgate::rating {
namespace {

bool is_utf8(std::string_view text) noexcept {
    if (std::none_of(text.begin(), text.end(), [](char c) { return c < 0; })) return true;
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
    const auto prefix = Prefix::parse(text);
    if (!prefix) return "expected 1 to 15 digits without +, or * for whatever no prefix matches";
    row.prefix = *prefix;
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
/// An instant that is no instant to a row: `edge` is what parse_instant makes of everything beyond it.
template <Instant RowSource::*Member>
Complaint read_instant(RowSource& row, std::string_view text, Instant edge) {
    if (!set_instant(row.*Member, text)) return kInstantExpected;
    return !text.empty() && row.*Member == edge ? Complaint{"expected an instant from 1678 to 2261"}
                                                : Complaint{};
}
Complaint read_effective_from(RowSource& row, std::string_view text) {
    return read_instant<&RowSource::effective_from>(row, text, kNever);
}
Complaint read_effective_until(RowSource& row, std::string_view text) {
    return read_instant<&RowSource::effective_until>(row, text, kAlways);
}
Complaint read_country(RowSource& row, std::string_view text) {
    const auto capital = [](char c) { return c >= 'A' && c <= 'Z'; };
    if (!text.empty() && (text.size() != 2 || !capital(text[0]) || !capital(text[1]))) {
        return "expected two capital letters of ISO 3166-1 such as DE";
    }
    if (!text.empty()) row.country = {text[0], text[1]};
    return {};
}
Complaint read_blocked(RowSource& row, std::string_view text) {
    if (!text.empty() && text != "0" && text != "1") return "expected 0 or 1";
    row.rate.blocked = text == "1";
    return {};
}
Complaint read_window(RowSource& row, std::string_view text) {
    if (text.size() > kWindowNameBytesMax) return "expected at most 64 bytes";
    row.window = text;
    return {};
}
Complaint read_weight(RowSource& row, std::string_view text) {
    if (text.empty()) return {};
    const auto weight = parse_decimal(text, 0);
    if (!weight || *weight > kWeightMax || *weight < -kWeightMax) {
        return "expected a whole number from -1000000 to 1000000";
    }
    row.weight = static_cast<std::int32_t>(*weight);
    return {};
}
/// `60:0.02/6;600:0.015/1`: from a second on, a price a minute in steps.
Complaint read_tiers(RowSource& row, std::string_view text) {
    constexpr Complaint kExpected =
        "expected tiers such as 60:0.02/6;600:0.015/1 (second:price/step), each from a later second than the "
        "one before";
    while (!text.empty()) {
        const std::string_view tier = text.substr(0, text.find(';'));
        text.remove_prefix(std::min(tier.size() + 1, text.size()));
        if (tier.empty()) continue;
        const std::size_t colon = tier.find(':');
        const std::size_t slash = tier.find('/');
        if (colon == std::string_view::npos || slash == std::string_view::npos || slash < colon)
            return kExpected;
        const auto from = parse_unsigned(tier.substr(0, colon), kStepMax);
        const auto price = parse_price(tier.substr(colon + 1, slash - colon - 1));
        const auto step = parse_unsigned(tier.substr(slash + 1), kStepMax);
        if (!from || !price || !step || *step == 0) return kExpected;
        if (!row.rate.tiers.empty() && *from <= row.rate.tiers.back().from) return kExpected;
        if (row.rate.tiers.size() == kTiersMax) return "expected at most 32 tiers";
        row.rate.tiers.push_back(
            {static_cast<std::uint32_t>(*from), static_cast<std::uint32_t>(*step), *price});
    }
    return {};
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
    Column{"effective_from", read_effective_from},
    Column{"effective_until", read_effective_until},
    Column{"window", read_window},
    Column{"weight", read_weight},
    Column{"country", read_country},
    Column{"tiers", read_tiers},
    Column{"blocked", read_blocked},
};

}  // namespace

class DeckReader::Parser {
  public:
    explicit Parser(const DeckLimits& limits) : limits_(limits) {}

    void feed(std::string_view piece) {
        if (rest_.empty()) {
            rest_.assign(piece.substr(parse(piece, false)));
        } else {
            rest_.append(piece);
            rest_.erase(0, parse(rest_, false));
        }
    }

    DeckReading finish() {
        parse(rest_, true);
        if (!header_read_ && reading_.fault_count == 0) {
            fault(0, "", "the file is empty; expected a header with at least prefix,rate_per_minute");
        } else if (reading_.fault_count == 0 && builder_.row_count() == 0) {
            fault(0, "", "the deck has no rows; expected at least one after the header");
        }
        if (builder_.row_count() > 0) build();
        if (reading_.fault_count == 0) reading_.deck = reading_.rows;
        return std::move(reading_);
    }

  private:
    /// Takes all whole rows off the front of the text; how many bytes that were.
    std::size_t parse(std::string_view text, bool whole) {
        std::size_t taken = 0;
        while (!given_up_) {
            const auto status = csv_.next(text.substr(taken), whole);
            taken += csv_.consumed();
            if (status == CsvReader::Status::end || status == CsvReader::Status::more) return taken;
            if (status == CsvReader::Status::faulty) {
                fault(csv_.line(), "", std::string{csv_.error()});
                given_up_ = !header_read_;
            } else if (!header_read_) {
                header_read_ = true;
                read_header();
                given_up_ = reading_.fault_count > 0;
            } else if (row_count_ == limits_.rows_max) {
                fault(csv_.line(), "",
                      "more than " + std::to_string(limits_.rows_max) + " rows (deck.rows_max)");
                given_up_ = true;
            } else {
                ++row_count_;
                read_row();
            }
        }
        return text.size();
    }

    void read_header() {
        for (const auto name : csv_.fields()) {
            const auto* const column = std::find_if(kColumns.begin(), kColumns.end(),
                                                    [&](const Column& c) { return c.name == name; });
            if (column == kColumns.end()) {
                fault(csv_.line(), std::string{name.substr(0, kWindowNameBytesMax)},
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
    }

    static std::string column_names() {
        std::string names;
        for (const auto& column : kColumns)
            names += (names.empty() ? "" : ", ") + std::string{column.name};
        return names;
    }

    void read_row() {
        const auto fields = csv_.fields();
        if (fields.size() != columns_.size()) {
            fault(csv_.line(), "",
                  "the row has " + std::to_string(fields.size()) + " fields; expected " +
                      std::to_string(columns_.size()) + " as in the header");
            return;
        }
        RowSource row = defaults_;  // A copy is made of few wide moves, where clearing it takes long.
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
        if (good) add(row);
    }

    void add(const RowSource& row) {
        builder_.add(row);
        if (builder_.window_count() <= kWindowsMax) return;
        fault(row.line, "window", shown(row.window) + ": expected at most 64 different windows in a deck");
    }

    void build() {
        DeckBuilder::Problems problems;
        reading_.rows = builder_.build(problems);
        for (const auto& tie : problems.ties) {
            fault(tie.line, "effective_from",
                  "prefix " + std::string{tie.prefix.text().view()} +
                      " has another row of the same weight from the same instant in line " +
                      std::to_string(tie.other_line) + "; expected one row to go before the other");
        }
        for (const auto& row : problems.too_many) {
            fault(row.line, "prefix",
                  "prefix " + std::string{row.prefix.text().view()} + " has more than " +
                      std::to_string(kRowsPerPrefixMax) + " rows");
        }
    }

    void fault(std::uint32_t line, std::string column, std::string message) {
        ++reading_.fault_count;
        if (reading_.faults.size() < limits_.faults_max) {
            reading_.faults.push_back({line, std::move(column), std::move(message)});
        }
    }

    CsvReader csv_;
    DeckLimits limits_;
    std::string rest_;  // A row whose end has not come yet.
    bool header_read_ = false;
    bool given_up_ = false;
    std::size_t row_count_ = 0;
    std::vector<const Column*> columns_;
    const RowSource defaults_;
    DeckBuilder builder_;
    DeckReading reading_;
};

DeckReader::DeckReader(const DeckLimits& limits) : parser_(std::make_unique<Parser>(limits)) {}
DeckReader::DeckReader(DeckReader&&) noexcept = default;
DeckReader& DeckReader::operator=(DeckReader&&) noexcept = default;
DeckReader::~DeckReader() = default;

void DeckReader::feed(std::string_view piece) {
    parser_->feed(piece);
}

DeckReading DeckReader::finish() {
    return parser_->finish();
}

DeckReading read_deck_csv(std::string_view csv, const DeckLimits& limits) {
    DeckReader reader{limits};
    reader.feed(csv);
    return reader.finish();
}

std::string format_tiers(std::span<const Tier> tiers) {
    std::string text;
    for (const Tier& tier : tiers) {
        if (!text.empty()) text.push_back(';');
        text.append(std::to_string(tier.from)).push_back(':');
        text.append(format(tier.price).view()).push_back('/');
        text.append(std::to_string(tier.increment));
    }
    return text;
}

std::string write_deck_csv(const Deck& deck) {
    std::string csv =
        "prefix,destination,country,rate_per_minute,connect_fee,initial_increment,increment,grace_seconds,"
        "included_seconds,disconnect_fee,disconnect_after,min_charge,max_charge,effective_from,"
        "effective_until,window,weight,tiers,blocked\n";
    for (Deck::RowIndex index = 0; index < deck.row_count(); ++index) {
        const Row row = deck.row(index);
        const Rate& rate = *row.rate;
        const auto next = [&csv](std::string_view text) { csv.append(text).push_back(','); };
        const auto number = [&next](std::uint32_t value) { next(format_decimal(value, 0)); };
        next(row.prefix.text());
        append_field(csv, row.destination);
        csv.push_back(',');
        next(row.country);
        next(format(rate.price));
        next(format(rate.connect_fee));
        number(rate.initial_increment);
        number(rate.increment);
        number(rate.grace_seconds);
        number(rate.included_seconds);
        next(format(rate.disconnect_fee));
        number(rate.disconnect_after);
        next(format(rate.min_charge));
        next(rate.max_charge ? format(*rate.max_charge).view() : std::string_view{});
        next(row.effective_from == kAlways ? std::string_view{} : format(row.effective_from).view());
        next(row.effective_until == kNever ? std::string_view{} : format(row.effective_until).view());
        append_field(csv, row.window);
        csv.push_back(',');
        next(format_decimal(row.weight, 0));
        next(format_tiers(rate.tiers));
        csv.append(rate.blocked ? "1\n" : "0\n");
    }
    return csv;
}

}  // namespace tollgate::rating
