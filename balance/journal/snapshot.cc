#include "balance/journal/snapshot.h"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "balance/journal/checksum.h"

namespace tollgate::balance::journal {
namespace {

constexpr std::string_view kSnapshotPrefix = "snapshot-";
constexpr std::string_view kSnapshotSuffix = ".dat";
constexpr std::size_t kSequenceDigits = 20;
constexpr std::size_t kSnapshotBlockBytes = std::size_t{1} << 20;
constexpr std::array<char, 8> kSnapshotMagic{'T', 'G', 'S', 'N', 'A', 'P', 'S', '1'};
constexpr std::uint64_t kTrailer = ~std::uint64_t{0};
constexpr std::uint64_t kInstanceBytesMax = 4096;

struct SnapshotHeader {
    std::array<char, 8> magic = kSnapshotMagic;
    std::uint32_t checksum = 0;  // Of the rest of this struct.
    std::uint32_t version = kFormatVersion;
    Instance instance;
    Sequence sequence = 0;
};
static_assert(sizeof(SnapshotHeader) == 40);

// In front of each block; the trailer is one without a body and of number kTrailer.
struct BlockHeader {
    std::uint32_t checksum = 0;  // Of the rest of this struct, going on from `chain`.
    std::uint32_t body_checksum = 0;
    std::uint64_t block = 0;
    std::uint64_t bytes = 0;    // In a trailer: how many blocks there were.
    std::uint64_t records = 0;  // Up to and with this block.
    std::uint32_t chain = 0;    // The checksum of the header before this one.
    std::uint32_t unused = 0;
};
static_assert(sizeof(BlockHeader) == 40);

template <typename Struct>
std::span<const std::byte> bytes_of(const Struct& from) {
    return std::as_bytes(std::span{&from, 1});
}
std::uint32_t checksum_of(const SnapshotHeader& header) {
    return checksum(bytes_of(header).subspan(offsetof(SnapshotHeader, version)));
}
std::uint32_t checksum_of(const BlockHeader& header) {
    return checksum(bytes_of(header).subspan(offsetof(BlockHeader, body_checksum)));
}

std::string name_of(Sequence sequence) {
    std::string digits = std::to_string(sequence);
    digits.insert(0, kSequenceDigits - digits.size(), '0');
    return std::string{kSnapshotPrefix} + digits + std::string{kSnapshotSuffix};
}

std::optional<Sequence> sequence_of(std::string_view name) {
    if (!name.starts_with(kSnapshotPrefix) || !name.ends_with(kSnapshotSuffix) ||
        name.size() != kSnapshotPrefix.size() + kSequenceDigits + kSnapshotSuffix.size())
        return std::nullopt;
    Sequence sequence = 0;
    const char* begin = name.data() + kSnapshotPrefix.size();
    const auto [end, error] = std::from_chars(begin, begin + kSequenceDigits, sequence);
    if (error != std::errc{} || end != begin + kSequenceDigits) return std::nullopt;
    return sequence;
}

}  // namespace

SnapshotWriter::SnapshotWriter(Disk& disk, const Instance& instance, Sequence sequence)
    : disk_(disk), name_(name_of(sequence)) {
    error_ = disk_.open(name_ + kTemporarySuffix, Disk::Mode::create, file_);
    SnapshotHeader header;
    header.instance = instance;
    header.sequence = sequence;
    header.checksum = checksum_of(header);
    chain_ = header.checksum;
    if (error_ == 0) error_ = put(bytes_of(header));
}

SnapshotWriter::~SnapshotWriter() {
    if (finished_ || !file_) return;
    file_.reset();
    disk_.remove(name_ + kTemporarySuffix);
}

Errno SnapshotWriter::put(std::span<const std::byte> bytes) {
    const Errno error = write_all(*file_, offset_, bytes);
    offset_ += bytes.size();
    return error;
}

Errno SnapshotWriter::add(std::span<const std::byte> record) {
    assert(record.size() <= kSnapshotRecordBytesMax && !finished_);
    if (error_ != 0) return error_;
    const auto length = static_cast<std::uint32_t>(record.size());
    if (!block_.empty() && block_.size() + sizeof length + record.size() > kSnapshotBlockBytes) {
        if (flush() != 0) return error_;
    }
    const auto head = bytes_of(length);
    block_.insert(block_.end(), head.begin(), head.end());
    block_.insert(block_.end(), record.begin(), record.end());
    ++records_;
    return 0;
}

Errno SnapshotWriter::flush() {
    BlockHeader header;
    header.body_checksum = checksum(block_);
    header.block = ++blocks_;
    header.bytes = block_.size();
    header.records = records_;
    header.chain = chain_;
    header.checksum = checksum_of(header);
    chain_ = header.checksum;
    error_ = put(bytes_of(header));
    if (error_ == 0) error_ = write_in_portions(*file_, offset_, block_);
    offset_ += block_.size();
    block_.clear();
    return error_;
}

Errno SnapshotWriter::finish() {
    assert(!finished_);
    if (error_ == 0 && !block_.empty()) flush();
    if (error_ != 0) return error_;
    BlockHeader trailer;
    trailer.block = kTrailer;
    trailer.bytes = blocks_;
    trailer.records = records_;
    trailer.chain = chain_;
    trailer.checksum = checksum_of(trailer);
    error_ = put(bytes_of(trailer));
    if (error_ == 0) error_ = file_->sync();
    if (error_ != 0) return error_;
    error_ = disk_.rename(name_ + kTemporarySuffix, name_);
    if (error_ != 0) return error_;
    finished_ = true;
    file_.reset();
    error_ = disk_.sync_directory();
    return error_;
}

std::optional<Fault> read_snapshot(Disk& disk, const Instance& instance, const std::string& name,
                                   const OnRecord& on_record) {
    std::unique_ptr<File> file;
    if (const Errno error = disk.open(name, Disk::Mode::read, file); error != 0)
        return io_fault(disk, name, "cannot be opened", error);
    std::uint64_t offset = 0;
    std::optional<Fault> fault;
    const auto read = [&](std::span<std::byte> bytes) {
        std::size_t count = 0;
        if (const Errno error = read_all(*file, offset, bytes, count); error != 0) {
            fault = io_fault(disk, name, "cannot be read", error);
        } else if (count != bytes.size()) {
            fault = damage(disk, name, offset + count, "the snapshot is cut off");
        }
        return !fault;
    };
    SnapshotHeader header;
    if (!read(std::as_writable_bytes(std::span{&header, 1}))) return fault;
    if (header.magic != kSnapshotMagic || header.checksum != checksum_of(header) ||
        header.version != kFormatVersion)
        return damage(disk, name, 0, "its header is not what it was");
    if (header.instance != instance)
        return damage(disk, name, 0, "belongs to another journal, " + text_of(header.instance));
    if (header.sequence != sequence_of(name)) return damage(disk, name, 0, "was written under another name");
    offset = sizeof header;
    std::uint32_t chain = header.checksum;
    std::uint64_t blocks = 0;
    std::uint64_t records = 0;
    std::vector<std::byte> body;
    for (;;) {
        BlockHeader block;
        if (!read(std::as_writable_bytes(std::span{&block, 1}))) return fault;
        if (block.checksum != checksum_of(block) || block.chain != chain)
            return damage(disk, name, offset, "the header of a block is not what it was");
        chain = block.checksum;
        if (block.block == kTrailer) {
            if (block.bytes != blocks || block.records != records)
                return damage(disk, name, offset, "the snapshot is not whole");
            std::uint64_t bytes = 0;
            if (const Errno error = disk.size(name, bytes); error != 0)
                return io_fault(disk, name, "cannot see its size", error);
            if (bytes != offset + sizeof block)
                return damage(disk, name, offset + sizeof block, "something stands behind the end");
            return std::nullopt;
        }
        if (block.block != ++blocks || block.bytes > kSnapshotBlockBytes + kSnapshotRecordBytesMax)
            return damage(disk, name, offset, "the header of a block contradicts itself");
        offset += sizeof block;
        body.resize(block.bytes);
        if (!read(body)) return fault;
        if (checksum(body) != block.body_checksum)
            return damage(disk, name, offset, "the checksum of a block is wrong");
        for (std::span<const std::byte> rest = body; !rest.empty(); ++records) {
            std::uint32_t length = 0;
            if (rest.size() < sizeof length) return damage(disk, name, offset, "a record is cut off");
            std::memcpy(&length, rest.data(), sizeof length);
            rest = rest.subspan(sizeof length);
            if (rest.size() < length) return damage(disk, name, offset, "a record is cut off");
            if (!on_record(rest.first(length))) {
                Fault refused =
                    damage(disk, name, offset,
                           "record " + std::to_string(records + 1) + " is not one that this version knows");
                refused.kind = Fault::Kind::refused;
                return refused;
            }
            rest = rest.subspan(length);
        }
        if (records != block.records) return damage(disk, name, offset, "a block has lost records");
        offset += block.bytes;
    }
}

std::optional<std::uint64_t> flipped_bit_of_snapshot(std::span<std::byte> file) {
    SnapshotHeader header;
    if (file.size() < sizeof header) return std::nullopt;
    const auto read_header = [&header](std::span<const std::byte> bytes) {
        std::memcpy(&header, bytes.data(), sizeof header);
        return header.magic == kSnapshotMagic && header.checksum == checksum_of(header);
    };
    if (const auto head = file.first(sizeof header); !read_header(head))
        return flipped_bit(head, read_header);
    BlockHeader block;
    const auto read_block = [&block](std::span<const std::byte> bytes) {
        std::memcpy(&block, bytes.data(), sizeof block);
        return block.checksum == checksum_of(block);
    };
    for (std::size_t at = sizeof header; file.size() - at >= sizeof block;) {
        const auto head = file.subspan(at, sizeof block);
        std::optional<std::uint64_t> bit;
        if (!read_block(head)) {
            bit = flipped_bit(head, read_block);
            return bit ? std::optional{*bit + 8 * at} : std::nullopt;
        }
        at += sizeof block;
        if (block.block == kTrailer || block.bytes > file.size() - at) return std::nullopt;
        const auto body = file.subspan(at, block.bytes);
        if (const std::uint32_t found = checksum(body); found != block.body_checksum) {
            bit = flipped_bit(body.size(), found, block.body_checksum);
            return bit ? std::optional{*bit + 8 * at} : std::nullopt;
        }
        at += block.bytes;
    }
    return std::nullopt;
}

Errno list_snapshots(Disk& disk, std::vector<SnapshotFile>& snapshots) {
    std::vector<std::string> names;
    snapshots.clear();
    if (const Errno error = disk.list(names); error != 0) return error;
    for (auto& name : names) {
        if (const auto sequence = sequence_of(name)) snapshots.push_back({*sequence, std::move(name)});
    }
    std::sort(snapshots.begin(), snapshots.end(),
              [](const SnapshotFile& a, const SnapshotFile& b) { return a.sequence > b.sequence; });
    return 0;
}

NewestSnapshot newest_snapshot(Disk& disk, const Instance& instance, const OnRecord& on_record,
                               const std::function<void()>& begin_again) {
    NewestSnapshot newest;
    std::vector<SnapshotFile> snapshots;
    if (const Errno error = list_snapshots(disk, snapshots); error != 0) {
        newest.passed_over.push_back(io_fault(disk, "", "cannot list the directory", error));
        return newest;
    }
    for (auto& snapshot : snapshots) {
        auto fault = read_snapshot(disk, instance, snapshot.name, on_record);
        if (!fault) {
            newest.snapshot = std::move(snapshot);
            break;
        }
        if (fault->kind == Fault::Kind::refused) {
            newest.refused = std::move(fault);
            break;
        }
        newest.passed_over.push_back(std::move(*fault));
        begin_again();
    }
    return newest;
}

KeptSnapshots remove_unneeded_snapshots(Disk& disk, std::size_t keep, std::optional<Sequence> needed) {
    std::vector<SnapshotFile> snapshots;
    if (list_snapshots(disk, snapshots) != 0 || snapshots.empty()) return {};
    const std::size_t newest = std::min(std::max<std::size_t>(keep, 1), snapshots.size());
    std::size_t other = 0;  // The one that somebody goes on from; the oldest where none is so old.
    if (needed) {
        while (other + 1 < snapshots.size() && snapshots[other].sequence > *needed)
            ++other;
    }
    for (std::size_t i = snapshots.size(); i-- > newest;) {
        if (i != other) disk.remove(snapshots[i].name);
    }
    disk.sync_directory();
    KeptSnapshots kept;
    kept.older = other >= newest;
    // While it is the only one, the segments make up for it should it be damaged.
    if (snapshots.size() < keep || (needed && snapshots[other].sequence > *needed)) return kept;
    kept.segments_until = snapshots[std::max(newest - 1, other)].sequence;
    return kept;
}

Sequence remove_older_snapshots(Disk& disk, std::size_t keep) {
    return remove_unneeded_snapshots(disk, keep, std::nullopt).segments_until;
}

bool has_journal(Disk& disk) {
    std::vector<std::string> names;
    if (disk.list(names) != 0) return false;
    return std::any_of(names.begin(), names.end(), [](const std::string& name) {
        return name == kInstanceFile || segment_of(name) || sequence_of(name);
    });
}

std::optional<Instance> instance_in(Disk& disk, std::optional<Fault>& fault) {
    const std::string name{kInstanceFile};
    std::vector<std::byte> bytes;
    const Errno error = read_file(disk, name, kInstanceBytesMax, bytes);
    if (error == ENOENT) return std::nullopt;
    if (error != 0) {
        fault = io_fault(disk, name, "cannot be read", error);
        return std::nullopt;
    }
    const auto instance = decode_instance(bytes);
    if (!instance) fault = damage(disk, name, 0, "is not what it was: its checksum is wrong");
    return instance;
}

}  // namespace tollgate::balance::journal
