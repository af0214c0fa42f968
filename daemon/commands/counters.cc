#include "daemon/commands/counters.h"

#include <algorithm>

namespace tollgate::daemon::commands {
namespace {

constexpr std::array<std::string_view, kAnswerCodes> kWords = {
    "OK",
    "FREE",
    "UNKNOWN_ACCOUNT",
    "SERVICE_DENIED",
    "RATING_FAILED",
    "CREDIT_LIMIT",
    "UNKNOWN_SESSION",
    "CONFLICT",
    "TOO_OLD",
    "BADARG",
    "BUSY",
    "NOAUTH",
    "NOPERM",
    "WRONGPASS",
    "LOADING",
    "MISCONF",
    "NOPROTO",
    "ERR",
};
constexpr auto kFirstError = static_cast<std::size_t>(AnswerCode::badarg);

// Headers and codes are short: looking at each byte is faster than a call that looks at many.

/// What follows the line end of a header such as `*22`.
std::string_view behind_line(std::string_view text) noexcept {
    std::size_t end = 0;
    while (end < text.size() && text[end] != '\n')
        ++end;
    return text.substr(std::min(end + 1, text.size()));
}

std::string_view first_word(std::string_view text) noexcept {
    std::size_t end = 0;
    while (end < text.size() && text[end] != ' ' && text[end] != '\r')
        ++end;
    return text.substr(0, end);
}

AnswerCode find(std::string_view word, std::size_t first, std::size_t end, AnswerCode otherwise) noexcept {
    for (std::size_t i = first; i < end; ++i) {
        if (kWords[i] == word) return static_cast<AnswerCode>(i);
    }
    return otherwise;
}

/// Whether it is one of 10 to 99 elements, of which the first is OK: what most calls are answered.
bool is_usual(std::string_view answer) noexcept {
    constexpr std::size_t kHeader = std::string_view{"*22\r\n"}.size();
    return answer.size() > kHeader && answer.front() == '*' && answer[kHeader - 1] == '\n' &&
           answer.substr(kHeader).starts_with("$2\r\nOK\r\n");
}

}  // namespace

std::string_view text_of(AnswerCode code) noexcept {
    return kWords[static_cast<std::size_t>(code)];
}

AnswerCode answer_code(std::string_view answer) noexcept {
    if (answer.empty() || is_usual(answer)) return AnswerCode::ok;
    switch (answer.front()) {
        case '-':
            return find(first_word(answer.substr(1)), kFirstError, kAnswerCodes, AnswerCode::err);
        case '*':  // Code, figure, pairs.
            answer = behind_line(answer);
            if (!answer.starts_with('$')) return AnswerCode::ok;
            [[fallthrough]];
        case '$':  // PLAIN: the same as words.
            return find(first_word(behind_line(answer)), 0, kFirstError, AnswerCode::ok);
        default:
            return AnswerCode::ok;
    }
}

}  // namespace tollgate::daemon::commands
