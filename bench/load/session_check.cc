#include "bench/load/session_check.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <functional>
#include <optional>
#include <span>

#include "rating/csv.h"
#include "rating/decimal.h"

namespace tollgate::bench::load {
namespace {

using Words = std::span<const std::string_view>;

constexpr std::size_t kFirstPair = 2;  // Behind the code and the figure.
constexpr std::array<std::string_view, 10> kAuthorizePairs = {
    "final", "validity", "level", "reason", "price", "held", "available", "currency", "number", "dup"};
constexpr std::array<std::string_view, 1> kStartPairs = {"dup"};
constexpr std::array<std::string_view, 5> kExtendPairs = {"final", "validity", "charged", "level", "dup"};
constexpr std::array<std::string_view, 5> kStopPairs = {"billed", "status", "flags", "record", "dup"};

Words pairs_of(Verb verb) noexcept {
    switch (verb) {
        case Verb::authorize:
            return kAuthorizePairs;
        case Verb::start:
        case Verb::release:
            return kStartPairs;
        case Verb::extend:
            return kExtendPairs;
        case Verb::stop:
            return kStopPairs;
        case Verb::count:
            break;
    }
    std::abort();  // Not an enumerator.
}

/// The value of a pair of the verb, whose layout was checked.
std::string_view value(Words words, Verb verb, std::string_view name) noexcept {
    const Words pairs = pairs_of(verb);
    const auto place = static_cast<std::size_t>(std::find(pairs.begin(), pairs.end(), name) - pairs.begin());
    return words[kFirstPair + 2 * place + 1];
}

Verdict wrong(std::string_view what, std::string_view shown = {}, std::string_view expected = {}) {
    Verdict verdict{Verdict::Kind::wrong};
    verdict.fault = what;
    if (!shown.empty()) verdict.fault.append(" ").append(rating::shown(shown));
    if (!expected.empty()) verdict.fault.append(", expected ").append(expected);
    return verdict;
}

bool has_layout(Words words, Words pairs) noexcept {
    if (words.size() < kFirstPair + 2 * pairs.size()) return false;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        if (words[kFirstPair + 2 * i] != pairs[i]) return false;
    }
    return true;
}

std::optional<rating::Money> amount(std::string_view text) noexcept {
    if (text.empty()) return rating::Money{};
    const auto money = rating::parse_money(text);
    return money && *money >= rating::Money{} ? money : std::nullopt;
}

std::optional<std::chrono::seconds> seconds(std::string_view text) noexcept {
    constexpr std::uint64_t kMost = 1'000'000'000;
    const auto count = rating::parse_unsigned(text, kMost);
    if (!count) return std::nullopt;
    return std::chrono::seconds{static_cast<std::int64_t>(*count)};
}

bool is_refusal_of_authorize(std::string_view code) noexcept {
    return code == "UNKNOWN_ACCOUNT" || code == "SERVICE_DENIED" || code == "RATING_FAILED" ||
           code == "CREDIT_LIMIT";
}

std::string in_seconds(std::chrono::seconds time) {
    return std::to_string(time.count()) + " s";
}

Verdict judge_authorize(Session& session, Words words) {
    const std::string_view code = words[0];
    if (is_refusal_of_authorize(code)) {
        if (words[1] != "0") return wrong("refused, and granted", words[1], "0");
        return {Verdict::Kind::refused, code};
    }
    const bool is_free = code == "FREE";
    if (!is_free && code != "OK") return wrong("answered", code, "a grant or a refusal");
    const auto granted = seconds(words[1]);
    if (!granted || granted->count() == 0 || *granted > session.said)
        return wrong("granted", words[1], "1 s to " + in_seconds(session.said));
    const auto is_final = value(words, Verb::authorize, "final");
    if (is_final != "0" && is_final != "1") return wrong("final is", is_final, "0 or 1");
    if (*granted < session.said && is_final != "1")
        return wrong("granted less than was wanted and is not final:", words[1], in_seconds(session.said));
    const auto held = amount(value(words, Verb::authorize, "held"));
    if (!held) return wrong("held is", value(words, Verb::authorize, "held"), "an amount");
    if (is_free && *held != rating::Money{})
        return wrong("is FREE and holds", rating::format(*held).view(), "0");
    session.is_granted = true;
    session.is_final = is_final == "1";
    session.granted = *granted;
    session.held = *held;
    return {};
}

Verdict judge_extend(Session& session, Words words, std::chrono::seconds want) {
    if (words[0] != "OK") return wrong("EXTEND answered", words[0], "OK");
    const auto granted = seconds(words[1]);
    const auto most = std::max(session.granted, session.said + want);
    if (!granted || *granted > most) return wrong("EXTEND granted", words[1], "at most " + in_seconds(most));
    const auto charged = amount(value(words, Verb::extend, "charged"));
    if (!charged || *charged < session.charged)
        return wrong("EXTEND charged", value(words, Verb::extend, "charged"),
                     std::string{rating::format(session.charged).view()} + " or more, as before");
    session.is_final = value(words, Verb::extend, "final") == "1";
    session.is_started = true;
    session.is_extended = true;
    session.granted = *granted;
    session.used = session.said;
    session.charged = *charged;
    return {};
}

Verdict judge_stop(Session& session, Words words) {
    if (words[0] != "OK") return wrong("STOP answered", words[0], "OK");
    const auto charged = amount(words[1]);
    if (!charged) return wrong("STOP charged", words[1], "an amount");
    const auto status = value(words, Verb::stop, "status");
    const bool is_release = session.said.count() == 0 && !session.is_started && !session.is_extended;
    const std::string_view expected =
        is_release ? "released" : (session.said > session.granted ? "overrun" : "stopped");
    if (status != expected) return wrong("STOP has the status", status, expected);
    if (is_release && *charged != rating::Money{}) return wrong("STOP charged for no second", words[1], "0");
    if (*charged < session.charged)
        return wrong("STOP charged", words[1],
                     std::string{rating::format(session.charged).view()} + " or more, as EXTEND said");
    if (!session.is_extended && session.said <= session.granted) {
        const std::string held{rating::format(session.held).view()};
        if (*charged > session.held) return wrong("STOP charged", words[1], "at most what was held: " + held);
        if (session.said == session.granted && *charged != session.held)
            return wrong("STOP charged for the whole grant", words[1], "what was held: " + held);
    }
    session.charged = *charged;
    session.is_ended = true;
    return {};
}

/// What all answers to one command have in common.
std::uint64_t hash_of(Words words, Verb verb) noexcept {
    const std::size_t pairs = pairs_of(verb).size();
    std::uint64_t hash = 0;
    for (std::size_t i = 0; i < kFirstPair + 2 * pairs; ++i) {
        const bool is_value = i > kFirstPair && i % 2 == 1;
        // What is available now is the same for nobody; whether it is a repeat is judged apart.
        if (is_value && (words[i - 1] == "dup" || words[i - 1] == "available")) continue;
        hash = hash * 0x9E37'79B9'7F4A'7C15 + std::hash<std::string_view>{}(words[i]);
    }
    return hash;
}

Verdict judge_first(Session& session, Words words, std::chrono::seconds want) {
    switch (session.verb) {
        case Verb::authorize:
            return judge_authorize(session, words);
        case Verb::start:
            if (words[0] != "OK") return wrong("START answered", words[0], "OK");
            if (seconds(words[1]) != session.granted)
                return wrong("START says as granted", words[1], in_seconds(session.granted));
            session.is_started = true;
            return {};
        case Verb::extend:
            return judge_extend(session, words, want);
        case Verb::stop:
            return judge_stop(session, words);
        case Verb::release:
            // Of a call that was hung up before AUTHORIZE had refused it.
            if (!session.is_granted && words[0] == "UNKNOWN_SESSION") return {};
            if (words[0] != "OK") return wrong("RELEASE answered", words[0], "OK");
            if (words[1] != "0") return wrong("RELEASE charged", words[1], "0");
            session.is_ended = true;
            return {};
        case Verb::count:
            break;
    }
    std::abort();  // Not an enumerator.
}

}  // namespace

std::string_view text_of(Verb verb) noexcept {
    constexpr std::array<std::string_view, kVerbs> kTexts = {"AUTHORIZE", "START", "EXTEND", "STOP",
                                                             "RELEASE"};
    return kTexts[static_cast<std::size_t>(verb)];
}

Verdict judge(Session& session, const Answer& answer, std::chrono::seconds want) {
    ++session.answered;
    if (answer.kind() == Answer::Kind::error) {
        if (answer.text().starts_with("BUSY ")) return {Verdict::Kind::busy};
        return wrong("answered an error:", answer.text());
    }
    const Words words = answer.elements();
    if (answer.kind() != Answer::Kind::array || !has_layout(words, pairs_of(session.verb)))
        return wrong("is no answer to", text_of(session.verb));
    const auto dup = value(words, session.verb, "dup");
    if (dup != "0" && dup != "1") return wrong("dup is", dup, "0 or 1");
    const bool has_effect = words[0] == "OK" || words[0] == "FREE";
    if (session.asked == 1) {
        if (dup == "1" && has_effect)
            return wrong("is called a repeat and was sent once", text_of(session.verb));
        return judge_first(session, words, want);
    }

    const std::uint64_t hash = hash_of(words, session.verb);
    const bool is_first = session.answered == 1;
    if (is_first) session.first_answer = hash;
    if (dup == "1") ++session.duplicates;
    if (hash != session.first_answer) return wrong("the repeat was answered otherwise:", words[0]);
    if (session.answered == session.asked && has_effect && session.duplicates + 1 != session.asked)
        return wrong("was sent twice and had not one effect:", text_of(session.verb));
    if (is_first) return judge_first(session, words, want);
    return has_effect ? Verdict{} : Verdict{Verdict::Kind::refused, words[0]};
}

}  // namespace tollgate::bench::load
