/// The one shape of answer that charging commands give: a code, a figure, then names and values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/resp_text.h"
#include "rating/decimal.h"
#include "rating/money.h"

namespace tollgate::daemon::commands {

/// A flat array of bulk strings, or with PLAIN one bulk string of words: `OK 3600 final 0`. In the plain form
/// bytes up to space, `%` and DEL of a value are percent-encoded, so that splitting at single spaces is
/// always right.
///
/// It is composed beside the string that it is appended to, because most of what costs is to look how much
/// room a string has. The string has it all once the answer is destroyed.
class Answer {
  public:
    /// Answers `pair_count` pairs after code and figure; exactly so many must follow.
    Answer(std::string& out, bool plain, std::string_view code, std::string_view figure,
           std::size_t pair_count)
        : Answer(out, plain, code, figure, Elements{2 * pair_count}) {}
    /// As above, with `elements` single or nested values in place of pairs.
    struct Elements {
        std::size_t count;
    };
    Answer(std::string& out, bool plain, std::string_view code, std::string_view figure, Elements elements);
    Answer(const Answer&) = delete;
    Answer& operator=(const Answer&) = delete;
    ~Answer();

    void pair(std::string_view name, std::string_view text) {
        value(name);
        value(text);
    }
    void pair(std::string_view name, std::int64_t number) {
        pair(name, rating::format_decimal(number, 0).view());
    }
    void pair(std::string_view name, bool yes) { pair(name, std::string_view{yes ? "1" : "0"}); }
    // Without these a text literal would be taken for a bool.
    void pair(std::string_view name, const char* text) { pair(name, std::string_view{text}); }
    void pair(std::string_view name, rating::Money amount) { pair(name, rating::format(amount).view()); }
    void pair(std::string_view name, rating::Price price) { pair(name, rating::format(price).view()); }

    /// Opens a nested array of `size` values as one element; `value` follows so many times.
    void nested(std::size_t size);
    void value(std::string_view text) {
        if (!plain_ && text.size() + protocol::kBulkFrameBytesMax <= kRoomBytes - size_) {
            size_ = static_cast<std::size_t>(protocol::put_bulk(room_.data() + size_, text) - room_.data());
        } else {
            value_elsewhere(text);
        }
    }

  private:
    /// More than an answer without EXPLAIN takes.
    static constexpr std::size_t kRoomBytes = 1024;

    void value_elsewhere(std::string_view text);
    void word(std::string_view text);
    /// What was composed is appended.
    void flush();

    std::string& out_;
    bool plain_;
    std::string plain_text_;  // Used, and allocated, for PLAIN only.
    std::size_t size_ = 0;    // Of what stands in the room.
    std::array<char, kRoomBytes> room_;
};

}  // namespace tollgate::daemon::commands
