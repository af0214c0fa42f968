// What must hold of the tree of all decks and its columns, whatever decks come in whatever order: every
// tariff finds what a search through its own prefixes, from the longest to `*`, finds.
//
// An input is lines. `A49,4930!,4x,*` puts a deck in force for tariff A: a prefix with `!` has expired, and
// `x` stands for each digit. `<A` goes back to the oldest deck that is kept. `?4930,1x` asks all tariffs.
// Every prefix that comes up is asked for at the end too, with a digit more and one less.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "rating/digits.h"
#include "rating/tariff_book.h"

namespace tollgate::rating {
namespace {

constexpr std::size_t kTariffs = 3;
constexpr std::size_t kLinesChecked = 8;  // A put builds the tree anew, which takes its time.
constexpr std::size_t kTextsAWordMax = 100;

constexpr Instant kAsked{};  // The epoch.
constexpr Instant kExpired = kAsked - std::chrono::seconds{1};

void require(bool holds, const char* property) {
    if (holds) return;
    std::fprintf(stderr, "property broken: %s\n", property);
    std::abort();
}

/// Prefixes as text, `*` among them, and whether they are in effect.
using Model = std::map<std::string, bool>;

/// Every text that a word with `x` stands for; none where that is too much.
std::vector<std::string> expanded(std::string_view word) {
    std::vector<std::string> texts{""};
    for (const char c : word) {
        if (c != 'x') {
            for (auto& text : texts)
                text += c;
            continue;
        }
        if (texts.size() * 10 > kTextsAWordMax) return {};
        std::vector<std::string> longer;
        for (const auto& text : texts) {
            for (char digit = '0'; digit <= '9'; ++digit)
                longer.push_back(text + digit);
        }
        texts = std::move(longer);
    }
    return texts;
}

/// Calls `take` with each word of a line.
template <typename Take>
void for_each_word(std::string_view line, const Take& take) {
    while (!line.empty()) {
        const auto word = line.substr(0, line.find(','));
        line.remove_prefix(std::min(word.size() + 1, line.size()));
        take(word);
    }
}

Model parse_deck(std::string_view line) {
    Model model;
    for_each_word(line, [&model](std::string_view word) {
        const bool expired = word.ends_with('!');
        if (expired) word.remove_suffix(1);
        for (const auto& text : expanded(word)) {
            if (Prefix::parse(text)) model.emplace(text, !expired);
        }
    });
    return model;
}

std::shared_ptr<const Deck> build(const Model& model) {
    DeckBuilder builder;
    // Not in order: the builder sorts.
    for (auto entry = model.rbegin(); entry != model.rend(); ++entry) {
        RowSource row;
        row.prefix = *Prefix::parse(entry->first);
        if (!entry->second) row.effective_until = kExpired;
        builder.add(row);
    }
    DeckBuilder::Problems problems;
    auto deck = builder.build(problems);
    require(problems.empty() && deck != nullptr, "one row a prefix makes a deck");
    return deck;
}

/// The definition: from the longest prefix that is in effect to `*`; empty: none.
std::string longest(const Model& model, std::string_view number) {
    for (std::size_t size = number.size(); size > 0; --size) {
        const auto found = model.find(std::string{number.substr(0, size)});
        if (found != model.end() && found->second) return found->first;
    }
    const auto fallback = model.find("*");
    return fallback != model.end() && fallback->second ? "*" : "";
}

class Check {
  public:
    Check() {
        for (std::size_t i = 0; i < kTariffs; ++i)
            book_.put_settings(name(i), {});
    }

    void put(std::size_t tariff, std::string_view line) {
        Model model = parse_deck(line);
        for (const auto& [text, in_effect] : model)
            texts_.insert(text);
        const auto result = book_.put_deck(name(tariff), build(model));
        require(result.status == TariffBook::PutStatus::replaced, "a deck is put in force");
        by_version_[tariff].insert_or_assign(result.number, std::move(model));
    }

    void roll_back(std::size_t tariff) {
        const auto history = book_.history(id(tariff));
        const auto oldest = std::find_if(history.begin(), history.end(),
                                         [](const auto& version) { return version->deck != nullptr; });
        if (oldest == history.end()) return;
        const auto result = book_.roll_back(name(tariff), (*oldest)->number);
        require(result.status == TariffBook::PutStatus::replaced, "a deck that is kept comes back");
        by_version_[tariff][result.number] = by_version_[tariff][(*oldest)->number];
    }

    void ask(std::string_view number) const {
        if (number.size() > kDigitsMax) return;
        const auto reading = book_.read();
        const auto place = reading.place(number);
        for (std::size_t i = 0; i < kTariffs; ++i) {
            const TariffVersion& version = reading.version(id(i));
            const auto row = reading.find(id(i), place, kAsked).row;
            const auto model = by_version_[i].find(version.number);
            if (version.deck == nullptr) {
                require(row == Deck::kNoRow && model == by_version_[i].end(), "no deck, no row");
                continue;
            }
            require(model != by_version_[i].end(), "the version in force is one that was put");
            const std::string expected = longest(model->second, number);
            require((row == Deck::kNoRow) == expected.empty(), "a row where a prefix matches");
            if (row == Deck::kNoRow) continue;
            require(version.deck->prefix(row).text().view() == expected, "the longest prefix in effect");
            require(
                version.deck->in_effect(version.deck->longest(number), kAsked, version.calendar).row == row,
                "a binary search finds the same row");
        }
    }

    void ask_all() const {
        ask("");
        for (const auto& text : texts_) {
            if (text == "*") continue;
            ask(text);
            ask(text + '0');
            ask(text + '9');
            ask(std::string_view{text}.substr(0, text.size() - 1));
        }
    }

  private:
    static std::string name(std::size_t tariff) { return std::string(1, static_cast<char>('A' + tariff)); }
    static TariffId id(std::size_t tariff) { return static_cast<TariffId>(tariff); }

    TariffBook book_;
    std::array<std::map<std::uint32_t, Model>, kTariffs> by_version_;
    std::set<std::string> texts_;
};

void check(std::string_view input) {
    Check check;
    for (std::size_t i = 0; i < kLinesChecked && !input.empty(); ++i) {
        const std::string_view line = input.substr(0, input.find('\n'));
        input.remove_prefix(std::min(line.size() + 1, input.size()));
        if (line.empty()) continue;
        const auto tariff_of = [](char c) { return static_cast<unsigned char>(c) % kTariffs; };
        if (line.front() == '?') {
            for_each_word(line.substr(1), [&check](std::string_view word) {
                for (const auto& text : expanded(word)) {
                    if (Digits::parse(text) && text.front() != '+') check.ask(text);
                }
            });
        } else if (line.front() == '<') {
            check.roll_back(line.size() < 2 ? 0 : tariff_of(line[1]));
        } else {
            check.put(tariff_of(line.front()), line.substr(1));
        }
    }
    check.ask_all();
}

}  // namespace
}  // namespace tollgate::rating

// NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // A span of chars may look at any bytes; nothing is written through this one.
    tollgate::rating::check({reinterpret_cast<const char*>(data), size});
    return 0;
}
