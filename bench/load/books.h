/// Whether what callers were told they paid is what the daemon's books say.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bench/load/client.h"
#include "bench/load/traffic.h"
#include "rating/money.h"

namespace tollgate::bench::load {

/// The books at one moment.
struct Books {
    struct Funds {
        rating::Money balance;
        rating::Money held;
    };
    struct Currency {
        rating::Money held;
        rating::Money revenue;
        rating::Money sum;
    };
    std::map<std::string, Funds, std::less<>> customers;  ///< By BALANCE; of those whose names are known.
    std::map<std::string, Currency, std::less<>>
        currencies;  ///< By INFO books; empty where it is not allowed.
};

/// Asks for them. Throws std::runtime_error where a customer does not exist.
[[nodiscard]] Books look_at_books(Client& client, const Traffic& traffic);

struct Comparison {
    std::string by;  ///< What was compared, or why nothing was, for a person.
    bool is_done = true;
    std::vector<std::string> faults;  ///< What does not add up; the first kFaultsShownMax.
    std::uint64_t wrong = 0;          ///< How many.
};

/// `charged` is what each line's customer was told to have paid, in the order of Traffic's lines; all calls
/// have ended. Nobody else may have moved the money of these customers meanwhile.
///
/// With names of customers: each balance fell by exactly what he was told, and he holds what he held before.
/// In each currency the books add up to zero, and the revenue of all levels grew by what customers paid at
/// least.
[[nodiscard]] Comparison compare(const Books& before, const Books& after, const Traffic& traffic,
                                 std::span<const rating::Money> charged);

}  // namespace tollgate::bench::load
