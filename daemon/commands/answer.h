/// The one shape of answer that charging commands give: a code, a figure, then names and values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
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

    [[gnu::always_inline]] void pair(std::string_view name, std::string_view text) {
        if (!fits(name, text.size())) return pair_elsewhere(name, text);
        put(protocol::put_bulk(protocol::put_bulk(end(), name), text));
    }
    void pair(std::string_view name, std::int64_t number) { decimal(name, number, 0); }
    void pair(std::string_view name, bool yes) { pair(name, std::string_view{yes ? "1" : "0"}); }
    // Without these a text literal would be taken for a bool.
    void pair(std::string_view name, const char* text) { pair(name, std::string_view{text}); }
    void pair(std::string_view name, rating::Money amount) {
        decimal(name, amount.micros(), rating::Money::kPlaces);
    }
    void pair(std::string_view name, rating::Price price) {
        decimal(name, price.nanos(), rating::Price::kPlaces);
    }
    /// Empty where there is none.
    template <typename Value>
    void pair(std::string_view name, const std::optional<Value>& value) {
        value ? pair(name, *value) : pair(name, std::string_view{});
    }

    /// Opens a nested array of `size` values as one element; `value` follows so many times.
    void nested(std::size_t size);
    void value(std::string_view text) {
        if (!fits(text, 0)) return value_elsewhere(text);
        put(protocol::put_bulk(end(), text));
    }

  private:
    /// More than an answer without EXPLAIN takes.
    static constexpr std::size_t kRoomBytes = 1024;

    /// Whether a text and one more of so many bytes can be composed.
    [[nodiscard]] bool fits(std::string_view text, std::size_t more) const noexcept {
        return !plain_ && text.size() + more + 2 * protocol::kBulkFrameBytesMax <= kRoomBytes - size_;
    }
    [[nodiscard]] char* end() noexcept { return room_.data() + size_; }
    void put(const char* end) noexcept { size_ = static_cast<std::size_t>(end - room_.data()); }

    /// A number is written where it will stand: reading it again right after it was written makes the
    /// processor wait.
    void decimal(std::string_view name, std::int64_t number, int places);
    void pair_elsewhere(std::string_view name, std::string_view text);
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
