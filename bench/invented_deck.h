/// Decks for benchmarks: many prefixes, most of them below shorter ones, as in real price lists.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "rating/deck_csv.h"

namespace tollgate::bench {

/// `count` different prefixes of 1 to 9 digits, sorted; half of them 4 to 7 digits long. Always the same
/// ones.
inline std::vector<std::string> invented_prefixes(std::size_t count) {
    std::mt19937_64 random{20'261'121};
    std::set<std::string> prefixes;
    for (char digit = '1'; digit <= '9'; ++digit)
        prefixes.insert(std::string(1, digit));
    std::vector<std::string> known(prefixes.begin(), prefixes.end());
    while (prefixes.size() < count) {
        // Most lie below one that is there already, as area codes below countries do.
        std::string prefix = known[random() % known.size()];
        prefix += std::to_string(random() % 1'000).substr(0, 1 + random() % 3);
        if (prefix.size() > 9 || !prefixes.insert(prefix).second) continue;
        known.push_back(prefix);
    }
    return {prefixes.begin(), prefixes.end()};
}

/// Numbers to dial: a prefix, then more digits, 12 in all.
inline std::vector<std::string> invented_numbers(const std::vector<std::string>& prefixes,
                                                 std::size_t count) {
    std::mt19937_64 random{7};
    std::vector<std::string> numbers;
    for (std::size_t i = 0; i < count; ++i) {
        std::string number = prefixes[random() % prefixes.size()];
        while (number.size() < 12)
            number += static_cast<char>('0' + random() % 10);
        numbers.push_back(number);
    }
    return numbers;
}

inline std::shared_ptr<const rating::Deck> invented_deck(const std::vector<std::string>& prefixes,
                                                         unsigned level) {
    std::string csv = "prefix,rate_per_minute,initial_increment,increment\n";
    std::mt19937_64 random{level};
    for (const auto& prefix : prefixes) {
        csv += prefix + ",0." + std::to_string(1'000 + random() % 9'000) +
               (random() % 4 == 0 ? ",30,6\n" : ",1,1\n");
    }
    return rating::read_deck_csv(csv, {}).deck;
}

}  // namespace tollgate::bench
