#include "bench/load/schedule.h"

#include <algorithm>
#include <variant>

#include "bench/load/given.h"
#include "rating/csv.h"
#include "rating/decimal.h"

namespace tollgate::bench::load {
namespace {

constexpr std::uint64_t kNanosecondsASecond = 1'000'000'000;
constexpr std::uint64_t kMillisecondsASecond = 1'000;

constexpr std::string_view kExpected =
    "; write RATE:DURATION (20000:10s), several with commas between them (1000:5s,8000:500ms,1000:5s), or "
    "FROM..TO/STEP:DURATION (1000..5000/1000:3s)";

std::optional<std::uint64_t> read_rate(std::string_view text) {
    const auto rate = rating::parse_unsigned(text, kRateMax);
    return rate == 0 ? std::nullopt : rate;
}

/// Appends what one part between commas says; what is wrong with it, or nothing.
std::string read_part(std::string_view part, std::vector<Step>& steps) {
    const auto wrong = [part](std::string_view what) {
        std::string text = rating::shown(part);
        return text.append(" ").append(what).append(kExpected);
    };
    const auto colon = part.find(':');
    if (colon == std::string_view::npos) return wrong("does not say for how long");
    const auto duration =
        config::Duration{std::chrono::milliseconds{1}, kRunMax}.read(given(part.substr(colon + 1)));
    if (const auto* const problem = std::get_if<config::Problem>(&duration)) return problem->text;
    const auto length = std::get<std::chrono::milliseconds>(duration);

    const auto rates = part.substr(0, colon);
    const auto dots = rates.find("..");
    if (dots == std::string_view::npos) {
        const auto rate = read_rate(rates);
        if (!rate) return wrong("has no rate from 1 to 10000000 calls a second");
        steps.push_back({*rate, length});
        return {};
    }
    const auto slash = rates.find('/', dots);
    const auto first = read_rate(rates.substr(0, dots));
    const auto last =
        slash == std::string_view::npos ? std::nullopt : read_rate(rates.substr(dots + 2, slash - dots - 2));
    const auto step = slash == std::string_view::npos ? std::nullopt : read_rate(rates.substr(slash + 1));
    if (!first || !last || !step || *first > *last) return wrong("is no range of rates from 1 to 10000000");
    for (std::uint64_t rate = *first; rate <= *last; rate += *step) {
        if (steps.size() == kStepsMax) return wrong("is more than 1000 steps");
        steps.push_back({rate, length});
    }
    return {};
}

}  // namespace

ReadSteps read_steps(std::string_view text) {
    ReadSteps read;
    for (;;) {
        const auto comma = text.find(',');
        read.fault = read_part(text.substr(0, comma), read.steps);
        if (read.fault.empty() && read.steps.size() > kStepsMax) read.fault = "more than 1000 steps";
        if (!read.fault.empty() || comma == std::string_view::npos) return read;
        text.remove_prefix(comma + 1);
    }
}

Schedule::Schedule(const std::vector<Step>& steps) {
    for (const Step& step : steps) {
        parts_.push_back({calls_, step.rate, length_, step.duration});
        calls_ += step.rate * static_cast<std::uint64_t>(step.duration.count()) / kMillisecondsASecond;
        length_ += step.duration;
    }
}

Schedule::Schedule(std::vector<Offset> times) : times_(std::move(times)) {
    calls_ = times_.size();
    length_ = times_.empty() ? Offset{} : times_.back() + Offset{1};
    const auto seconds =
        std::max<std::uint64_t>(1, static_cast<std::uint64_t>(length_.count()) / kNanosecondsASecond);
    parts_.push_back({0, calls_ / seconds, {}, length_});
}

std::optional<Schedule::Offset> Schedule::due(std::uint64_t call) const noexcept {
    if (call >= calls_) return std::nullopt;
    if (!times_.empty()) return times_[call];
    const auto after =
        std::upper_bound(parts_.begin(), parts_.end(), call,
                         [](std::uint64_t number, const Part& part) { return number < part.first; });
    const Part& part = *(after - 1);
    const std::uint64_t number = call - part.first;
    // Whole seconds apart from the rest, so that nothing overflows and no error adds up.
    const std::uint64_t offset =
        number / part.rate * kNanosecondsASecond + number % part.rate * kNanosecondsASecond / part.rate;
    return part.begin + Offset{static_cast<std::int64_t>(offset)};
}

std::size_t Schedule::step_at(Offset moment) const noexcept {
    const auto after = std::upper_bound(parts_.begin() + 1, parts_.end(), moment,
                                        [](Offset at, const Part& part) { return at < part.begin; });
    return static_cast<std::size_t>(after - parts_.begin()) - 1;
}

}  // namespace tollgate::bench::load
