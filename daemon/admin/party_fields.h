/// A party's fields as JSON has them.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "daemon/admin/fields.h"
#include "daemon/catalog.h"
#include "daemon/partners/profile.h"

namespace tollgate::daemon::admin {

/// What an object said of a party. What may be changed later stands in `change`, the rest in `draft`; what
/// calls and money do not go by in `profile`.
struct PartyFields {
    PartyDraft draft;
    PartyChange change;
    Profile profile;                      ///< For a change: as it was, with what the object says changed.
    std::vector<std::string_view> named;  ///< All fields that stand there; views into the body's JSON.
    bool says_party = false;              ///< Some of them is of the party itself.
    bool says_profile = false;            ///< Some of them is of the profile.
    bool kind_named = false;
    std::optional<std::vector<TariffEntryDraft>> from_list{};  ///< What `tariffs` says.
};

/// The draft and the profile of one object. Worth something only where no fault was added.
[[nodiscard]] PartyFields read_party_draft(const JsonValue& object, FieldFaults& faults);
/// What is to be changed of a party that has this profile. Likewise.
[[nodiscard]] PartyFields read_party_change(const JsonValue& object, const Profile& profile,
                                            FieldFaults& faults);

}  // namespace tollgate::daemon::admin
