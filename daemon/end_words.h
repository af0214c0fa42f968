/// What whoever ended a call said of it for its record alone.
#pragma once

#include <optional>
#include <string_view>

#include "balance/bytes.h"
#include "balance/event.h"
#include "rating/instant.h"

namespace tollgate::daemon {

/// What a STOP or RELEASE says for the record alone.
struct EndWords {
    std::string_view cause{};
    std::string_view tags{};
    std::optional<rating::Instant> at{};
};

/// In an event of a session, behind its key.
void write_end_words(const EndWords& words, balance::ByteWriter& out);
/// The views live as long as the event.
[[nodiscard]] EndWords read_end_words(balance::ByteReader& in, balance::EventForm form) noexcept;

}  // namespace tollgate::daemon
