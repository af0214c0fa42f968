#include "bench/load/zipf.h"

#include <cassert>
#include <cmath>
#include <limits>
#include <numeric>

namespace tollgate::bench::load {

Zipf::Zipf(std::size_t count, double exponent) : columns_(count) {
    assert(count > 0 && count <= std::numeric_limits<std::uint32_t>::max());
    std::vector<double> weights(count);
    for (std::size_t i = 0; i < count; ++i)
        weights[i] = std::pow(static_cast<double>(i + 1), -exponent);
    const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);

    // Columns of equal height: what one has too much of fills up others.
    std::vector<std::uint32_t> small;
    std::vector<std::uint32_t> large;
    for (std::size_t i = 0; i < count; ++i) {
        columns_[i].own = weights[i] * static_cast<double>(count) / sum;
        (columns_[i].own < 1 ? small : large).push_back(static_cast<std::uint32_t>(i));
    }
    while (!small.empty() && !large.empty()) {
        const std::uint32_t filled = small.back();
        const std::uint32_t giver = large.back();
        small.pop_back();
        columns_[filled].other = giver;
        columns_[giver].own -= 1 - columns_[filled].own;
        if (columns_[giver].own < 1) {
            large.pop_back();
            small.push_back(giver);
        }
    }
    // What is left is full but for the last digits of a double.
    for (const std::uint32_t i : small)
        columns_[i].own = 1;
    for (const std::uint32_t i : large)
        columns_[i].own = 1;
}

std::size_t Zipf::draw(Random& random) const noexcept {
    const std::size_t i = random.below(columns_.size());
    return random.part() < columns_[i].own ? i : columns_[i].other;
}

}  // namespace tollgate::bench::load
