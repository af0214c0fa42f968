#include "balance/journal/fault.h"

#include <cerrno>
#include <utility>

#include "balance/journal/format.h"

namespace tollgate::balance::journal {

std::string Fault::text() const {
    const bool at_place = kind == Kind::damage || kind == Kind::missing || kind == Kind::refused;
    return path + (at_place ? ": at byte " + std::to_string(offset) : std::string{}) + ": " + reason;
}

Fault io_fault(const Disk& disk, const std::string& name, const std::string& what, Errno error) {
    return {.kind = Fault::Kind::io,
            .path = disk.path(name),
            .offset = 0,
            .reason = what + ": " + text_of(error),
            .error = error,
            .name = name};
}

Fault lock_fault(const Disk& disk, const std::string& holder, Errno error) {
    Fault fault = io_fault(disk, std::string{kLockFile}, "cannot be locked", error);
    if (error == EWOULDBLOCK) {
        fault.kind = Fault::Kind::locked;
        fault.reason = "another process" + (holder.empty() ? std::string{} : " (" + holder + ")") +
                       " is at work on this journal; stop it first, or give this one a directory of its own "
                       "with journal.dir";
    }
    return fault;
}

Fault damage(const Disk& disk, const std::string& name, std::uint64_t offset, std::string reason) {
    return {.kind = Fault::Kind::damage,
            .path = disk.path(name),
            .offset = offset,
            .reason = std::move(reason),
            .error = 0,
            .name = name};
}

}  // namespace tollgate::balance::journal
