#include "rating/thread_number.h"

#include <bitset>
#include <mutex>
#include <stdexcept>

namespace tollgate::rating {
namespace {

/// Taken and given back once in a thread's life, so a lock does. Whoever gets a number sees all that its last
/// owner did.
class Numbers {
  public:
    std::size_t take() {
        const std::lock_guard lock{mutex_};
        for (std::size_t number = 0; number < kThreadsMax; ++number) {
            if (taken_[number]) continue;
            taken_[number] = true;
            return number;
        }
        throw std::length_error("more than 1024 threads");
    }
    void give_back(std::size_t number) noexcept {
        const std::lock_guard lock{mutex_};
        taken_[number] = false;
    }

  private:
    std::mutex mutex_;
    std::bitset<kThreadsMax> taken_;
};

Numbers& numbers() {
    static Numbers all;
    return all;
}

struct Holder {
    Holder() : number(numbers().take()) {}
    Holder(const Holder&) = delete;
    Holder& operator=(const Holder&) = delete;
    ~Holder() { numbers().give_back(number); }
    std::size_t number;
};

}  // namespace

std::size_t thread_number() {
    thread_local const Holder holder;
    return holder.number;
}

}  // namespace tollgate::rating
