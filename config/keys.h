#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/values.h"

/// The table of keys: the one place that says which there are, what each takes and where it goes.
///
/// Reading a file, `--set`, the messages and the test that holds the manual against the program all walk this
/// table. A new key is a field in config.h, a row in keys.cc and a paragraph in tollgate.toml.
namespace tollgate::config {

struct Key {
    std::string_view name;    ///< Section and key: `session.hold`; no section: `workers`.
    std::string expects;      ///< Ends the sentence "takes ..."; see values.h.
    bool takes_list = false;  ///< Then `--set` reads `a,b` or a TOML array.

    /// Puts a value into its field, or leaves the field as it is and says what is wrong.
    std::function<std::optional<Problem>(const Written& written, Config& config)> read;

    /// Makes the field of one configuration what it is in another.
    std::function<void(const Config& from, Config& to)> copy;

    /// The field's value as `--set` takes it.
    std::function<std::string(const Config& config)> show;
};

/// All keys, in the order of the manual.
[[nodiscard]] std::span<const Key> keys();

/// nullptr if there is no such key. Names are exact: TOML knows small from capital letters.
[[nodiscard]] const Key* find_key(std::string_view name);

/// Whether the key's value is for nobody's eyes: it is called a password, a secret or a token, and not the
/// file of one, or it says where a store is. Holds for names that are no keys too.
[[nodiscard]] bool names_secret(std::string_view name);
/// What messages show of such a value.
inline constexpr std::string_view kSecretShown = "***";

/// Whether `name` is what stands before the dot of some key: `session`.
[[nodiscard]] bool is_section(std::string_view name);

/// The key that takes the fewest insertions, deletions and replacements of a letter to become from
/// `name`; the first in the table where several do.
[[nodiscard]] const Key& nearest_key(std::string_view name);

/// Two keys, each of them in its range, that do not go together. `complaint` and `other_complaint` are the
/// same fact told of `key` and of `other`, so that it can be told of the one the operator wrote.
struct Conflict {
    std::string_view key;
    std::string_view other;
    std::string complaint;  ///< `"10s" must be at least session.shortest, which is "1m"`
    std::string other_complaint;
};

[[nodiscard]] std::vector<Conflict> conflicts(const Config& config);

}  // namespace tollgate::config
