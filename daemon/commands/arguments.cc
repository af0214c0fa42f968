#include "daemon/commands/arguments.h"

#include <algorithm>
#include <cassert>

#include "protocol/resp_writer.h"

namespace tollgate::daemon::commands {
namespace {

constexpr std::size_t kShownMax = 64;

/// What stands there in this order: `line destination session`.
std::string joined(std::span<const std::string_view> names) {
    std::string all;
    for (const std::string_view name : names) {
        if (!all.empty()) all += ' ';
        all += name;
    }
    return all;
}

std::string_view present(std::string_view word) noexcept {
    return is_null(word) ? std::string_view{} : word;
}

}  // namespace

Arguments::Arguments(Words words, std::span<const std::string_view> positionals,
                     std::span<Keyword> keywords) {
    assert(positionals.size() <= kPositionalsMax);
    words = words.subspan(1);
    if (words.size() < positionals.size()) {
        fault(positionals[words.size()], {}, "missing; expected " + joined(positionals));
        return;
    }
    for (std::size_t i = 0; i < positionals.size(); ++i)
        positionals_[i] = present(words[i]);
    words = words.subspan(positionals.size());
    while (!words.empty()) {
        const std::string_view word = words.front();
        words = words.subspan(1);
        if (is_null(word)) continue;
        if (words.empty() && is_word(word, "PLAIN")) {
            plain_ = true;
            return;
        }
        const auto keyword = std::find_if(keywords.begin(), keywords.end(),
                                          [word](const Keyword& known) { return is_word(word, known.name); });
        if (keyword == keywords.end()) {
            std::string expected = "expected ";
            for (const Keyword& known : keywords)
                expected += std::string{known.name} + ", ";
            if (!keywords.empty()) expected += "or ";
            fault("keyword", word, expected + "PLAIN as the last word");
            return;
        }
        if (keyword->present) fault(keyword->name, {}, "stands there twice; expected once");
        keyword->present = true;
        if (keyword->flag) continue;
        if (words.empty()) {
            fault(keyword->name, {}, "nothing stands behind it; expected a value");
            return;
        }
        keyword->value = present(words.front());
        keyword->present = !is_null(words.front());
        words = words.subspan(1);
    }
}

void Arguments::fault(std::string_view name, std::string_view value, std::string_view expected) {
    if (!fault_.empty()) return;
    fault_ = "BADARG " + std::string{name} + ": ";
    if (!value.empty()) fault_ += "\"" + std::string{value.substr(0, kShownMax)} + "\": ";
    fault_ += expected;
}

bool Arguments::refused(std::string& out) const {
    if (fault_.empty()) return false;
    protocol::RespWriter{out}.error(fault_);
    return true;
}

std::chrono::milliseconds Arguments::duration(std::string_view name, std::string_view text) {
    const auto parsed = rating::parse_duration(text);
    if (!parsed) fault(name, text, "expected seconds from 0 to 1000000000 with at most 3 places");
    return parsed.value_or(std::chrono::milliseconds{0});
}

std::optional<std::chrono::milliseconds> Arguments::duration(const Keyword& keyword) {
    if (!keyword.present) return std::nullopt;
    return duration(keyword.name, keyword.value);
}

std::optional<std::chrono::seconds> Arguments::grant(const Keyword& keyword) {
    if (!keyword.present) return std::nullopt;
    const auto parsed = rating::parse_duration(keyword.value);
    if (!parsed || *parsed == std::chrono::milliseconds{0}) {
        fault(keyword.name, keyword.value,
              "expected seconds above 0 and up to 1000000000 with at most 3 places");
        return std::nullopt;
    }
    return rating::whole_seconds(*parsed);
}

std::optional<rating::Instant> Arguments::instant(const Keyword& keyword) {
    if (!keyword.present) return std::nullopt;
    const auto parsed = rating::parse_instant(keyword.value);
    if (!parsed || *parsed == rating::kAlways || *parsed == rating::kNever) {
        fault(keyword.name, keyword.value,
              "expected RFC 3339 such as 2026-03-02T00:00:00Z, or Unix seconds without a sign, from 1678 to "
              "2261");
        return std::nullopt;
    }
    return parsed;
}

rating::Money Arguments::amount(std::string_view name, std::string_view text) {
    const auto parsed = rating::parse_money(text);
    if (!parsed || *parsed <= rating::Money{} || *parsed > rating::kAmountMax) {
        fault(name, text, "expected an amount above 0 and up to 10000000000 with at most 6 places");
        return {};
    }
    return *parsed;
}

std::string_view Arguments::text(const Keyword& keyword, std::size_t bytes_max) {
    if (keyword.value.size() > bytes_max) {
        fault(keyword.name, {},
              "has " + std::to_string(keyword.value.size()) + " bytes; expected at most " +
                  std::to_string(bytes_max));
    }
    return keyword.value;
}

std::string_view Arguments::service(const Keyword& keyword) {
    if (!keyword.present) return balance::kVoice;
    if (!balance::is_service(keyword.value)) {
        fault(keyword.name, keyword.value,
              "expected 1 to " + std::to_string(balance::kServiceBytesMax) + " of a-z 0-9 _ -");
    }
    return keyword.value;
}

}  // namespace tollgate::daemon::commands
