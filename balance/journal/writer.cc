#include "balance/journal/writer.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>
#include <new>

#include "balance/journal/checksum.h"

namespace tollgate::balance::journal {
namespace {

void add(std::atomic<std::uint64_t>& figure, std::uint64_t value) noexcept {
    // One writer: no need for a locked addition.
    figure.store(figure.load(std::memory_order_relaxed) + value, std::memory_order_relaxed);
}

constexpr std::size_t kHeaderBytes = sizeof(BatchHeader);
constexpr std::size_t kLengthBytes = sizeof(EventLength);

}  // namespace

Writer::Writer(Disk& disk, const Settings& settings, const Start& start, Queue& queue, Segments& segments)
    : disk_(disk),
      settings_(settings),
      queue_(queue),
      segments_(segments),
      clock_(steady_time),
      last_(start.last),
      epoch_(start.epoch),
      instance_(start.instance),
      synced_(start.last),
      sealed_(start.sealed),
      buffer_bytes_(
          batch_bytes(std::max(settings.batch_bytes_max, event_bytes_max(settings) + kLengthBytes))),
      buffer_(static_cast<std::byte*>(::operator new (buffer_bytes_, std::align_val_t{kBlockBytes}))),
      durable_(start.last.sequence) {}

Writer::~Writer() {
    ::operator delete (buffer_, std::align_val_t{kBlockBytes});
}

std::uint64_t Writer::room() const noexcept {
    const std::uint64_t left = segment_bytes_ - offset_;
    return left <= kHeaderBytes ? 0 : left - kHeaderBytes;
}

Writer::Step Writer::step(std::chrono::nanoseconds now) {
    if (failed()) return Step::failed;
    const std::size_t next = queue_.next_bytes();
    if (next != 0) {
        if (next + kLengthBytes > room() && !next_segment()) return failed() ? Step::failed : Step::waiting;
        std::uint32_t events = 0;
        const std::size_t body = fill(std::min<std::size_t>(room(), settings_.batch_bytes_max), events);
        sealed_ = false;
        rested_ = false;
        if (!unsynced_) unsynced_since_ = now;
        const auto step = write_batch(body, events);
        if (step == Step::failed) return step;
        if (settings_.reply == Reply::written) {
            unsynced_ = true;
            promise(last_.sequence);
            if (now - unsynced_since_ >= settings_.sync_within && !sync()) return Step::failed;
            return step;
        }
        if (!sync()) return Step::failed;
        promise(last_.sequence);
        return step;
    }
    if (unsynced_ && now - unsynced_since_ >= settings_.sync_within)
        return sync() ? Step::wrote : Step::failed;
    if (sealed_) return unsynced_ ? Step::resting : Step::idle;
    if (!rested_) {
        rested_ = true;
        wrote_at_ = now;
    }
    if (now - wrote_at_ < settings_.seal_after) return Step::resting;
    return seal();
}

Writer::Step Writer::seal() {
    if (failed()) return Step::failed;
    if (unsynced_ && !sync()) return Step::failed;
    if (sealed_) return Step::idle;
    if (offset_ + kBlockBytes > segment_bytes_) {
        // The header of the next segment says as much as a seal.
        if (!next_segment()) return failed() ? Step::failed : Step::resting;
        return Step::wrote;
    }
    const auto step = write_batch(0, 0);
    if (step == Step::failed || !sync()) return Step::failed;
    sealed_ = true;
    return step;
}

/// Puts the queued events that fit behind the header in the buffer; the first one whatever the limit of a
/// batch.
std::size_t Writer::fill(std::size_t body_max, std::uint32_t& events) {
    std::size_t body = 0;
    for (;;) {
        const std::size_t size = queue_.next_bytes();
        if (size == 0) break;
        if (events != 0 && body + kLengthBytes + size > body_max) break;
        std::byte* at = buffer_ + kHeaderBytes + body;
        const auto length = static_cast<EventLength>(size);
        std::memcpy(at, &length, kLengthBytes);
        queue_.take(at + kLengthBytes);
        body += kLengthBytes + size;
        ++events;
    }
    queue_.release();
    return body;
}

Writer::Step Writer::write_batch(std::size_t body_bytes, std::uint32_t events) {
    const std::size_t bytes = batch_bytes(body_bytes);
    assert(bytes <= buffer_bytes_ && offset_ + bytes <= segment_bytes_);
    BatchHeader header;
    header.body_checksum = checksum({buffer_ + kHeaderBytes, body_bytes});
    header.body_bytes = static_cast<std::uint32_t>(body_bytes);
    header.events = events;
    header.instance_low = instance_.low;
    header.segment = segment_;
    header.epoch = epoch_;
    header.batch = last_.batch + 1;
    header.first_sequence = last_.sequence + 1;
    header.durable_sequence = synced_.sequence;
    header.durable_batch = synced_.batch;
    header.previous_header_checksum = last_.header_checksum;
    header.previous_body_checksum = last_.body_checksum;
    seal_checksum(header);
    std::memcpy(buffer_, &header, kHeaderBytes);
    std::memset(buffer_ + kHeaderBytes + body_bytes, 0, bytes - kHeaderBytes - body_bytes);
    if (const Errno error = write_all(*file_, offset_, {buffer_, bytes}); error != 0)
        return fail("cannot be written at byte " + std::to_string(offset_), error);
    offset_ += bytes;
    last_ = link_of(header);
    assert(events == 0 || last_.sequence == queue_.taken());
    segments_.set_room(segment_bytes_ - offset_);
    add(events == 0 ? figures_.seals : figures_.batches, 1);
    add(figures_.events, events);
    add(figures_.bytes, bytes);
    return Step::wrote;
}

bool Writer::sync() {
    const auto began = clock_();
    if (const Errno error = file_->sync(); error != 0) {
        fail("cannot be synced", error);
        return false;
    }
    const auto took = static_cast<std::uint64_t>(std::max<std::int64_t>(0, (clock_() - began).count()));
    unsynced_ = false;
    synced_ = last_;
    add(figures_.syncs, 1);
    add(figures_.sync_ns, took);
    if (took > figures_.sync_ns_max.load(std::memory_order_relaxed))
        figures_.sync_ns_max.store(took, std::memory_order_relaxed);
    const std::size_t slot = std::bit_width(took / 1000);
    add(figures_.syncs_by_us[std::min(slot, figures_.syncs_by_us.size() - 1)], 1);
    return true;
}

bool Writer::next_segment() {
    // What a header says is before it must be on the disk first.
    if (unsynced_ && !sync()) return false;
    Segments::Ready ready;
    if (!segments_.take(ready)) return false;
    segment_ = ready.segment;
    segment_bytes_ = ready.bytes;
    name_ = segment_name(segment_);
    file_.reset();
    if (const Errno error = disk_.open(name_, Disk::Mode::write, file_); error != 0) {
        fail("cannot be opened", error);
        return false;
    }
    SegmentHeader header;
    header.instance = instance_;
    header.segment = segment_;
    header.epoch = epoch_;
    header.first_sequence = last_.sequence + 1;
    header.previous = last_;
    seal_checksum(header);
    std::memset(buffer_, 0, kBlockBytes);
    std::memcpy(buffer_, &header, sizeof header);
    if (const Errno error = write_all(*file_, 0, {buffer_, kBlockBytes}); error != 0) {
        fail("cannot be written at byte 0", error);
        return false;
    }
    offset_ = kBlockBytes;
    if (!sync()) return false;
    sealed_ = true;
    figures_.segment.store(segment_, std::memory_order_relaxed);
    segments_.set_room(segment_bytes_ - offset_);
    return true;
}

void Writer::promise(Sequence sequence) {
    durable_.store(sequence, std::memory_order_seq_cst);
    if (on_change_) on_change_();
}

Writer::Step Writer::fail(const std::string& what, Errno error) {
    failure_ = disk_.path(name_) + ": " + what + ": " + text_of(error);
    file_.reset();
    failed_.store(true, std::memory_order_release);
    segments_.close();
    queue_.give_up();
    if (on_change_) on_change_();
    return Step::failed;
}

}  // namespace tollgate::balance::journal
