#include "config/values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <limits>
#include <optional>
#include <ratio>
#include <system_error>

#include <arpa/inet.h>

#include "config/mail_address.h"
#include "rating/digits.h"

namespace tollgate::config {

namespace {

using Form = Written::Form;
using std::chrono::milliseconds;

/// A unit's name and how many of the smallest unit it is, the largest unit first.
struct Unit {
    std::string_view name;
    std::uint64_t factor;
};

constexpr std::array<Unit, 5> kTimeUnits{
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}}};

constexpr std::array<Unit, 4> kByteUnits{
    {{"TiB", std::uint64_t{kGiB} * 1024}, {"GiB", kGiB}, {"MiB", kMiB}, {"KiB", kKiB}}};

/// The port's digits: 65535 has five.
constexpr std::size_t kPortDigitsMax = 5;

constexpr std::uint64_t kLargest = std::numeric_limits<std::uint64_t>::max();

bool all_digits(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), rating::is_digit);
}

bool is_control(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

/// The value of a text of digits. One beyond 64 bits reads as the largest there is, which no range allows.
std::uint64_t read_digits(std::string_view digits) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return error == std::errc::result_out_of_range ? kLargest : number;
}

std::uint64_t multiply(std::uint64_t number, std::uint64_t factor) {
    return number > kLargest / factor ? kLargest : number * factor;
}

/// `16 KiB` taken apart. Spaces between the two are allowed, elsewhere none.
struct Quantity {
    std::uint64_t number;
    std::string_view unit;
};

/// Nothing if the text does not begin with a digit.
std::optional<Quantity> take_apart(std::string_view text) {
    const std::size_t digits =
        static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), rating::is_digit) - text.begin());
    if (digits == 0) return std::nullopt;
    std::string_view unit = text.substr(digits);
    unit.remove_prefix(std::min(unit.find_first_not_of(' '), unit.size()));
    return Quantity{read_digits(text.substr(0, digits)), unit};
}

/// The number in the smallest unit; nothing if `units` does not have its unit.
template <std::size_t kUnits>
std::optional<std::uint64_t> in_smallest(const Quantity& quantity, const std::array<Unit, kUnits>& units) {
    for (const Unit& unit : units) {
        if (unit.name == quantity.unit) return multiply(quantity.number, unit.factor);
    }
    return std::nullopt;
}

Problem is_not(const Written& written, const std::string& expected) {
    return Problem{quoted(written.text) + " is not " + expected};
}

/// For what TOML writes in quotes: an integer there is most likely a text whose quotes were forgotten.
Problem is_not_text(const Written& written, const std::string& expected) {
    Problem problem = is_not(written, expected);
    if (written.form == Form::integer) problem.text += "; write it in quotes";
    return problem;
}

bool is_text(const Written& written) {
    return written.form == Form::plain || written.form == Form::string;
}

/// A length of time within [least, most], or what is wrong with it.
Outcome<milliseconds> read_duration(const Written& written, milliseconds least, milliseconds most,
                                    const std::string& expected) {
    if (written.form == Form::integer || (is_text(written) && all_digits(written.text))) {
        return Problem{quoted(written.text) + " has no unit; write 180s, 3m or 1h"};
    }
    const std::optional<Quantity> quantity = is_text(written) ? take_apart(written.text) : std::nullopt;
    const std::optional<std::uint64_t> count = quantity ? in_smallest(*quantity, kTimeUnits) : std::nullopt;
    if (!count) return Problem{is_not(written, expected).text + "; write 180s, 3m or 1h"};
    if (*count < static_cast<std::uint64_t>(least.count()) ||
        *count > static_cast<std::uint64_t>(most.count())) {
        return is_not(written, expected);
    }
    return milliseconds{*count};
}

}  // namespace

std::string printable(std::string_view text) {
    constexpr std::string_view kHex = "0123456789abcdef";
    std::size_t shown = std::min(text.size(), kShownBytesMax);
    if (shown < text.size()) {  // Not in the middle of a UTF-8 character.
        while (shown > 0 && (static_cast<unsigned char>(text[shown]) & 0xc0U) == 0x80U)
            --shown;
    }
    std::string result;
    for (const char c : text.substr(0, shown)) {
        if (is_control(c)) {
            const auto byte = static_cast<unsigned char>(c);
            result += "\\x";
            result += kHex[byte >> 4U];
            result += kHex[byte & 0xfU];
        } else {
            result += c;
        }
    }
    if (shown < text.size()) result += "...";
    return result;
}

std::string quoted(std::string_view text) {
    return '"' + printable(text) + '"';
}

std::string to_string(const Endpoint& endpoint) {
    const bool is_v6 = endpoint.host.find(':') != std::string::npos;
    return (is_v6 ? '[' + endpoint.host + ']' : endpoint.host) + ':' + std::to_string(endpoint.port);
}

std::string to_string(const MailRelay& relay) {
    return relay.host.empty() ? std::string{} : to_string(Endpoint{relay.host, relay.port});
}

std::string Count::expects() const {
    return "a whole number from " + show(least) + " to " + show(most);
}

Outcome<Count::Value> Count::read(const Written& written) const {
    if (written.form == Form::string) {
        Problem problem = is_not(written, expects());
        if (all_digits(written.text)) problem.text += " while it stands in quotes; write it without";
        return problem;
    }
    const bool is_number = written.form == Form::integer || written.form == Form::plain;
    if (!is_number || !all_digits(written.text)) return is_not(written, expects());
    const std::uint64_t number = read_digits(written.text);
    if (number < least || number > most) return is_not(written, expects());
    return static_cast<Value>(number);
}

std::string Count::show(Value count) {
    return std::to_string(count);
}

std::string Size::expects() const {
    return "a size in bytes from " + show(least) + " to " + show(most);
}

Outcome<Size::Value> Size::read(const Written& written) const {
    const bool may_be_size = is_text(written) || written.form == Form::integer;
    const std::optional<Quantity> quantity = may_be_size ? take_apart(written.text) : std::nullopt;
    if (!quantity) return is_not(written, expects());
    const std::optional<std::uint64_t> bytes =
        all_digits(written.text) ? quantity->number : in_smallest(*quantity, kByteUnits);
    if (!bytes) return Problem{is_not(written, expects()).text + R"(; write 65536, "64 KiB" or "1 GiB")"};
    if (*bytes < least || *bytes > most) return is_not(written, expects());
    return *bytes;
}

std::string Size::show(Value bytes) {
    for (const Unit& unit : kByteUnits) {
        if (bytes != 0 && bytes % unit.factor == 0) {
            return std::to_string(bytes / unit.factor) + ' ' + std::string{unit.name};
        }
    }
    return std::to_string(bytes);
}

std::string Duration::expects() const {
    return "a length of time from " + show(least) + " to " + show(most);
}

Outcome<Duration::Value> Duration::read(const Written& written) const {
    return read_duration(written, least, most, expects());
}

std::string Duration::show(Value duration) {
    const auto count = static_cast<std::uint64_t>(duration.count());
    if (count == 0) return "0s";
    for (const Unit& unit : kTimeUnits) {
        if (count % unit.factor == 0) return std::to_string(count / unit.factor) + std::string{unit.name};
    }
    std::abort();  // Every whole number divides by 1, the last unit.
}

std::string WholeSeconds::expects() const {
    return "a length of time in whole seconds from " + show(least) + " to " + show(most);
}

Outcome<WholeSeconds::Value> WholeSeconds::read(const Written& written) const {
    Outcome<milliseconds> exact = read_duration(written, least, most, expects());
    if (Problem* problem = std::get_if<Problem>(&exact)) return std::move(*problem);
    const auto seconds = std::chrono::floor<Value>(std::get<milliseconds>(exact));
    if (seconds != std::get<milliseconds>(exact)) return is_not(written, expects());
    return seconds;
}

std::string WholeSeconds::show(Value duration) {
    return Duration::show(duration);
}

std::string Address::expects() {
    return "an IP address and a port from 0 to 65535, such as 127.0.0.1:7379 or [::1]:7379";
}

Outcome<Address::Value> Address::read(const Written& written) {
    const Problem problem = is_not_text(written, expects());
    if (!is_text(written)) return problem;
    const std::string_view text = written.text;
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return problem;

    const std::string_view port = text.substr(colon + 1);
    if (!all_digits(port) || port.size() > kPortDigitsMax) return problem;
    const std::uint64_t port_number = read_digits(port);
    if (port_number > std::numeric_limits<std::uint16_t>::max()) return problem;

    std::string_view host = text.substr(0, colon);
    const bool is_v6 = host.size() >= 2 && host.front() == '[' && host.back() == ']';
    if (is_v6) host = host.substr(1, host.size() - 2);
    const std::string literal{host};
    if (std::any_of(literal.begin(), literal.end(), is_control)) return problem;  // inet_pton stops at NUL.
    in6_addr address{};
    if (inet_pton(is_v6 ? AF_INET6 : AF_INET, literal.c_str(), &address) != 1) return problem;
    return Endpoint{literal, static_cast<std::uint16_t>(port_number)};
}

std::string Address::show(const Value& endpoint) {
    return to_string(endpoint);
}

std::string Amount::expects() const {
    return "an amount from " + show(least) + " to " + show(most) + " with up to 6 places";
}

Outcome<Amount::Value> Amount::read(const Written& written) const {
    const bool is_decimal = is_text(written) || written.form == Form::integer;
    const auto amount = is_decimal ? rating::parse_money(written.text) : std::nullopt;
    if (!amount || *amount < least || *amount > most) return is_not(written, expects());
    return *amount;
}

std::string Amount::show(Value amount) {
    return std::string{rating::format(amount).view()};
}

std::string Relay::expects() {
    return "a host and a port from 1 to 65535, such as mail.example.com:25 or [::1]:25, or empty for none";
}

Outcome<Relay::Value> Relay::read(const Written& written) {
    if (!is_text(written)) return is_not_text(written, expects());
    if (written.text.empty()) return Value{};
    const Outcome<Endpoint> address = Address::read(written);
    if (const Endpoint* endpoint = std::get_if<Endpoint>(&address);
        endpoint != nullptr && endpoint->port != 0)
        return Value{endpoint->host, endpoint->port};

    const std::string_view text = written.text;
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return is_not_text(written, expects());
    const std::string_view port = text.substr(colon + 1);
    const std::uint64_t number = all_digits(port) && port.size() <= kPortDigitsMax ? read_digits(port) : 0;
    if (number == 0 || number > std::numeric_limits<std::uint16_t>::max() ||
        !is_host_name(text.substr(0, colon))) {
        return is_not_text(written, expects());
    }
    return Value{std::string{text.substr(0, colon)}, static_cast<std::uint16_t>(number)};
}

std::string Relay::show(const Value& relay) {
    return to_string(relay);
}

std::string MailAddress::expects() {
    return "an e-mail address, such as tollgate@example.com";
}

Outcome<MailAddress::Value> MailAddress::read(const Written& written) {
    if (!is_text(written) || !is_mail_address(written.text)) return is_not_text(written, expects());
    return written.text;
}

std::string MailAddress::show(const Value& address) {
    return address;
}

std::string AddressOrNone::expects() {
    return Address::expects() + ", or empty for none";
}

Outcome<Endpoint> AddressOrNone::read(const Written& written) {
    if (is_text(written) && written.text.empty()) return Endpoint{};
    Outcome<Endpoint> read = Address::read(written);
    if (std::holds_alternative<Problem>(read)) return is_not_text(written, expects());
    return read;
}

std::string AddressOrNone::show(const Endpoint& endpoint) {
    return endpoint.host.empty() ? std::string{} : to_string(endpoint);
}

std::string Path::expects() const {
    return "a path of at most " + std::to_string(bytes_max) + " bytes, or empty for none";
}

Outcome<Path::Value> Path::read(const Written& written) const {
    const bool is_path = is_text(written) && written.text.size() <= bytes_max &&
                         std::none_of(written.text.begin(), written.text.end(), is_control);
    if (!is_path) return is_not_text(written, expects());
    return written.text;
}

std::string Path::show(const Value& path) {
    return path;
}

std::string Text::expects() const {
    return "a text of at most " + std::to_string(bytes_max) + " bytes, or empty for none";
}

Outcome<Text::Value> Text::read(const Written& written) const {
    const bool is_one = is_text(written) && written.text.size() <= bytes_max &&
                        std::none_of(written.text.begin(), written.text.end(), is_control);
    if (!is_one) return is_not_text(written, expects());
    return written.text;
}

std::string Text::show(const Value& text) {
    return text;
}

std::string Numbers::expects() const {
    return "a list of up to " + std::to_string(entries_max) + " numbers of 1 to " +
           std::to_string(digits_max) + " digits each";
}

Outcome<Numbers::Value> Numbers::read(const Written& written) const {
    if (written.form != Form::list) {
        return Problem{is_not(written, expects()).text + R"(; write ["112", "911"])"};
    }
    if (written.elements.size() > entries_max) {
        return Problem{std::to_string(written.elements.size()) + " entries are not " + expects()};
    }
    Value numbers;
    for (const Written& element : written.elements) {
        if (!is_text(element) || !all_digits(element.text) || element.text.size() > digits_max) {
            return is_not_text(element, "a number of 1 to " + std::to_string(digits_max) + " digits");
        }
        numbers.push_back(element.text);
    }
    return numbers;
}

std::string Numbers::show(const Value& numbers) {
    std::string list;
    for (const std::string& number : numbers)
        list += (list.empty() ? "\"" : ", \"") + number + '"';
    return '[' + list + ']';
}

std::string DialRules::expects() const {
    return "a list of up to " + std::to_string(entries_max) +
           " rules MATCH:STRIP:PREPEND, such as \"00:2:\" or \"0:1:49\"";
}

Outcome<DialRules::Value> DialRules::read(const Written& written) const {
    if (written.form != Form::list) {
        return Problem{is_not(written, expects()).text + R"(; write ["00:2:", "0:1:49"])"};
    }
    if (written.elements.size() > entries_max) {
        return Problem{std::to_string(written.elements.size()) + " entries are not " + expects()};
    }
    const std::string most = std::to_string(kDialBytesMax);
    const std::string form = "MATCH:STRIP:PREPEND, up to " + most +
                             " of 0-9 A-Z a-z * #, a number from 0 to " + most + " and up to " + most +
                             " digits";
    Value rules;
    for (const Written& element : written.elements) {
        const std::string_view text = element.text;
        const std::size_t first = std::min(text.find(':'), text.size());
        const std::size_t second = std::min(text.find(':', first + 1), text.size());
        const std::string_view match = text.substr(0, first);
        const std::string_view strip = text.substr(std::min(first + 1, text.size()), second - first - 1);
        const std::string_view prepend = text.substr(std::min(second + 1, text.size()));
        if (!is_text(element) || second == text.size() || !is_dial_match(match) || !all_digits(strip) ||
            read_digits(strip) > kDialBytesMax || !is_dial_prepend(prepend)) {
            return is_not_text(element, form);
        }
        rules.push_back(
            {std::string{match}, static_cast<std::uint32_t>(read_digits(strip)), std::string{prepend}});
    }
    return rules;
}

std::string DialRules::show(const Value& rules) {
    std::string list;
    for (const DialRule& rule : rules) {
        list += list.empty() ? "\"" : ", \"";
        list += rule.match;
        list += ':';
        list += std::to_string(rule.strip);
        list += ':';
        list += rule.prepend;
        list += '"';
    }
    return '[' + list + ']';
}

std::string Names::expects() const {
    return "a list of up to " + std::to_string(entries_max) + " names of 1 to " + std::to_string(bytes_max) +
           " bytes, each once";
}

Outcome<Names::Value> Names::read(const Written& written) const {
    if (written.form != Form::list) {
        return Problem{is_not(written, expects()).text + R"(; write ["sbc1"])"};
    }
    if (written.elements.size() > entries_max) {
        return Problem{std::to_string(written.elements.size()) + " entries are not " + expects()};
    }
    Value names;
    for (const Written& element : written.elements) {
        const std::string& name = element.text;
        if (!is_text(element) || name.empty() || name.size() > bytes_max ||
            std::any_of(name.begin(), name.end(), is_control)) {
            return is_not_text(element, "a name of 1 to " + std::to_string(bytes_max) + " bytes");
        }
        if (std::find(names.begin(), names.end(), name) != names.end()) {
            return Problem{quoted(name) + " stands there already; name each once"};
        }
        names.push_back(name);
    }
    return names;
}

std::string Names::show(const Value& names) {
    std::string list;
    for (const std::string& name : names)
        list += (list.empty() ? "\"" : ", \"") + name + '"';
    return '[' + list + ']';
}

std::string SwitchPlans::expects() const {
    return "a list of up to " + std::to_string(entries_max) + " SWITCH=PLAN, each switch once";
}

Outcome<SwitchPlans::Value> SwitchPlans::read(const Written& written) const {
    if (written.form != Form::list) {
        return Problem{is_not(written, expects()).text + R"(; write ["sbc1=national"])"};
    }
    if (written.elements.size() > entries_max) {
        return Problem{std::to_string(written.elements.size()) + " entries are not " + expects()};
    }
    Value switches;
    for (const Written& element : written.elements) {
        const std::string_view text = element.text;
        // The name of a plan has no equals sign; that of a switch may.
        const std::size_t equals = std::min(text.rfind('='), text.size());
        const std::string_view name = text.substr(0, equals);
        const std::string_view plan = text.substr(std::min(equals + 1, text.size()));
        if (!is_text(element) || name.empty() || name.size() > name_bytes_max || plan.empty() ||
            plan.size() > name_bytes_max || std::any_of(text.begin(), text.end(), is_control)) {
            return is_not_text(element,
                               "SWITCH=PLAN, names of 1 to " + std::to_string(name_bytes_max) + " bytes");
        }
        if (std::any_of(switches.begin(), switches.end(),
                        [name](const SwitchPlan& known) { return known.switch_name == name; })) {
            return Problem{quoted(text) + " names a switch that stands there already; name each once"};
        }
        switches.push_back({std::string{name}, std::string{plan}});
    }
    return switches;
}

std::string SwitchPlans::show(const Value& switches) {
    std::string list;
    for (const SwitchPlan& known : switches) {
        list += list.empty() ? "\"" : ", \"";
        list += known.switch_name;
        list += '=';
        list += known.plan;
        list += '"';
    }
    return '[' + list + ']';
}

template <typename Enumeration>
std::string Choice<Enumeration>::expects() const {
    std::string list;
    for (const auto& [word, value] : words)
        list += (list.empty() ? "" : ", ") + std::string{word};
    return "one of " + list;
}

template <typename Enumeration>
Outcome<Enumeration> Choice<Enumeration>::read(const Written& written) const {
    if (is_text(written)) {
        for (const auto& [word, value] : words) {
            if (word == written.text) return value;
        }
    }
    return is_not(written, expects());
}

template <typename Enumeration>
std::string Choice<Enumeration>::show(Value value) const {
    for (const auto& [word, meaning] : words) {
        if (meaning == value) return std::string{word};
    }
    std::abort();  // The table forgot an enumerator.
}

template struct Choice<ExpiryCharge>;
template struct Choice<JournalReply>;
template struct Choice<LogFormat>;
template struct Choice<LogLevel>;
template struct Choice<MailTls>;

}  // namespace tollgate::config
