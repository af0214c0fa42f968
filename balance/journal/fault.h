/// Why a journal cannot be used, for people: which file, where in it, what is wrong.
#pragma once

#include <cstdint>
#include <string>

#include "balance/journal/disk.h"

namespace tollgate::balance::journal {

struct Fault {
    enum class Kind : std::uint8_t {
        io,       ///< The disk said no; `error` says what.
        locked,   ///< Another process has the journal.
        damage,   ///< What was once on the disk is no longer there as it was. Nothing was guessed.
        missing,  ///< The journal begins behind what is asked for: no snapshot that is whole goes so far.
        refused,  ///< The bytes are whole, but whom they were handed to did not take them.
    };
    Kind kind = Kind::damage;
    std::string path;
    std::uint64_t offset = 0;
    std::string reason;
    Errno error = 0;

    // Where repair begins.
    std::string name;  ///< The file in the directory.

    /// "PATH: at byte OFFSET: REASON".
    [[nodiscard]] std::string text() const;
};

Fault io_fault(const Disk& disk, const std::string& name, const std::string& what, Errno error);
/// Of kLockFile; `holder` as Disk::lock() says it.
Fault lock_fault(const Disk& disk, const std::string& holder, Errno error);
Fault damage(const Disk& disk, const std::string& name, std::uint64_t offset, std::string reason);

}  // namespace tollgate::balance::journal
