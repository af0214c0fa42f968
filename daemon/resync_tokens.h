/// Which resyncs were begun and ended, as far as a restart must know it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "balance/bytes.h"
#include "balance/event.h"
#include "balance/event_log.h"

namespace tollgate::daemon {

/// The ids that a resync names are in memory only: one that was under way when the daemon ended cannot go on,
/// and must not close the calls that it named. One that ended is answered again. One thread at a time.
class ResyncTokens {
  public:
    static constexpr std::size_t kTokensMax = 1'024;  ///< The oldest are forgotten first.

    struct Token {
        balance::Moment at{};                 ///< Its first word, or its end.
        std::optional<std::uint64_t> closed;  ///< How many it closed, once it has ended.
    };
    /// nullptr where nothing is known of it.
    [[nodiscard]] const Token* find(const std::string& key) const {
        const auto found = tokens_.find(key);
        return found == tokens_.end() ? nullptr : &found->second;
    }
    /// Appends the event, then notes it.
    void note(const std::string& key, const Token& token, balance::EventLog& events);
    /// Notes that it was begun and cannot go on. Where the journal has no room it is noted until a restart.
    void refuse(const std::string& key, balance::Moment at, balance::EventLog& events);

    /// Does again what an event or a record of a snapshot says.
    [[nodiscard]] bool apply(balance::Moment at, balance::ByteReader& in);
    void save(const std::function<void(std::span<const std::byte>)>& sink) const;

  private:
    static std::vector<std::byte> event_of(const std::string& key, const Token& token);
    void keep(const std::string& key, const Token& token);

    std::map<std::string, Token> tokens_;
};

}  // namespace tollgate::daemon
