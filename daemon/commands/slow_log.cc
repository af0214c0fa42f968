#include "daemon/commands/slow_log.h"

#include <algorithm>
#include <utility>

#include "daemon/commands/arguments.h"

namespace tollgate::daemon::commands {
namespace {

constexpr std::string_view kRedacted = "(redacted)";

std::string kept(std::string_view word) {
    if (word.size() <= kSlowWordBytesMax) return std::string{word};
    return std::string{word.substr(0, kSlowWordBytesMax)} + "... (" +
           std::to_string(word.size() - kSlowWordBytesMax) + " more bytes)";
}

/// The place from which on nothing is shown: what follows AUTH, be it the command or an option of HELLO.
std::size_t secret_from(std::span<const std::string_view> words) noexcept {
    if (words.empty()) return 0;
    if (is_word(words[0], "AUTH")) return 1;
    if (!is_word(words[0], "HELLO")) return words.size();
    const auto auth = std::find_if(words.begin() + 1, words.end(),
                                   [](std::string_view word) { return is_word(word, "AUTH"); });
    return std::min(words.size(), static_cast<std::size_t>(auth - words.begin()) + 1);
}

template <typename Before>
void keep_first(std::vector<SlowCommand>& commands, std::size_t count, Before before) {
    std::sort(commands.begin(), commands.end(), before);
    if (commands.size() > count) commands.resize(count);
}

}  // namespace

void SlowLog::note(std::chrono::nanoseconds took, rating::Instant at, std::span<const std::string_view> words,
                   std::string_view address, std::string_view client) {
    noted_.store(noted_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    const std::unique_lock lock{mutex_, std::try_to_lock};
    if (!lock.owns_lock() || settings_.commands_max == 0) return;
    SlowCommand command{.id = id_last_.fetch_add(1, std::memory_order_relaxed) + 1,
                        .at = at,
                        .took = took,
                        .words = {},
                        .address = std::string{address},
                        .client = std::string{client}};
    const std::size_t secret = secret_from(words);
    const std::size_t shown = std::min(words.size(), kSlowWordsMax);
    for (std::size_t i = 0; i < shown; ++i)
        command.words.push_back(i < secret ? kept(words[i]) : std::string{kRedacted});
    if (words.size() > shown)
        command.words.push_back("... (" + std::to_string(words.size() - shown) + " more words)");
    if (ring_.size() < settings_.commands_max) {
        ring_.push_back(std::move(command));
        return;
    }
    ring_[next_] = std::move(command);
    next_ = (next_ + 1) % ring_.size();
}

std::vector<SlowCommand> SlowLog::commands() const {
    const std::lock_guard lock{mutex_};
    return ring_;
}

std::size_t SlowLog::size() const {
    const std::lock_guard lock{mutex_};
    return ring_.size();
}

void SlowLog::clear() {
    const std::lock_guard lock{mutex_};
    ring_.clear();
    next_ = 0;
}

SlowLogs::SlowLogs(const SlowLogSettings& settings, std::size_t workers) : settings_(settings) {
    for (std::size_t i = 0; i < workers; ++i)
        logs_.push_back(std::make_unique<SlowLog>(settings_, id_last_));
}

std::vector<SlowCommand> SlowLogs::all() const {
    std::vector<SlowCommand> commands;
    for (const auto& log : logs_) {
        auto some = log->commands();
        std::move(some.begin(), some.end(), std::back_inserter(commands));
    }
    return commands;
}

std::vector<SlowCommand> SlowLogs::newest(std::size_t count) const {
    auto commands = all();
    keep_first(commands, std::min(count, settings_.commands_max),
               [](const SlowCommand& a, const SlowCommand& b) { return a.id > b.id; });
    return commands;
}

std::vector<SlowCommand> SlowLogs::slowest(std::size_t count) const {
    auto commands = all();
    keep_first(commands, std::min(count, settings_.commands_max),
               [](const SlowCommand& a, const SlowCommand& b) {
                   return a.took != b.took ? a.took > b.took : a.id > b.id;
               });
    return commands;
}

std::size_t SlowLogs::size() const {
    std::size_t size = 0;
    for (const auto& log : logs_)
        size += log->size();
    return std::min(size, settings_.commands_max);
}

void SlowLogs::clear() {
    for (const auto& log : logs_)
        log->clear();
}

std::uint64_t SlowLogs::noted() const noexcept {
    std::uint64_t noted = 0;
    for (const auto& log : logs_)
        noted += log->noted();
    return noted;
}

}  // namespace tollgate::daemon::commands
