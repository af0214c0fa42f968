/// A small number for the calling thread, so that what threads write often can lie apart.
#pragma once

#include <cstddef>

namespace tollgate::rating {

/// How many threads may have a number at the same time.
inline constexpr std::size_t kThreadsMax = 1024;

/// Less than kThreadsMax, the same for a thread's whole life, and nobody else's meanwhile; given on to a
/// later thread when it ends. Throws std::length_error where kThreadsMax threads have one.
[[nodiscard]] std::size_t thread_number();

}  // namespace tollgate::rating
