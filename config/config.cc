#include "config/config.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string_view>
#include <system_error>

#include "config/keys.h"
#include "config/values.h"

namespace tollgate::config {

/// What an assertion inside toml++ becomes. Version 3.3 asserts where it should complain: `[.session]` in a
/// file would end the process without a word about where. NDEBUG would even make the assertions assumptions.
struct BrokenAssertion {};
[[noreturn]] static void break_assertion() {
    throw BrokenAssertion{};
}

}  // namespace tollgate::config

#undef NDEBUG
#define TOML_ASSERT(expression) ((expression) ? static_cast<void>(0) : ::tollgate::config::break_assertion())
#include <toml++/toml.h>

namespace tollgate::config {

namespace {

using Form = Written::Form;

/// A configuration is a page or two; more is the wrong file.
constexpr std::size_t kFileBytesMax = 256 * kKiB;

/// toml++ calls itself once for every dot in a key; a longer line could hold so many that the stack
/// overflows.
constexpr std::size_t kLineBytesMax = 4 * kKiB;

/// Sections below sections that are looked into for unknown keys; nothing known lies deeper than two.
constexpr std::size_t kDepthMax = 4;

/// The faults found so far, and which keys have one.
class Faults {
  public:
    void add(const std::string& place, const std::string& fault) {
        if (!messages_.empty()) messages_ += '\n';
        messages_ += place + ": " + fault;
    }

    /// Throws ConfigError if there was any.
    void raise() const {
        if (!messages_.empty()) throw ConfigError(messages_);
    }

  private:
    std::string messages_;
};

/// One key with its value, wherever it was written.
struct Setting {
    std::string key;
    std::string place;  ///< What a message about it begins with: `FILE:LINE: KEY` or `--set KEY=VALUE`.
    Written value;
};

/// Puts settings into a Config, one after the other, and remembers where each key was set last.
class Assembly {
  public:
    explicit Assembly(Faults& faults) : faults_(faults) {}

    void apply(const Setting& setting) {
        const Key* key = find_key(setting.key);
        const std::string shown =
            quoted(names_secret(setting.key) ? kSecretShown : std::string_view{setting.value.text});
        if (is_section(setting.key)) {
            faults_.add(setting.place, shown +
                                           " is given to a section; give it to one of its keys, such as " +
                                           std::string{nearest_key(setting.key + '.').name});
            return;
        }
        if (key == nullptr) {
            faults_.add(setting.place, "no such key for the value " + shown + "; the nearest is " +
                                           std::string{nearest_key(setting.key).name});
            return;
        }
        Origin& origin = origins_[key->name];
        const std::optional<Problem> problem = key->read(setting.value, config_);
        origin.place = setting.place;
        origin.is_faulty = origin.is_faulty || problem.has_value();
        if (problem && names_secret(setting.key)) {
            faults_.add(setting.place, shown + " is not what it takes: " + key->expects);
        } else if (problem) {
            faults_.add(setting.place, problem->text);
        }
    }

    /// For what no key of the table sets.
    [[nodiscard]] Config& config() noexcept { return config_; }

    /// The whole, once every setting was applied. What a faulty key would have been is anybody's guess, so
    /// nothing is concluded from it.
    const Config& finish() {
        for (const Conflict& conflict : conflicts(config_)) {
            const Origin& origin = origins_[conflict.key];
            const Origin& other = origins_[conflict.other];
            if (origin.is_faulty || other.is_faulty) continue;
            if (!origin.place.empty()) {
                faults_.add(origin.place, conflict.complaint);
            } else {
                faults_.add(other.place, conflict.other_complaint);
            }
        }
        return config_;
    }

  private:
    struct Origin {
        std::string place;  ///< Empty: the default.
        bool is_faulty = false;
    };

    Faults& faults_;
    Config config_;
    std::map<std::string_view, Origin> origins_;
};

/// What a table is shown as. It is not spelled out, because a table may be as deep as toml++ allows it to be.
constexpr std::string_view kTableShown = "{...}";

std::string text_of_scalar(const toml::node& node) {
    std::ostringstream stream;
    node.visit([&stream](const auto& value) {
        if constexpr (toml::is_value<decltype(value)>) stream << value;
    });
    return std::move(stream).str();
}

/// Arrays are at most 256 deep in toml++, and so is this recursion.
Written written(const toml::node& node) {
    if (node.is_table()) return {Form::other, std::string{kTableShown}, {}};
    if (const auto* text = node.as_string()) return {Form::string, text->get(), {}};
    if (const auto* number = node.as_integer()) return {Form::integer, std::to_string(number->get()), {}};
    const toml::array* array = node.as_array();
    if (array == nullptr) return {Form::other, text_of_scalar(node), {}};
    Written list{Form::list, "[", {}};
    for (const toml::node& element : *array) {
        list.elements.push_back(written(element));
        list.text += (list.elements.size() == 1 ? "" : ", ") + list.elements.back().text;
    }
    list.text += ']';
    return list;
}

/// The key as one would write it: in quotes if TOML asks for them, so that `"session.hold"`, one key with a
/// dot in its name, is not taken for the key `hold` of the section `session`.
std::string bare_or_quoted(std::string_view name) {
    const bool is_bare = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
               c == '-';
    });
    return is_bare ? std::string{name} : quoted(name);
}

/// A Setting and its line, to be told in the order of the file: toml++ sorts keys by name.
struct Located {
    std::uint32_t line;
    Setting setting;
};

/// Collects what a table and the tables in it set, also where nobody knows the key. `prefix` is empty or ends
/// in a dot.
void collect(const toml::table& table, const std::string& prefix, const std::string& path, std::size_t depth,
             std::vector<Located>& found) {
    for (const auto& [key, node] : table) {
        const std::string name = prefix + bare_or_quoted(key.str());
        const std::uint32_t line = key.source().begin.line;
        const std::string place = path + ':' + std::to_string(line) + ": " + printable(name);
        const toml::table* inner = node.as_table();
        const bool is_inner_section = inner != nullptr && find_key(name) == nullptr && depth < kDepthMax &&
                                      (is_section(name) || !inner->empty());
        if (is_inner_section) {
            collect(*inner, name + '.', path, depth + 1, found);
        } else {
            found.push_back({line, {name, place, written(node)}});
        }
    }
}

/// The bytes of the file, or the fault that keeps them from us.
std::optional<std::string> read_file(const std::string& path, Faults& faults) {
    const auto reason = [] { return std::generic_category().message(errno); };
    errno = 0;
    std::ifstream stream(path, std::ios::binary);
    if (!stream) {
        faults.add(path, "cannot be opened: " + reason());
        return std::nullopt;
    }
    std::string bytes(kFileBytesMax + 1, '\0');
    stream.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    if (stream.bad()) {
        faults.add(path, "cannot be read: " + reason());
        return std::nullopt;
    }
    bytes.resize(static_cast<std::size_t>(stream.gcount()));
    if (bytes.size() > kFileBytesMax) {
        faults.add(path, "has more than " + Size::show(kFileBytesMax) + ", so it is hardly a configuration");
        return std::nullopt;
    }
    return bytes;
}

/// A text's lines, each with its line feed if it has one.
std::vector<std::string_view> split_lines(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const std::size_t line_feed = text.find('\n');
        const std::size_t bytes = line_feed == std::string_view::npos ? text.size() : line_feed + 1;
        lines.push_back(text.substr(0, bytes));
        text.remove_prefix(bytes);
    }
    return lines;
}

/// Why toml++ must not see a line, and from which column on.
struct Refusal {
    const char* reason;
    std::size_t column;
};

/// What toml++ 3.3 does with letters beyond ASCII outside strings and comments, where TOML has none, is
/// undefined behaviour. A string of many lines would be the one way to lose sight of what is outside.
std::optional<Refusal> refuse(std::string_view line) {
    if (line.size() > kLineBytesMax) return Refusal{"this line is longer than 4 KiB", 1};
    constexpr std::string_view kBeforeQuote = " \t=.,[{";
    char quote = '\0';  // The one that `at` is inside of.
    for (std::size_t at = 0; at < line.size(); ++at) {
        const char c = line[at];
        if (quote != '\0') {
            if (c == '\\' && quote == '"') ++at;
            if (c == quote) quote = '\0';
            continue;
        }
        if (c == '#') return std::nullopt;
        if (c == '"' || c == '\'') {
            if (at > 0 && kBeforeQuote.find(line[at - 1]) == std::string_view::npos) {
                return Refusal{"a quote cannot stand here", at + 1};
            }
            if (line.substr(at, 3) == std::string(3, c))
                return Refusal{"no key takes a string of many lines", at + 1};
            quote = c;
        }
        if (static_cast<unsigned char>(c) > 0x7f) {
            return Refusal{"only strings and comments may have letters beyond ASCII", at + 1};
        }
    }
    return std::nullopt;
}

toml::parse_error error_at(std::size_t line, std::size_t column, const char* reason) {
    return {reason, toml::source_position{static_cast<toml::source_index>(line),
                                          static_cast<toml::source_index>(column)}};
}

bool breaks_toml(std::string_view text) {
    try {
        static_cast<void>(toml::parse(text));
    } catch (const toml::parse_error&) {
        return false;
    } catch (const BrokenAssertion&) {
        return true;
    }
    return false;
}

/// Parses TOML as far as a configuration needs it. Throws toml::parse_error and nothing else.
toml::table parse_toml(std::string_view text) {
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
    const std::vector<std::string_view> lines = split_lines(text);
    for (std::size_t line = 0; line < lines.size(); ++line) {
        const std::optional<Refusal> refusal = refuse(lines[line]);
        if (refusal) throw error_at(line + 1, refusal->column, refusal->reason);
    }
    try {
        return toml::parse(text);
    } catch (const BrokenAssertion&) {
        // toml++ reads from the top, so the culprit is the first line that breaks it together with all above.
        const auto culprit = std::partition_point(lines.begin(), lines.end(), [text](std::string_view line) {
            return !breaks_toml({text.data(), line.data() + line.size()});
        });
        throw error_at(static_cast<std::size_t>(culprit - lines.begin()) + 1, 1,
                       "this is neither a [section] nor KEY = VALUE");
    }
}

/// What is wrong with a field of a user; nothing if all is well. What it says never shows a password.
std::optional<std::string> read_user_field(std::string_view field, const Written& value, User& user) {
    const bool is_text = value.form == Form::string;
    const auto not_one = [&value](const std::string& expected) {
        return std::optional{quoted(value.text) + " is not " + expected};
    };
    if (field == "name") {
        if (!is_text || !is_user_name(value.text)) return not_one("1 to 64 of A-Z a-z 0-9 . _ : @ + -");
        user.name = value.text;
    } else if (field == "password") {
        // Whether it is a hash that can be checked is asked by whoever checks it.
        if (!is_text || !value.text.starts_with("$argon2id$"))
            return "this is no argon2id hash; tollgated hash-password makes one";
        user.password = value.text;
    } else if (field == "role") {
        const auto role = is_text ? role_of(value.text) : std::nullopt;
        if (!role) return not_one("one of switch, monitor, finance, admin");
        user.role = *role;
    } else if (field == "under" || field == "dial_plan") {
        if (!is_text || value.text.size() > kUserNameBytesMax) return not_one("the id of one");
        (field == "under" ? user.under : user.dial_plan) = value.text;
    } else if (field == "sources") {
        user.sources.clear();
        if (value.form != Form::list || value.elements.size() > kSourcesMax)
            return not_one("a list of up to " + std::to_string(kSourcesMax) + " networks");
        for (const Written& element : value.elements) {
            auto network = element.form == Form::string ? Network::parse(element.text) : std::nullopt;
            if (!network) {
                return quoted(element.text) +
                       " is not a network such as 192.0.2.0/24 or 2001:db8::/32, or an address";
            }
            user.sources.push_back(*std::move(network));
        }
    } else if (field == "rate") {
        const Outcome<std::uint32_t> rate = Count{1, kRequestRateMax}.read(value);
        if (const auto* problem = std::get_if<Problem>(&rate)) return problem->text;
        user.rate = std::get<std::uint32_t>(rate);
    } else if (field == "want") {
        const WholeSeconds kind{std::chrono::seconds{1}, std::chrono::hours{30 * 24}};
        const Outcome<std::chrono::seconds> want = kind.read(value);
        if (const auto* problem = std::get_if<Problem>(&want)) return problem->text;
        user.want = std::get<std::chrono::seconds>(want);
    } else if (field == "start") {
        if (!is_text || (value.text != "required" && value.text != "optional"))
            return not_one("one of optional, required");
        user.start_required = value.text == "required";
    } else if (field == "clock") {
        if (!is_text || (value.text != "ours" && value.text != "theirs"))
            return not_one("one of theirs, ours");
        user.our_clock = value.text == "ours";
    } else {
        return "no such field of a user; there are name, password, role, under, sources, rate, want, start, "
               "clock and dial_plan";
    }
    return std::nullopt;
}

/// One `[[user]]`.
void apply_user(const toml::table& table, const std::string& path, std::vector<User>& users, Faults& faults) {
    const auto place = [&path](const toml::node& node, std::string_view what) {
        return path + ':' + std::to_string(node.source().begin.line) + ": user" + std::string{what};
    };
    User user;
    bool faulty = false;
    for (const auto& [key, node] : table) {
        if (const auto fault = read_user_field(key.str(), written(node), user)) {
            faults.add(place(node, '.' + printable(key.str())), *fault);
            faulty = true;
        }
    }
    if (faulty) return;
    for (const std::string_view needed : {"name", "password", "role"}) {
        if (table.contains(needed)) continue;
        return faults.add(place(table, ""), std::string{needed} + " is missing");
    }
    const bool known = std::any_of(users.begin(), users.end(),
                                   [&user](const User& other) { return other.name == user.name; });
    if (known) return faults.add(place(table, ".name"), quoted(user.name) + " is declared twice");
    if (users.size() == kUsersMax)
        return faults.add(place(table, ""), "there are more than " + std::to_string(kUsersMax) + " users");
    users.push_back(std::move(user));
}

/// Takes every `[[user]]` out of a file's table.
void take_users(toml::table& table, const std::string& path, std::vector<User>& users, Faults& faults) {
    const toml::node* const node = table.get("user");
    if (node == nullptr) return;
    const toml::array* const list = node->as_array();
    if (list == nullptr || !list->is_homogeneous<toml::table>()) {
        faults.add(path + ':' + std::to_string(node->source().begin.line) + ": user",
                   "users are written as [[user]], in two brackets, each with its fields below");
    } else {
        for (const toml::node& user : *list)
            apply_user(*user.as_table(), path, users, faults);
    }
    table.erase("user");
}

void apply_file(const std::string& path, Assembly& assembly, Faults& faults) {
    const std::optional<std::string> bytes = read_file(path, faults);
    if (!bytes) return;
    std::vector<Located> found;
    try {
        toml::table table = parse_toml(*bytes);
        take_users(table, path, assembly.config().user, faults);
        collect(table, "", path, 1, found);
    } catch (const toml::parse_error& error) {
        const toml::source_position position = error.source().begin;
        faults.add(path + ':' + std::to_string(position.line) + ':' + std::to_string(position.column),
                   "not TOML: " + printable(error.description()));
        return;
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const Located& a, const Located& b) { return a.line < b.line; });
    for (const Located& located : found)
        assembly.apply(located.setting);
}

/// `112, 911` or `["112", "911"]`; nothing if it begins like a TOML array and is none.
std::optional<Written> written_list(const std::string& text) {
    if (text.starts_with('[')) {
        try {
            const toml::table table = parse_toml("list = " + text);
            const toml::array* array = table["list"].as_array();
            if (array == nullptr || table.size() != 1) return std::nullopt;
            return written(*array);
        } catch (const toml::parse_error&) {
            return std::nullopt;
        }
    }
    Written list{Form::list, text, {}};
    std::string_view rest = text;
    while (!rest.empty()) {
        const std::size_t comma = std::min(rest.find(','), rest.size());
        std::string_view entry = rest.substr(0, comma);
        entry.remove_prefix(std::min(entry.find_first_not_of(' '), entry.size()));
        entry.remove_suffix(entry.size() - std::min(entry.find_last_not_of(' ') + 1, entry.size()));
        list.elements.push_back({Form::plain, std::string{entry}, {}});
        if (comma == rest.size()) break;
        rest.remove_prefix(comma + 1);
        if (rest.empty()) list.elements.push_back({});  // `112,` has a second entry, and it is empty.
    }
    return list;
}

void apply_override(const std::string& override_text, Assembly& assembly, Faults& faults) {
    const std::size_t equals = override_text.find('=');
    const bool is_secret = equals != std::string::npos && names_secret(override_text.substr(0, equals));
    const std::string place =
        "--set " + (is_secret ? printable(override_text.substr(0, equals + 1)) + std::string{kSecretShown}
                              : printable(override_text));
    if (equals == std::string::npos) {
        faults.add(place, "has no value; write --set KEY=VALUE, such as --set session.hold=180s");
        return;
    }
    Setting setting{override_text.substr(0, equals), place, {}};
    setting.value = {Form::plain, override_text.substr(equals + 1), {}};
    const Key* key = find_key(setting.key);
    if (key != nullptr && key->takes_list) {
        std::optional<Written> list = written_list(setting.value.text);
        if (!list) {
            faults.add(place, quoted(setting.value.text) + R"( is not a TOML array such as ["112", "911"])");
            return;
        }
        setting.value = std::move(*list);
    }
    assembly.apply(setting);
}

/// The file that users.file names: of users and of nothing else.
void apply_users_file(const std::string& path, std::vector<User>& users, Faults& faults) {
    const std::optional<std::string> bytes = read_file(path, faults);
    if (!bytes) return;
    try {
        toml::table table = parse_toml(*bytes);
        take_users(table, path, users, faults);
        for (const auto& [key, node] : table) {
            faults.add(path + ':' + std::to_string(node.source().begin.line) + ": " + printable(key.str()),
                       "only [[user]] stands in the file of users.file");
        }
    } catch (const toml::parse_error& error) {
        const toml::source_position position = error.source().begin;
        faults.add(path + ':' + std::to_string(position.line) + ':' + std::to_string(position.column),
                   "not TOML: " + printable(error.description()));
    }
}

}  // namespace

Config load(const std::string& path, std::span<const std::string> overrides) {
    Faults faults;
    Assembly assembly(faults);
    if (!path.empty()) apply_file(path, assembly, faults);
    for (const std::string& override_text : overrides)
        apply_override(override_text, assembly, faults);
    if (const std::string file = assembly.config().users.file; !file.empty())
        apply_users_file(file, assembly.config().user, faults);
    const Config& config = assembly.finish();
    faults.raise();
    return config;
}

}  // namespace tollgate::config
