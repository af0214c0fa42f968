/// Text inside of JSON, for those who write a few names and values by hand.
#pragma once

#include <string>
#include <string_view>

namespace tollgate::daemon {

/// Appends the text in quotes. Ids and tags may hold any byte, JSON only UTF-8: what is none is shown as the
/// character of its number.
void add_json(std::string& out, std::string_view text);

}  // namespace tollgate::daemon
