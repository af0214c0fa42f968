// Fills a folder with a journal as a busy daemon would: grow_journal DIR EVENTS PARTIES SNAPSHOT_SEGMENTS
//
// Parties are imported a million at a time: lines below customers below 1,000 resellers below one that all
// share, three paying levels with a deck of 250,000 rows each. Each call is an AUTHORIZE and a STOP of a
// random line, so two events; 10,000 are open at any time. Snapshots are made as the daemon makes them.

#include <charconv>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "bench/invented_deck.h"
#include "daemon/charging.h"
#include "daemon/clock.h"
#include "daemon/recovery.h"
#include "daemon/snapshots.h"
#include "daemon/state.h"
#include "daemon/turns.h"

namespace tollgate::bench {
namespace {

using namespace daemon;
using std::chrono::seconds;

constexpr std::size_t kDeckRows = 250'000;
constexpr std::size_t kResellers = 1'000;
constexpr std::size_t kPartiesMin = kResellers + 3;  // Two above the resellers, and somebody below.
constexpr std::size_t kPartiesOfAnImport = 1'000'000;
constexpr std::size_t kOpenCalls = 10'000;
constexpr std::size_t kCallsBetweenWaits = 1'000;  // The queue never fills, and batches are large.

struct Arguments {
    std::string directory;
    std::uint64_t events = 0;
    std::uint64_t parties = 0;
    std::uint64_t snapshot_segments = 0;
};

bool number(const char* text, std::uint64_t& value) {
    const std::string_view view{text};
    const auto read = std::from_chars(view.data(), view.data() + view.size(), value);
    return read.ec == std::errc{} && read.ptr == view.data() + view.size() && value > 0;
}

/// `numbers`: what can be dialled.
void put_decks(Catalog& catalog, std::vector<std::string>& numbers) {
    const auto prefixes = invented_prefixes(kDeckRows);
    numbers = invented_numbers(prefixes, 65'536);
    for (unsigned level = 1; level <= 3; ++level) {
        const std::string id = "deck" + std::to_string(level);
        rating::TariffSettings settings;
        settings.currency = *rating::Currency::parse("EUR");
        if (!catalog.put_tariff(id, settings, {}, Clock::now()).result.done() ||
            !catalog.put_deck(id, invented_deck(prefixes, level), 0, {}, Clock::now()).done())
            throw std::runtime_error{"a deck was refused"};
    }
}

/// The lines.
std::vector<std::string> add_parties(Catalog& catalog, std::uint64_t count) {
    std::vector<PartyDraft> drafts;
    std::vector<std::string> lines;
    const auto add = [&drafts](std::string id, std::string parent, balance::PartyKind kind,
                               const char* tariff) {
        PartyDraft draft;
        draft.id = std::move(id);
        draft.parent = std::move(parent);
        draft.kind = kind;
        if (draft.parent.empty()) draft.currency = rating::Currency::parse("EUR");
        if (tariff != nullptr) draft.tariff = tariff;
        if (kind == balance::PartyKind::customer || kind == balance::PartyKind::reseller)
            draft.credit_limit = rating::Money::from_micros(1'000'000'000'000'000);
        drafts.push_back(std::move(draft));
    };
    add("provider", "", balance::PartyKind::provider, nullptr);
    add("shared", "provider", balance::PartyKind::reseller, "deck3");
    for (std::size_t i = 0; i < kResellers; ++i)
        add("r" + std::to_string(i), "shared", balance::PartyKind::reseller, "deck2");
    const auto import = [&] {
        if (!catalog.add(drafts, Clock::now()).empty()) throw std::runtime_error{"parties were refused"};
        drafts.clear();
    };
    std::uint64_t made = 0;
    for (std::size_t i = 0; made + drafts.size() < count; ++i) {
        const std::string number = std::to_string(i);
        add("c" + number, "r" + std::to_string(i % kResellers), balance::PartyKind::customer, "deck1");
        add("l" + number, "c" + number, balance::PartyKind::line, nullptr);
        lines.push_back("l" + number);
        if (drafts.size() < kPartiesOfAnImport) continue;
        made += drafts.size();
        import();
    }
    import();
    return lines;
}

class Growing {
  public:
    explicit Growing(const Arguments& arguments)
        : arguments_(arguments),
          disk_(arguments.directory),
          settings_{.parties_max = 20'000'000, .hash_key = 1} {
        if (disk_.make_directory() != 0) throw std::runtime_error{arguments.directory + ": cannot be made"};
        recovered_ = recover(disk_, {}, [this]() -> State& { return state_.emplace(settings_); });
        if (recovered_.events > 0) throw std::runtime_error{arguments.directory + ": has a journal already"};
    }

    void run() {
        recovered_.journal->start();
        put_decks(state_->catalog, numbers_);
        lines_ = add_parties(state_->catalog, arguments_.parties);
        std::cerr << state_->parties.size() << " parties\n";
        {
            Snapshots snapshots{*recovered_.journal, settings_, *state_,
                                [](const std::string& what) { std::cerr << what << '\n'; }};
            snapshots.count_from(1);
            const std::jthread taking{[&](const std::stop_token& stop) {
                work_in_background();
                while (!stop.stop_requested()) {
                    snapshots.keep_up(arguments_.snapshot_segments);
                    std::this_thread::sleep_for(std::chrono::milliseconds{100});
                }
            }};
            make_calls();
        }
        if (!recovered_.journal->stop()) throw std::runtime_error{"the journal could not be sealed"};
        std::cerr << recovered_.journal->statistics().last << " events\n";
    }

  private:
    void make_calls() {
        Charging charging{state_->tariffs,  state_->parties, state_->ledger,
                          state_->sessions, state_->events,  {}};
        std::mt19937_64 random{1};
        std::deque<std::string> open;
        auto& journal = *recovered_.journal;
        for (std::uint64_t call = 1; journal.last() < arguments_.events; ++call) {
            const std::string& id = open.emplace_back("call-" + std::to_string(call) + "@switch.example.net");
            AuthorizeRequest request;
            request.line = lines_[random() % lines_.size()];
            request.destination = numbers_[random() % numbers_.size()];
            request.session = id;
            request.want = seconds{300};
            if (!charging.authorize(request, Clock::now()).granted_any())
                throw std::runtime_error{"a call was refused"};
            if (open.size() > kOpenCalls) {
                (void)charging.stop(
                    {.session = open.front(), .used = seconds{random() % 300 + 1}, .at = {}, .cause = {}},
                    Clock::now());
                open.pop_front();
            }
            if (call % kCallsBetweenWaits == 0) (void)journal.wait(journal.last(), seconds{60});
        }
    }

    Arguments arguments_;
    balance::journal::PosixDisk disk_;
    StateSettings settings_;
    std::optional<State> state_;
    Recovered recovered_;
    std::vector<std::string> numbers_;
    std::vector<std::string> lines_;
};

}  // namespace
}  // namespace tollgate::bench

int main(int argc, char** argv) {
    tollgate::bench::Arguments arguments;
    if (argc != 5 || !tollgate::bench::number(argv[2], arguments.events) ||
        !tollgate::bench::number(argv[3], arguments.parties) ||
        !tollgate::bench::number(argv[4], arguments.snapshot_segments)) {
        std::cerr << "usage: grow_journal DIR EVENTS PARTIES SNAPSHOT_SEGMENTS\n";
        return EXIT_FAILURE;
    }
    if (arguments.parties < tollgate::bench::kPartiesMin) {
        std::cerr << "grow_journal: PARTIES is at least " << tollgate::bench::kPartiesMin << '\n';
        return EXIT_FAILURE;
    }
    arguments.directory = argv[1];
    try {
        tollgate::bench::Growing{arguments}.run();
        return EXIT_SUCCESS;
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return EXIT_FAILURE;
    }
}
