#include "rating/deck.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <unordered_map>

namespace tollgate::rating {
namespace {

struct RateHash {
    std::size_t operator()(const Rate& rate) const noexcept {
        std::size_t hash = 0;
        const auto mix = [&hash](std::int64_t value) {
            hash = (hash ^ static_cast<std::size_t>(value)) * 0x9E37'79B9'7F4A'7C15ULL;
            hash ^= hash >> 29;
        };
        mix(rate.price.nanos());
        mix(rate.connect_fee.nanos());
        mix(rate.disconnect_fee.nanos());
        mix(rate.min_charge.nanos());
        mix(rate.max_charge ? rate.max_charge->nanos() : -1);
        mix((std::int64_t{rate.initial_increment} << 32) ^ rate.increment);
        mix((std::int64_t{rate.grace_seconds} << 32) ^ rate.included_seconds);
        mix((std::int64_t{rate.disconnect_after} << 1) ^ (rate.blocked ? 1 : 0));
        return hash;
    }
};

constexpr std::string_view kFallbackPrefix = "*";

}  // namespace

struct DeckBuilder::State {
    struct Pending {
        std::string prefix;
        Instant effective_from;
        Instant effective_until;
        std::uint32_t rate;
        std::uint32_t destination;
        std::array<char, 2> country;
        std::uint64_t line;
    };

    std::vector<Pending> rows;
    std::unordered_map<Rate, std::uint32_t, RateHash> rate_numbers;
    std::unordered_map<std::string, std::uint32_t> destination_numbers;
};

DeckBuilder::DeckBuilder() : state_(std::make_unique<State>()) {}
DeckBuilder::~DeckBuilder() = default;
DeckBuilder::DeckBuilder(DeckBuilder&&) noexcept = default;
DeckBuilder& DeckBuilder::operator=(DeckBuilder&&) noexcept = default;

void DeckBuilder::add(const RowSource& row) {
    auto& state = *state_;
    const auto rate =
        state.rate_numbers.try_emplace(row.rate, static_cast<std::uint32_t>(state.rate_numbers.size()));
    const auto destination = state.destination_numbers.try_emplace(
        row.destination, static_cast<std::uint32_t>(state.destination_numbers.size()));
    std::array<char, 2> country{};
    if (row.country.size() == country.size())
        std::copy(row.country.begin(), row.country.end(), country.begin());
    state.rows.push_back({row.prefix, row.effective_from, row.effective_until, rate.first->second,
                          destination.first->second, country, row.line});
}

std::size_t DeckBuilder::row_count() const noexcept {
    return state_->rows.size();
}

std::shared_ptr<const Deck> DeckBuilder::build(std::vector<RowTie>& ties) {
    State state = std::move(*state_);
    *state_ = State{};
    auto& rows = state.rows;
    // `*` sorts before every digit, so the fallback comes first.
    const auto before = [](const State::Pending& a, const State::Pending& b) {
        if (const int order = a.prefix.compare(b.prefix); order != 0) return order < 0;
        return a.effective_from > b.effective_from;
    };
    if (!std::is_sorted(rows.begin(), rows.end(), before)) std::stable_sort(rows.begin(), rows.end(), before);
    for (std::size_t i = 1; i < rows.size(); ++i) {
        const auto& a = rows[i - 1];
        const auto& b = rows[i];
        if (a.prefix == b.prefix && a.effective_from == b.effective_from) {
            ties.push_back({std::max(a.line, b.line), std::min(a.line, b.line), a.prefix});
        }
    }
    if (!ties.empty()) return nullptr;

    auto deck = std::make_shared<Deck>();
    deck->rates_.resize(state.rate_numbers.size());
    for (const auto& [rate, number] : state.rate_numbers)
        deck->rates_[number] = rate;
    const auto keep_text = [&deck](std::string_view text) {
        if (deck->texts_.size() + text.size() > std::numeric_limits<std::uint32_t>::max()) {
            throw std::length_error("the names of a deck take more than 4 GiB");
        }
        const Deck::Text kept{static_cast<std::uint32_t>(deck->texts_.size()),
                              static_cast<std::uint32_t>(text.size())};
        deck->texts_.append(text);
        return kept;
    };
    deck->destinations_.resize(state.destination_numbers.size());
    for (const auto& [text, number] : state.destination_numbers)
        deck->destinations_[number] = keep_text(text);

    deck->rows_.reserve(rows.size());
    for (const auto& row : rows) {
        if (deck->prefixes_.empty() || deck->view(deck->prefixes_.back().text) != row.prefix) {
            deck->prefixes_.push_back(
                {keep_text(row.prefix), static_cast<Deck::RowIndex>(deck->rows_.size()), 0});
        }
        ++deck->prefixes_.back().row_count;
        deck->rows_.push_back({row.effective_from, row.effective_until, row.rate,
                               static_cast<std::uint32_t>(deck->prefixes_.size() - 1), row.destination,
                               row.country});
    }
    deck->prefixes_.shrink_to_fit();
    deck->texts_.shrink_to_fit();

    // The tree numbers the prefixes without the fallback; the deck puts the fallback last.
    auto& prefixes = deck->prefixes_;
    const bool has_fallback = !prefixes.empty() && deck->view(prefixes.front().text) == kFallbackPrefix;
    if (has_fallback) {
        std::rotate(prefixes.begin(), prefixes.begin() + 1, prefixes.end());
        for (auto& row : deck->rows_) {
            row.prefix = row.prefix == 0 ? static_cast<std::uint32_t>(prefixes.size() - 1) : row.prefix - 1;
        }
    }
    std::vector<std::string_view> texts;
    texts.reserve(prefixes.size());
    for (const auto& prefix : prefixes)
        texts.push_back(deck->view(prefix.text));
    if (has_fallback) texts.pop_back();
    deck->tree_ =
        PrefixTree{texts, has_fallback ? static_cast<PrefixTree::Index>(texts.size()) : PrefixTree::kNone};
    return deck;
}

Deck::RowIndex Deck::find(std::string_view number, Instant start) const noexcept {
    for (auto index = tree_.longest(number); index != PrefixTree::kNone; index = tree_.shorter(index)) {
        const StoredPrefix& prefix = prefixes_[index];
        for (RowIndex row = prefix.first_row; row < prefix.first_row + prefix.row_count; ++row) {
            if (rows_[row].effective_from <= start && start < rows_[row].effective_until) return row;
        }
    }
    return kNoRow;
}

Row Deck::row(RowIndex index) const noexcept {
    const StoredRow& row = rows_[index];
    return {&rates_[row.rate],
            view(prefixes_[row.prefix].text),
            view(destinations_[row.destination]),
            row.country[0] == '\0' ? std::string_view{}
                                   : std::string_view{row.country.data(), row.country.size()},
            row.effective_from,
            row.effective_until};
}

std::size_t Deck::bytes() const noexcept {
    return tree_.bytes() + prefixes_.capacity() * sizeof(StoredPrefix) +
           rows_.capacity() * sizeof(StoredRow) + rates_.capacity() * sizeof(Rate) +
           destinations_.capacity() * sizeof(Text) + texts_.capacity();
}

}  // namespace tollgate::rating
