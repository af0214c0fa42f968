#include "bench/load/figures.h"

#include <algorithm>

namespace tollgate::bench::load {
namespace {

void add_slices(std::vector<Figures::Slice>& slices, const std::vector<Figures::Slice>& others) {
    if (slices.size() < others.size()) slices.resize(others.size());
    for (std::size_t i = 0; i < others.size(); ++i) {
        slices[i].sent += others[i].sent;
        slices[i].answered += others[i].answered;
        slices[i].latency.add(others[i].latency);
    }
}

}  // namespace

void Figures::add(const Figures& other) {
    latency.add(other.latency);
    service.add(other.service);
    for (std::size_t i = 0; i < kVerbs; ++i)
        verbs[i].add(other.verbs[i]);
    add_slices(steps, other.steps);
    add_slices(intervals, other.intervals);
    interval = std::max(interval, other.interval);
    measured = std::max(measured, other.measured);
    calls += other.calls;
    commands += other.commands;
    granted += other.granted;
    repeats += other.repeats;
    busy += other.busy;
    lost += other.lost;
    wrong += other.wrong;
    for (const auto& [code, count] : other.refused)
        refused[code] += count;
    for (const std::string& fault : other.faults) {
        if (faults.size() < kFaultsShownMax) faults.push_back(fault);
    }
    unsettled += other.unsettled;
    if (charged.size() < other.charged.size()) charged.resize(other.charged.size());
    for (std::size_t i = 0; i < other.charged.size(); ++i)
        charged[i] = charged[i] + other.charged[i];
    is_behind = is_behind || other.is_behind;
}

}  // namespace tollgate::bench::load
