#include "daemon/resync_tokens.h"

#include <algorithm>

namespace tollgate::daemon {

std::vector<std::byte> ResyncTokens::event_of(const std::string& key, const Token& token) {
    std::vector<std::byte> event;
    balance::ByteWriter out{event};
    balance::EventHeader{balance::EventKind::resync, token.at}.write(out);
    out.text(key);
    out.put(token.closed.has_value());
    out.put(token.closed.value_or(0));
    return event;
}

void ResyncTokens::keep(const std::string& key, const Token& token) {
    tokens_[key] = token;
    if (tokens_.size() <= kTokensMax) return;
    tokens_.erase(std::min_element(tokens_.begin(), tokens_.end(), [](const auto& a, const auto& b) {
        return a.second.at.steady < b.second.at.steady;
    }));
}

void ResyncTokens::note(const std::string& key, const Token& token, balance::EventLog& events) {
    events.append(event_of(key, token));
    keep(key, token);
}

void ResyncTokens::refuse(const std::string& key, balance::Moment at, balance::EventLog& events) {
    if (events.admission() == balance::Admission::closed) return keep(key, {at, std::nullopt});
    note(key, {at, std::nullopt}, events);
}

bool ResyncTokens::apply(balance::Moment at, balance::ByteReader& in) {
    const std::string key{in.text()};
    Token token{at, std::nullopt};
    const bool ended = in.flag();
    const auto closed = in.get<std::uint64_t>();
    if (ended) token.closed = closed;
    if (!in.at_end()) return false;
    keep(key, token);
    return true;
}

void ResyncTokens::save(const std::function<void(std::span<const std::byte>)>& sink) const {
    for (const auto& [key, token] : tokens_)
        sink(event_of(key, token));
}

}  // namespace tollgate::daemon
