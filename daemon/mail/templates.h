/// What mails say: subjects and texts with `{{placeholders}}`.
///
/// A template is a text whose first line is `Subject: …`, then an empty line, then the text. Each has a name;
/// the built-in ones can be replaced by a file `NAME.txt` of a folder, and by `NAME.LANGUAGE.txt`
/// (`threshold.de.txt`) for whoever has that language.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace tollgate::daemon::mail {

inline constexpr std::size_t kTemplateBytesMax = 64 * 1024;

/// The value of one placeholder.
struct Value {
    std::string_view name;
    std::string text;
};

struct Written {
    std::string subject;
    std::string text;
};

class Template {
  public:
    /// Or what is wrong with it, with its line. A placeholder must be one of `placeholders`, so that a typing
    /// error is found at the start and not in somebody's mail.
    [[nodiscard]] static std::variant<Template, std::string> parse(
        std::string_view text, std::span<const std::string_view> placeholders);

    /// A placeholder without a value becomes nothing; control characters in values become spaces, so that a
    /// value never looks like a line of the text.
    [[nodiscard]] Written fill(std::span<const Value> values) const;

  private:
    /// Plain text, then the placeholder behind it, if there is one.
    struct Piece {
        std::string text;
        std::string placeholder;
    };
    using Pieces = std::vector<Piece>;

    [[nodiscard]] static std::variant<Pieces, std::string> take_apart(
        std::string_view text, std::span<const std::string_view> placeholders);
    [[nodiscard]] static std::string fill(const Pieces& pieces, std::span<const Value> values);

    Pieces subject_;
    Pieces text_;
};

/// All of them, read once. Any thread may read.
class Templates {
  public:
    /// The built-in ones, replaced by what `folder` has; empty: nothing is replaced. Throws
    /// std::runtime_error with every fault: a folder or file that cannot be read, a file of no such name, a
    /// faulty template.
    explicit Templates(const std::string& folder = {});

    /// In `language` where there is one of it: `de-AT` is looked for, then `de`. Requires: a template of that
    /// name.
    [[nodiscard]] Written fill(std::string_view name, std::string_view language,
                               std::span<const Value> values) const;

    /// The names of all, and what each may hold.
    struct Kind {
        std::string_view name;
        std::span<const std::string_view> placeholders;
        std::string_view text;  ///< The built-in template.
    };
    [[nodiscard]] static std::span<const Kind> kinds() noexcept;

  private:
    std::map<std::pair<std::string, std::string>, Template> templates_;  ///< By name and language.
};

}  // namespace tollgate::daemon::mail
