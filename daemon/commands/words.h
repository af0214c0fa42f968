/// The words of the wire for codes, reasons, states and derivations. docs/protocol.md lists them.
#pragma once

#include <string>
#include <string_view>

#include "daemon/charging.h"
#include "daemon/commands/answer.h"

namespace tollgate::daemon::commands {

/// Requires: none of those from `busy` on, which are RESP errors.
[[nodiscard]] std::string_view text_of(Code code) noexcept;
[[nodiscard]] std::string_view text_of(Reason reason) noexcept;
[[nodiscard]] std::string_view text_of(EndStatus status) noexcept;
[[nodiscard]] std::string_view text_of(balance::SessionState state) noexcept;

/// Writes `-BUSY …` or the error for a cost that is too large, where `code` is one of them.
[[nodiscard]] bool answered_as_error(Code code, std::string& out);

/// The id of a party, empty for none.
[[nodiscard]] std::string_view id_of(const balance::PartyTable& parties, PartyId party) noexcept;

/// `r-123`, as a call record is named; empty for 0.
[[nodiscard]] rating::ShortText record_id(std::uint64_t record) noexcept;
/// The reverse; 0 where it is not one.
[[nodiscard]] std::uint64_t parse_record_id(std::string_view text) noexcept;

/// What STOP and RATE answer. Requires: a code that text_of() has a word for.
void answer_stop(const StopAnswer& stopped, bool plain, std::string& out);

/// How many pairs write_derivation writes.
[[nodiscard]] std::size_t pairs_of(const Derivation& derivation) noexcept;
/// `levels` n, then what each level would pay, from the customer up.
void write_derivation(Answer& answer, const Derivation& derivation);

}  // namespace tollgate::daemon::commands
