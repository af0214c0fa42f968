#include "rating/describe.h"

#include <algorithm>
#include <string_view>

#include "rating/exact.h"

namespace tollgate::rating {
namespace {

/// A sum as a decimal number, cut with dots where it goes on beyond that many places.
std::string text_of(Exact sum) {
    constexpr Exact kExactPerUnit = kExactPerNano * 1'000'000'000;
    constexpr int kPlacesShown = 12;
    Exact rest = sum % kExactPerUnit;
    // A sum is far below what 64 bits hold: whatever is above kAmountMax is too large to be charged.
    std::string text =
        std::to_string(static_cast<std::int64_t>(std::min(sum / kExactPerUnit, Exact{INT64_MAX})));
    if (rest == 0) return text;
    text.push_back('.');
    for (int place = 0; place < kPlacesShown && rest != 0; ++place) {
        rest *= 10;
        text.push_back(static_cast<char>('0' + static_cast<int>(rest / kExactPerUnit)));
        rest %= kExactPerUnit;
    }
    return rest == 0 ? text : text + "...";
}

std::string number(std::int64_t value) {
    return std::to_string(value);
}

std::string price_text(Price price) {
    return std::string{format(price).view()};
}

std::string_view rounding_text(Rounding rounding) noexcept {
    switch (rounding) {
        case Rounding::up:
            return "rounded up";
        case Rounding::half_up:
            return "rounded half up";
        case Rounding::half_even:
            return "rounded half to even";
        case Rounding::down:
            return "rounded down";
    }
    return {};
}

/// Which row it is: enough to find it in the deck.
std::string row_text(const Row& row) {
    std::string text =
        row.prefix == Prefix{} ? "no prefix but *" : "prefix " + std::string{row.prefix.text().view()};
    if (!row.destination.empty()) text.append(" (").append(row.destination).append(")");
    if (!row.window.empty()) text.append(", window ").append(row.window);
    if (row.weight != 0) text.append(", weight ").append(number(row.weight));
    if (row.effective_from != kAlways) text.append(", from ").append(format(row.effective_from));
    if (row.effective_until != kNever) text.append(", until ").append(format(row.effective_until));
    if (row.line != 0) text.append(", line ").append(number(row.line));
    return text;
}

}  // namespace

std::string describe(const RatedCall& call, std::chrono::seconds duration) {
    const Deck& deck = *call.version->deck;
    const TariffSettings& settings = call.version->settings;
    std::string text = row_text(deck.row(call.row));
    const auto say = [&text](const std::string& what) { text.append("; ").append(what); };
    if (call.rate->blocked) say("it may not be called");
    if (duration.count() == 0) return text + "; no time, no charge";
    if (duration.count() <= call.rate->grace_seconds) {
        return text + "; " + number(duration.count()) + " s are within the grace of " +
               number(call.rate->grace_seconds) + " s: 0";
    }
    if (duration.count() <= call.bundled)
        return text + "; all " + number(duration.count()) + " s are bundled: 0";
    if (call.bundled > 0) {
        say("the first " + number(call.bundled) + " s are bundled, the rest is a call that begins there");
    }
    const PaidPart part = paid_part(call);
    const Rate& rate = *part.rate;
    const std::int64_t used = duration.count() - call.bundled;
    Exact sum = exact(rate.connect_fee);
    if (rate.connect_fee != Price{}) say("connect fee " + price_text(rate.connect_fee));
    if (part.included > 0) {
        say((call.bundled > 0 ? "its first " : "the first ") + number(part.included) + " s are included");
    }
    if (settings.markup != 0) {
        say("markup " + std::string{format_decimal(settings.markup, 4).view()} + " % on every price");
    }
    const auto parts = stretches(call, duration, kStretchesShown + 1);
    Deck::RowIndex row = call.row;
    for (std::size_t i = 0; i < std::min(parts.size(), kStretchesShown); ++i) {
        const Stretch& stretch = parts[i];
        if (stretch.row != row) {
            const std::string_view window = deck.row(stretch.row).window;
            say("from " + number(stretch.from) + " s on " +
                (window.empty() ? "the row without a window" : "window " + std::string{window}));
            row = stretch.row;
        }
        const Exact cost = exact(stretch.price, stretch.steps * stretch.step, settings);
        say(number(stretch.steps) + (stretch.steps == 1 ? " step of " : " steps of ") + number(stretch.step) +
            " s from " + number(stretch.from) + " s on at " + price_text(stretch.price) +
            " a minute = " + text_of(cost));
        sum += cost;
    }
    if (parts.size() > kStretchesShown) {
        say("and so on, for " + number(billed_seconds(call, duration).count()) + " billed seconds in all");
    }
    if (rate.disconnect_fee != Price{} && used >= rate.disconnect_after) {
        say("disconnect fee " + price_text(rate.disconnect_fee) +
            (rate.disconnect_after > 0 ? " from " + number(rate.disconnect_after) + " s on" : ""));
        sum += exact(rate.disconnect_fee);
    }
    if (parts.size() <= kStretchesShown) {
        say("sum " + text_of(sum));
        if (sum < exact(rate.min_charge)) say("at least " + price_text(rate.min_charge));
        if (rate.max_charge && std::max(sum, exact(rate.min_charge)) > exact(*rate.max_charge))
            say("at most " + price_text(*rate.max_charge));
    }
    const Money total = cost(call, duration);
    say(std::string{rounding_text(settings.rounding)} + " to " + number(settings.decimals) + " places: " +
        (total == kCostTooLarge ? std::string{"too large to be charged"}
                                : std::string{format(total).view()}));
    return text;
}

}  // namespace tollgate::rating
