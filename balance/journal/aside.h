/// Files beside the segments, for what is too large for an event: decks, imports.
///
/// They are called KIND-NUMBER-CHECKSUM.dat. A name is never given twice, and a file is never changed.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "balance/journal/disk.h"
#include "balance/journal/format.h"

namespace tollgate::balance::journal {

/// Whole, synced and under its name, or not at all. Requires: `kind` of letters, digits and '_'.
Errno write_aside(Disk& disk, const Instance& instance, std::string_view kind, std::uint64_t number,
                  std::span<const std::byte> bytes, std::string& name);

/// Reads it back. Where that cannot be, `fault` says why and where: nothing but what was written comes back.
bool read_aside(Disk& disk, const Instance& instance, const std::string& name, std::vector<std::byte>& bytes,
                std::string& fault);

/// Which single bit of such a file was flipped; nothing where no single bit explains what is wrong.
std::optional<std::uint64_t> flipped_bit_of_aside(std::span<std::byte> file);

/// The names of all.
Errno list_asides(Disk& disk, std::vector<std::string>& names);
/// The number in a name; 0: it is none of such a file.
std::uint64_t number_of(std::string_view name);
/// The highest number in a name; 0: there are none.
std::uint64_t newest_aside(Disk& disk);
/// For one that no event and no snapshot names any more.
Errno remove_aside(Disk& disk, const std::string& name);

}  // namespace tollgate::balance::journal
