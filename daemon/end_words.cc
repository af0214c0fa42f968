#include "daemon/end_words.h"

#include <cstdint>

namespace tollgate::daemon {
namespace {

// In the first byte of packed ones: what follows.
constexpr std::uint8_t kHasCause = 1;
constexpr std::uint8_t kHasTags = 2;
constexpr std::uint8_t kHasAt = 4;

}  // namespace

void write_end_words(const EndWords& words, balance::ByteWriter& out) {
    out.put(static_cast<std::uint8_t>((words.cause.empty() ? 0 : kHasCause) |
                                      (words.tags.empty() ? 0 : kHasTags) | (words.at ? kHasAt : 0)));
    if (!words.cause.empty()) out.text(words.cause);
    if (!words.tags.empty()) out.text(words.tags);
    if (words.at) out.put(*words.at);
}

EndWords read_end_words(balance::ByteReader& in, balance::EventForm form) noexcept {
    const bool full = form == balance::EventForm::full;
    const auto has = full ? std::uint8_t{kHasCause | kHasTags | kHasAt} : in.get<std::uint8_t>();
    EndWords words;
    if ((has & kHasCause) != 0) words.cause = in.text();
    if ((has & kHasTags) != 0) words.tags = in.text();
    rating::Instant at = rating::kAlways;
    if ((has & kHasAt) != 0) in.get(at);
    if (at != rating::kAlways) words.at = at;
    return words;
}

}  // namespace tollgate::daemon
