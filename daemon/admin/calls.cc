#include "daemon/admin/calls.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "daemon/admin/bodies.h"
#include "daemon/admin/json.h"
#include "daemon/commands/table.h"
#include "daemon/letters.h"

namespace tollgate::daemon::admin {
namespace {

constexpr std::size_t kPositionalsMax = 3;

/// One argument of a verb.
struct CallField {
    std::string_view name;     ///< Of the object's field and the query's parameter.
    std::string_view keyword;  ///< Of the command; empty: it stands at `position`.
    std::size_t position = 0;
    bool flag = false;            ///< Only whether it is wanted.
    std::string_view alias = {};  ///< What it is called on the RESP port, where that is another name.
};

/// What stands in a request, a value a field.
class CallValues {
  public:
    explicit CallValues(std::span<const CallField> fields) : fields_(fields), values_(fields.size()) {}

    /// Takes the value of a field, or adds a fault.
    void take(std::string_view name, std::string_view value, FieldFaults& faults) {
        const std::size_t at = find(name);
        if (at == fields_.size()) return add_unknown(name, faults);
        if (values_[at]) return faults.add(name, "stands there twice");
        values_[at] = value;
    }

    /// A field that says nothing: it must be one all the same.
    void skip(std::string_view name, FieldFaults& faults) const {
        if (find(name) == fields_.size()) add_unknown(name, faults);
    }

    [[nodiscard]] bool is_flag(std::string_view name) const noexcept {
        const std::size_t at = find(name);
        return at < fields_.size() && fields_[at].flag;
    }

    /// The words of the command; a fault for whatever must stand there and does not.
    [[nodiscard]] std::vector<std::string_view> words(std::string_view command, std::string_view session,
                                                      std::size_t session_at, FieldFaults& faults) const {
        std::array<std::string_view, kPositionalsMax> positionals{};
        positionals[session_at] = session;
        std::size_t positional_count = 1;
        for (std::size_t i = 0; i < fields_.size(); ++i) {
            if (!fields_[i].keyword.empty()) continue;
            if (!values_[i]) faults.add(fields_[i].name, "missing");
            positionals[fields_[i].position] = values_[i].value_or("");
            ++positional_count;
        }
        std::vector<std::string_view> words{command};
        words.insert(words.end(), positionals.begin(),
                     positionals.begin() + static_cast<std::ptrdiff_t>(positional_count));
        for (std::size_t i = 0; i < fields_.size(); ++i) {
            if (fields_[i].keyword.empty() || !values_[i]) continue;
            if (fields_[i].flag) {
                if (is_wanted(fields_[i], *values_[i], faults)) words.push_back(fields_[i].keyword);
            } else {
                words.push_back(fields_[i].keyword);
                words.push_back(*values_[i]);
            }
        }
        return words;
    }

  private:
    static void add_unknown(std::string_view name, FieldFaults& faults) {
        faults.add(name.substr(0, kShownBytesMax), "no such argument");
    }

    static bool is_wanted(const CallField& field, std::string_view value, FieldFaults& faults) {
        if (value.empty() || value == "true" || value == "1") return true;
        if (value != "false" && value != "0") {
            faults.add(field.name,
                       '"' + std::string{value.substr(0, kShownBytesMax)} + "\": expected true or false");
        }
        return false;
    }

    [[nodiscard]] std::size_t find(std::string_view name) const noexcept {
        const auto* const field =
            std::find_if(fields_.data(), fields_.data() + fields_.size(), [name](const CallField& known) {
                return known.name == name || (!known.alias.empty() && known.alias == name);
            });
        return static_cast<std::size_t>(field - fields_.data());
    }

    std::span<const CallField> fields_;
    std::vector<std::optional<std::string_view>> values_;
};

/// Takes the bulk strings of an answer of daemon/commands off its front.
class BulkReader {
  public:
    explicit BulkReader(std::string_view answer) noexcept : rest_(answer) {}

    [[nodiscard]] bool done() const noexcept { return rest_.empty(); }

    /// The number behind `type`, at the front.
    std::size_t count(char type) noexcept {
        assert(rest_.starts_with(type));
        std::size_t number = 0;
        const char* const end = rest_.data() + rest_.size();
        const auto [rest, error] = std::from_chars(rest_.data() + 1, end, number);
        assert(error == std::errc{});
        rest_.remove_prefix(static_cast<std::size_t>(rest - rest_.data()) + kLineEnd.size());
        return number;
    }
    std::string_view bulk() noexcept {
        const std::size_t size = count('$');
        const std::string_view bytes = rest_.substr(0, size);
        rest_.remove_prefix(size + kLineEnd.size());
        return bytes;
    }

  private:
    static constexpr std::string_view kLineEnd = "\r\n";
    std::string_view rest_;
};

/// A derivation, which RESP tells as pairs that come again with each level: an object a level here. The
/// `derivation` of each stands behind all of them.
void write_levels(JsonWriter& json, BulkReader& answer, std::string_view count) {
    struct Level {
        std::vector<std::pair<std::string_view, std::string_view>> pairs;
    };
    std::vector<Level> levels;
    std::size_t derived = 0;
    while (!answer.done()) {
        const std::string_view name = answer.bulk();
        const std::string_view value = answer.bulk();
        if (name == "party") levels.emplace_back();
        Level& level = name == "derivation" ? levels[derived++] : levels.back();
        level.pairs.emplace_back(name, value);
    }
    assert(std::to_string(levels.size()) == count);
    json.open_list();
    for (const Level& level : levels) {
        json.open_object();
        for (const auto& [name, value] : level.pairs)
            json.name(name).text(value);
        json.close_object();
    }
    json.close_list();
}

/// Code, figure and pairs as one object of strings.
std::string json_of(std::string_view answer, std::string_view figure) {
    BulkReader reader{answer};
    (void)reader.count('*');
    JsonWriter json;
    json.open_object().name("code").text(reader.bulk());
    json.name(figure).text(reader.bulk());
    while (!reader.done()) {
        const std::string_view name = reader.bulk();
        const std::string_view value = reader.bulk();
        json.name(name);
        if (name == "levels") {
            write_levels(json, reader, value);
        } else {
            json.text(value);
        }
    }
    return json.close_object().take();
}

/// `-BUSY retry after 1000 ms: …`
Response busy(std::string_view error) {
    constexpr std::string_view kBefore = "BUSY retry after ";
    assert(error.starts_with(kBefore));
    error.remove_prefix(kBefore.size());
    std::uint32_t milliseconds = 0;
    (void)std::from_chars(error.data(), error.data() + error.size(), milliseconds);
    constexpr std::string_view kReason = ": ";
    return try_later(std::string{error.substr(error.find(kReason) + kReason.size())},
                     std::chrono::ceil<std::chrono::seconds>(std::chrono::milliseconds{milliseconds}));
}

/// The problem for a RESP error, which is `-BADARG name: what was wrong` or `-BUSY …`, with its line end.
Response problem_of(std::string_view error, std::span<const CallField> fields) {
    constexpr std::string_view kBadArgument = "BADARG ";
    constexpr std::string_view kSeparator = ": ";
    error.remove_prefix(1);
    error.remove_suffix(2);
    if (!error.starts_with(kBadArgument)) return busy(error);
    error.remove_prefix(kBadArgument.size());
    const std::size_t end = error.find(kSeparator);
    RequestFault fault{
        {}, in_small_letters(error.substr(0, end)), std::string{error.substr(end + kSeparator.size())}};
    for (const CallField& field : fields) {
        if (field.alias == fault.place) fault.place = field.name;
    }
    return invalid({&fault, 1});
}

constexpr std::array kAuthorizeFields = {
    CallField{"line", {}, 0},  CallField{"destination", {}, 1},         CallField{"want", "WANT"},
    CallField{"from", "FROM"}, CallField{"service", "SERVICE"},         CallField{"switch", "SWITCH"},
    CallField{"at", "AT"},     CallField{"explain", "EXPLAIN", 0, true}};
constexpr std::array kStartFields = {CallField{"at", "AT"}, CallField{"tags", "TAGS"}};
constexpr std::array kExtendFields = {CallField{"used", "USED"}, CallField{"want", "WANT"}};
constexpr std::array kStopFields = {CallField{"used", {}, 1, false, "s"}, CallField{"at", "AT"},
                                    CallField{"cause", "CAUSE"}, CallField{"via", "VIA"},
                                    CallField{"tags", "TAGS"}};
constexpr std::array kReleaseFields = {CallField{"cause", "CAUSE"}};

/// Takes the fields of a body.
void take_fields(const JsonValue& object, CallValues& values, FieldFaults& faults) {
    if (object.kind != JsonValue::Kind::object) return faults.add("", shown(object) + ": expected an object");
    for (const JsonValue& value : object.children()) {
        switch (value.kind) {
            case JsonValue::Kind::null:
                values.skip(value.name, faults);
                break;
            case JsonValue::Kind::string:
            case JsonValue::Kind::number:
                values.take(value.name, value.text, faults);
                break;
            case JsonValue::Kind::boolean:
                if (values.is_flag(value.name)) {
                    values.take(value.name, value.text, faults);
                    break;
                }
                [[fallthrough]];
            case JsonValue::Kind::list:
            case JsonValue::Kind::object:
                faults.add(value.name.substr(0, kShownBytesMax),
                           shown(value) + ": expected a string or a number");
        }
    }
}

}  // namespace

struct Calls::Verb {
    std::string_view name;
    std::string_view command;
    std::size_t session_at;   ///< Among the command's positional arguments.
    std::string_view figure;  ///< What the answer's second element is.
    std::span<const CallField> fields;
};

Calls::Calls(Services services) : services_(std::move(services)) {
    assert(services_.commands != nullptr && services_.call_counters != nullptr);
}

void Calls::add_to(Router& router) const {
    static constexpr std::array kVerbs = {
        Verb{"authorize", "AUTHORIZE", 2, "granted", kAuthorizeFields},
        Verb{"start", "START", 0, "granted", kStartFields},
        Verb{"extend", "EXTEND", 0, "granted", kExtendFields},
        Verb{"stop", "STOP", 0, "charged", kStopFields},
        Verb{"release", "RELEASE", 0, "charged", kReleaseFields},
    };
    const auto calls = std::make_shared<Calls>(*this);
    for (const Verb& verb : kVerbs) {
        const std::string pattern = "/v1/calls/{session}:" + std::string{verb.name};
        router.add("POST", pattern, Lane::call,
                   [calls, &verb](const Request& request, std::string_view session) {
                       return calls->post(verb, request, session);
                   });
        router.add("GET", pattern, Lane::call,
                   [calls, &verb](const Request& request, std::string_view session) {
                       return calls->get(verb, request, session);
                   });
    }
}

Response Calls::post(const Verb& verb, const Request& request, std::string_view session) const {
    std::vector<RequestFault> all;
    FieldFaults faults{all};
    CallValues values{verb.fields};
    for (const auto& [name, value] : request.query)
        faults.add(name.substr(0, kShownBytesMax), "expected in the body, not in the query");
    JsonReader reader;
    if (!request.body.empty()) {
        const JsonValue* const object = reader.read(request.body);
        if (object == nullptr) return not_json(reader);
        take_fields(*object, values, faults);
    }
    const auto words = values.words(verb.command, session, verb.session_at, faults);
    return all.empty() ? carry_out(verb, request, words) : invalid(all);
}

Response Calls::get(const Verb& verb, const Request& request, std::string_view session) const {
    if (request.actor.login.empty()) {
        return problem(
            {.status = 403, .detail = "as long as no user is declared no GET changes anything; use POST"});
    }
    std::vector<RequestFault> all;
    FieldFaults faults{all};
    CallValues values{verb.fields};
    for (const auto& [name, value] : request.query)
        values.take(name, value, faults);
    const auto words = values.words(verb.command, session, verb.session_at, faults);
    return all.empty() ? carry_out(verb, request, words) : invalid(all);
}

Response Calls::carry_out(const Verb& verb, const Request& request,
                          std::vector<std::string_view> words) const {
    if (request.accept.find("text/plain") != std::string::npos) words.emplace_back("PLAIN");
    commands::Client nobody;
    nobody.over_http = true;
    commands::Context context{*services_.commands, nobody, *services_.call_counters, now_of(services_)};
    std::string answer;
    commands::execute(context, words, answer);
    if (answer.starts_with('-')) return problem_of(answer, verb.fields);
    if (answer.starts_with('$')) return text_response(200, std::string{BulkReader{answer}.bulk()});
    return json_response(200, json_of(answer, verb.figure));
}

}  // namespace tollgate::daemon::admin
