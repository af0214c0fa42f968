#include "rating/csv.h"

#include <algorithm>
#include <cstring>

namespace tollgate::rating {

CsvReader::Status CsvReader::next(std::string_view text, bool whole) {
    fields_.clear();
    unquoted_.clear();
    error_ = {};
    at_ = begin_ = text.data();
    text_end_ = end_ = at_ + text.size();
    if (skipping_ && !skip_on()) return whole ? Status::end : Status::more;
    if (!begun_) {
        if (!whole && text.size() < kByteOrderMark.size()) return Status::more;
        if (text.starts_with(kByteOrderMark)) at_ += kByteOrderMark.size();
        begun_ = true;
    }
    for (; at_ != end_ && (*at_ == '\n' || *at_ == '\r'); ++at_) {  // Empty lines say nothing.
        if (*at_ == '\n') {
            ++line_;
        } else if (at_ + 1 == end_ || at_[1] != '\n') {
            break;
        }
    }
    row_line_ = line_;
    if (at_ == end_) return whole ? Status::end : Status::more;
    const char* const row_begin = at_;
    const bool cut = end_ - at_ > static_cast<std::ptrdiff_t>(kRowBytesMax);
    if (cut) end_ = at_ + kRowBytesMax;
    const auto outcome = read_fields(whole && !cut);
    if (outcome != Status::more) return outcome;
    at_ = row_begin;
    line_ = row_line_;
    if (!cut) return Status::more;
    return skip_line(row_begin, "a row longer than 65536 bytes, or a quote that is never closed");
}

CsvReader::Status CsvReader::read_fields(bool whole) {
    const char* const row_begin = at_;
    for (;;) {
        if (at_ != end_ && *at_ == '"') {
            const auto outcome = quoted_field(whole);
            if (outcome == Status::faulty) {
                line_ = row_line_;
                return skip_line(row_begin, "a quote that is never closed");
            }
            if (outcome != Status::row) return outcome;
        } else {
            const char* const field = at_;
            const char* at = field;  // In a register: the loop is where a deck's bytes go through.
            while (at != end_ && *at != ',' && *at != '\n' && *at != '"')
                ++at;
            at_ = at;
            if (at_ == end_ && !whole) return Status::more;
            if (at_ != end_ && *at_ == '"') {
                return skip_line(at_,
                                 "a quote inside a field that does not begin with one; quote the whole "
                                 "field and double the quotes in it");
            }
            const bool last = at_ == end_ || *at_ == '\n';
            const char* const field_end = last && at_ != field && at_[-1] == '\r' ? at_ - 1 : at_;
            fields_.emplace_back(field, static_cast<std::size_t>(field_end - field));
        }
        if (at_ == end_) return Status::row;
        if (*at_ == ',') {
            ++at_;
            continue;
        }
        if (*at_ == '\r') {
            if (at_ + 1 == end_ && !whole) return Status::more;
            if (at_ + 1 != end_ && at_[1] == '\n') ++at_;
        }
        if (*at_ != '\n') {
            return skip_line(at_, "text after a closing quote; expected a comma or the end of the line");
        }
        ++at_;
        ++line_;
        return Status::row;
    }
}

CsvReader::Status CsvReader::quoted_field(bool whole) {
    const char* piece = ++at_;
    std::size_t offset = std::string::npos;  // Into unquoted_, once a quote had to be undone.
    for (;;) {
        const auto* const quote =
            static_cast<const char*>(std::memchr(at_, '"', static_cast<std::size_t>(end_ - at_)));
        if (quote == nullptr || (quote + 1 == end_ && !whole)) {
            return whole ? Status::faulty : Status::more;
        }
        line_ += static_cast<std::uint32_t>(std::count(at_, quote, '\n'));
        at_ = quote + 1;
        const std::string_view text{piece, static_cast<std::size_t>(quote - piece)};
        if (at_ != end_ && *at_ == '"') {
            if (offset == std::string::npos) {
                unquoted_.reserve(kRowBytesMax);  // It never grows, so that views into it stay good.
                offset = unquoted_.size();
            }
            unquoted_.append(text).push_back('"');
            piece = ++at_;
            continue;
        }
        if (offset == std::string::npos) {
            fields_.push_back(text);
        } else {
            unquoted_.append(text);
            fields_.push_back(std::string_view{unquoted_}.substr(offset));
        }
        return Status::row;
    }
}

CsvReader::Status CsvReader::skip_line(const char* from, std::string_view error) {
    error_ = error;
    at_ = from;
    skipping_ = true;
    (void)skip_on();
    return Status::faulty;
}

bool CsvReader::skip_on() {
    const auto* const end =
        static_cast<const char*>(std::memchr(at_, '\n', static_cast<std::size_t>(text_end_ - at_)));
    at_ = end == nullptr ? text_end_ : end + 1;
    if (end != nullptr) ++line_;
    skipping_ = end == nullptr;
    return end != nullptr;
}

std::string shown(std::string_view value) {
    constexpr std::size_t kShownMax = 40;
    std::string text = "\"";
    for (const char c : value.substr(0, kShownMax))
        text.push_back(c >= ' ' && c < '\x7F' && c != '"' ? c : '?');
    text += value.size() > kShownMax ? "…\"" : "\"";
    return text;
}

void append_field(std::string& csv, std::string_view text) {
    if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
        csv.append(text);
        return;
    }
    csv.push_back('"');
    for (const char c : text) {
        if (c == '"') csv.push_back('"');
        csv.push_back(c);
    }
    csv.push_back('"');
}

}  // namespace tollgate::rating
