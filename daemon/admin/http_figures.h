/// How often which operation was answered with which status.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "daemon/admin/operations.h"

namespace tollgate::daemon::admin {

/// Any thread may call any member at any time.
class HttpFigures {
  public:
    HttpFigures();

    /// `operation` nullptr: none of the contract.
    void add(const ContractOperation* operation, unsigned status) noexcept;

    /// Visits what was counted: the operation's name, empty for none, the status (`other` where it has no
    /// place of its own), and how often.
    void visit(const std::function<void(std::string_view operation, std::string_view status,
                                        std::uint64_t count)>& visitor) const;

  private:
    static constexpr std::array<std::string_view, 17> kStatuses = {"200", "201", "202", "204", "304",  "400",
                                                                   "401", "403", "404", "409", "412",  "413",
                                                                   "422", "429", "500", "503", "other"};
    using Counts = std::array<std::atomic<std::uint64_t>, kStatuses.size()>;

    std::unique_ptr<Counts[]> counts_;  // NOLINT(modernize-avoid-c-arrays): by operation, the last for none.
};

}  // namespace tollgate::daemon::admin
