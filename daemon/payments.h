/// Money outside calls: each operation once and only once, by the request id its sender chose.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "balance/ledger.h"
#include "balance/session.h"

namespace tollgate::daemon {

/// A request id is 1 to 255 bytes and does not begin with `r-`, which records do.
inline constexpr std::size_t kRequestIdBytesMax = 255;
inline constexpr std::size_t kMemoBytesMax = 256;
/// How many request ids are remembered at most; then money operations are BUSY until old ones are forgotten.
inline constexpr std::size_t kRequestsMax = 10'000'000;

[[nodiscard]] constexpr bool is_request_id(std::string_view text) noexcept {
    return !text.empty() && text.size() <= kRequestIdBytesMax && !text.starts_with("r-");
}

enum class PaymentCode : std::uint8_t {
    ok,
    unknown_account,  ///< No such party, or one without an account: a line, a partner, a closed one.
    credit_limit,     ///< More than is available, and not forced.
    conflict,         ///< The request id stands for something else.
    busy,             ///< kRequestsMax; try again later.
    out_of_bounds,    ///< A balance would leave rating::kBalanceMax.
};

struct PaymentAnswer {
    PaymentCode code = PaymentCode::ok;
    rating::Money balance{};  ///< After it.
    rating::Money available{};
    std::uint64_t transaction = 0;
    bool duplicate = false;
};

/// Any thread may call any member at any time. A lock is held per request id's stripe while an operation is
/// carried out; calls never meet it.
class Payments {
  public:
    /// Both must outlive this.
    Payments(const balance::PartyTable& parties, balance::Ledger& ledger, std::chrono::nanoseconds remember)
        : parties_(parties), ledger_(ledger), remember_(remember) {}

    /// Requires: is_request_id(request), 0 < amount <= rating::kAmountMax. Lifts the reasons `overdue` and
    /// `limit`.
    PaymentAnswer top_up(std::string_view party, rating::Money amount, std::string_view request,
                         std::string_view memo, balance::Steady now);
    /// As top_up, the other way. `force`: beyond what is available.
    PaymentAnswer debit(std::string_view party, rating::Money amount, std::string_view request,
                        std::string_view memo, bool force, balance::Steady now);

  private:
    struct Remembered {
        std::uint64_t fingerprint;
        balance::Steady at;
        PaymentAnswer answer;
    };
    struct Stripe {
        std::mutex mutex;
        std::unordered_map<std::string, Remembered> requests;
        balance::Steady swept{};
    };
    static constexpr std::size_t kStripes = 64;

    template <typename Post>
    PaymentAnswer once(std::string_view party, std::string_view request, std::uint64_t fingerprint,
                       balance::Steady now, const Post& post);
    void forget_old(Stripe& stripe, balance::Steady now) const;

    const balance::PartyTable& parties_;
    balance::Ledger& ledger_;
    std::chrono::nanoseconds remember_;
    std::array<Stripe, kStripes> stripes_;
    std::atomic<std::uint64_t> transaction_last_{0};  // Only ever counted up; no order with anything else.
};

}  // namespace tollgate::daemon
