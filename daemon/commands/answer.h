/// The one shape of answer that charging commands give: a code, a figure, then names and values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/resp_writer.h"
#include "rating/money.h"

namespace tollgate::daemon::commands {

/// A flat array of bulk strings, or with PLAIN one bulk string of words: `OK 3600 final 0`. In the plain form
/// bytes up to space, `%` and DEL of a value are percent-encoded, so that splitting at single spaces is
/// always right.
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

    void pair(std::string_view name, std::string_view value);
    void pair(std::string_view name, std::int64_t value);
    void pair(std::string_view name, bool value) { pair(name, std::string_view{value ? "1" : "0"}); }
    // Without these a text literal would be taken for a bool.
    void pair(std::string_view name, const char* value) { pair(name, std::string_view{value}); }
    void pair(std::string_view name, rating::Money value) { pair(name, rating::format(value).view()); }
    void pair(std::string_view name, rating::Price value) { pair(name, rating::format(value).view()); }

    /// Opens a nested array of `size` values as one element; `value` follows so many times.
    void nested(std::size_t size);
    void value(std::string_view value);

  private:
    void word(std::string_view text);

    protocol::RespWriter writer_;
    bool plain_;
    std::string plain_text_;  // Used, and allocated, for PLAIN only.
};

}  // namespace tollgate::daemon::commands
