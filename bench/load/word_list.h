/// Many names: lines, numbers to dial, customers.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::bench::load {

/// The most names of one list, and the longest one in bytes.
inline constexpr std::size_t kWordsMax = 20'000'000;
inline constexpr std::size_t kWordBytesMax = 255;

struct ReadWords {
    std::vector<std::string> words;
    std::string fault;  ///< What is wrong, without the option's name.
};

/// `l{0..999}` is l0 to l999, `49{000..199}` keeps the zeros in front, `@FILE` is a file with a name in each
/// line, and anything else is one name.
[[nodiscard]] ReadWords read_words(std::string_view text);

}  // namespace tollgate::bench::load
