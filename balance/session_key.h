/// What a session is known by: the id that a switch chose, and whose choice it was.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include "balance/bytes.h"

namespace tollgate::balance {

/// A session id is 1 to 255 bytes, any byte: a SIP Call-ID may hold `"%<>@`.
inline constexpr std::size_t kSessionIdBytesMax = 255;
/// The longest name of who chooses ids: a declared user's.
inline constexpr std::size_t kSessionScopeBytesMax = 64;
/// Of an id with its scope, and a NUL on either side of that.
inline constexpr std::size_t kSessionKeyBytesMax = kSessionIdBytesMax + kSessionScopeBytesMax + 2;

/// One text of both. Ids of nobody in particular are their own keys, as they have always been, but for those
/// that begin with a NUL; a scope holds none.
///
/// Neither copied nor moved: what it shows may lie in itself, or where the id lies.
class SessionKey {
  public:
    /// Empty, which no session has, for what is no id. Requires: at most kSessionScopeBytesMax of scope.
    SessionKey(std::string_view scope, std::string_view id) noexcept {
        if (id.empty() || id.size() > kSessionIdBytesMax) return;
        if (scope.empty() && id.front() != '\0') {
            view_ = id;
            return;
        }
        char* at = text_.data();
        *at++ = '\0';
        at = std::copy(scope.begin(), scope.end(), at);
        *at++ = '\0';
        at = std::copy(id.begin(), id.end(), at);
        view_ = {text_.data(), static_cast<std::size_t>(at - text_.data())};
    }
    SessionKey(const SessionKey&) = delete;
    SessionKey& operator=(const SessionKey&) = delete;

    [[nodiscard]] std::string_view view() const noexcept { return view_; }

    /// How many bytes of a key stand before its id.
    [[nodiscard]] static std::size_t id_offset(std::string_view key) noexcept {
        if (key.empty() || key.front() != '\0') return 0;
        const std::size_t second = key.find('\0', 1);  // Where there is none it is beyond any scope.
        return second > kSessionScopeBytesMax + 1 ? 0 : second + 1;
    }
    /// What `offset`, which id_offset() said, tells of the scope.
    [[nodiscard]] static std::string_view scope_before(std::string_view key, std::size_t offset) noexcept {
        return offset == 0 ? std::string_view{} : key.substr(1, offset - 2);
    }

  private:
    std::string_view view_;
    std::array<char, kSessionKeyBytesMax> text_;  // NOLINT: not filled, it is written before it is read.
};

/// In events and snapshots: as a short text where it is one.
inline void write_session_key(std::string_view key, ByteWriter& out) {
    const bool is_short = key.size() <= kSessionIdBytesMax;
    out.short_text(is_short ? key : std::string_view{});
    if (!is_short) out.text(key);
}
/// Empty where there is none.
[[nodiscard]] inline std::string_view read_session_key(ByteReader& in) noexcept {
    const std::string_view key = in.short_text();
    return key.empty() ? in.text() : key;
}

}  // namespace tollgate::balance
