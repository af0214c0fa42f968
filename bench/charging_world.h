/// What Charging needs to decide calls: parties, decks, and numbers to dial.
#pragma once

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "bench/invented_deck.h"
#include "daemon/catalog.h"
#include "daemon/charging.h"
#include "daemon/state.h"

namespace tollgate::bench {

/// Lines below resellers below one shared parent; three paying levels with a deck each.
struct ChargingWorld {
    explicit ChargingWorld(std::size_t line_count, std::size_t deck_rows = 250'000)
        : state{{.parties_max = 3 * line_count + 10'000,
                 .sessions = {.remember_bytes = 64 * 1'024 * 1'024},
                 .hash_key = 1}} {
        const auto prefixes = invented_prefixes(deck_rows);
        numbers = invented_numbers(prefixes, 65'536);
        for (unsigned level = 1; level <= 3; ++level) {
            const std::string id = "deck" + std::to_string(level);
            rating::TariffSettings settings;
            settings.currency = *rating::Currency::parse("EUR");
            tariffs.put_settings(id, settings);
            tariffs.put_deck(id, invented_deck(prefixes, level));
        }
        std::vector<daemon::PartyDraft> drafts;
        const auto add = [&drafts](std::string id, std::string parent, balance::PartyKind kind,
                                   const char* tariff) {
            daemon::PartyDraft draft;
            draft.id = std::move(id);
            draft.parent = std::move(parent);
            draft.kind = kind;
            if (draft.parent.empty()) draft.currency = rating::Currency::parse("EUR");
            if (tariff != nullptr) draft.tariff = tariff;
            if (kind == balance::PartyKind::customer || kind == balance::PartyKind::reseller) {
                draft.credit_limit = rating::Money::from_micros(1'000'000'000'000'000);
            }
            drafts.push_back(std::move(draft));
        };
        add("provider", "", balance::PartyKind::provider, nullptr);
        add("shared", "provider", balance::PartyKind::reseller, "deck3");
        for (int i = 0; i < 1'000; ++i)
            add("r" + std::to_string(i), "shared", balance::PartyKind::reseller, "deck2");
        for (std::size_t i = 0; i < line_count; ++i) {
            const std::string number = std::to_string(i);
            add("c" + number, "r" + std::to_string(i % 1'000), balance::PartyKind::customer, "deck1");
            add("l" + number, "c" + number, balance::PartyKind::line, nullptr);
            lines.push_back("l" + number);
        }
        if (!catalog.add(drafts).empty()) std::abort();
    }
    daemon::State state;
    rating::TariffBook& tariffs = state.tariffs;
    daemon::Catalog& catalog = state.catalog;
    daemon::Charging charging{tariffs, state.parties, state.ledger, state.sessions, state.events, {}};
    std::vector<std::string> lines;
    std::vector<std::string> numbers;
};

}  // namespace tollgate::bench
