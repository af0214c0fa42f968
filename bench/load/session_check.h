/// What the generator knows of a call, and whether an answer can be true.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "bench/load/answer.h"
#include "bench/load/traffic.h"
#include "rating/money.h"

namespace tollgate::bench::load {

enum class Verb : std::uint8_t { authorize, start, extend, stop, release, count };
inline constexpr std::size_t kVerbs = static_cast<std::size_t>(Verb::count);

[[nodiscard]] std::string_view text_of(Verb verb) noexcept;

/// One call from its AUTHORIZE to its end, as the answers so far have it.
struct Session {
    Plan plan;
    std::uint64_t number = 0;  ///< Of the call in the run; its session id is made of it.

    bool is_granted = false;
    bool is_final = false;
    bool is_started = false;
    bool is_extended = false;
    bool is_ended = false;
    std::chrono::seconds granted{0};
    std::chrono::seconds used{0};  ///< As the last EXTEND said.
    rating::Money held;            ///< By AUTHORIZE, for what it granted.
    rating::Money charged;         ///< To the customer, in all.

    /// Of the command that is asked: what it says, and the answers to it and its repeats so far.
    Verb verb = Verb::authorize;
    std::chrono::seconds said{0};  ///< WANT, USED or how long the call was.
    std::uint8_t asked = 0;        ///< How often it was sent.
    std::uint8_t answered = 0;
    std::uint8_t duplicates = 0;
    std::uint64_t first_answer = 0;  ///< A hash of what all of them must say.
};

struct Verdict {
    enum class Kind : std::uint8_t {
        good,
        refused,  ///< A code that says no; nothing is wrong with it.
        busy,     ///< `-BUSY`: nothing was done.
        wrong,    ///< It cannot be true.
    };
    Kind kind = Kind::good;
    std::string_view code{};  ///< Refused: a view into the answer.
    std::string fault{};      ///< Wrong: why, without the call.
};

/// Judges an answer by what is known of its session, and takes over what it says.
///
/// What holds: a grant is above 0 and at most what was wanted, and less only where no more can be had; what
/// is charged never falls; a call within its grant costs at most what was held for it, one as long as the
/// grant exactly that, and one of no length nothing; START says the grant again; all answers to a command
/// that was sent several times say the same, and exactly one of them had an effect.
///
/// `want` is what EXTEND asked for beyond `said`.
[[nodiscard]] Verdict judge(Session& session, const Answer& answer, std::chrono::seconds want);

}  // namespace tollgate::bench::load
