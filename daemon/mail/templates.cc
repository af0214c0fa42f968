#include "daemon/mail/templates.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <system_error>

namespace tollgate::daemon::mail {
namespace {

constexpr std::string_view kSubject = "Subject:";
constexpr std::string_view kSuffix = ".txt";
constexpr std::size_t kLanguageBytesMax = 35;  // As long as tags of RFC 5646 get.

constexpr std::array<std::string_view, 9> kThresholdPlaceholders = {
    "party", "name", "currency", "balance", "owed", "credit_limit", "threshold_is", "warning", "time"};
constexpr std::string_view kThresholdText = R"(Subject: {{party}}: {{threshold_is}}

{{name}}

The account {{party}} has crossed a threshold: {{threshold_is}}.

Balance:       {{balance}} {{currency}}
Owed:          {{owed}} {{currency}}
Credit limit:  {{credit_limit}} {{currency}}
When:          {{time}}

This is said once. It is said again only after the balance has come back and crossed the threshold anew.
)";

constexpr std::array<std::string_view, 5> kPasswordPlaceholders = {"party", "name", "login", "changed_by",
                                                                   "time"};
constexpr std::string_view kPasswordText = R"(Subject: The password of {{login}} was changed

{{name}}

The password of {{login}} ({{party}}) was changed by {{changed_by}} at {{time}}.

If this was not meant to happen, tell whoever runs your account at once.
)";

constexpr std::array<Templates::Kind, 2> kKinds{{
    {"threshold", kThresholdPlaceholders, kThresholdText},
    {"password_changed", kPasswordPlaceholders, kPasswordText},
}};

bool is_control(char c) noexcept {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

/// One line without its end, taken off the text.
std::string_view take_line(std::string_view& text) noexcept {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

std::string_view trimmed(std::string_view text) noexcept {
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
    return text.substr(0, text.find_last_not_of(" \t") + 1);
}

std::size_t line_of(std::string_view text, std::size_t offset) noexcept {
    return 1 + static_cast<std::size_t>(
                   std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(offset), '\n'));
}

bool is_language(std::string_view text) noexcept {
    return !text.empty() && text.size() <= kLanguageBytesMax &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
           });
}

std::optional<std::string> read_file(const std::filesystem::path& path) {
    std::ifstream file{path, std::ios::binary};
    std::string text(kTemplateBytesMax + 1, '\0');
    if (!file) return std::nullopt;
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (file.bad()) return std::nullopt;
    text.resize(static_cast<std::size_t>(file.gcount()));
    return text;
}

}  // namespace

std::variant<Template::Pieces, std::string> Template::take_apart(
    std::string_view text, std::span<const std::string_view> placeholders) {
    Pieces pieces;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t open = std::min(text.find("{{", at), text.size());
        Piece piece{std::string{text.substr(at, open - at)}, {}};
        at = open;
        if (open < text.size()) {
            const std::size_t close = text.find("}}", open);
            const std::string line = "line " + std::to_string(line_of(text, open)) + ": ";
            if (close == std::string_view::npos) return line + "{{ has no }}";
            const std::string_view name = trimmed(text.substr(open + 2, close - open - 2));
            if (std::find(placeholders.begin(), placeholders.end(), name) == placeholders.end()) {
                std::string fault = line;
                fault.append("{{").append(name).append("}} is not known here; there are");
                for (std::size_t i = 0; i < placeholders.size(); ++i)
                    fault.append(i == 0 ? " " : ", ").append(placeholders[i]);
                return fault;
            }
            piece.placeholder = name;
            at = close + 2;
        }
        pieces.push_back(std::move(piece));
    }
    return pieces;
}

std::variant<Template, std::string> Template::parse(std::string_view text,
                                                    std::span<const std::string_view> placeholders) {
    if (text.size() > kTemplateBytesMax)
        return "it has more than " + std::to_string(kTemplateBytesMax) + " bytes";
    // Parts are cut out of the whole only here, so that faults know their lines: each is taken apart with
    // empty lines in place of what stands before it.
    std::string_view rest = text;
    const std::string_view first = take_line(rest);
    if (!first.starts_with(kSubject) || trimmed(first.substr(kSubject.size())).empty())
        return "line 1: expected \"Subject: …\"";
    if (!take_line(rest).empty()) return "line 2: expected an empty line between the subject and the text";
    if (rest.empty()) return "line 3: there is no text";

    auto subject = take_apart(trimmed(first.substr(kSubject.size())), placeholders);
    if (auto* fault = std::get_if<std::string>(&subject)) return std::move(*fault);
    auto body = take_apart("\n\n" + std::string{rest}, placeholders);
    if (auto* fault = std::get_if<std::string>(&body)) return std::move(*fault);

    Template parsed;
    parsed.subject_ = std::get<Pieces>(std::move(subject));
    parsed.text_ = std::get<Pieces>(std::move(body));
    parsed.text_.front().text.erase(0, 2);
    return parsed;
}

std::string Template::fill(const Pieces& pieces, std::span<const Value> values) {
    std::string filled;
    for (const Piece& piece : pieces) {
        filled += piece.text;
        const auto value = std::find_if(values.begin(), values.end(), [&piece](const Value& known) {
            return known.name == piece.placeholder;
        });
        if (value == values.end()) continue;
        const std::size_t begin = filled.size();
        filled += value->text;
        std::replace_if(filled.begin() + static_cast<std::ptrdiff_t>(begin), filled.end(), is_control, ' ');
    }
    return filled;
}

Written Template::fill(std::span<const Value> values) const {
    return {fill(subject_, values), fill(text_, values)};
}

Templates::Templates(const std::string& folder) {
    for (const Kind& kind : kKinds) {
        auto parsed = Template::parse(kind.text, kind.placeholders);
        if (std::holds_alternative<std::string>(parsed)) std::abort();  // The built-in one is faulty.
        templates_.emplace(std::pair{std::string{kind.name}, std::string{}},
                           std::get<Template>(std::move(parsed)));
    }
    if (folder.empty()) return;

    std::string faults;
    const auto complain = [&faults](const std::string& file, const std::string& what) {
        faults += (faults.empty() ? "" : "\n") + file + ": " + what;
    };
    std::error_code error;
    std::vector<std::filesystem::path> files;
    for (std::filesystem::directory_iterator entry{folder, error}, end; !error && entry != end;
         entry.increment(error)) {
        if (entry->path().extension() == kSuffix) files.push_back(entry->path());
    }
    if (error) throw std::runtime_error(folder + ": " + error.message());
    std::sort(files.begin(), files.end());  // So that faults are told in the same order each time.
    for (const std::filesystem::path& path : files) {
        const std::string stem = path.stem().string();
        const std::size_t dot = std::min(stem.find('.'), stem.size());
        const std::string name = stem.substr(0, dot);
        const std::string language = dot < stem.size() ? stem.substr(dot + 1) : std::string{};
        const auto kind = std::find_if(kKinds.begin(), kKinds.end(),
                                       [&name](const Kind& known) { return known.name == name; });
        if (kind == kKinds.end() || (dot < stem.size() && !is_language(language))) {
            std::string known;
            for (const Kind& other : kKinds)
                known += (known.empty() ? "" : ", ") + std::string{other.name};
            complain(path.string(),
                     "no mail is called so; expected NAME.txt or NAME.LANGUAGE.txt with one of " + known);
            continue;
        }
        const std::optional<std::string> text = read_file(path);
        if (!text) {
            complain(path.string(), "it cannot be read");
            continue;
        }
        auto parsed = Template::parse(*text, kind->placeholders);
        if (const auto* fault = std::get_if<std::string>(&parsed)) {
            complain(path.string(), *fault);
            continue;
        }
        templates_.insert_or_assign({name, language}, std::get<Template>(std::move(parsed)));
    }
    if (!faults.empty()) throw std::runtime_error(faults);
}

Written Templates::fill(std::string_view name, std::string_view language,
                        std::span<const Value> values) const {
    for (std::string wanted{language};;) {
        if (const auto found = templates_.find({std::string{name}, wanted}); found != templates_.end())
            return found->second.fill(values);
        if (wanted.empty()) std::abort();  // No template of that name, which the caller must know.
        const std::size_t hyphen = wanted.rfind('-');
        wanted.resize(hyphen == std::string::npos ? 0 : hyphen);
    }
}

std::span<const Templates::Kind> Templates::kinds() noexcept {
    return kKinds;
}

}  // namespace tollgate::daemon::mail
