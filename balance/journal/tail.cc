#include "balance/journal/tail.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <utility>

#include "balance/journal/checksum.h"

namespace tollgate::balance::journal {
namespace {

/// What is read at once.
constexpr std::size_t kWindowBytes = std::size_t{256} << 10;

std::vector<std::uint64_t> segments_in(Disk& disk, Errno& error) {
    std::vector<std::string> names;
    std::vector<std::uint64_t> segments;
    error = disk.list(names);
    for (const auto& name : names) {
        if (const auto segment = segment_of(name)) segments.push_back(*segment);
    }
    std::sort(segments.begin(), segments.end());
    return segments;
}

std::optional<SegmentHeader> read_header(Disk& disk, std::uint64_t segment, Errno& error) {
    std::unique_ptr<File> file;
    std::array<std::byte, sizeof(SegmentHeader)> bytes{};
    std::size_t count = 0;
    error = disk.open(segment_name(segment), Disk::Mode::read, file);
    if (error == 0) error = read_all(*file, 0, bytes, count);
    if (error != 0) return std::nullopt;
    return segment_header(std::span{bytes}.first(count));
}

}  // namespace

std::optional<SegmentHeader> Tail::header_of(std::uint64_t segment, std::optional<Fault>& fault) const {
    Errno error = 0;
    const auto header = read_header(disk_, segment, error);
    if (error != 0 && error != ENOENT)
        fault = io_fault(disk_, segment_name(segment), "cannot be read", error);
    if (!header) return std::nullopt;
    if (header->instance != instance_ || header->segment != segment) {
        fault = damage(disk_, segment_name(segment), 0, "belongs elsewhere");
        return std::nullopt;
    }
    return header;
}

std::optional<Fault> Tail::open(const SegmentHeader& header) {
    const std::string name = segment_name(header.segment);
    if (const Errno error = disk_.open(name, Disk::Mode::read, file_); error != 0)
        return io_fault(disk_, name, "cannot be opened", error);
    segment_ = header.segment;
    epoch_ = header.epoch;
    last_ = header.previous;
    offset_ = kBlockBytes;
    next_.reset();
    window_size_ = 0;
    return std::nullopt;
}

std::optional<Fault> Tail::seek(Sequence after) {
    segment_ = 0;
    epoch_ = 0;
    at_ = after;
    last_ = {};
    next_.reset();
    file_.reset();
    Errno error = 0;
    auto segments = segments_in(disk_, error);
    if (error != 0) return io_fault(disk_, "", "cannot list the directory", error);
    std::optional<Fault> fault;
    std::optional<SegmentHeader> oldest;
    while (!segments.empty()) {
        const auto header = header_of(segments.back(), fault);
        if (fault) return fault;
        segments.pop_back();
        if (!header) continue;  // Not in use yet.
        if (header->first_sequence <= after + 1) return open(*header);
        oldest = header;
    }
    // Nothing was ever written: what comes begins with the first segment.
    if (!oldest) return std::nullopt;
    return damage(disk_, segment_name(oldest->segment), 0,
                  "begins with event " + std::to_string(oldest->first_sequence) + "; from event " +
                      std::to_string(after + 1) + " on they are missing");
}

void Tail::look_for_next() {
    std::optional<Fault> none;
    next_ = header_of(segment_ + 1, none);
}

std::optional<Fault> Tail::load(std::uint64_t offset, std::size_t size, std::span<const std::byte>& bytes) {
    if (offset < window_from_ || offset + size > window_from_ + window_size_) {
        window_.resize(std::max(kWindowBytes, size));
        window_from_ = offset;
        window_size_ = 0;
        if (const Errno error = read_all(*file_, offset, window_, window_size_); error != 0)
            return io_fault(disk_, segment_name(segment_), "cannot be read", error);
    }
    const std::span<const std::byte> window{window_.data(), window_size_};
    const auto rest = window.subspan(offset - window_from_);
    bytes = rest.first(std::min(size, rest.size()));
    return std::nullopt;
}

bool Tail::follows(const BatchHeader& header) const noexcept {
    return header.instance_low == instance_.low && header.segment == segment_ && header.epoch == epoch_ &&
           header.batch == last_.batch + 1 && header.first_sequence == last_.sequence + 1 &&
           header.previous_header_checksum == last_.header_checksum &&
           header.previous_body_checksum == last_.body_checksum;
}

std::optional<Fault> Tail::batch_at(std::uint64_t offset, BatchHeader& header,
                                    std::span<const std::byte>& body, bool& fits) {
    fits = false;
    std::span<const std::byte> bytes;
    if (auto fault = load(offset, sizeof header, bytes)) return fault;
    const auto found = batch_header(bytes);
    if (!found || !follows(*found)) return std::nullopt;
    header = *found;
    if (auto fault = load(offset, sizeof header + header.body_bytes, bytes)) return fault;
    if (bytes.size() != sizeof header + header.body_bytes) return std::nullopt;
    body = bytes.subspan(sizeof header);
    fits = checksum(body) == header.body_checksum;
    return std::nullopt;
}

std::optional<Fault> Tail::read(Sequence until, const OnEvent& on_event,
                                const std::function<bool()>& enough) {
    if (at_ >= until) return std::nullopt;
    if (segment_ == 0) {
        if (auto fault = seek(at_)) return fault;
        if (segment_ == 0) return damage(disk_, "", 0, "there is no segment");
    }
    window_size_ = 0;  // What stood there when it was read need not be what stands there now.
    while (at_ < until) {
        // Where the next segment begins, whatever stands here is what a crash left.
        if (!next_) look_for_next();
        if (next_ && next_->previous == last_) {
            if (auto fault = open(*next_)) return fault;
            continue;
        }
        // All up to `until` are in this segment or behind it, so that one look is enough for a while.
        do {
            BatchHeader header;
            std::span<const std::byte> body;
            bool fits = false;
            if (auto fault = batch_at(offset_, header, body, fits)) return fault;
            if (!fits) {
                if (const bool knew = next_.has_value(); !knew) look_for_next();
                if (next_ && next_->previous == last_) break;
                return damage(disk_, segment_name(segment_), offset_,
                              "here should be batch " + std::to_string(last_.batch + 1));
            }
            Sequence refused = 0;
            const bool good = each_event(header, body, [&](Sequence sequence, auto event) {
                if (sequence <= at_) return true;
                if (on_event(sequence, event)) return true;
                refused = sequence;
                return false;
            });
            if (!good) {
                auto fault = damage(disk_, segment_name(segment_), offset_,
                                    refused == 0 ? "the events of the batch contradict its header"
                                                 : "event " + std::to_string(refused) + " was not taken");
                if (refused != 0) fault.kind = Fault::Kind::refused;
                return fault;
            }
            last_ = link_of(header);
            offset_ += batch_bytes(header.body_bytes);
            at_ = std::max(at_, last_.sequence);
            if (enough()) return std::nullopt;
        } while (at_ < until && !(next_ && next_->previous == last_));
    }
    return std::nullopt;
}

std::optional<Sequence> first_event(Disk& disk) {
    Errno error = 0;
    const auto segments = segments_in(disk, error);
    const auto header = segments.empty() ? std::nullopt : read_header(disk, segments.front(), error);
    return header ? std::optional{header->first_sequence} : std::nullopt;
}

bool is_of_history(Disk& disk, std::uint64_t epoch, Sequence sequence) {
    Errno error = 0;
    for (const auto segment : segments_in(disk, error)) {
        const auto header = read_header(disk, segment, error);
        if (header && header->epoch > epoch && header->first_sequence <= sequence) return false;
    }
    return true;
}

}  // namespace tollgate::balance::journal
