/// Tariffs with every feature in every mixture, and calls that meet them where it hurts.
///
/// The same engine state gives the same tariffs and calls on every machine. All moments are whole
/// microseconds of the years 1980 to 2050.
#pragma once

#include <chrono>
#include <random>
#include <string>

#include "tests/rating/reference/slow_rater.h"
#include "tests/rating/reference/tariff_text.h"

namespace tollgate::reference {

struct RandomTariff {
    Tariff tariff;
    Instant focus;  ///< Rows begin and end around it; often the zone's clocks change at this moment.
};

/// Never has ties, and none that one could suspect: rows of a prefix that have weight, effective_from and
/// being windowed in common have different windows, of which each two ranges differ in days, months, month
/// days or clock.
[[nodiscard]] RandomTariff random_tariff(std::mt19937_64& engine);

struct RandomCall {
    std::string digits;  ///< 1 to 15.
    Instant start;
    std::chrono::milliseconds used;  ///< As a switch reports it: up to 4 hours, seldom up to 30.
    std::chrono::seconds seconds;    ///< The same, rounded up.
    Amount funds;               ///< Mostly what some call of up to `want` costs, give or take a micro-unit.
    std::chrono::seconds want;  ///< Of a question for the longest call: at least 1.
};

/// Starts are often just before a border of a window or a change of the zone's clocks, or at the moment when
/// a row comes into effect.
[[nodiscard]] RandomCall random_call(std::mt19937_64& engine, const RandomTariff& random);

}  // namespace tollgate::reference
