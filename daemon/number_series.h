/// Numbers that are drawn in order and told in another.
#pragma once

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <set>

namespace tollgate::daemon {

/// 1, 2, 3 …, each drawn by one operation, which either comes to something that is then listed by its number,
/// or to nothing. Whoever reads such a list in order must not pass over one that is still to come. Any thread
/// may call any member at any time.
class NumberSeries {
  public:
    /// The next. settle() is to be called once it is listed, or will never be.
    [[nodiscard]] std::uint64_t draw() {
        const std::lock_guard lock{mutex_};
        open_.insert(++last_);
        return last_;
    }
    void settle(std::uint64_t number) {
        const std::lock_guard lock{mutex_};
        open_.erase(number);
    }
    /// What was drawn before a restart.
    void restore(std::uint64_t number) {
        const std::lock_guard lock{mutex_};
        last_ = std::max(last_, number);
    }

    [[nodiscard]] std::uint64_t last() const {
        const std::lock_guard lock{mutex_};
        return last_;
    }
    /// All up to this one are listed by now, or will never be.
    [[nodiscard]] std::uint64_t settled() const {
        const std::lock_guard lock{mutex_};
        return open_.empty() ? last_ : *open_.begin() - 1;
    }

  private:
    mutable std::mutex mutex_;
    std::uint64_t last_ = 0;
    std::set<std::uint64_t> open_;
};

/// One number of a series, settled when this goes.
class DrawnNumber {
  public:
    explicit DrawnNumber(NumberSeries& series) : series_(series), number_(series.draw()) {}
    DrawnNumber(const DrawnNumber&) = delete;
    DrawnNumber& operator=(const DrawnNumber&) = delete;
    ~DrawnNumber() { series_.settle(number_); }
    [[nodiscard]] std::uint64_t number() const noexcept { return number_; }

  private:
    NumberSeries& series_;
    std::uint64_t number_;
};

}  // namespace tollgate::daemon
