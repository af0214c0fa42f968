/// `FIELD=VALUE` of a command line, as the JSON that the daemon takes.
#pragma once

#include <span>
#include <string>

#include <boost/json/object.hpp>

namespace tollgate::daemon::ctl {

/// An object with a field for each word, or what is wrong with one.
///
/// `name=Acme` is a text and `max_calls=30` a number, as the field is one or the other;
/// `opened_countries=GB,FR` is a list; `class=` takes the value away. `windows:=[…]` is JSON as it stands,
/// whatever the field.
struct FieldWords {
    boost::json::object object;
    std::string fault;
};
[[nodiscard]] FieldWords read_fields(std::span<const std::string> words);

}  // namespace tollgate::daemon::ctl
