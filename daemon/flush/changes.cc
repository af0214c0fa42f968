#include "daemon/flush/changes.h"

#include <algorithm>
#include <cstdlib>

namespace tollgate::daemon::flush {

std::string Occurrence::id() const {
    return std::to_string(sequence) + '-' + std::to_string(index);
}

std::string_view text_of(Occurrence::Kind kind) noexcept {
    switch (kind) {
        case Occurrence::Kind::call_ended:
            return "call_ended";
        case Occurrence::Kind::threshold:
            return "threshold_crossed";
        case Occurrence::Kind::suspended:
            return "party_suspended";
        case Occurrence::Kind::resumed:
            return "party_resumed";
        case Occurrence::Kind::closed:
            return "party_closed";
    }
    std::abort();  // Not an enumerator: memory is corrupt.
}

std::vector<Occurrence> occurrences_of(const Batch& batch) {
    std::vector<Occurrence> all;
    if (batch.filling) return all;
    all.reserve(batch.records.size() + batch.thresholds.size() + batch.statuses.size());
    for (const RecordRow& row : batch.records) {
        if (row.again) continue;
        Occurrence one;
        one.kind = Occurrence::Kind::call_ended;
        one.sequence = row.ended;  // The same whatever else is in the batch.
        one.party = row.record.legs.empty() ? row.record.line_number : row.record.legs.front().payer;
        one.at = row.record.ended_at;
        one.record = &row.record;
        all.push_back(one);
    }
    for (const ThresholdRow& row : batch.thresholds) {
        Occurrence one;
        one.kind = Occurrence::Kind::threshold;
        one.sequence = row.sequence;
        one.party = row.event.crossing.party;
        one.at = row.event.at.wall;
        one.threshold = &row.event;
        all.push_back(one);
    }
    for (const StatusRow& row : batch.statuses) {
        Occurrence one;
        one.kind = row.after.closed()   ? Occurrence::Kind::closed
                   : row.after.active() ? Occurrence::Kind::resumed
                                        : Occurrence::Kind::suspended;
        if (row.before.active() == row.after.active() && !row.after.closed() &&
            row.before.keeping_calls(false).bits() == row.after.keeping_calls(false).bits())
            continue;  // Only what becomes of running calls.
        one.sequence = row.sequence;
        one.party = row.party;
        one.at = row.at.wall;
        one.status = &row;
        all.push_back(one);
    }
    std::stable_sort(all.begin(), all.end(),
                     [](const Occurrence& a, const Occurrence& b) { return a.sequence < b.sequence; });
    for (std::size_t i = 1; i < all.size(); ++i) {
        if (all[i].sequence == all[i - 1].sequence) all[i].index = all[i - 1].index + 1;
    }
    return all;
}

}  // namespace tollgate::daemon::flush
