#include "balance/journal/reader.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <utility>

#include "balance/journal/checksum.h"

namespace tollgate::balance::journal {
namespace {

constexpr std::uint64_t kSmallFileBytesMax = 4096;

struct Segment {
    std::uint64_t number = 0;
    std::uint64_t bytes = 0;
    std::string name;
    std::optional<SegmentHeader> header;
};

class Reader {
  public:
    Reader(Disk& disk, const Settings& settings, Sequence after, Sequence until, const OnEvent& on_event)
        : disk_(disk), settings_(settings), after_(after), until_(until), on_event_(on_event) {}

    Recovery run() {
        if (find_files() && find_start()) {
            for (std::size_t i = start_; i < in_use_; ++i) {
                if (!read_segment(i) || found_.last.sequence >= until_) return std::move(found_);
            }
            if (look_behind()) end();
        }
        return std::move(found_);
    }

  private:
    bool fail(Fault fault) {
        found_.fault = std::move(fault);
        return false;
    }
    bool damaged(const std::string& name, std::uint64_t offset, std::string reason) {
        return fail(damage(disk_, name, offset, std::move(reason)));
    }

    bool find_files() {
        std::vector<std::string> names;
        if (const Errno error = disk_.list(names); error != 0)
            return fail(io_fault(disk_, "", "cannot list the directory", error));
        bool has_instance = false;
        for (const auto& name : names) {
            if (name == kInstanceFile) has_instance = true;
            if (name.ends_with(kTemporarySuffix)) found_.left_over.push_back(name);
            if (const auto number = segment_of(name)) {
                Segment segment{.number = *number, .bytes = 0, .name = name, .header = {}};
                if (const Errno error = disk_.size(name, segment.bytes); error != 0)
                    return fail(io_fault(disk_, name, "cannot see its size", error));
                segments_.push_back(std::move(segment));
            }
        }
        std::sort(segments_.begin(), segments_.end(),
                  [](const Segment& a, const Segment& b) { return a.number < b.number; });
        const std::string name{kInstanceFile};
        if (has_instance) {
            std::vector<std::byte> bytes;
            if (const Errno error = read_file(disk_, name, kSmallFileBytesMax, bytes); error != 0)
                return fail(io_fault(disk_, name, "cannot be read", error));
            found_.instance = decode_instance(bytes);
            if (!found_.instance) return damaged(name, 0, "is not what it was: its checksum is wrong");
        } else if (!segments_.empty()) {
            return damaged(name, 0, "is missing, although there are segments");
        }
        for (auto& segment : segments_) {
            if (!read_header(segment)) return false;
        }
        return true;
    }

    bool read_header(Segment& segment) {
        std::unique_ptr<File> file;
        if (const Errno error = disk_.open(segment.name, Disk::Mode::read, file); error != 0)
            return fail(io_fault(disk_, segment.name, "cannot be opened", error));
        std::array<std::byte, sizeof(SegmentHeader)> bytes{};
        std::size_t count = 0;
        if (const Errno error = read_all(*file, 0, bytes, count); error != 0)
            return fail(io_fault(disk_, segment.name, "cannot be read", error));
        segment.header = segment_header(std::span{bytes}.first(count));
        if (!segment.header) return true;
        if (segment.header->instance != *found_.instance)
            return damaged(segment.name, 0,
                           "belongs to another journal, " + text_of(segment.header->instance));
        if (segment.header->segment != segment.number)
            return damaged(segment.name, 0,
                           "says that it is segment " + std::to_string(segment.header->segment));
        in_use_ = static_cast<std::size_t>(&segment - segments_.data()) + 1;
        return true;
    }

    // The last segment that begins at or below what is wanted first.
    bool find_start() {
        for (std::size_t i = in_use_; i-- > 0;) {
            if (!segments_[i].header || segments_[i].header->first_sequence > after_ + 1) continue;
            start_ = i;
            found_.last = segments_[i].header->previous;
            return true;
        }
        if (in_use_ != 0) {
            const auto& first = segments_.front();
            if (!first.header) return damaged(first.name, 0, "its header is not what it was");
            Fault fault = damage(disk_, first.name, 0,
                                 "begins with event " + std::to_string(first.header->first_sequence) +
                                     "; from event " + std::to_string(after_ + 1) + " on they are missing");
            fault.kind = Fault::Kind::missing;
            return fail(std::move(fault));
        }
        if (!segments_.empty() && segments_.front().number != 1)
            return damaged(segment_name(segments_.front().number - 1), 0, "is missing");
        found_.last.sequence = settings_.begin_after;
        return true;
    }

    bool read_segment(std::size_t i) {
        const Segment& segment = segments_[i];
        if (!segment.header) return damaged(segment.name, 0, "its header is not what it was");
        const SegmentHeader& header = *segment.header;
        if (i > start_) {
            if (segment.number != segments_[i - 1].number + 1)
                return damaged(segment_name(segments_[i - 1].number + 1), 0, "is missing");
            if (header.epoch < found_.epoch)
                return damaged(segment.name, 0, "is of an epoch before that of its predecessor");
            if (!(header.previous == found_.last)) {
                if (header.previous.batch > found_.last.batch)
                    return damaged(segments_[i - 1].name, stop_,
                                   stop_reason_ + ", but " + segment.name + " follows batch " +
                                       std::to_string(header.previous.batch));
                return damaged(segment.name, 0, "does not follow batch " + std::to_string(found_.last.batch));
            }
        }
        if (header.first_sequence != header.previous.sequence + 1)
            return damaged(segment.name, 0, "its header contradicts itself");
        found_.epoch = header.epoch;
        found_.segment = segment.number;
        found_.in_use.push_back(
            {.segment = segment.number, .bytes = segment.bytes, .first_sequence = header.first_sequence});
        found_.sealed = true;  // The header itself says what is before it.

        const SegmentHeader* next =
            i + 1 < in_use_ && segments_[i + 1].header ? &*segments_[i + 1].header : nullptr;
        if (!load(segment)) return false;
        return read_batches(segment, next);
    }

    bool load(const Segment& segment) {
        if (segment.bytes > capacity_) {
            buffer_ = std::make_unique_for_overwrite<std::byte[]>(
                segment.bytes);  // NOLINT(modernize-avoid-c-arrays)
            capacity_ = segment.bytes;
        }
        std::unique_ptr<File> file;
        if (const Errno error = disk_.open(segment.name, Disk::Mode::read, file); error != 0)
            return fail(io_fault(disk_, segment.name, "cannot be opened", error));
        std::size_t count = 0;
        if (const Errno error = read_all(*file, 0, {buffer_.get(), segment.bytes}, count); error != 0)
            return fail(io_fault(disk_, segment.name, "cannot be read", error));
        bytes_ = {buffer_.get(), count};
        return true;
    }

    bool read_batches(const Segment& segment, const SegmentHeader* next) {
        stop_ = kBlockBytes;
        unsure_.clear();
        found_.unsure_offset = 0;
        for (;;) {
            if (found_.last.sequence >= until_) return true;
            if (next != nullptr && found_.last.batch == next->previous.batch) {
                stop_reason_ = "the next segment begins here";
                return next->epoch != found_.epoch || nothing_follows(segment);
            }
            BatchHeader header;
            std::span<const std::byte> body;
            if (!batch_at(stop_, header, body)) return true;
            if (const std::string wrong = misfit(segment, header); !wrong.empty())
                return damaged(segment.name, stop_, "a whole batch stands here that " + wrong);
            if (!hand_out(segment, header, body)) return false;
            found_.last = link_of(header);
            found_.sealed = header.events == 0;
            ++found_.batches;
            unsure_.emplace_back(header.batch, stop_);
            while (unsure_.size() > 1 && unsure_.front().first <= header.durable_batch)
                unsure_.pop_front();
            found_.unsure_offset = unsure_.front().second;
            stop_ += batch_bytes(header.body_bytes);
        }
    }

    /// Whether a batch stands there whole, and which; otherwise stop_reason_ says what is wrong.
    bool batch_at(std::uint64_t offset, BatchHeader& header, std::span<const std::byte>& body) {
        const auto rest = offset < bytes_.size() ? bytes_.subspan(offset) : std::span<const std::byte>{};
        const auto found = batch_header(rest);
        if (!found) {
            stop_reason_ = "here should be the header of batch " + std::to_string(found_.last.batch + 1);
            return false;
        }
        header = *found;
        const std::string name = "batch " + std::to_string(header.batch);
        if (header.body_bytes > rest.size() - sizeof header) {
            stop_reason_ = name + " is longer than the file";
            return false;
        }
        body = rest.subspan(sizeof header, header.body_bytes);
        if (checksum(body) != header.body_checksum) {
            stop_reason_ = "the checksum of the events of " + name + " is wrong";
            return false;
        }
        return true;
    }

    /// What about a whole batch contradicts its place; empty where it fits.
    [[nodiscard]] std::string misfit(const Segment& segment, const BatchHeader& header) const {
        const Link& last = found_.last;
        if (header.instance_low != found_.instance->low) return "belongs to another journal";
        if (header.segment != segment.number) return "belongs to segment " + std::to_string(header.segment);
        if (header.epoch != found_.epoch) return "belongs to epoch " + std::to_string(header.epoch);
        if (header.batch != last.batch + 1)
            return "has number " + std::to_string(header.batch) + " instead of " +
                   std::to_string(last.batch + 1);
        if (header.first_sequence != last.sequence + 1)
            return "begins with event " + std::to_string(header.first_sequence) + " instead of " +
                   std::to_string(last.sequence + 1);
        if (header.previous_header_checksum != last.header_checksum ||
            header.previous_body_checksum != last.body_checksum)
            return "follows another batch than the one before it";
        return {};
    }

    bool hand_out(const Segment& segment, const BatchHeader& header, std::span<const std::byte> body) {
        Sequence refused = 0;
        const bool good = each_event(header, body, [&](Sequence sequence, std::span<const std::byte> event) {
            if (sequence <= after_) return true;
            if (!on_event_(sequence, event)) {
                refused = sequence;
                return false;
            }
            ++found_.events;
            return true;
        });
        if (good) return true;
        if (refused == 0)
            return damaged(segment.name, stop_, "the events of the batch contradict its header");
        Fault fault = damage(disk_, segment.name, stop_,
                             "event " + std::to_string(refused) + " is not one that this version knows");
        fault.kind = Fault::Kind::refused;
        return fail(std::move(fault));
    }

    /// Behind the last batch of a segment that another one of its epoch follows nothing can stand.
    bool nothing_follows(const Segment& segment) {
        for (std::uint64_t at = stop_; at + kBlockBytes <= bytes_.size(); at += kBlockBytes) {
            const auto header = batch_header(bytes_.subspan(at));
            if (header && belongs(segment, *header) && header->batch > found_.last.batch)
                return damaged(
                    segment.name, at,
                    "batch " + std::to_string(header->batch) + " stands behind the end of the segment");
        }
        return true;
    }

    [[nodiscard]] bool belongs(const Segment& segment, const BatchHeader& header) const {
        return header.instance_low == found_.instance->low && header.segment == segment.number;
    }

    // Does anything behind the last whole batch say that there was more?
    bool look_behind() {
        if (in_use_ != 0) {
            const Segment& segment = segments_[in_use_ - 1];
            found_.torn_name = segment.name;
            found_.torn_offset = stop_;
            if (!look_for_later(segment, stop_)) return false;
            for (std::uint64_t at = stop_; at < bytes_.size(); at += kBlockBytes) {
                const auto rest = bytes_.subspan(at);
                if (!all_zeros(rest.first(std::min<std::size_t>(rest.size(), kBlockBytes))))
                    ++found_.torn_blocks;
            }
        }
        bool follows = true;
        for (std::size_t i = in_use_; i < segments_.size(); ++i) {
            const Segment& segment = segments_[i];
            const std::uint64_t before = i == 0 ? 0 : segments_[i - 1].number;
            if (segment.number != before + 1) return damaged(segment_name(before + 1), 0, "is missing");
            if (!load(segment) || !look_for_later(segment, 0)) return false;
            // The first block is written again when the segment comes into use; all others must be zeros.
            const bool usable = bytes_.size() == segment.bytes && bytes_.size() % kBlockBytes == 0 &&
                                bytes_.size() >= settings_.segment_bytes &&
                                all_zeros(bytes_.subspan(kBlockBytes));
            follows = follows && usable;
            if (follows) {
                found_.ready.push_back(
                    {.segment = segment.number, .bytes = segment.bytes, .first_sequence = 0});
            } else {
                found_.left_over.insert(found_.left_over.begin(), segment.name);
            }
        }
        return true;
    }

    bool look_for_later(const Segment& segment, std::uint64_t from) {
        for (std::uint64_t at = std::max<std::uint64_t>(from, kBlockBytes); at < bytes_.size();
             at += kBlockBytes) {
            const auto header = batch_header(bytes_.subspan(at));
            if (!header || !belongs(segment, *header)) continue;
            const bool its_own = in_use_ != 0 && segments_[in_use_ - 1].number == segment.number;
            // A segment's header is synced before the first batch is written behind it.
            if (header->durable_batch <= found_.last.batch && (its_own || header->batch <= found_.last.batch))
                continue;
            const std::string reason = "batch " + std::to_string(header->batch) + " at byte " +
                                       std::to_string(at) + " of " + segment.name + " says that batch " +
                                       std::to_string(header->durable_batch) + " was on the disk";
            if (!its_own) return damaged(segment.name, 0, "its header is not what it was; " + reason);
            return damaged(segment.name, stop_, stop_reason_ + "; " + reason);
        }
        return true;
    }

    void end() {
        if (found_.last.sequence >= after_) return;
        const std::string name = in_use_ == 0 ? segment_name(1) : segments_[in_use_ - 1].name;
        damaged(name, in_use_ == 0 ? 0 : stop_,
                "the journal ends with event " + std::to_string(found_.last.sequence) + ", before event " +
                    std::to_string(after_) + ", which the snapshot has");
    }

    Disk& disk_;
    const Settings& settings_;
    Sequence after_;
    Sequence until_;
    const OnEvent& on_event_;
    Recovery found_;
    std::vector<Segment> segments_;
    std::size_t in_use_ = 0;  // All below it have, or should have, a header.
    std::size_t start_ = 0;
    std::unique_ptr<std::byte[]> buffer_;  // NOLINT(modernize-avoid-c-arrays)
    std::size_t capacity_ = 0;
    std::span<const std::byte> bytes_;                            // The segment that was loaded last.
    std::deque<std::pair<std::uint64_t, std::uint64_t>> unsure_;  // Numbers and offsets of its last batches.
    std::uint64_t stop_ = kBlockBytes;                            // Where reading its batches stopped,
    std::string stop_reason_;                                     // and why.
};

}  // namespace

Recovery read_journal(Disk& disk, const Settings& settings, Sequence after, const OnEvent& on_event,
                      Sequence until) {
    return Reader{disk, settings, after, until, on_event}.run();
}

}  // namespace tollgate::balance::journal
