#include "rating/deck.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <stdexcept>

namespace tollgate::rating {
namespace {

constexpr std::uint64_t mixed(std::uint64_t hash, std::uint64_t value) noexcept {
    hash = (hash ^ value) * 0x9E37'79B9'7F4A'7C15ULL;
    return hash ^ hash >> 29;
}

std::uint64_t hash_of(const Rate& rate) noexcept {
    std::uint64_t hash = rate.tiers.size();
    const auto mix = [&hash](std::int64_t value) { hash = mixed(hash, static_cast<std::uint64_t>(value)); };
    mix(rate.price.nanos());
    mix(rate.connect_fee.nanos());
    mix(rate.disconnect_fee.nanos() ^ rate.min_charge.nanos() << 1);
    mix(rate.max_charge ? rate.max_charge->nanos() : -1);
    mix(std::int64_t{rate.initial_increment} << 32 ^ rate.increment);
    mix(std::int64_t{rate.grace_seconds} << 32 ^ rate.included_seconds);
    mix(std::int64_t{rate.disconnect_after} << 1 ^ (rate.blocked ? 1 : 0));
    for (const Tier& tier : rate.tiers) {
        mix(std::int64_t{tier.from} << 32 ^ tier.increment);
        mix(tier.price.nanos());
    }
    return hash;
}

std::uint64_t hash_of(std::string_view text) noexcept {
    std::uint64_t hash = text.size();
    for (; text.size() > 8; text.remove_prefix(8)) {
        std::uint64_t word = 0;
        std::copy_n(text.data(), 8, reinterpret_cast<char*>(&word));
        hash = mixed(hash, word);
    }
    std::uint64_t word = 0;
    std::copy(text.begin(), text.end(), reinterpret_cast<char*>(&word));
    return mixed(hash, word);
}

/// Numbers things in the order of their first appearance, each once: an open-addressing index over a list
/// that somebody else keeps.
class Numbering {
  public:
    /// The number of what `is` accepts; where there is none, the next one, and `make` is called to append it.
    template <typename Is, typename Make>
    std::uint32_t number(std::uint64_t hash, const Is& is, const Make& make) {
        if ((count_ + 1) * 2 > slots_.size()) grow();
        const std::size_t mask = slots_.size() - 1;
        for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
            Slot& slot = slots_[at];
            if (slot.number == kEmpty) {
                make();
                slot = {static_cast<std::uint32_t>(hash >> 32), count_};
                hashes_.push_back(hash);
                return count_++;
            }
            if (slot.check == static_cast<std::uint32_t>(hash >> 32) && is(slot.number)) return slot.number;
        }
    }

  private:
    static constexpr std::uint32_t kEmpty = UINT32_MAX;
    struct Slot {
        std::uint32_t check = 0;
        std::uint32_t number = kEmpty;
    };
    void grow() {
        slots_.assign(std::max<std::size_t>(slots_.size() * 2, 64), Slot{});
        const std::size_t mask = slots_.size() - 1;
        for (std::uint32_t number = 0; number < count_; ++number) {
            std::size_t at = hashes_[number] & mask;
            while (slots_[at].number != kEmpty)
                at = (at + 1) & mask;
            slots_[at] = {static_cast<std::uint32_t>(hashes_[number] >> 32), number};
        }
    }
    std::vector<Slot> slots_;
    std::vector<std::uint64_t> hashes_;
    std::uint32_t count_ = 0;
};

/// Which whole second a moment lies in.
std::int64_t second_of(Instant instant) noexcept {
    return std::chrono::floor<std::chrono::seconds>(instant).time_since_epoch().count();
}

}  // namespace

struct DeckBuilder::State {
    struct Pending {
        Prefix prefix;
        std::int32_t weight;
        std::uint32_t validity;
        std::uint32_t rate;
        std::uint32_t destination;
        std::uint32_t line;
        std::uint16_t window;
        std::array<char, 2> country;
    };

    std::shared_ptr<Deck> deck = std::make_shared<Deck>();
    std::vector<Pending> rows;
    Numbering rates;
    Numbering destinations;
    Numbering validities;

    [[nodiscard]] std::string_view view(Deck::Text text) const noexcept {
        return std::string_view{deck->texts_}.substr(text.offset, text.size);
    }
    [[nodiscard]] Instant from(const Pending& row) const noexcept {
        return deck->validities_[row.validity].from;
    }
    /// Whether `a` comes before `b`: by prefix, then by what goes before at the same moment.
    [[nodiscard]] bool before(const Pending& a, const Pending& b) const noexcept {
        if (a.prefix != b.prefix) return a.prefix < b.prefix;
        if (a.weight != b.weight) return a.weight > b.weight;
        if ((a.window != 0) != (b.window != 0)) return a.window != 0;
        return from(a) > from(b);
    }

    std::uint32_t rate_of(const Rate& rate) {
        auto& known = deck->rates_;
        // Neighbours in a price list often cost the same.
        if (!rows.empty() && known[rows.back().rate] == rate) return rows.back().rate;
        return rates.number(
            hash_of(rate), [&](std::uint32_t number) { return known[number] == rate; },
            [&] { known.push_back(rate); });
    }
    std::uint32_t destination_of(std::string_view text) {
        auto& known = deck->destinations_;
        if (!rows.empty() && view(known[rows.back().destination]) == text) return rows.back().destination;
        return destinations.number(
            hash_of(text), [&](std::uint32_t number) { return view(known[number]) == text; },
            [&] {
                if (deck->texts_.size() + text.size() > std::numeric_limits<std::uint32_t>::max()) {
                    throw std::length_error("the names of a deck take more than 4 GiB");
                }
                known.push_back({static_cast<std::uint32_t>(deck->texts_.size()),
                                 static_cast<std::uint32_t>(text.size())});
                deck->texts_.append(text);
            });
    }
    std::uint32_t validity_of(Instant from, Instant until) {
        if (from == kAlways && until == kNever) return 0;
        auto& known = deck->validities_;
        if (!rows.empty() && known[rows.back().validity].from == from &&
            known[rows.back().validity].until == until) {
            return rows.back().validity;
        }
        const auto number = [](Instant at) {
            return static_cast<std::uint64_t>(at.time_since_epoch().count());
        };
        // Number 0 stands there from the beginning.
        return 1 +
               validities.number(
                   mixed(number(from), number(until)),
                   [&](std::uint32_t i) { return known[i + 1].from == from && known[i + 1].until == until; },
                   [&] {
                       known.push_back({from, until});
                   });
    }
    std::uint16_t window_of(std::string_view name) {
        if (name.empty()) return 0;
        auto& known = deck->windows_;
        auto at = std::find(known.begin(), known.end(), name);
        if (at == known.end()) at = known.insert(known.end(), std::string{name});
        return static_cast<std::uint16_t>(at - known.begin() + 1);
    }
};

DeckBuilder::DeckBuilder() : state_(std::make_unique<State>()) {
    state_->deck->validities_.emplace_back();
}
DeckBuilder::~DeckBuilder() = default;
DeckBuilder::DeckBuilder(DeckBuilder&&) noexcept = default;
DeckBuilder& DeckBuilder::operator=(DeckBuilder&&) noexcept = default;

void DeckBuilder::add(const RowSource& row) {
    auto& state = *state_;
    const std::uint32_t validity = state.validity_of(row.effective_from, row.effective_until);
    const std::uint32_t rate = state.rate_of(row.rate);
    const std::uint32_t destination = state.destination_of(row.destination);
    const std::uint16_t window = state.window_of(row.window);
    // Filled where it stays: to copy at once what was written in pieces a moment ago stalls the processor.
    State::Pending& pending = state.rows.emplace_back();
    pending.prefix = row.prefix;
    pending.weight = row.weight;
    pending.validity = validity;
    pending.rate = rate;
    pending.destination = destination;
    pending.line = row.line;
    pending.window = window;
    pending.country = row.country;
}

std::size_t DeckBuilder::row_count() const noexcept {
    return state_->rows.size();
}
std::size_t DeckBuilder::window_count() const noexcept {
    return state_->deck->windows_.size();
}

std::shared_ptr<const Deck> DeckBuilder::build(Problems& problems) {
    State state = std::move(*state_);
    *this = DeckBuilder{};
    auto& rows = state.rows;
    Deck& deck = *state.deck;
    const auto before = [&state](const State::Pending& a, const State::Pending& b) {
        return state.before(a, b);
    };
    if (!std::is_sorted(rows.begin(), rows.end(), before)) std::stable_sort(rows.begin(), rows.end(), before);

    deck.rows_.reserve(rows.size());
    deck.details_.reserve(rows.size());
    deck.prefixes_.reserve(rows.size());
    deck.first_rows_.reserve(rows.size() + 1);
    deck.shorter_.reserve(rows.size());
    std::vector<std::uint32_t> above;  // Prefixes that the next one may lie below.
    for (std::size_t first = 0; first < rows.size();) {
        const Prefix prefix = rows[first].prefix;
        std::size_t end = first + 1;
        bool windowed = rows[first].window != 0;
        for (; end < rows.size() && rows[end].prefix == prefix; ++end) {
            const auto& a = rows[end - 1];
            const auto& b = rows[end];
            windowed = windowed || b.window != 0;
            if (a.window == b.window && a.weight == b.weight && state.from(a) == state.from(b)) {
                problems.ties.push_back({std::max(a.line, b.line), std::min(a.line, b.line), prefix});
            }
        }
        if (end - first > kRowsPerPrefixMax) {
            problems.too_many.push_back({rows[first + kRowsPerPrefixMax].line, rows[first].line, prefix});
            end = first + kRowsPerPrefixMax;
        }
        const auto number = static_cast<std::uint32_t>(deck.prefixes_.size());
        while (!above.empty() && !deck.prefixes_[above.back()].begins(prefix))
            above.pop_back();
        deck.shorter_.push_back(above.empty() ? Deck::kNoRow : deck.first_rows_[above.back()]);
        above.push_back(number);
        deck.prefixes_.push_back(prefix);
        deck.first_rows_.push_back(static_cast<Deck::RowIndex>(deck.rows_.size()));
        const bool may_change = windowed && end - first > 1;
        for (std::size_t i = first; i < end; ++i) {
            const auto& row = rows[i];
            std::uint32_t rate = row.rate;
            if (may_change) {
                Rate changing = deck.rates_[rate];
                changing.may_change = true;
                rate = state.rates.number(
                    hash_of(changing) + 1,
                    [&](std::uint32_t known) { return deck.rates_[known] == changing; },
                    [&] { deck.rates_.push_back(changing); });
            }
            deck.rows_.push_back(
                {rate, number, row.validity, row.window, static_cast<std::uint16_t>(end - 1 - i)});
            deck.details_.push_back({row.destination, row.line, row.weight, row.country});
        }
        while (end < rows.size() && rows[end].prefix == prefix)
            ++end;  // Beyond the most: refused anyway.
        first = end;
    }
    deck.first_rows_.push_back(static_cast<Deck::RowIndex>(deck.rows_.size()));
    const auto shrink = [](auto&... lists) { (lists.shrink_to_fit(), ...); };
    for (Rate& rate : deck.rates_)
        rate.plain = is_plain(rate);
    shrink(deck.rates_, deck.validities_, deck.prefixes_, deck.first_rows_, deck.shorter_, deck.destinations_,
           deck.texts_);
    return std::move(state.deck);
}

Deck::Entrance Deck::entrance(std::size_t prefix) const noexcept {
    const RowIndex first = first_rows_[prefix];
    const StoredRow& row = rows_[first];
    const bool always = row.more == 0 && row.validity == 0 && row.window == 0;
    return {first, always ? row.rate : Entrance::kLook};
}

Deck::RowIndex Deck::look(RowIndex first, Instant start, const Calendar& calendar) const noexcept {
    LocalTime local{};
    bool local_known = false;
    for (; first != kNoRow; first = shorter_[rows_[first].prefix]) {
        const RowIndex last = first + rows_[first].more;
        for (RowIndex index = first; index <= last; ++index) {
            const StoredRow& row = rows_[index];
            if (!effective(row, start)) continue;
            if (row.window == 0) return index;
            if (!local_known) {
                const std::int64_t second = second_of(start);
                local = local_time(second + calendar.zone_at(second).offset);
                local_known = true;
            }
            if (contains(calendar.window(row.window), local)) return index;
        }
    }
    return kNoRow;
}

Deck::RowIndex Deck::at(RowIndex row, Instant start, std::int64_t second, const Calendar& calendar,
                        std::int64_t& until) const noexcept {
    const auto zone = calendar.zone_at(second);
    const LocalTime local = local_time(second + zone.offset);
    const std::size_t prefix = rows_[row].prefix;
    RowIndex best = kNoRow;
    std::int32_t border = kDaySeconds;
    for (RowIndex index = first_rows_[prefix]; index < first_rows_[prefix + 1]; ++index) {
        const StoredRow& candidate = rows_[index];
        if (!effective(candidate, start)) continue;
        if (candidate.window == 0) {
            if (best == kNoRow) best = index;
            continue;
        }
        const Window& window = calendar.window(candidate.window);
        border = std::min(border, next_border(window, local.clock));
        if (best == kNoRow && contains(window, local)) best = index;
    }
    until = std::min(second + (border - local.clock), zone.until);
    return best == kNoRow ? row : best;
}

Row Deck::row(RowIndex index) const noexcept {
    const StoredRow& row = rows_[index];
    const RowDetails& details = details_[index];
    const Text destination = destinations_[details.destination];
    return {.rate = &rates_[row.rate],
            .prefix = prefixes_[row.prefix],
            .destination = std::string_view{texts_}.substr(destination.offset, destination.size),
            .country = details.country[0] == '\0'
                           ? std::string_view{}
                           : std::string_view{details.country.data(), details.country.size()},
            .window = row.window == 0 ? std::string_view{} : std::string_view{windows_[row.window - 1]},
            .weight = details.weight,
            .effective_from = validities_[row.validity].from,
            .effective_until = validities_[row.validity].until,
            .line = details.line};
}

std::size_t Deck::find(Prefix prefix) const noexcept {
    const auto at = std::lower_bound(prefixes_.begin(), prefixes_.end(), prefix);
    return at != prefixes_.end() && *at == prefix ? static_cast<std::size_t>(at - prefixes_.begin())
                                                  : prefixes_.size();
}

Deck::Entrance Deck::longest(std::string_view number) const noexcept {
    for (std::size_t size = std::min(number.size(), kPrefixDigitsMax) + 1; size-- > 0;) {
        const auto prefix = size == 0 ? Prefix{} : Prefix::parse(number.substr(0, size));
        if (!prefix) continue;
        if (const std::size_t at = find(*prefix); at < prefixes_.size()) return entrance(at);
    }
    return {};
}

std::size_t Deck::bytes() const noexcept {
    const auto bytes_of = [](const auto&... lists) {
        return (... + (lists.capacity() * sizeof(*lists.data())));
    };
    return bytes_of(rows_, rates_, validities_, prefixes_, first_rows_, shorter_, details_, destinations_,
                    texts_);
}

std::vector<WindowFault> window_faults(const Deck& deck, const TariffSettings& settings, std::size_t most) {
    std::vector<WindowFault> faults;
    const auto names = deck.window_names();
    std::vector<const Window*> windows(names.size() + 1);
    for (std::size_t i = 0; i < names.size(); ++i)
        windows[i + 1] = settings.window(names[i]);
    // Whether two windows can hold at once, for each pair.
    std::vector<bool> overlaps(windows.size() * windows.size());
    for (std::size_t a = 1; a < windows.size(); ++a) {
        for (std::size_t b = 1; b < windows.size(); ++b) {
            overlaps[a * windows.size() + b] =
                windows[a] != nullptr && windows[b] != nullptr && overlap(*windows[a], *windows[b]);
        }
    }
    if (names.empty()) return faults;
    for (Deck::RowIndex index = 0; index < deck.row_count() && faults.size() < most; ++index) {
        const std::size_t window = deck.window(index);
        if (window == 0) continue;
        const Row row = deck.row(index);
        if (windows[window] == nullptr) {
            faults.push_back({row.line, "\"" + names[window - 1] +
                                            "\": the tariff's settings have no window of that name"});
            continue;
        }
        // Those that tie with it stand behind it.
        for (Deck::RowIndex other = index + 1;
             other < deck.row_count() && deck.prefix(other) == row.prefix && deck.window(other) != 0;
             ++other) {
            const Row rival = deck.row(other);
            if (rival.weight != row.weight || rival.effective_from != row.effective_from) break;
            if (!overlaps[window * windows.size() + deck.window(other)]) continue;
            faults.push_back(
                {std::max(row.line, rival.line),
                 "prefix " + std::string{row.prefix.text().view()} + " has another row, in line " +
                     std::to_string(std::min(row.line, rival.line)) + ", of which the window \"" +
                     std::string{(row.line < rival.line ? row : rival).window} +
                     "\" holds at the same time; expected one to go before the other by its weight"});
            if (faults.size() == most) break;
        }
    }
    std::sort(faults.begin(), faults.end(),
              [](const WindowFault& a, const WindowFault& b) { return a.line < b.line; });
    return faults;
}

Calendar calendar_of(const Deck& deck, const TariffSettings& settings) {
    std::vector<Window> windows;
    for (const std::string& name : deck.window_names()) {
        const Window* const window = settings.window(name);
        assert(window != nullptr);
        windows.push_back(*window);
    }
    return {settings.zone, std::move(windows)};
}

}  // namespace tollgate::rating
