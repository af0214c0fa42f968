#include "bench/load/word_list.h"

#include <fstream>
#include <limits>

#include "rating/csv.h"
#include "rating/decimal.h"

namespace tollgate::bench::load {
namespace {

ReadWords read_file(const std::string& path) {
    ReadWords read;
    std::ifstream in{path};
    if (!in) {
        read.fault.append(path).append(": cannot be read; name a file with a name in each line");
        return read;
    }
    for (std::string word; std::getline(in, word);) {
        if (!word.empty() && word.back() == '\r') word.pop_back();
        if (word.empty() || word.size() > kWordBytesMax) {
            read.fault.append(path).append(":").append(std::to_string(read.words.size() + 1));
            read.fault += ": expected a name of 1 to 255 bytes";
            return read;
        }
        if (read.words.size() == kWordsMax) {
            read.fault.append(path).append(": more than 20000000 names; split the file");
            return read;
        }
        read.words.push_back(std::move(word));
    }
    if (read.words.empty()) read.fault.append(path).append(": is empty; expected a name in each line");
    return read;
}

}  // namespace

ReadWords read_words(std::string_view text) {
    if (text.starts_with('@')) return read_file(std::string{text.substr(1)});
    ReadWords read;
    const auto wrong = [&read, text](std::string_view what) {
        read.fault = rating::shown(text);
        read.fault.append(" ").append(what);
        read.fault += "; write one name, a range (l{0..999}), or @FILE with a name in each line";
        return read;
    };
    const auto open = text.find('{');
    if (open == std::string_view::npos) {
        if (text.empty() || text.size() > kWordBytesMax) return wrong("is no name of 1 to 255 bytes");
        read.words.emplace_back(text);
        return read;
    }
    const auto close = text.find('}', open);
    const auto dots = text.find("..", open);
    if (close == std::string_view::npos || dots == std::string_view::npos || dots > close)
        return wrong("has a { without a range");
    const auto first_text = text.substr(open + 1, dots - open - 1);
    const auto last_text = text.substr(dots + 2, close - dots - 2);
    constexpr auto kMost = std::uint64_t{std::numeric_limits<std::int64_t>::max()};
    const auto first = rating::parse_unsigned(first_text, kMost);
    const auto last = rating::parse_unsigned(last_text, kMost);
    if (!first || !last || *first > *last) return wrong("has no range of whole numbers");
    if (*last - *first >= kWordsMax) return wrong("is more than 20000000 names");
    if (text.size() > kWordBytesMax) return wrong("is longer than 255 bytes");

    const bool is_padded = first_text.size() > 1 && first_text.front() == '0';
    for (std::uint64_t number = *first; number <= *last; ++number) {
        const std::string digits = std::to_string(number);
        std::string word{text.substr(0, open)};
        if (is_padded && digits.size() < first_text.size())
            word.append(first_text.size() - digits.size(), '0');
        read.words.push_back(word.append(digits).append(text.substr(close + 1)));
    }
    return read;
}

}  // namespace tollgate::bench::load
