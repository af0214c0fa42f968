/// What the commands have in common: asking the daemon, and showing what it said.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "daemon/ctl/command.h"
#include "daemon/ctl/output.h"

namespace tollgate::daemon::ctl {

/// A column of a list: a field, its title, and how it stands.
struct Shown {
    std::string_view field;
    std::string_view title;
    bool is_figure = false;
};

/// A value for people: texts without quotes, lists with commas, nothing as `-`.
[[nodiscard]] std::string text_of(const boost::json::value& value);
/// Of a field; `-` where it is not there.
[[nodiscard]] std::string text_of(const boost::json::object& object, std::string_view field);

/// The command line makes no sense: says so.
int wrong_usage(Call& call, const std::string& what);

/// The daemon said no, or nothing: says why, with every fault it named.
int refused(Call& call, const Answer& answer);

/// Sends a JSON body; `value` is null where there is none.
[[nodiscard]] Answer ask(Call& call, const std::string& method, const std::string& target,
                         const boost::json::value& value = nullptr, const Headers& headers = {});

/// The answer's JSON; null where it is none.
[[nodiscard]] boost::json::value json_of(const Answer& answer);

/// Shows an object, a field a line, or the JSON as it came. An answer that is none is shown as what it is.
int show(Call& call, const Answer& answer);

/// Shows a list that has pages: `rows` is the field of the answer it stands in. Takes the options `limit`,
/// `all` and `cursor` of the call.
int show_list(Call& call, const std::string& path,
              std::vector<std::pair<std::string, std::string>> parameters, std::string_view rows,
              std::span<const Shown> columns);
/// The same of a list without pages.
int show_rows(Call& call, const Answer& answer, std::string_view rows, std::span<const Shown> columns);

/// Moves money once, however often it must be tried: with the key of the option `key`, else one that is
/// drawn. Where nobody answers it is tried again with the same one, and then the key is told.
int move_money(Call& call, const std::string& target, const boost::json::object& body);

/// Sends a file with a bar that shows how far it is; shows the answer with `show_answer`.
int send_file(Call& call, const std::string& method, const std::string& target, const std::string& file,
              const std::string& content_type, int (*show_answer)(Call&, const Answer&));

}  // namespace tollgate::daemon::ctl
