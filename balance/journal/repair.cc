#include "balance/journal/repair.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "balance/journal/aside.h"
#include "balance/journal/checksum.h"
#include "balance/journal/format.h"
#include "balance/journal/snapshot.h"
#include "balance/journal/tail.h"

namespace tollgate::balance::journal {
namespace {

constexpr int kRepairsMax = 64;  // Bits that are turned back before somebody should buy a disk.
constexpr std::uint64_t kSegmentBytesMax = std::uint64_t{4} << 30;
constexpr std::size_t kHeaderBytesMax = 128;

bool skip(Sequence, std::span<const std::byte>) {
    return true;
}

class Repairer {
  public:
    Repairer(Disk& disk, const Settings& settings) : disk_(disk), settings_(settings) {}

    Repair run(bool cut) {
        std::unique_ptr<File> lock;
        std::string holder;
        if (const Errno error = disk_.lock(std::string{kLockFile}, lock, holder); error != 0) {
            result_.remaining = lock_fault(disk_, holder, error);
            return std::move(result_);
        }
        // Whose files they are is in one of them.
        std::optional<Fault> fault;
        auto instance = instance_in(disk_, fault);
        if (fault) note("found: " + fault->text());
        if (!instance && turn_back(damage(disk_, std::string{kInstanceFile}, 0, {})))
            instance = instance_in(disk_, fault);
        const auto damaged = instance ? mend_files(*instance) : std::vector<Fault>{};
        const auto first = first_event(disk_);
        if (first && *first <= whole_) {
            // Not needed for a start: never cut.
            (void)mend_segments(*first - 1, false, whole_);
        }
        result_.remaining = mend_segments(whole_, cut, kNoSequence);
        result_.good = !result_.remaining;
        if (result_.good) std::for_each(damaged.begin(), damaged.end(), [this](auto& one) { put_away(one); });
        return std::move(result_);
    }

  private:
    /// What is wrong in the segments from an event on, as far as it could not be mended.
    std::optional<Fault> mend_segments(Sequence after, bool cut, Sequence until) {
        bool may_cut = cut;
        std::optional<Fault> fault;
        for (int i = 0; i < kRepairsMax; ++i) {
            const auto found = read_journal(disk_, settings_, after, skip, until);
            fault = found.fault;
            if (!fault) {
                if (until == kNoSequence)
                    note("the journal is whole, up to event " + std::to_string(found.last.sequence));
                break;
            }
            note("found: " + fault->text());
            if (fault->kind == Fault::Kind::missing) {
                note(
                    "no snapshot that is whole goes so far: bring one back from a copy of the folder, or "
                    "restore the folder from PostgreSQL");
            }
            if (fault->kind != Fault::Kind::damage) break;
            if (turn_back(*fault)) continue;
            if (until != kNoSequence) {
                note("no single flipped bit explains it; the snapshot of event " + std::to_string(until) +
                     " makes up for it");
                break;
            }
            if (!std::exchange(may_cut, false)) {
                if (!cut)
                    note("no single flipped bit explains it; only cutting the journal off here is left");
                break;
            }
            if (!cut_off(*fault, found.last)) break;
        }
        return fault;
    }

    void note(std::string text) { result_.done.push_back(std::move(text)); }
    bool failed(const std::string& name, const std::string& what, Errno error) {
        note(io_fault(disk_, name, what, error).text());
        return false;
    }

    bool load(const std::string& name, std::vector<std::byte>& bytes) {
        const Errno error = read_file(disk_, name, kSegmentBytesMax, bytes);
        return error == 0 || failed(name, "cannot be read", error);
    }

    std::optional<std::string> name_for_copy(const std::string& name) {
        std::vector<std::string> names;
        if (const Errno error = disk_.list(names); error != 0) {
            failed("", "cannot list the directory", error);
            return std::nullopt;
        }
        for (int i = 1;; ++i) {
            std::string copy = name + ".damaged-" + std::to_string(i);
            if (std::find(names.begin(), names.end(), copy) == names.end()) return copy;
        }
    }

    bool save(const std::string& name, std::span<const std::byte> bytes) {
        if (std::find(saved_.begin(), saved_.end(), name) != saved_.end()) return true;
        const auto copy = name_for_copy(name);
        if (!copy) return false;
        if (const Errno error = write_file(disk_, *copy, bytes); error != 0)
            return failed(*copy, "cannot be written", error);
        note("saved " + disk_.path(name) + " as " + *copy);
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
        const auto head = place.first(std::min(place.size(), kHeaderBytesMax));
        std::optional<std::uint64_t> bit;
        if (fault.name == kInstanceFile) {
            bit = flipped_bit(head,
                              [](std::span<const std::byte> at) { return decode_instance(at).has_value(); });
            if (!bit) return write_instance();
        } else if (fault.offset == 0) {
            bit = flipped_bit(head,
                              [](std::span<const std::byte> at) { return segment_header(at).has_value(); });
        } else if (const auto header = batch_header(place)) {
            bit = bit_of_body(*header, place);
        } else {
            bit =
                flipped_bit(head, [](std::span<const std::byte> at) { return batch_header(at).has_value(); });
        }
        return bit && turn_back(fault.name, bytes, 8 * fault.offset + *bit);
    }

    bool turn_back(const std::string& name, std::vector<std::byte>& bytes, std::uint64_t bit) {
        if (!save(name, bytes)) return false;
        const std::uint64_t at = bit / 8;
        bytes[at] ^= static_cast<std::byte>(1U << (bit % 8));
        if (!overwrite(name, at, std::span{bytes}.subspan(at, 1))) return false;
        note("turned bit " + std::to_string(bit % 8) + " of byte " + std::to_string(at) + " of " +
             disk_.path(name) + " back: the checksum is right again; nothing is lost");
        return true;
    }

    /// Snapshots and files beside the segments, each as far as flipped bits explain what is wrong with it.
    /// Snapshots that stay damaged are handed back, the newest first.
    std::vector<Fault> mend_files(const Instance& instance) {
        std::vector<std::string> asides;
        (void)list_asides(disk_, asides);
        for (const auto& name : asides) {
            std::vector<std::byte> bytes;
            std::string fault;
            while (!read_aside(disk_, instance, name, bytes, fault)) {
                note("found: " + fault);
                if (!mend_file(name, flipped_bit_of_aside)) break;
            }
        }
        std::vector<Fault> damaged;
        std::vector<SnapshotFile> snapshots;
        (void)list_snapshots(disk_, snapshots);
        for (const auto& [sequence, name] : snapshots) {
            std::optional<Fault> fault;
            while ((fault = read_snapshot(disk_, instance, name, [](auto) { return true; }))) {
                note("found: " + fault->text());
                if (fault->kind != Fault::Kind::damage || !mend_file(name, flipped_bit_of_snapshot)) break;
            }
            if (!fault) whole_ = std::max(whole_, sequence);
            if (fault && fault->kind == Fault::Kind::damage) damaged.push_back(std::move(*fault));
        }
        return damaged;
    }

    template <typename FlippedBit>
    bool mend_file(const std::string& name, const FlippedBit& flipped_bit_of) {
        std::vector<std::byte> bytes;
        if (++mended_ > kRepairsMax || !load(name, bytes)) return false;
        const auto bit = flipped_bit_of(bytes);
        return bit && turn_back(name, bytes, *bit);
    }

    void put_away(const Fault& snapshot) {
        const auto copy = name_for_copy(snapshot.name);
        if (!copy) return;
        Errno error = disk_.rename(snapshot.name, *copy);
        if (error == 0) error = disk_.sync_directory();
        if (error != 0) {
            failed(snapshot.name, "cannot be put out of the way", error);
        } else {
            note("the journal does without " + disk_.path(snapshot.name) + ": it is " + *copy + " now");
        }
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
    Sequence whole_ = 0;  // The newest snapshot that is whole.
    int mended_ = 0;      // Bits of files that are no segments.
    Repair result_;
    std::vector<std::string> saved_;
};

}  // namespace

Repair repair_journal(Disk& disk, const Settings& settings, bool cut) {
    return Repairer{disk, settings}.run(cut);
}

}  // namespace tollgate::balance::journal
