/// Who calls where and how the call goes: from a list of calls, or drawn.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/load/schedule.h"
#include "bench/load/zipf.h"
#include "rating/instant.h"

namespace tollgate::bench::load {

/// The most calls of a list, and the longest call.
inline constexpr std::size_t kListedCallsMax = 20'000'000;
inline constexpr std::chrono::seconds kCallLongest = std::chrono::hours{24};

/// How long answered calls last.
struct Lengths {
    enum class Kind : std::uint8_t {
        fixed,    ///< All as long as `first`.
        uniform,  ///< From `first` to `last`, each whole second as often.
        mean,     ///< 6 % last 0 to 6 s, the others are log-normal with a mean of `first`, cut at 6 hours.
    };
    Kind kind = Kind::mean;
    std::chrono::seconds first{180};
    std::chrono::seconds last{180};

    [[nodiscard]] std::chrono::seconds draw(Random& random) const noexcept;
};

/// `60s`, `1s..299s`, `mean:180s`.
struct ReadLengths {
    Lengths lengths;
    std::string fault;
};
[[nodiscard]] ReadLengths read_lengths(std::string_view text);

enum class Course : std::uint8_t {
    answered,
    unanswered,  ///< It rings and is released.
    hung_up,     ///< The caller gives up at once: RELEASE goes right behind AUTHORIZE.
};

/// One call as it will go if it is granted. `line` and `number` are places in Traffic's lists.
struct Plan {
    std::uint32_t line = 0;
    std::uint32_t number = 0;
    Course course = Course::answered;
    std::chrono::milliseconds ring{0};
    std::chrono::seconds talk{0};
    rating::Instant at = rating::kNever;  ///< The rating instant that AUTHORIZE says; kNever: none.
};

struct ListedCall {
    std::uint32_t line;
    std::uint32_t number;
    std::uint32_t seconds;
    bool is_answered;
    rating::Instant start;
};

/// Everything calls are drawn from. Immutable while calls are made, so threads share one.
struct Traffic {
    std::vector<std::string> lines;
    std::vector<std::string> numbers;
    std::vector<std::string> customers;  ///< Of the lines, one by one; empty: nobody knows them.
    std::vector<ListedCall> listed;      ///< In the order of their starts; empty: calls are drawn.
    double lines_exponent = 0;
    double numbers_exponent = 0;
    Lengths lengths;
    std::chrono::milliseconds ring_mean{8'000};
    double answered = 0.55;     ///< The share of calls that somebody answers,
    double hung_up = 0;         ///< of those nobody answers that are given up at once,
    double outlasting = 0;      ///< and of all that last longer than any run.
    bool is_pair = false;       ///< Only AUTHORIZE and STOP.
    bool says_instant = false;  ///< AUTHORIZE says the listed start.
};

/// Plans calls for one thread.
class Planner {
  public:
    /// `traffic` must outlive it.
    Planner(const Traffic& traffic, std::uint64_t seed);

    /// The plan of the call of that number; a list begins again where it ends.
    [[nodiscard]] Plan plan(std::uint64_t call) noexcept;

  private:
    const Traffic& traffic_;
    Zipf lines_;
    Zipf numbers_;
    Random random_;
};

/// The calls of a CSV with `account_id`, `destination`, `start_time`, `answered` and `duration_seconds`, in
/// any order and among other columns. In `line_form` and `customer_form` `{account}` stands for the
/// account_id. Adds lines, numbers, customers (none where the form is empty) and listed calls. What is wrong,
/// with file, line and column; empty where nothing is.
[[nodiscard]] std::string read_calls(const std::string& path, std::string_view line_form,
                                     std::string_view customer_form, Traffic& traffic);

/// When the listed calls begin, `speed` times as fast as in life.
[[nodiscard]] std::vector<Schedule::Offset> starts_of(const Traffic& traffic, double speed);

}  // namespace tollgate::bench::load
