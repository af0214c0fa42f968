#include "daemon/admin/http_figures.h"

#include <algorithm>
#include <string>

namespace tollgate::daemon::admin {

HttpFigures::HttpFigures()
    : counts_(std::make_unique<Counts[]>(operations().size() + 1)) {  // NOLINT(modernize-avoid-c-arrays)
}

void HttpFigures::add(const ContractOperation* operation, unsigned status) noexcept {
    const auto all = operations();
    const bool known = operation >= all.data() && operation < all.data() + all.size();
    const std::size_t place = known ? static_cast<std::size_t>(operation - all.data()) : all.size();
    const std::array<char, 3> digits = {static_cast<char>('0' + status / 100 % 10),
                                        static_cast<char>('0' + status / 10 % 10),
                                        static_cast<char>('0' + status % 10)};
    const std::string_view text{digits.data(), digits.size()};
    const auto* const found = std::find(kStatuses.begin(), kStatuses.end() - 1, text);
    counts_[place][static_cast<std::size_t>(found - kStatuses.begin())].fetch_add(1,
                                                                                  std::memory_order_relaxed);
}

void HttpFigures::visit(const std::function<void(std::string_view operation, std::string_view status,
                                                 std::uint64_t count)>& visitor) const {
    const auto all = operations();
    for (std::size_t place = 0; place <= all.size(); ++place) {
        for (std::size_t i = 0; i < kStatuses.size(); ++i) {
            const std::uint64_t count = counts_[place][i].load(std::memory_order_relaxed);
            if (count != 0) visitor(place < all.size() ? all[place].name : "", kStatuses[i], count);
        }
    }
}

}  // namespace tollgate::daemon::admin
