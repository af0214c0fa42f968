#include "balance/journal/repair.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "balance/journal/checksum.h"
#include "balance/journal/format.h"

namespace tollgate::balance::journal {
namespace {

constexpr int kRepairsMax = 64;  // Bits that are turned back before somebody should buy a disk.
constexpr std::uint64_t kSegmentBytesMax = std::uint64_t{4} << 30;

bool skip(Sequence, std::span<const std::byte>) {
    return true;
}

class Repairer {
  public:
    Repairer(Disk& disk, const Settings& settings, Sequence after)
        : disk_(disk), settings_(settings), after_(after) {}

    Repair run(bool cut) {
        std::unique_ptr<File> lock;
        std::string holder;
        const std::string lock_name{kLockFile};
        if (const Errno error = disk_.lock(lock_name, lock, holder); error != 0) {
            result_.remaining = io_fault(disk_, lock_name, "a daemon is at work on this journal", error);
            return std::move(result_);
        }
        bool may_cut = cut;
        for (int i = 0; i < kRepairsMax; ++i) {
            const auto found = read_journal(disk_, settings_, after_, skip);
            result_.remaining = found.fault;
            if (!found.fault) {
                result_.good = true;
                note("the journal is whole, up to event " + std::to_string(found.last.sequence));
                break;
            }
            note("found: " + found.fault->text());
            if (found.fault->kind != Fault::Kind::damage) break;
            if (turn_back(*found.fault)) continue;
            if (!std::exchange(may_cut, false)) {
                if (!cut)
                    note("no single flipped bit explains it; only cutting the journal off here is left");
                break;
            }
            if (!cut_off(*found.fault, found.last)) break;
        }
        return std::move(result_);
    }

  private:
    void note(std::string text) { result_.done.push_back(std::move(text)); }
    bool failed(const std::string& name, const std::string& what, Errno error) {
        note(io_fault(disk_, name, what, error).text());
        return false;
    }

    bool load(const std::string& name, std::vector<std::byte>& bytes) {
        const Errno error = read_file(disk_, name, kSegmentBytesMax, bytes);
        return error == 0 || failed(name, "cannot be read", error);
    }

    bool save(const std::string& name, std::span<const std::byte> bytes) {
        if (std::find(saved_.begin(), saved_.end(), name) != saved_.end()) return true;
        std::vector<std::string> names;
        if (const Errno error = disk_.list(names); error != 0)
            return failed("", "cannot list the directory", error);
        std::string copy;
        for (int i = 1;; ++i) {
            copy = name + ".damaged-" + std::to_string(i);
            if (std::find(names.begin(), names.end(), copy) == names.end()) break;
        }
        if (const Errno error = write_file(disk_, copy, bytes); error != 0)
            return failed(copy, "cannot be written", error);
        note("saved " + disk_.path(name) + " as " + copy);
        saved_.push_back(name);
        return true;
    }

    bool overwrite(const std::string& name, std::uint64_t offset, std::span<const std::byte> bytes) {
        std::unique_ptr<File> file;
        Errno error = disk_.open(name, Disk::Mode::write, file);
        if (error == 0) error = write_all(*file, offset, bytes);
        if (error == 0) error = file->sync();
        return error == 0 || failed(name, "cannot be written", error);
    }

    bool turn_back(const Fault& fault) {
        std::vector<std::byte> bytes;
        std::uint64_t size = 0;
        if (disk_.size(fault.name, size) != 0) {
            return fault.name == kInstanceFile && write_instance();
        }
        if (!load(fault.name, bytes)) return false;
        if (fault.offset >= bytes.size()) return false;
        const std::span<std::byte> place = std::span{bytes}.subspan(fault.offset);
        std::optional<std::uint64_t> bit;
        if (fault.name == kInstanceFile) {
            bit = bit_of_header(
                place, [](std::span<const std::byte> at) { return decode_instance(at).has_value(); });
            if (!bit) return write_instance();
        } else if (fault.offset == 0) {
            bit = bit_of_header(place,
                                [](std::span<const std::byte> at) { return segment_header(at).has_value(); });
        } else if (const auto header = batch_header(place)) {
            bit = bit_of_body(*header, place);
        } else {
            bit = bit_of_header(place,
                                [](std::span<const std::byte> at) { return batch_header(at).has_value(); });
        }
        if (!bit) return false;
        std::vector<std::byte> before;
        if (!load(fault.name, before) || !save(fault.name, before)) return false;
        place[*bit / 8] ^= static_cast<std::byte>(1U << (*bit % 8));
        const std::uint64_t at = fault.offset + *bit / 8;
        if (!overwrite(fault.name, at, std::span{bytes}.subspan(at, 1))) return false;
        note("turned bit " + std::to_string(*bit % 8) + " of byte " + std::to_string(at) + " of " +
             disk_.path(fault.name) + " back: the checksum is right again; nothing is lost");
        return true;
    }

    /// Tries each bit of a header.
    template <typename Good>
    static std::optional<std::uint64_t> bit_of_header(std::span<std::byte> place, Good&& good) {
        constexpr std::size_t kHeaderBytesMax = 128;
        for (std::uint64_t bit = 0; bit < 8 * std::min(place.size(), kHeaderBytesMax); ++bit) {
            const auto mask = static_cast<std::byte>(1U << (bit % 8));
            place[bit / 8] ^= mask;
            const bool right = good(place);
            place[bit / 8] ^= mask;
            if (right) return bit;
        }
        return std::nullopt;
    }

    static std::optional<std::uint64_t> bit_of_body(const BatchHeader& header, std::span<std::byte> place) {
        if (header.body_bytes > place.size() - sizeof header) return std::nullopt;
        const auto body = place.subspan(sizeof header, header.body_bytes);
        const auto bit = flipped_bit(body.size(), checksum(body), header.body_checksum);
        if (!bit) return std::nullopt;
        return *bit + 8 * sizeof header;
    }

    /// Every segment knows what journal it belongs to.
    bool write_instance() {
        std::vector<std::string> names;
        if (const Errno error = disk_.list(names); error != 0)
            return failed("", "cannot list the directory", error);
        std::sort(names.begin(), names.end());
        for (const auto& name : names) {
            if (!segment_of(name)) continue;
            std::vector<std::byte> bytes;
            if (!load(name, bytes)) return false;
            const auto header = segment_header(bytes);
            if (!header) continue;
            const std::string instance{kInstanceFile};
            if (const Errno error = write_file(disk_, instance, encode_instance(header->instance));
                error != 0)
                return failed(instance, "cannot be written", error);
            note("wrote " + disk_.path(instance) + " anew, from the header of " + name + "; nothing is lost");
            return true;
        }
        return false;
    }

    bool cut_off(const Fault& fault, const Link& last) {
        const auto number = segment_of(fault.name);
        if (!number) return false;
        std::vector<std::string> names;
        if (const Errno error = disk_.list(names); error != 0)
            return failed("", "cannot list the directory", error);
        // The last first, so that whatever interrupts this leaves a journal without a gap.
        std::sort(names.rbegin(), names.rend());
        std::uint64_t batches = 0;
        std::uint64_t events = 0;
        for (const auto& name : names) {
            const auto segment = segment_of(name);
            if (!segment || *segment < *number) continue;
            std::vector<std::byte> bytes;
            if (!load(name, bytes)) return false;
            const std::uint64_t from = *segment == *number ? fault.offset : 0;
            std::uint64_t lost = 0;
            for (std::uint64_t at = from; at < bytes.size(); at += kBlockBytes) {
                const auto header = batch_header(std::span{bytes}.subspan(at));
                if (!header || header->segment != *segment || header->batch <= last.batch) continue;
                ++lost;
                events += header->events;
            }
            batches += lost;
            const auto behind = std::span{bytes}.subspan(std::min<std::size_t>(from, bytes.size()));
            if (all_zeros(behind) && from != 0) continue;
            if (!all_zeros(bytes) && !save(name, bytes)) return false;
            if (from == 0) {
                Errno error = disk_.remove(name);
                if (error == 0) error = disk_.sync_directory();
                if (error != 0) return failed(name, "cannot be removed", error);
                note("removed " + disk_.path(name));
            } else {
                std::fill(behind.begin(), behind.end(), std::byte{});
                if (!overwrite(name, from, behind)) return false;
                note("cut " + disk_.path(name) + " off at byte " + std::to_string(from));
            }
        }
        note("the journal ends with event " + std::to_string(last.sequence) + " now; lost are at least " +
             std::to_string(batches) + " batches with " + std::to_string(events) +
             " events behind it, besides what could not be read");
        return true;
    }

    Disk& disk_;
    const Settings& settings_;
    Sequence after_;
    Repair result_;
    std::vector<std::string> saved_;
};

}  // namespace

Repair repair_journal(Disk& disk, const Settings& settings, Sequence after, bool cut) {
    return Repairer{disk, settings, after}.run(cut);
}

}  // namespace tollgate::balance::journal
