#include "bench/load/report.h"

#include <array>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iomanip>
#include <memory>
#include <numeric>
#include <ostream>
#include <span>
#include <stdexcept>

#include "rating/money.h"

namespace tollgate::bench::load {
namespace {

struct Percentile {
    const char* title;
    const char* field;
    std::uint64_t of_a_million;
};
constexpr std::array kPercentiles = {Percentile{"p50", "p50_us", kP50}, Percentile{"p90", "p90_us", 900'000},
                                     Percentile{"p99", "p99_us", kP99},
                                     Percentile{"p99.9", "p999_us", 999'000}};

double microseconds(std::chrono::nanoseconds time) {
    return std::chrono::duration<double, std::micro>{time}.count();
}

double seconds(std::chrono::nanoseconds time) {
    return std::chrono::duration<double>{time}.count();
}

/// Of what was measured.
double per_second(std::uint64_t count, std::chrono::nanoseconds time) {
    return time.count() > 0 ? static_cast<double>(count) / seconds(time) : 0;
}

rating::Money sum_of(const std::vector<rating::Money>& amounts) {
    return std::accumulate(amounts.begin(), amounts.end(), rating::Money{});
}

void write_row(std::ostream& out, std::string_view name, const Histogram& histogram) {
    if (histogram.count() == 0) return;
    out << std::left << std::setw(11) << name << std::right << std::setw(11) << histogram.count()
        << std::fixed << std::setprecision(1);
    for (const Percentile& percentile : kPercentiles)
        out << std::setw(12) << microseconds(histogram.percentile(percentile.of_a_million));
    out << std::setw(12) << microseconds(histogram.longest()) << '\n';
}

/// A JSON object or array that is put together piece by piece.
class Json {
  public:
    explicit Json(std::ostream& out) : out_(out) { out_ << std::fixed << std::setprecision(1); }
    void open(char bracket) {
        separate();
        out_ << bracket;
        is_first_ = true;
    }
    void close(char bracket) {
        out_ << bracket;
        is_first_ = false;
    }
    void name(std::string_view name) {
        separate();
        text_of(name);
        out_ << ':';
        is_first_ = true;
    }
    void text(std::string_view text) {
        separate();
        text_of(text);
    }
    void number(double number) {
        separate();
        out_ << number;
    }
    void number(std::uint64_t number) {
        separate();
        out_ << number;
    }
    void truth(bool truth) {
        separate();
        out_ << (truth ? "true" : "false");
    }
    template <typename Value>
    void field(std::string_view field, Value value) {
        name(field);
        if constexpr (std::is_same_v<Value, bool>) {
            truth(value);
        } else if constexpr (std::is_arithmetic_v<Value>) {
            number(value);
        } else {
            text(value);
        }
    }

  private:
    void separate() {
        if (!is_first_) out_ << ',';
        is_first_ = false;
    }
    void text_of(std::string_view text) {
        out_ << '"';
        for (const char c : text) {
            if (c == '"' || c == '\\') {
                out_ << '\\' << c;
            } else {
                out_ << (c >= 0 && c < ' ' ? '?' : c);
            }
        }
        out_ << '"';
    }
    std::ostream& out_;
    bool is_first_ = true;
};

void add_percentiles(Json& json, const Histogram& histogram) {
    json.field("count", histogram.count());
    for (const Percentile& percentile : kPercentiles)
        json.field(percentile.field, microseconds(histogram.percentile(percentile.of_a_million)));
    json.field("max_us", microseconds(histogram.longest()));
}

void add_histogram(Json& json, std::string_view name, const Histogram& histogram) {
    json.name(name);
    json.open('{');
    add_percentiles(json, histogram);
    json.close('}');
}

void add_list(Json& json, std::string_view name, const std::vector<std::string>& texts) {
    json.name(name);
    json.open('[');
    for (const std::string& text : texts)
        json.text(text);
    json.close(']');
}

void add_figures(Json& json, const Figures& figures) {
    json.field("seconds", seconds(figures.measured));
    json.field("operations", figures.latency.count());
    json.field("rate", per_second(figures.latency.count(), figures.measured));
    json.field("calls", figures.calls);
    json.field("granted", figures.granted);
    json.field("commands", figures.commands);
    json.field("repeats", figures.repeats);
    json.field("busy", figures.busy);
    json.field("lost", figures.lost);
    json.field("unsettled", figures.unsettled);
    json.field("wrong", figures.wrong);
    json.field("gave_up", figures.is_behind);
    std::uint64_t refused = 0;
    for (const auto& [code, count] : figures.refused)
        refused += count;
    json.field("refused", refused);
    json.name("refused_by_code");
    json.open('{');
    for (const auto& [code, count] : figures.refused)
        json.field(code, count);
    json.close('}');
    add_histogram(json, "latency", figures.latency);
    add_histogram(json, "service", figures.service);
    json.name("verbs");
    json.open('{');
    for (std::size_t i = 0; i < kVerbs; ++i) {
        if (figures.verbs[i].count() > 0)
            add_histogram(json, text_of(static_cast<Verb>(i)), figures.verbs[i]);
    }
    json.close('}');
    add_list(json, "faults", figures.faults);
}

void add_slices(Json& json, const Report& report) {
    const Figures& figures = report.last();
    json.name("steps");
    json.open('[');
    for (std::size_t i = 0; i < figures.steps.size() && report.p99_max.count() == 0; ++i) {
        json.open('{');
        json.field("calls_wanted", report.settings.schedule.get().rate(i));
        json.field("rate", per_second(figures.steps[i].answered, report.settings.schedule.get().length(i)));
        add_percentiles(json, figures.steps[i].latency);
        json.close('}');
    }
    json.close(']');
    json.name("intervals");
    json.open('[');
    for (std::size_t i = 0; i < figures.intervals.size(); ++i) {
        const Figures::Slice& slice = figures.intervals[i];
        json.open('{');
        json.field("milliseconds", microseconds(figures.interval * static_cast<std::int64_t>(i)) / 1'000);
        json.field("sent", slice.sent);
        json.field("answered", slice.answered);
        json.field("p99_us", microseconds(slice.latency.percentile(kP99)));
        json.field("max_us", microseconds(slice.latency.longest()));
        json.close('}');
    }
    json.close(']');
}

struct Pipe {
    void operator()(std::FILE* pipe) const noexcept { ::pclose(pipe); }
};

void gnuplot(const std::string& script) {
    std::unique_ptr<std::FILE, Pipe> pipe{::popen("gnuplot -", "w")};
    const bool is_written = pipe && std::fputs(script.c_str(), pipe.get()) >= 0;
    if (!is_written || ::pclose(pipe.release()) != 0)
        throw std::runtime_error("gnuplot failed; install gnuplot-nox, or leave --plots away");
}

std::string quoted(const std::string& text) {
    std::string quoted{"'"};
    for (const char c : text)
        quoted.append(c == '\'' ? 2 : 1, c);
    return quoted + "'";
}

/// Data that stands in the script itself.
std::string block(std::string_view name, const std::string& rows) {
    std::string text{"$"};
    return text.append(name).append(" << EOD\n").append(rows).append("EOD\n");
}

std::string number(double value) {
    std::array<char, 64> buffer{};
    std::snprintf(buffer.data(), buffer.size(), " %.3f", value);
    return buffer.data();
}

/// One point: calls a second and percentiles in milliseconds.
void add_point(std::string& rows, std::uint64_t rate, const Histogram& histogram) {
    if (histogram.count() == 0) return;
    rows += std::to_string(rate);
    for (const Percentile& percentile : kPercentiles)
        rows += number(microseconds(histogram.percentile(percentile.of_a_million)) / 1'000);
    rows += number(microseconds(histogram.longest()) / 1'000) + "\n";
}

void add_points(std::string& rows, const Report& report) {
    if (report.p99_max.count() > 0) {
        for (const Probe& probe : report.probes)
            add_point(rows, probe.rate, probe.figures.latency);
        return;
    }
    const Figures& figures = report.last();
    for (std::size_t i = 0; i < figures.steps.size(); ++i) {
        const std::uint64_t rate = report.settings.saturate > 0
                                       ? static_cast<std::uint64_t>(std::llround(
                                             per_second(figures.latency.count(), figures.measured)))
                                       : report.settings.schedule.get().rate(i);
        add_point(rows, rate, figures.steps[i].latency);
    }
}

constexpr std::string_view kPlotLook =
    "set terminal svg size 900,480 background rgb 'white' font 'sans,12'\nset grid\nset key top left\n";

}  // namespace

bool Report::is_good() const {
    for (const Probe& probe : probes) {
        if (probe.figures.wrong > 0) return false;
    }
    // That a rate is too high is what a search is for.
    return books.wrong == 0 && (p99_max.count() > 0 || (last().lost == 0 && !last().is_behind));
}

void write_summary(std::ostream& out, const Report& report) {
    if (report.p99_max.count() > 0) {
        out << "calls a second   p99 us   at most " << std::fixed << std::setprecision(1)
            << microseconds(report.p99_max) << '\n';
        for (const Probe& probe : report.probes)
            out << std::setw(14) << probe.rate << std::setw(9)
                << microseconds(probe.figures.latency.percentile(kP99))
                << (probe.holds ? "   holds" : "   too high") << '\n';
        out << "the limit is " << report.limit << " calls a second\n\n";
    }
    const Figures& figures = report.last();
    out << std::left << std::setw(11) << "us" << std::right << std::setw(11) << "commands";
    for (const Percentile& percentile : kPercentiles)
        out << std::setw(12) << percentile.title;
    out << std::setw(12) << "max" << '\n';
    write_row(out, "from due", figures.latency);
    write_row(out, "from sent", figures.service);
    for (std::size_t i = 0; i < kVerbs; ++i)
        write_row(out, text_of(static_cast<Verb>(i)), figures.verbs[i]);
    out << "percentiles are at most 1/" << Histogram::kParts << " above what was measured\n\n";

    out << std::setprecision(0) << per_second(figures.latency.count(), figures.measured)
        << " commands a second for " << std::setprecision(1) << seconds(figures.measured) << " s; "
        << figures.calls << " calls, " << figures.granted << " granted";
    for (const auto& [code, count] : figures.refused)
        out << ", " << count << ' ' << code;
    out << "; " << figures.repeats << " repeats, " << figures.busy << " busy, " << figures.lost
        << " without an answer, " << figures.unsettled << " calls unsettled\n";
    if (figures.is_behind) out << "given up: the daemon fell behind by " << kBacklogMax << " commands\n";
    std::uint64_t wrong = 0;
    for (const Probe& probe : report.probes) {
        wrong += probe.figures.wrong;
        for (const std::string& fault : probe.figures.faults)
            out << "WRONG " << fault << '\n';
    }
    out << wrong << " answers were wrong; compared: " << report.books.by;
    if (report.books.is_done) out << (report.books.wrong == 0 ? ": they agree" : ": THEY DIFFER");
    out << '\n';
    for (const std::string& fault : report.books.faults)
        out << "WRONG " << fault << '\n';
}

void write_json(std::ostream& out, const Report& report) {
    Json json{out};
    json.open('{');
    const Settings& settings = report.settings;
    json.field("good", report.is_good());
    json.field("run", settings.run);
    json.field("threads", std::uint64_t{settings.threads});
    json.field("connections", std::uint64_t{settings.connections});
    json.field("pipeline", std::uint64_t{settings.saturate > 0 ? settings.saturate : settings.pipeline});
    json.field("open_loop", settings.saturate == 0);
    json.field("seed", settings.seed);
    add_figures(json, report.last());
    json.field("charged", rating::format(sum_of(report.last().charged)).view());
    add_slices(json, report);
    if (report.p99_max.count() > 0) {
        json.field("limit", report.limit);
        json.field("limit_p99_us", microseconds(report.p99_max));
        json.name("probes");
        json.open('[');
        for (const Probe& probe : report.probes) {
            json.open('{');
            json.field("calls_wanted", probe.rate);
            json.field("holds", probe.holds);
            add_percentiles(json, probe.figures.latency);
            json.close('}');
        }
        json.close(']');
    }
    json.name("books");
    json.open('{');
    json.field("by", report.books.by);
    json.field("wrong", report.books.wrong);
    add_list(json, "faults", report.books.faults);
    json.close('}');
    json.close('}');
    out << '\n';
}

void write_plots(const std::string& prefix, const Report& report) {
    std::string points;
    add_points(points, report);
    std::string latency{kPlotLook};
    latency += block("points", points);
    latency.append("set output ").append(quoted(prefix + "-latency.svg")).append("\n");
    latency +=
        "set title 'latency from when a command was due'\nset xlabel 'calls a second'\nset ylabel 'ms'\n"
        "set logscale y\nset xrange [0:*]\nplot ";
    for (std::size_t i = 0; i < kPercentiles.size(); ++i) {
        latency.append("$points using 1:").append(std::to_string(i + 2));
        latency.append(" smooth unique with linespoints title '").append(kPercentiles[i].title).append("', ");
    }
    latency += "$points using 1:6 smooth unique with linespoints title 'max'\n";
    gnuplot(latency);

    const Figures& figures = report.last();
    std::string rows;
    for (std::size_t i = 0; i < figures.intervals.size(); ++i) {
        const Figures::Slice& slice = figures.intervals[i];
        const auto begin = figures.interval * static_cast<std::int64_t>(i);
        if (begin + figures.interval > report.settings.schedule.get().length()) break;
        rows += number(seconds(begin)) + number(per_second(slice.sent, figures.interval)) +
                number(per_second(slice.answered, figures.interval)) +
                number(microseconds(slice.latency.percentile(kP50)) / 1'000) +
                number(microseconds(slice.latency.percentile(kP99)) / 1'000) + "\n";
    }
    std::string throughput{kPlotLook};
    throughput += block("course", rows);
    throughput.append("set output ").append(quoted(prefix + "-throughput.svg")).append("\n");
    throughput +=
        "set title 'throughput over time'\nset xlabel 's'\nset ylabel 'commands a second'\n"
        "set y2label 'ms from when a command was due'\nset ytics nomirror\nset y2tics\nset yrange [0:*]\n"
        "set logscale y2\n"
        "plot $course using 1:2 with lines title 'sent', $course using 1:3 with lines title 'answered', "
        "$course using 1:5 axes x1y2 with lines title 'p99'\n";
    gnuplot(throughput);
}

}  // namespace tollgate::bench::load
