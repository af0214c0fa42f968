#include "daemon/offline_rater.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <deque>
#include <filesystem>
#include <mutex>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/admin/fields.h"
#include "daemon/admin/json.h"
#include "daemon/admin/tariff_settings.h"
#include "daemon/input_file.h"
#include "daemon/time_zones.h"
#include "rating/charge.h"
#include "rating/csv.h"
#include "rating/deck_csv.h"
#include "rating/digits.h"
#include "rating/duration.h"
#include "rating/instant.h"
#include "rating/money.h"
#include "rating/tariff_book.h"

namespace tollgate::daemon {
namespace {

using rating::CsvReader;
using rating::TariffBook;
using SteadyClock = std::chrono::steady_clock;

/// What a thread rates at a time. More than the longest row, so that every full block has the end of one.
constexpr std::size_t kBlockBytes = std::size_t{1024} * 1024;
static_assert(kBlockBytes > 2 * rating::kRowBytesMax);

constexpr auto kProgressEvery = std::chrono::milliseconds{200};
constexpr std::string_view kTariffName = "offline";

std::runtime_error failed(const std::string& path) {
    return std::runtime_error(path + ": " + std::strerror(errno));
}

// ---- Faults ----

/// Shows the first faults of a file as `FILE:LINE: column: message`, and counts the others.
class FaultPrinter {
  public:
    FaultPrinter(std::string_view path, std::size_t shown_max) : path_(path), shown_max_(shown_max) {}

    /// `line` 0: the whole file is meant. Empty `column`: the whole row.
    void add(std::uint64_t line, std::string_view column, std::string_view message) {
        if (++count_ > shown_max_) return;
        std::string text{path_};
        if (line != 0) text.append(":").append(std::to_string(line));
        if (!column.empty()) text.append(": ").append(column);
        text.append(": ").append(message).push_back('\n');
        std::fputs(text.c_str(), stderr);
    }
    /// Faults that were not even kept.
    void add_uncounted(std::size_t count) { count_ += count; }
    /// How many were not shown.
    void finish() const {
        if (count_ <= shown_max_) return;
        const std::size_t more = count_ - shown_max_;
        std::fprintf(stderr, "%.*s: %zu more %s\n", static_cast<int>(path_.size()), path_.data(), more,
                     more == 1 ? "fault" : "faults");
    }

  private:
    std::string_view path_;
    std::size_t shown_max_;
    std::size_t count_ = 0;
};

// ---- The tariff ----

/// False: it had faults, and they are printed.
bool read_tariff(const OfflineRating& rating, rating::TariffSettings& settings) {
    std::vector<admin::RequestFault> all;
    admin::FieldFaults faults{all};
    if (!rating.tariff.empty()) {
        std::string text(admin::kJsonBytesMax + 1, '\0');
        text.resize(InputFile{rating.tariff}.read(text.data(), text.size()));
        admin::JsonReader reader;
        const admin::JsonValue* const object = reader.read(text);
        if (object == nullptr) {
            faults.add("", reader.error());
        } else {
            read_settings(*object, settings, faults);
        }
    }
    find_zone(TimeZones{}, settings, faults);
    FaultPrinter printer{rating.tariff, rating.faults_max};
    for (const auto& fault : all)
        printer.add(0, fault.place, fault.message);
    printer.finish();
    return all.empty();
}

rating::DeckReading read_deck(const OfflineRating& rating) {
    InputFile file{rating.deck};
    rating::DeckLimits limits;
    limits.faults_max = rating.faults_max;
    rating::DeckReader reader{limits};
    std::string piece(kBlockBytes, '\0');
    for (;;) {
        const std::size_t bytes = file.read(piece.data(), piece.size());
        reader.feed(std::string_view{piece}.substr(0, bytes));
        if (bytes < piece.size()) return reader.finish();
    }
}

/// Puts settings and deck into the book. False: one of them had faults, and they are printed.
bool load(const OfflineRating& rating, TariffBook& book) {
    rating::TariffSettings settings;
    if (!read_tariff(rating, settings)) return false;
    rating::DeckReading reading = read_deck(rating);
    if (reading.deck != nullptr) {
        book.put_settings(kTariffName, settings);
        const auto put = book.put_deck(kTariffName, reading.deck);
        for (const auto& fault : put.faults)
            reading.faults.push_back({fault.line, "window", fault.message});
        reading.fault_count = put.faults.size();
    }
    FaultPrinter printer{rating.deck, rating.faults_max};
    for (const auto& fault : reading.faults)
        printer.add(fault.line, fault.column, fault.message);
    printer.add_uncounted(reading.fault_count - reading.faults.size());
    printer.finish();
    return reading.fault_count == 0;
}

// ---- The calls ----

/// The columns that a call is rated by; any others are passed over.
enum Column : std::size_t { call_id, destination, start_time, answered, duration_seconds };
constexpr std::array<std::string_view, 5> kColumns = {"call_id", "destination", "start_time", "answered",
                                                      "duration_seconds"};

/// Where the columns stand.
struct Header {
    std::array<std::size_t, kColumns.size()> at{};
    std::size_t count = 0;  ///< Of all columns.
};

struct RowFault {
    std::uint32_t line;  ///< Of its block, from 1.
    std::string_view column;
    std::string message;
};

struct Tally {
    std::uint64_t calls = 0;
    std::uint64_t no_row = 0;
    std::uint64_t faulty = 0;

    Tally& operator+=(const Tally& other) noexcept {
        calls += other.calls;
        no_row += other.no_row;
        faulty += other.faulty;
        return *this;
    }
};

/// Whole rows of the file, and what became of them. One thread has it at a time.
struct Block {
    std::string text;
    std::size_t begin = 0;       ///< Of the rows, in the text.
    std::size_t end = 0;         ///< Of the rows, in the text.
    bool line_goes_on = false;   ///< The last row is too long; the rest of its line was passed over.
    std::uint64_t position = 0;  ///< Of the file behind it.
    std::string results;         ///< CSV.
    std::vector<RowFault> faults;
    std::size_t fault_count = 0;  ///< Of all, kept or not.
    std::uint64_t lines = 0;
    Tally tally;
    bool rated = false;  ///< Guarded by the pool's mutex.

    [[nodiscard]] std::string_view rows() const { return std::string_view{text}.substr(begin, end - begin); }
};

/// Cuts a file into blocks at the ends of rows.
///
/// A line end inside quotes is none of a row, and where quotes are faulty only the reader of CSV can tell
/// which is which; so wherever a block has a quote, that reader finds the cut.
class BlockReader {
  public:
    explicit BlockReader(InputFile& file) : file_(file) {}

    /// False: the file has nothing more.
    bool next(Block& block) {
        block.text.resize(kBlockBytes);
        block.begin = 0;
        block.end = carry_.size();
        std::copy(carry_.begin(), carry_.end(), block.text.begin());
        carry_.clear();
        fill(block);
        while (passing_over_)
            pass_over(block);
        block.position = file_.position();
        if (block.rows().empty()) return false;
        block.line_goes_on = false;
        if (!at_end_) cut(block);
        return true;
    }

  private:
    void fill(Block& block) {
        if (at_end_) return;
        const std::size_t wanted = block.text.size() - block.end;
        const std::size_t bytes = file_.read(block.text.data() + block.end, wanted);
        block.end += bytes;
        at_end_ = bytes < wanted;
    }

    /// Leaves out what the block has of a line that was too long.
    void pass_over(Block& block) {
        const std::size_t line_end = block.rows().find('\n');
        passing_over_ = line_end == std::string_view::npos && !at_end_;
        const std::size_t passed = line_end == std::string_view::npos ? block.end : line_end + 1;
        std::copy(block.text.data() + passed, block.text.data() + block.end, block.text.data());
        block.end -= passed;
        fill(block);
    }

    void cut(Block& block) {
        const std::string_view rows = block.rows();
        std::size_t taken = 0;
        if (rows.find('"') == std::string_view::npos) {
            const std::size_t line_end = rows.rfind('\n');
            taken = line_end == std::string_view::npos ? rows.size() : line_end + 1;
        } else {
            CsvReader csv{begins_};
            while (csv.next(rows.substr(taken), false) != CsvReader::Status::more)
                taken += csv.consumed();
            taken += csv.consumed();
        }
        // A full block is longer than the longest row, so at least one row, or fault, ended.
        assert(taken > 0);
        begins_ = CsvReader::Begin::row;
        carry_.assign(rows.substr(taken));
        block.end = block.begin + taken;
        passing_over_ = block.line_goes_on = !rows.substr(0, taken).ends_with('\n');
    }

    InputFile& file_;
    CsvReader::Begin begins_ = CsvReader::Begin::file;
    std::string carry_;  // The beginning of a row.
    bool passing_over_ = false;
    bool at_end_ = false;
};

/// Takes the header off the first block. False: it had faults, and they are printed.
bool read_header(const OfflineRating& rating, Block& block, Header& header) {
    FaultPrinter printer{rating.calls, rating.faults_max};
    CsvReader csv;
    const auto status = csv.next(block.rows(), true);
    if (status == CsvReader::Status::faulty) {
        printer.add(csv.line(), "", csv.error());
        return false;
    }
    bool good = true;
    const auto names = csv.fields();
    header.count = names.size();
    for (std::size_t column = 0; column < kColumns.size(); ++column) {
        const auto found = std::find(names.begin(), names.end(), kColumns[column]);
        header.at[column] = static_cast<std::size_t>(found - names.begin());
        if (found != names.end() && std::find(found + 1, names.end(), kColumns[column]) == names.end()) {
            continue;
        }
        printer.add(
            csv.line(), kColumns[column],
            found == names.end() ? "the column is missing; it is required" : "the column stands there twice");
        good = false;
    }
    block.begin += csv.consumed();
    return good;
}

/// Rates blocks; any number of threads at once, each with blocks of its own.
class BlockRater {
  public:
    BlockRater(const TariffBook& book, const Header& header, std::size_t faults_max)
        : book_(book), tariff_(*book.find(kTariffName)), header_(header), faults_max_(faults_max) {}

    void operator()(Block& block) const {
        block.results.clear();
        block.faults.clear();
        block.fault_count = 0;
        block.tally = {};
        const auto reading = book_.read();
        const std::string_view rows = block.rows();
        CsvReader csv{CsvReader::Begin::row};
        for (std::size_t taken = 0;; taken += csv.consumed()) {
            const auto status = csv.next(rows.substr(taken), true);
            if (status == CsvReader::Status::end || status == CsvReader::Status::more) break;
            ++block.tally.calls;
            const std::size_t faults = block.fault_count;
            if (status == CsvReader::Status::faulty) {
                fault(block, csv.line(), "", csv.error());
                block.results.append(",,,\n");
            } else {
                rate_row(reading, csv, block);
            }
            if (block.fault_count != faults) ++block.tally.faulty;
        }
        block.lines = static_cast<std::uint64_t>(std::count(rows.begin(), rows.end(), '\n'));
        if (block.line_goes_on) ++block.lines;
    }

  private:
    struct Call {
        rating::Digits number;
        rating::Instant start;
        std::chrono::seconds used{};
    };

    void fault(Block& block, std::uint32_t line, std::string_view column, std::string_view message) const {
        ++block.fault_count;
        if (block.faults.size() < faults_max_) block.faults.push_back({line, column, std::string{message}});
    }

    /// False: the row had faults.
    bool read_call(const CsvReader& csv, Block& block, Call& call) const {
        const auto fields = csv.fields();
        const std::size_t faults = block.fault_count;
        const auto expected = [&](Column column, std::string_view what) {
            fault(block, csv.line(), kColumns[column],
                  rating::shown(fields[header_.at[column]]) + ": expected " + std::string{what});
        };
        const auto number = rating::Digits::parse(fields[header_.at[destination]]);
        if (!number) expected(destination, "1 to 32 digits");
        const auto start = rating::parse_instant(fields[header_.at[start_time]]);
        if (!start) expected(start_time, "RFC 3339 such as 2026-03-02T00:00:00Z, or Unix seconds");
        const std::string_view answer = fields[header_.at[answered]];
        const bool yes = answer == "1" || answer == "true";
        const bool no = answer == "0" || answer == "false";
        if (!yes && !no) expected(answered, "0 or 1");
        const std::string_view seconds = fields[header_.at[duration_seconds]];
        const auto duration =
            no && seconds.empty() ? std::chrono::milliseconds{0} : rating::parse_duration(seconds);
        if (!duration) expected(duration_seconds, "seconds from 0 to 1000000000 with at most 3 places");
        if (block.fault_count != faults) return false;
        call = {*number, *start, yes ? rating::whole_seconds(*duration) : std::chrono::seconds{0}};
        return true;
    }

    void rate_row(const TariffBook::Reading& reading, const CsvReader& csv, Block& block) const {
        const auto fields = csv.fields();
        std::string& results = block.results;
        const std::size_t id_at = header_.at[call_id];
        if (id_at < fields.size()) rating::append_field(results, fields[id_at]);
        if (fields.size() != header_.count) {
            fault(block, csv.line(), "",
                  "the row has " + std::to_string(fields.size()) + " fields; expected " +
                      std::to_string(header_.count) + " as in the header");
            results.append(",,,\n");
            return;
        }
        Call call;
        if (!read_call(csv, block, call)) {
            results.append(",,,\n");
            return;
        }
        const auto place = reading.place(call.number.view());
        const auto [row, rate] = reading.find(tariff_, place, call.start);
        if (rate == nullptr) {
            ++block.tally.no_row;
            results.append(",,0,\n");
            return;
        }
        const auto& version = reading.version(tariff_);
        const rating::RatedCall rated{&version, rate, row, call.start};
        const auto cost = rating::cost(rated, call.used);
        if (cost > rating::kAmountMax) {
            fault(block, csv.line(), kColumns[duration_seconds],
                  rating::shown(fields[header_.at[duration_seconds]]) +
                      ": the call costs more than 10000000000");
            results.append(",,,\n");
            return;
        }
        results.push_back(',');
        results.append(version.deck->prefix(row).text().view());
        results.push_back(',');
        append_number(results, rating::billed_seconds(rated, call.used).count());
        results.push_back(',');
        append_cost(results, cost);
        results.push_back('\n');
    }

    static void append_number(std::string& text, std::int64_t number) {
        std::array<char, 20> digits{};
        const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
        text.append(digits.data(), end);
    }

    /// All six places, so that a column of costs lines up. Requires: not negative.
    static void append_cost(std::string& text, rating::Money cost) {
        constexpr std::int64_t kUnit = 1'000'000;
        append_number(text, cost.micros() / kUnit);
        std::array<char, 1 + rating::Money::kPlaces> places{'.'};
        std::int64_t rest = cost.micros() % kUnit;
        for (std::size_t at = places.size() - 1; at > 0; --at, rest /= 10)
            places[at] = static_cast<char>('0' + rest % 10);
        text.append(places.data(), places.size());
    }

    const TariffBook& book_;
    rating::TariffId tariff_;
    Header header_;
    std::size_t faults_max_;
};

/// Threads that rate what they are given, first come first served.
class Pool {
  public:
    Pool(unsigned threads, const BlockRater& rate) {
        threads_.reserve(threads);
        for (unsigned thread = 0; thread < threads; ++thread)
            threads_.emplace_back([this, &rate](const std::stop_token& stop) { work(rate, stop); });
    }
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;
    ~Pool() = default;  // The threads are told to stop, and finish the block they have.

    /// The block is the pool's until it is rated.
    void add(Block& block) {
        {
            const std::lock_guard lock{mutex_};
            block.rated = false;
            waiting_.push_back(&block);
        }
        added_.notify_one();
    }

    /// Whether the block was rated before `patience` ran out.
    [[nodiscard]] bool wait(const Block& block, std::chrono::milliseconds patience) {
        std::unique_lock lock{mutex_};
        return rated_.wait_for(lock, patience, [&block] { return block.rated; });
    }

  private:
    void work(const BlockRater& rate, const std::stop_token& stop) {
        for (;;) {
            std::unique_lock lock{mutex_};
            if (!added_.wait(lock, stop, [this] { return !waiting_.empty(); }) || stop.stop_requested())
                return;
            Block& block = *waiting_.front();
            waiting_.pop_front();
            lock.unlock();
            rate(block);
            lock.lock();
            block.rated = true;
            lock.unlock();
            rated_.notify_one();
        }
    }

    std::mutex mutex_;
    std::condition_variable_any added_;
    std::condition_variable_any rated_;
    std::deque<Block*> waiting_;
    std::vector<std::jthread> threads_;  // The last member: they use the others.
};

// ---- What comes out ----

/// Standard output, or a file.
class OutputFile {
  public:
    explicit OutputFile(const std::string& path) : path_(path.empty() ? "standard output" : path) {
        if (path.empty()) return;
        descriptor_ = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        if (descriptor_ < 0) throw failed(path_);
    }
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;
    ~OutputFile() {
        if (descriptor_ != STDOUT_FILENO) close(descriptor_);
    }

    void write(std::string_view text) const {
        while (!text.empty()) {
            const ssize_t written = ::write(descriptor_, text.data(), text.size());
            if (written < 0 && errno != EINTR) throw failed(path_);
            if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
        }
    }

  private:
    std::string path_;
    int descriptor_ = STDOUT_FILENO;
};

/// A line that is written over while calls are rated, where standard error is a terminal; and the summary.
class Progress {
  public:
    explicit Progress(std::uint64_t bytes) : bytes_(bytes) {}

    void show(std::uint64_t calls, std::uint64_t position) {
        const auto now = SteadyClock::now();
        if (!terminal_ || now - shown_ < kProgressEvery) return;
        shown_ = now;
        const double seconds = seconds_since_begin();
        if (bytes_ == 0 || position == 0) {
            std::fprintf(stderr, "\r\x1B[K%llu calls, %.0f calls/s", static_cast<unsigned long long>(calls),
                         static_cast<double>(calls) / seconds);
            return;
        }
        const double part = static_cast<double>(position) / static_cast<double>(bytes_);
        constexpr int kWidth = 30;
        const int filled = std::min(kWidth, static_cast<int>(part * kWidth));
        const std::string bar(static_cast<std::size_t>(filled), '#');
        std::fprintf(stderr, "\r\x1B[K[%-*s] %3.0f %%, %.0f calls/s, %.0f s left", kWidth, bar.c_str(),
                     part * 100, static_cast<double>(calls) / seconds, seconds * (1 / part - 1));
    }

    /// Makes room for other lines.
    void hide() const {
        if (terminal_ && shown_ != SteadyClock::time_point{}) std::fputs("\r\x1B[K", stderr);
    }

    void sum_up(const Tally& tally) const {
        hide();
        const double seconds = seconds_since_begin();
        const auto whole = [](std::uint64_t count) { return static_cast<unsigned long long>(count); };
        std::fprintf(stderr, "%llu calls: %llu rated, %llu no row, %llu faulty; %.3f s, %.0f calls/s\n",
                     whole(tally.calls), whole(tally.calls - tally.no_row - tally.faulty),
                     whole(tally.no_row), whole(tally.faulty), seconds,
                     static_cast<double>(tally.calls) / seconds);
    }

  private:
    [[nodiscard]] double seconds_since_begin() const {
        // Never 0: it is divided by.
        return std::max(std::chrono::duration<double>{SteadyClock::now() - begun_}.count(), 1e-9);
    }

    bool terminal_ = isatty(STDERR_FILENO) != 0;
    std::uint64_t bytes_;
    SteadyClock::time_point begun_ = SteadyClock::now();
    SteadyClock::time_point shown_{};
};

/// Writes the blocks' results as they come, in order.
class Collector {
  public:
    Collector(const OfflineRating& rating, const OutputFile& out, std::uint64_t bytes,
              std::uint64_t header_lines)
        : out_(out), faults_(rating.calls, rating.faults_max), progress_(bytes), lines_(header_lines) {}

    void wait(Pool& pool, const Block& block) {
        while (!pool.wait(block, kProgressEvery))
            progress_.show(tally_.calls, position_);
    }

    void take(const Block& block) {
        out_.write(block.results);
        if (block.fault_count > 0) progress_.hide();
        for (const auto& fault : block.faults)
            faults_.add(lines_ + fault.line, fault.column, fault.message);
        faults_.add_uncounted(block.fault_count - block.faults.size());
        lines_ += block.lines;
        tally_ += block.tally;
        position_ = block.position;
        progress_.show(tally_.calls, position_);
    }

    /// True: no row was faulty.
    bool finish() const {
        progress_.hide();
        faults_.finish();
        progress_.sum_up(tally_);
        return tally_.faulty == 0;
    }

  private:
    const OutputFile& out_;
    FaultPrinter faults_;
    Progress progress_;
    Tally tally_;
    std::uint64_t lines_;  // Before the next block.
    std::uint64_t position_ = 0;
};

/// Opening a file for results empties it.
void refuse_to_overwrite(const OfflineRating& rating) {
    for (const std::string* const input : {&rating.deck, &rating.calls, &rating.tariff}) {
        std::error_code ignored;
        if (!input->empty() && std::filesystem::equivalent(*input, rating.out, ignored)) {
            throw std::runtime_error(rating.out + ": --out would overwrite what is read; name another file");
        }
    }
}

}  // namespace

bool rate_offline(const OfflineRating& rating) {
    if (!rating.out.empty()) refuse_to_overwrite(rating);
    TariffBook book;
    InputFile calls{rating.calls};
    if (!load(rating, book)) return false;

    // As many blocks as keep all threads busy while the oldest is written and the next is read.
    const unsigned threads = std::clamp(
        rating.threads == 0 ? std::thread::hardware_concurrency() : rating.threads, 1U, kOfflineThreadsMax);
    std::vector<Block> blocks(2 * std::size_t{threads} + 2);
    BlockReader reader{calls};
    Header header;
    Block& first = blocks.front();
    bool more = reader.next(first);
    if (!read_header(rating, first, header)) return false;
    const OutputFile out{rating.out};
    out.write("call_id,matched_prefix,billed_seconds,cost\n");

    const std::string_view above = std::string_view{first.text}.substr(0, first.begin);
    Collector collector{rating, out, calls.size(),
                        static_cast<std::uint64_t>(std::count(above.begin(), above.end(), '\n'))};
    const BlockRater rate{book, header, rating.faults_max};
    Pool pool{threads, rate};
    try {
        std::size_t added = 0;
        for (std::size_t taken = 0; more || taken < added; ++taken) {
            for (; more && added < taken + blocks.size(); ++added) {
                Block& block = blocks[added % blocks.size()];
                if (added > 0) more = reader.next(block);
                if (!more) break;
                pool.add(block);
            }
            if (taken == added) break;
            Block& oldest = blocks[taken % blocks.size()];
            collector.wait(pool, oldest);
            collector.take(oldest);
        }
    } catch (const std::exception&) {
        collector.finish();
        throw;
    }
    return collector.finish();
}

}  // namespace tollgate::daemon
