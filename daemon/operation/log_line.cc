#include "daemon/operation/log_line.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include "daemon/letters.h"

namespace tollgate::daemon::logging {
namespace {

constexpr std::string_view kHidden = "***";
constexpr std::string_view kOtherKinds = "other";

bool is_space(char c) noexcept {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
/// What tokens and hashes are made of.
bool is_secret_letter(char c) noexcept {
    return (c >= '0' && c <= '9') || (in_small(c) >= 'a' && in_small(c) <= 'z') || c == '_' || c == '-' ||
           c == '$' || c == '+' || c == '/' || c == '=' || c == ',' || c == '.';
}
bool begins(std::string_view text, std::size_t at, std::string_view word) noexcept {
    if (text.size() - at < word.size()) return false;
    return std::equal(word.begin(), word.end(), text.begin() + static_cast<std::ptrdiff_t>(at),
                      [](char wanted, char c) { return wanted == in_small(c); });
}

/// Where the value ends that begins at `at`: a quoted one with its quote, another at a space or the like.
std::size_t end_of_value(std::string_view text, std::size_t at, bool in_url) noexcept {
    if (at < text.size() && (text[at] == '\'' || text[at] == '"')) {
        const char quote = text[at];
        for (std::size_t i = at + 1; i < text.size(); ++i) {
            if (text[i] == '\\') {
                ++i;
            } else if (text[i] == quote) {
                return i;
            }
        }
        return text.size();
    }
    // `;` ends a part of a sentence, and `&` a part of a URL; within a word of libpq's they are letters.
    const auto ends = [text, in_url](std::size_t i) {
        const char c = text[i];
        const bool last = i + 1 == text.size() || is_space(text[i + 1]);
        return is_space(c) || c == '"' || (c == '&' && in_url) || (c == ';' && last);
    };
    while (at < text.size() && !ends(at))
        at += text[at] == '\\' ? 2U : 1U;
    return std::min(at, text.size());
}

/// Whether the name at `at` is one of the pairs behind the `?` of a URL.
bool is_in_query(std::string_view text, std::size_t at) noexcept {
    while (at > 0 && in_small(text[at - 1]) >= 'a' && in_small(text[at - 1]) <= 'z')
        --at;
    return at > 0 && (text[at - 1] == '?' || text[at - 1] == '&');
}

/// Where the password begins and ends in `//user:password@host` whose `//` is before `at`; zeros: there is
/// none. It may have letters that it should not have, an @, a / or a ?: the last @ of all ends it.
std::pair<std::size_t, std::size_t> password_in_url(std::string_view text, std::size_t at) noexcept {
    std::size_t colon = 0;
    std::size_t end = 0;
    for (std::size_t i = at; i < text.size() && !is_space(text[i]) && text[i] != '"'; ++i) {
        if (text[i] == ':' && colon == 0) colon = i;
        if (text[i] == '@' && colon != 0) end = i;
    }
    return {end == 0 ? 0 : colon + 1, end};
}

/// `host:port,host:port/path`, with *** from the first on that is no port: somebody may have forgotten the
/// host that belongs behind `user:password`.
void append_places(std::string_view url, std::string& out) {
    const std::size_t path = std::min(url.find('/'), url.size());
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    for (std::size_t place = 0; place < path;) {
        const std::size_t end = std::min(url.find(',', place), path);
        // Of [::1] what is inside the brackets is the host.
        const std::size_t bracket = url[place] == '[' ? url.find(']', place) : place;
        const std::size_t colon = url.find(':', bracket < end ? bracket : place);
        if (colon < end) {
            const std::string_view port = url.substr(colon + 1, end - colon - 1);
            if (!std::all_of(port.begin(), port.end(), is_digit)) {
                out.append(url.substr(0, colon + 1)).append(kHidden);
                return;
            }
        }
        place = end + 1;
    }
    out.append(url);
}

/// UTF-8 passes; control letters and what belongs to the format do not.
void escape(std::string_view text, std::string& out) {
    for (const char c : text) {
        switch (c) {
            case '"':
                out += "\\\"";
                break;
            case '\\':
                out += "\\\\";
                break;
            case '\n':
                out += "\\n";
                break;
            case '\r':
                out += "\\r";
                break;
            case '\t':
                out += "\\t";
                break;
            default:
                if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
                    std::array<char, 7> code{};
                    (void)std::snprintf(code.data(), code.size(), "\\u%04x",
                                        static_cast<unsigned>(static_cast<unsigned char>(c)));
                    out += code.data();
                } else {
                    out += c;
                }
        }
    }
}

bool is_bare(std::string_view text) noexcept {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return c > ' ' && c < 0x7f && c != '"' && c != '=' && c != '\\';
    });
}

/// `2026-11-22T10:40:09.123Z`
std::string text_of(std::chrono::system_clock::time_point at) {
    const auto milliseconds =
        std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch()).count();
    const std::time_t seconds = std::chrono::system_clock::to_time_t(at);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, 40> text{};
    const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    std::array<char, 8> rest{};
    (void)std::snprintf(rest.data(), rest.size(), ".%03dZ", static_cast<int>(milliseconds % 1000));
    return std::string{text.data(), size} + rest.data();
}

/// As syslog numbers them.
char priority_of(std::string_view level) noexcept {
    if (level == "critical") return '2';
    if (level == "error") return '3';
    if (level == "warn") return '4';
    if (level == "info") return '6';
    return '7';
}

/// Names and values, one behind the other.
class Pairs {
  public:
    Pairs(config::LogFormat format, std::string& out) : json_(format == config::LogFormat::json), out_(out) {
        if (json_) out_ += '{';
    }
    void add(std::string_view name, std::string_view value) {
        if (!first_) out_ += json_ ? ',' : ' ';
        first_ = false;
        if (json_) out_ += '"';
        out_ += name;
        out_ += json_ ? "\":" : "=";
        if (!json_ && is_bare(value)) {
            out_ += value;
            return;
        }
        out_ += '"';
        escape(value, out_);
        out_ += '"';
    }
    void end() { out_ += json_ ? "}\n" : "\n"; }

  private:
    bool json_;
    bool first_ = true;
    std::string& out_;
};

}  // namespace

std::string redacted(std::string_view text) {
    static constexpr std::array<std::string_view, 6> kNames = {"password", "passwd", "secret",
                                                               "bearer",   "token",  "authorization"};
    std::string out;
    out.reserve(text.size());
    std::size_t at = 0;
    while (at < text.size()) {
        if (begins(text, at, "://")) {
            const auto [from, to] = password_in_url(text, at + 3);
            if (to != 0) {
                out.append(text.substr(at, from - at)).append(kHidden);
                at = to;
                continue;
            }
        }
        if (begins(text, at, "tg_") || begins(text, at, "$argon2")) {
            std::size_t end = at;
            while (end < text.size() && is_secret_letter(text[end]))
                ++end;
            constexpr std::size_t kSecretLeast = 20;  // Shorter than any token: a word of ours.
            if (end - at >= kSecretLeast) {
                out.append(text.substr(at, 3)).append(kHidden);
                at = end;
                continue;
            }
        }
        const auto* const name = std::find_if(
            kNames.begin(), kNames.end(), [&](std::string_view known) { return begins(text, at, known); });
        if (name == kNames.end()) {
            out += text[at++];
            continue;
        }
        const bool in_url = is_in_query(text, at);
        out.append(text.substr(at, name->size()));
        at += name->size();
        // `password=x`, `password = "x"`, `"password":"x"`, `Bearer x`.
        std::size_t value = at;
        if (value < text.size() && text[value] == '"') ++value;
        while (value < text.size() && text[value] == ' ')
            ++value;
        const bool assigned = value < text.size() && (text[value] == '=' || text[value] == ':');
        if (!assigned && *name != "bearer") continue;
        if (assigned) ++value;
        // `redis.password: there is no such key` is a message about one.
        const bool is_said_of =
            assigned && text[value - 1] == ':' && value < text.size() && text[value] == ' ';
        while (value < text.size() && text[value] == ' ')
            ++value;
        const std::size_t end = end_of_value(text, value, in_url);
        if (end == value) continue;
        const bool is_quoted = text[value] == '"' || text[value] == '\'';
        if (is_said_of && !is_quoted) continue;
        out.append(text.substr(at, value - at + (is_quoted ? 1 : 0))).append(kHidden);
        at = end;
    }
    return out;
}

std::string redacted_url(std::string_view url) {
    std::string out;
    // Of what libpq takes instead of a URL nothing is shown from the password on.
    if (const std::size_t slashes = url.find("://"); slashes == std::string_view::npos) {
        for (std::size_t i = 0; i < url.size(); ++i) {
            if (begins(url, i, "pass"))
                return out.append(url.substr(0, i)).append("password=").append(kHidden);
        }
    } else {
        out.append(url.substr(0, slashes + 3));
        url.remove_prefix(slashes + 3);
    }
    const std::size_t end = url.rfind('@');
    const bool has_user = end != std::string_view::npos;
    if (has_user) {
        const std::string_view user = url.substr(0, end);
        const std::size_t colon = user.find(':');
        if (colon != std::string_view::npos) out.append(user.substr(0, colon + 1));
        out.append(kHidden);
        url.remove_prefix(end);
    }
    const std::size_t query = url.find('?');
    const std::string_view places = url.substr(0, query);
    if (has_user) {
        out.append(places);
    } else {
        append_places(places, out);
    }
    if (query != std::string_view::npos) out.append("?").append(kHidden);
    return out;
}

std::string line_of(const Line& line, config::LogFormat format, Reader reader) {
    std::string out;
    if (reader == Reader::journald) out.append({'<', priority_of(line.level), '>'});
    Pairs pairs{format, out};
    if (reader == Reader::plain) pairs.add("time", text_of(line.at));
    pairs.add("level", line.level);
    if (!line.kind.empty()) pairs.add("kind", line.kind);
    pairs.add("msg", redacted(line.message));
    for (const Field& field : line.fields)
        pairs.add(field.name, redacted(field.value));
    pairs.end();
    return out;
}

std::string_view kind_of(std::string_view message) noexcept {
    const std::size_t end = message.find_first_of("0123456789:\"'/(");
    return message.substr(0, std::min<std::size_t>(end, 64));
}

bool Limiter::admit(std::string_view kind, Time now) {
    if (lines_max_ == 0) return true;
    auto found = windows_.find(kind);
    if (found == windows_.end()) {
        if (windows_.size() >= kKindsMax) kind = kOtherKinds;
        found = windows_.try_emplace(std::string{kind}, Window{now}).first;
    }
    Window& window = found->second;
    // What was suppressed is said before a new window begins: by settle().
    if (now - window.began >= kWindow && window.suppressed == 0) window = {now};
    if (window.written < lines_max_) {
        ++window.written;
        return true;
    }
    ++window.suppressed;
    return false;
}

std::vector<Limiter::Suppressed> Limiter::settle(Time now) {
    std::vector<Suppressed> told;
    for (auto at = windows_.begin(); at != windows_.end();) {
        if (now - at->second.began < kWindow) {
            ++at;
            continue;
        }
        if (at->second.suppressed > 0) told.push_back({at->first, at->second.suppressed});
        at = windows_.erase(at);
    }
    return told;
}

std::vector<Limiter::Suppressed> Limiter::settle_all() {
    return settle(Time::max());
}

}  // namespace tollgate::daemon::logging
