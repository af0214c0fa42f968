#include "bench/market.h"

#include <cstdlib>
#include <fstream>
#include <map>
#include <random>
#include <string>

#include <malloc.h>

#include "bench/invented_deck.h"

namespace tollgate::bench {
namespace {

using rating::Prefix;

/// Those of the file; none where none is named.
std::vector<Prefix> real_prefixes() {
    std::vector<Prefix> prefixes;
    const char* const file = std::getenv("TOLLGATE_BENCH_PREFIXES");
    if (file == nullptr) return prefixes;
    std::ifstream lines{file};
    for (std::string line; std::getline(lines, line);) {
        const auto prefix =
            Prefix::parse(std::string_view{line}.substr(0, line.find_first_not_of("0123456789")));
        if (prefix) prefixes.push_back(*prefix);
    }
    std::sort(prefixes.begin(), prefixes.end());
    prefixes.erase(std::unique(prefixes.begin(), prefixes.end()), prefixes.end());
    return prefixes;
}

/// `count` of them, at random and in order.
std::vector<Prefix> some_of(std::span<const Prefix> prefixes, std::size_t count, std::uint64_t seed) {
    std::vector<Prefix> some;
    some.reserve(count);
    std::sample(prefixes.begin(), prefixes.end(), std::back_inserter(some), count, std::mt19937_64{seed});
    return some;
}

std::vector<Prefix> make_prefixes(std::size_t count) {
    static const auto real = real_prefixes();
    if (real.size() >= count) return some_of(real, count, 1);
    std::vector<Prefix> prefixes;
    prefixes.reserve(count);
    for (const auto& text : invented_prefixes(count))
        prefixes.push_back(*Prefix::parse(text));
    return prefixes;
}

std::vector<Number> make_numbers(const std::vector<Prefix>& prefixes) {
    std::mt19937_64 random{7};
    std::vector<Number> numbers;
    numbers.reserve(kNumbers);
    while (numbers.size() < kNumbers) {
        std::string number{prefixes[random() % prefixes.size()].text().view()};
        while (number.size() < 12)
            number += static_cast<char>('0' + random() % 10);
        numbers.emplace_back(number);
    }
    return numbers;
}

std::unique_ptr<rating::TariffBook> make_book(std::size_t prefix_count) {
    auto book = std::make_unique<rating::TariffBook>(1);
    const auto& prefixes = market_prefixes(prefix_count * 6 / 5);
    const std::size_t tariffs = prefix_count > 250'000 ? 3 : kLevelsMax;
    for (std::size_t i = 0; i < tariffs; ++i) {
        const std::string id = "tariff" + std::to_string(i);
        book->put_settings(id, {});
        if (!book->put_deck(id, deck_of(some_of(prefixes, prefix_count, i), i)).done()) std::abort();
    }
    return book;
}

/// What `make` makes, once for each argument.
template <typename Value, typename Make>
const Value& once(std::map<std::size_t, Value>& known, std::size_t argument, const Make& make) {
    auto found = known.find(argument);
    if (found == known.end()) found = known.emplace(argument, make(argument)).first;
    return found->second;
}

}  // namespace

const std::vector<Prefix>& market_prefixes(std::size_t count) {
    static std::map<std::size_t, std::vector<Prefix>> known;
    return once(known, count, make_prefixes);
}

const std::vector<Number>& market_numbers(std::size_t prefix_count) {
    static std::map<std::size_t, std::vector<Number>> known;
    return once(known, prefix_count, [](std::size_t count) { return make_numbers(market_prefixes(count)); });
}

std::shared_ptr<const rating::Deck> deck_of(std::span<const Prefix> prefixes, std::uint64_t seed) {
    PriceList prices{seed};
    rating::DeckBuilder builder;
    rating::RowSource row;
    for (const Prefix prefix : prefixes) {
        const auto price = prices.next(prefix);
        row.prefix = prefix;
        row.rate.price = rating::Price::from_nanos(price.nanos);
        row.rate.initial_increment = price.half_minute_steps ? 30 : 1;
        row.rate.increment = price.half_minute_steps ? 6 : 1;
        builder.add(row);
    }
    rating::DeckBuilder::Problems problems;
    return builder.build(problems);
}

const rating::TariffBook& market_book(std::size_t prefix_count) {
    static std::map<std::size_t, std::unique_ptr<rating::TariffBook>> known;
    return *once(known, prefix_count, make_book);
}

std::size_t heap_bytes() noexcept {
    const auto info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

}  // namespace tollgate::bench
