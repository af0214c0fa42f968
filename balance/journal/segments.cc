#include "balance/journal/segments.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "balance/journal/format.h"

namespace tollgate::balance::journal {
namespace {

/// Commands that passed admission() just before it closed: a batch each, at worst.
constexpr std::size_t kLateBatches = 64;

/// Never more than half a segment: else calls could not end in a journal of small ones.
std::uint64_t least_room(const Settings& settings) {
    return std::min<std::uint64_t>(2 * settings.queue_bytes + kLateBatches * kBlockBytes,
                                   settings.segment_bytes / 2);
}

}  // namespace

Segments::Segments(const Settings& settings, std::uint64_t next, const std::vector<SegmentFile>& ready)
    : least_room_(least_room(settings)), next_(next) {
    for (const auto& file : ready) {
        ready_.push_back({file.segment, file.bytes});
        next_ = file.segment + 1;
    }
}

std::size_t Segments::ready() const noexcept {
    const std::lock_guard lock{mutex_};
    return ready_.size();
}

std::string Segments::full_because() const {
    const std::lock_guard lock{mutex_};
    return full_because_;
}

bool Segments::take(Ready& segment) {
    const std::lock_guard lock{mutex_};
    if (ready_.empty()) return false;
    segment = ready_.front();
    ready_.pop_front();
    return true;
}

void Segments::set_room(std::uint64_t bytes) {
    const std::lock_guard lock{mutex_};
    room_ = bytes;
    judge();
}

void Segments::close() noexcept {
    const std::lock_guard lock{mutex_};
    closed_ = true;
    judge();
}

std::uint64_t Segments::wanted() const {
    const std::lock_guard lock{mutex_};
    return ready_.size() < kSegmentsReady ? next_ : 0;
}

void Segments::add(const Ready& segment) {
    const std::lock_guard lock{mutex_};
    ready_.push_back(segment);
    next_ = segment.segment + 1;
    if (ready_.size() >= kSegmentsReady) full_because_.clear();
    judge();
}

void Segments::set_full(std::string because) {
    const std::lock_guard lock{mutex_};
    full_because_ = std::move(because);
    judge();
}

void Segments::judge() {
    auto admission = Admission::open;
    if (!full_because_.empty()) {
        std::uint64_t room = room_;
        for (const auto& segment : ready_)
            room += segment.bytes - kBlockBytes;
        admission = room < least_room_ ? Admission::closed : Admission::ends_only;
    }
    if (closed_) admission = Admission::closed;
    admission_.store(admission, std::memory_order_release);
}

Preparer::Step Preparer::step(const std::stop_token& stop) {
    const std::uint64_t segment = segments_.wanted();
    if (segment == 0) return Step::enough;
    const std::string name = segment_name(segment);
    if (const Errno error = make(name, stop); error != 0) {
        if (error == ECANCELED) return Step::failed;
        segments_.set_full(disk_.path(name) + ": cannot be made ready: " + text_of(error));
        return Step::failed;
    }
    segments_.add({segment, settings_.segment_bytes});
    return Step::made;
}

Errno Preparer::make(const std::string& name, const std::stop_token& stop) const {
    static const std::vector<std::byte> zeros(kPortionBytes);
    const std::string temporary = name + kTemporarySuffix;
    std::unique_ptr<File> file;
    Errno error = disk_.open(temporary, Disk::Mode::create, file);
    if (error != 0) return error;
    for (std::uint64_t at = 0; error == 0 && at < settings_.segment_bytes; at += zeros.size()) {
        const auto size = std::min<std::uint64_t>(zeros.size(), settings_.segment_bytes - at);
        error = stop.stop_requested() ? ECANCELED : 0;
        if (error == 0) error = write_in_portions(*file, at, std::span{zeros}.first(size));
    }
    file.reset();
    const bool whole = error == 0;
    if (whole) error = disk_.rename(temporary, name);
    const bool renamed = whole && error == 0;
    if (renamed) error = disk_.sync_directory();
    // Under either name: what did not become ready gives its room back and is never used.
    if (error != 0) disk_.remove(renamed ? name : temporary);
    return error;
}

}  // namespace tollgate::balance::journal
