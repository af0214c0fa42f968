/// A small charging world for tests: provider, two resellers, a customer with a line, one deck for all.
#pragma once

#include <chrono>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "daemon/catalog.h"
#include "daemon/charging.h"
#include "daemon/payments.h"
#include "daemon/resync.h"
#include "daemon/state.h"
#include "rating/deck_csv.h"
#include "tests/support/memory_log.h"

namespace tollgate::daemon {

/// Time stands still unless a test moves it.
class World {
  public:
    explicit World(ChargingSettings settings = {}, balance::SessionLimits limits = {})
        : state(settings_for(limits)),
          charging(tariffs, parties, ledger, sessions, state.events, with_dial_plans(std::move(settings))) {
        state.events.connect(log);
        put_tariff("retail", "0.60");
        put_tariff("resale", "0.30");
        put_tariff("wholesale", "0.12");
        add("provider", "", balance::PartyKind::provider);
        add("north", "provider", balance::PartyKind::reseller, "wholesale");
        add("south", "north", balance::PartyKind::reseller, "resale");
        add("alice", "south", balance::PartyKind::customer, "retail");
        add("alice-desk", "alice", balance::PartyKind::line);
        top_up("north", "1000");
        top_up("south", "1000");
    }
    World(const World&) = delete;
    World& operator=(const World&) = delete;
    /// Whatever a test did, its events tell.
    ~World() {
        if (replays) expect_replays();
    }
    bool replays =
        true;  ///< Unless a test puts hand to the state itself, or lets sessions be forgotten early.

    void put_tariff(const std::string& id, const std::string& per_minute) {
        rating::TariffSettings tariff;
        tariff.currency = *rating::Currency::parse("EUR");
        EXPECT_TRUE(catalog.put_tariff(id, tariff).result.done());
        const auto reading = rating::read_deck_csv(
            "prefix,rate_per_minute,blocked\n49," + per_minute + ",0\n4490," + per_minute + ",1\n800,0,0\n",
            {});
        EXPECT_NE(reading.deck, nullptr);
        EXPECT_TRUE(catalog.put_deck(id, reading.deck, 0).done());
    }
    void add(const std::string& id, const std::string& parent, balance::PartyKind kind,
             const char* tariff = nullptr) {
        PartyDraft draft;
        draft.id = id;
        draft.parent = parent;
        draft.kind = kind;
        if (parent.empty()) draft.currency = rating::Currency::parse("EUR");
        if (tariff != nullptr) draft.tariff = tariff;
        const auto faults = catalog.add({&draft, 1});
        EXPECT_TRUE(faults.empty()) << id << ": " << (faults.empty() ? "" : faults[0].message);
    }
    void top_up(const char* party, const char* amount) {
        const std::string request = "world-" + std::to_string(++requests);
        const auto answer = payments.top_up(party, *rating::parse_money(amount), {request, {}, now});
        EXPECT_EQ(answer.code, PaymentCode::ok) << party;
    }
    /// How many sessions hold on to the version of a tariff that is in force.
    [[nodiscard]] std::int64_t pins(std::string_view tariff) const {
        return tariffs.current(*tariffs.find(tariff))->pins.sum();
    }
    static StateSettings settings_for(const balance::SessionLimits& limits) {
        return {.parties_max = 100'000, .sessions = limits, .hash_key = 2};
    }
    /// Kinds and bytes of the records that only one of two states saves.
    static std::string differences(const State& a, const State& b) {
        std::multiset<std::string> records[2];
        for (int i = 0; i < 2; ++i) {
            (i == 0 ? a : b).save([&](std::span<const std::byte> record) {
                std::string text;
                for (const std::byte byte : record) {
                    constexpr std::string_view kDigits = "0123456789abcdef";
                    text += kDigits[static_cast<std::size_t>(byte) / 16];
                    text += kDigits[static_cast<std::size_t>(byte) % 16];
                }
                records[i].insert(std::move(text));
            });
        }
        std::string text;
        for (int i = 0; i < 2; ++i) {
            for (const std::string& record : records[i]) {
                if (!records[1 - i].contains(record))
                    text += (i == 0 ? "\nlive     " : "\nreplayed ") + record;
            }
        }
        return text;
    }
    /// What the events say is what there is.
    void expect_replays() {
        State replayed{settings_for(sessions.limits())};
        replayed.tariffs.begin_restoring();
        for (const auto& event : log.events()) {
            ASSERT_EQ(replayed.apply(event, [this](std::string_view name) { return log.aside(name); }), "");
        }
        replayed.restored();
        tariffs.reclaim();
        for (std::size_t stripe = 0; stripe < balance::SessionTable::kStripes; ++stripe) {
            sessions.forget_due(stripe, now.steady);
            replayed.sessions.forget_due(stripe, now.steady);
        }
        EXPECT_EQ(replayed.digest(), state.digest()) << differences(state, replayed);
        EXPECT_EQ(replayed.verify(), std::vector<std::string>{});
        EXPECT_EQ(state.verify(), std::vector<std::string>{});
    }
    [[nodiscard]] balance::Party& party(std::string_view id) const { return parties.get(parties.find(id)); }
    [[nodiscard]] std::string balance(std::string_view id) const {
        return std::string{rating::format(party(id).account.balance()).view()};
    }
    [[nodiscard]] std::string held(std::string_view id) const {
        return std::string{rating::format(party(id).account.held()).view()};
    }
    void give_bundle(const char* party, const BundleDraft& draft) {
        const auto added = catalog.add_bundle(parties.find(party), draft, now);
        EXPECT_TRUE(added.faults.empty()) << party;
        EXPECT_EQ(added.status, balance::BundleBook::AddStatus::added) << party;
    }
    AuthorizeAnswer authorize(std::string_view session, int want, std::string_view destination = "4930",
                              std::string_view line = "alice-desk") {
        AuthorizeRequest request;
        request.line = line;
        request.destination = destination;
        request.session = session;
        request.want = std::chrono::seconds{want};
        return charging.authorize(request, now);
    }
    StopAnswer stop(std::string_view session, int used) {
        return charging.stop({.session = session, .used = std::chrono::seconds{used}, .at = {}, .cause = {}},
                             now);
    }
    void pass(std::chrono::seconds time) {
        now.steady += time;
        now.wall += time;
    }
    void expect_at_rest() const {
        for (std::size_t i = 0; i < parties.size(); ++i) {
            const auto& party = parties.get(static_cast<PartyId>(i));
            EXPECT_EQ(party.account.held(), Money{}) << party.id;
            EXPECT_EQ(party.account.open_calls(), 0U) << party.id;
            EXPECT_TRUE(party.account.attempts().none_pending()) << party.id;
            for (const auto& bundle : balance::BundlesOf{party})
                EXPECT_EQ(bundle.stand().held, 0U) << party.id << ' ' << bundle.source().id;
        }
        for (const auto& sum : ledger.trial_balance())
            EXPECT_EQ(static_cast<std::int64_t>(sum.sum()), 0);
    }

    ChargingSettings with_dial_plans(ChargingSettings settings) {
        settings.dial_plans = &catalog.dial_plans();
        settings.destination_groups = &catalog.destination_groups();
        return settings;
    }

    Moment now{*rating::parse_instant("2026-03-02T12:00:00Z"), std::chrono::hours{1}};
    tests::MemoryLog log;
    State state;
    rating::TariffBook& tariffs = state.tariffs;
    balance::PartyTable& parties = state.parties;
    balance::Ledger& ledger = state.ledger;
    balance::SessionTable& sessions = state.sessions;
    Catalog& catalog = state.catalog;
    Payments& payments = state.payments;
    Charging charging;
    Resync resync{charging, state.resync_tokens, state.events};
    int requests = 0;
};

}  // namespace tollgate::daemon
