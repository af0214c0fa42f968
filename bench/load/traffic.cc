#include "bench/load/traffic.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <iterator>
#include <optional>
#include <unordered_map>
#include <variant>

#include "bench/load/given.h"
#include "bench/load/word_list.h"
#include "rating/csv.h"
#include "rating/decimal.h"

namespace tollgate::bench::load {
namespace {

constexpr double kPi = 3.14159265358979323846;
/// Of the lengths of calls as in life: a share that ends at once, and the spread of the others.
constexpr double kShortShare = 0.06;
constexpr std::uint64_t kShortSeconds = 7;
constexpr double kShortMean = 3;
constexpr double kSigma = 1.3;
constexpr double kCut = 6 * 3600;
/// A call that lasts longer than any run.
constexpr std::chrono::seconds kOutlasting = kCallLongest;

std::optional<std::chrono::seconds> read_seconds(std::string_view text, std::string& fault) {
    const auto read = config::WholeSeconds{std::chrono::seconds{0}, kCallLongest}.read(given(text));
    if (const auto* const problem = std::get_if<config::Problem>(&read)) {
        fault = problem->text;
        return std::nullopt;
    }
    return std::get<std::chrono::seconds>(read);
}

std::string filled(std::string_view form, std::string_view account) {
    constexpr std::string_view kPlace = "{account}";
    std::string text{form};
    const auto at = text.find(kPlace);
    if (at != std::string::npos) text.replace(at, kPlace.size(), account);
    return text;
}

constexpr std::array<std::string_view, 5> kColumns = {"account_id", "destination", "start_time", "answered",
                                                      "duration_seconds"};

/// What a row of the calls says; the text of a fault begins with the column.
struct Row {
    std::array<std::string_view, kColumns.size()> fields;
    ListedCall call{};

    [[nodiscard]] std::string read() {
        const auto wrong = [this](std::size_t column, std::string_view expected) {
            std::string text{kColumns[column]};
            return text.append(": ")
                .append(rating::shown(fields[column]))
                .append(": expected ")
                .append(expected);
        };
        if (fields[0].empty() || fields[0].size() > kWordBytesMax) return wrong(0, "1 to 255 bytes");
        if (fields[1].empty() || fields[1].size() > kWordBytesMax)
            return wrong(1, "the number that is dialled");
        const auto start = rating::parse_instant(fields[2]);
        if (!start) return wrong(2, "RFC 3339 (2026-03-02T00:00:00Z) or Unix seconds");
        if (fields[3] != "0" && fields[3] != "1") return wrong(3, "1 where somebody answered, else 0");
        const auto seconds =
            rating::parse_unsigned(fields[4], static_cast<std::uint64_t>(kCallLongest.count()));
        if (!seconds) return wrong(4, "whole seconds from 0 to 86400");
        call.start = *start;
        call.is_answered = fields[3] == "1";
        call.seconds = static_cast<std::uint32_t>(*seconds);
        return {};
    }
};

/// The places of the columns, or what is wrong.
std::string read_header(std::span<const std::string_view> fields,
                        std::array<std::size_t, kColumns.size()>& places) {
    for (std::size_t i = 0; i < kColumns.size(); ++i) {
        const auto found = std::find(fields.begin(), fields.end(), kColumns[i]);
        if (found == fields.end())
            return "no column " + std::string{kColumns[i]} +
                   "; expected account_id, destination, start_time, answered and duration_seconds";
        places[i] = static_cast<std::size_t>(found - fields.begin());
    }
    return {};
}

}  // namespace

std::chrono::seconds Lengths::draw(Random& random) const noexcept {
    switch (kind) {
        case Kind::fixed:
            return first;
        case Kind::uniform:
            return first + std::chrono::seconds{static_cast<std::int64_t>(
                               random.below(static_cast<std::uint64_t>((last - first).count()) + 1))};
        case Kind::mean:
            break;
    }
    if (random.chance(kShortShare))
        return std::chrono::seconds{static_cast<std::int64_t>(random.below(kShortSeconds))};
    const double mean = static_cast<double>(first.count());
    const double others = std::max(1.0, (mean - kShortShare * kShortMean) / (1 - kShortShare));
    const double normal = std::sqrt(-2 * std::log(1 - random.part())) * std::cos(2 * kPi * random.part());
    const double seconds = std::exp(std::log(others) - kSigma * kSigma / 2 + kSigma * normal);
    return std::chrono::seconds{std::lround(std::clamp(seconds, 1.0, kCut))};
}

ReadLengths read_lengths(std::string_view text) {
    ReadLengths read;
    constexpr std::string_view kMean = "mean:";
    const auto dots = text.find("..");
    if (text.starts_with(kMean)) {
        read.lengths.kind = Lengths::Kind::mean;
        text.remove_prefix(kMean.size());
    } else {
        read.lengths.kind = dots == std::string_view::npos ? Lengths::Kind::fixed : Lengths::Kind::uniform;
    }
    const auto first = read_seconds(text.substr(0, dots), read.fault);
    const auto last =
        dots == std::string_view::npos || !first ? first : read_seconds(text.substr(dots + 2), read.fault);
    if (first && last && *first <= *last) {
        read.lengths.first = *first;
        read.lengths.last = *last;
        return read;
    }
    if (read.fault.empty()) read.fault = rating::shown(text) + " ends before it begins";
    read.fault += "; write 60s, 1s..299s or mean:180s";
    return read;
}

Planner::Planner(const Traffic& traffic, std::uint64_t seed)
    : traffic_(traffic),
      lines_(std::max<std::size_t>(1, traffic.lines.size()), traffic.lines_exponent),
      numbers_(std::max<std::size_t>(1, traffic.numbers.size()), traffic.numbers_exponent),
      random_(seed) {}

Plan Planner::plan(std::uint64_t call) noexcept {
    Plan plan;
    if (!traffic_.listed.empty()) {
        const ListedCall& listed = traffic_.listed[call % traffic_.listed.size()];
        plan.line = listed.line;
        plan.number = listed.number;
        plan.course = listed.is_answered ? Course::answered : Course::unanswered;
        plan.talk = std::chrono::seconds{listed.seconds};
        if (traffic_.says_instant) plan.at = listed.start;
    } else {
        plan.line = static_cast<std::uint32_t>(lines_.draw(random_));
        plan.number = static_cast<std::uint32_t>(numbers_.draw(random_));
        if (!traffic_.is_pair && !random_.chance(traffic_.answered)) plan.course = Course::unanswered;
        if (plan.course == Course::answered) plan.talk = traffic_.lengths.draw(random_);
    }
    if (traffic_.is_pair) return plan;
    if (random_.chance(traffic_.outlasting)) {
        plan.course = Course::answered;
        plan.talk = kOutlasting;
    }
    if (plan.course == Course::unanswered && random_.chance(traffic_.hung_up)) plan.course = Course::hung_up;
    const auto mean = static_cast<std::uint64_t>(traffic_.ring_mean.count());
    plan.ring = std::chrono::milliseconds{static_cast<std::int64_t>(random_.below(2 * mean + 1))};
    return plan;
}

std::string read_calls(const std::string& path, std::string_view line_form, std::string_view customer_form,
                       Traffic& traffic) {
    std::ifstream in{path, std::ios::binary};
    if (!in) return path + ": cannot be read; name a CSV of calls";
    const std::string text{std::istreambuf_iterator<char>{in}, {}};
    std::string_view rest = text;
    rating::CsvReader csv;
    const auto fault = [&path, &csv](std::string_view what) {
        std::string said = path;
        return said.append(":").append(std::to_string(csv.line())).append(": ").append(what);
    };
    std::array<std::size_t, kColumns.size()> places{};
    bool has_header = false;
    std::unordered_map<std::string, std::uint32_t> accounts;
    for (;;) {
        const auto status = csv.next(rest, true);
        rest.remove_prefix(csv.consumed());
        if (status == rating::CsvReader::Status::end) break;
        if (status == rating::CsvReader::Status::faulty) return fault(csv.error());
        const auto fields = csv.fields();
        if (!has_header) {
            if (auto wrong = read_header(fields, places); !wrong.empty()) return fault(wrong);
            has_header = true;
            continue;
        }
        Row row;
        for (std::size_t i = 0; i < places.size(); ++i) {
            if (places[i] >= fields.size()) return fault(std::string{kColumns[i]} + ": is missing");
            row.fields[i] = fields[places[i]];
        }
        if (auto wrong = row.read(); !wrong.empty()) return fault(wrong);
        if (traffic.listed.size() == kListedCallsMax)
            return fault("more than 20000000 calls; split the file");
        const auto [account, is_new] =
            accounts.emplace(row.fields[0], static_cast<std::uint32_t>(traffic.lines.size()));
        if (is_new) {
            traffic.lines.push_back(filled(line_form, row.fields[0]));
            if (!customer_form.empty()) traffic.customers.push_back(filled(customer_form, row.fields[0]));
        }
        row.call.line = account->second;
        row.call.number = static_cast<std::uint32_t>(traffic.numbers.size());
        traffic.numbers.emplace_back(row.fields[1]);
        traffic.listed.push_back(row.call);
    }
    if (traffic.listed.empty()) return path + ": has no calls";
    std::stable_sort(traffic.listed.begin(), traffic.listed.end(),
                     [](const ListedCall& one, const ListedCall& other) { return one.start < other.start; });
    return {};
}

std::vector<Schedule::Offset> starts_of(const Traffic& traffic, double speed) {
    std::vector<Schedule::Offset> starts;
    starts.reserve(traffic.listed.size());
    for (const ListedCall& call : traffic.listed) {
        const auto after = static_cast<double>((call.start - traffic.listed.front().start).count());
        starts.emplace_back(static_cast<std::int64_t>(after / speed));
    }
    return starts;
}

}  // namespace tollgate::bench::load
