#include "daemon/flush/redis_sink.h"

#include <array>
#include <charconv>
#include <cstdlib>
#include <span>
#include <stdexcept>

#include <hiredis/hiredis.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "daemon/operation/first_line.h"
#include "daemon/operation/log_line.h"

namespace tollgate::daemon::flush {
namespace {

constexpr std::string_view kParty = ":party:";
constexpr std::string_view kEvents = ":events";
constexpr std::string_view kPosition = ":position";

/// Of one SCAN, about.
constexpr std::string_view kScanKeys = "1000";
constexpr std::uint32_t kDatabaseMax = 65'535;

timeval time_of(std::chrono::milliseconds time) noexcept {
    timeval value{};
    value.tv_sec = time.count() / 1'000;
    value.tv_usec = time.count() % 1'000 * 1'000;
    return value;
}

std::string_view text_of(const redisReply& reply) noexcept {
    return reply.str == nullptr ? std::string_view{} : std::string_view{reply.str, reply.len};
}

std::span<redisReply* const> elements_of(const redisReply& reply) noexcept {
    if (reply.type != REDIS_REPLY_ARRAY) return {};
    return {reply.element, reply.elements};
}

template <typename Number>
bool parse(std::string_view text, Number& number, int base = 10) noexcept {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
    return error == std::errc{} && end == text.data() + text.size() && !text.empty();
}

std::string password_in(const std::string& path) {
    try {
        return secret_in("redis.password_file", path);
    } catch (const std::runtime_error& failure) {
        throw SinkRefused{failure.what()};
    }
}

std::string time_text(rating::Instant at) {
    return at == rating::kAlways ? std::string{} : std::string{rating::format(at).view()};
}

}  // namespace

RedisAddress parse_redis_url(std::string_view url) {
    const auto wrong = [shown = logging::redacted_url(url)](const char* why) {
        std::string text{"redis.url: \""};
        text.append(shown).append("\": ").append(why);
        text += "; expected redis://HOST[:PORT][/DATABASE] or unix:/PATH[?db=DATABASE]";
        return std::runtime_error{text};
    };
    RedisAddress address;
    const auto database = [&](std::string_view text) {
        if (!parse(text, address.database) || address.database > kDatabaseMax)
            throw wrong("the number of the database is none");
    };
    constexpr std::string_view kUnix = "unix:";
    constexpr std::string_view kRedis = "redis://";
    if (url.starts_with(kUnix)) {
        url.remove_prefix(kUnix.size());
        if (url.starts_with("//")) url.remove_prefix(2);
        constexpr std::string_view kDatabase = "?db=";
        if (const auto at = url.find(kDatabase); at != std::string_view::npos) {
            database(url.substr(at + kDatabase.size()));
            url = url.substr(0, at);
        }
        if (!url.starts_with('/')) throw wrong("the path of the socket must begin with /");
        address.unix = url;
        return address;
    }
    if (!url.starts_with(kRedis)) throw wrong("it is of another kind");
    url.remove_prefix(kRedis.size());
    if (url.find('@') != std::string_view::npos)
        throw wrong(
            "a user or password must not stand there: redis.user and redis.password_file are for that");
    if (const auto at = url.find('/'); at != std::string_view::npos) {
        if (at + 1 < url.size()) database(url.substr(at + 1));
        url = url.substr(0, at);
    }
    if (url.starts_with('[')) {
        const auto end = url.find(']');
        if (end == std::string_view::npos) throw wrong("a bracket is missing");
        address.host = url.substr(1, end - 1);
        url.remove_prefix(end + 1);
    } else {
        const auto end = std::min(url.find(':'), url.size());
        address.host = url.substr(0, end);
        url.remove_prefix(end);
    }
    if (address.host.empty()) throw wrong("there is no host");
    if (!url.empty() && (!url.starts_with(':') || !parse(url.substr(1), address.port) || address.port == 0))
        throw wrong("the port is none");
    return address;
}

void RedisSink::FreeReply::operator()(redisReply* reply) const noexcept {
    freeReplyObject(reply);
}

RedisSink::RedisSink(RedisSettings settings) : settings_(std::move(settings)) {}

RedisSink::~RedisSink() {
    disconnect();
}

void RedisSink::fail(const std::string& what) const {
    throw SinkFailure{"redis: " + what};
}

void RedisSink::disconnect() noexcept {
    const std::lock_guard lock{mutex_};
    if (context_ != nullptr) redisFree(context_);
    context_ = nullptr;
    unanswered_ = 0;
}

void RedisSink::interrupt() noexcept {
    const std::lock_guard lock{mutex_};
    interrupted_ = true;
    if (context_ != nullptr) (void)::shutdown(context_->fd, SHUT_RDWR);
}

std::optional<Position> RedisSink::connect() {
    disconnect();
    const RedisAddress& address = settings_.address;
    const timeval time = time_of(settings_.timeout);
    redisContext* const made = address.unix.empty()
                                   ? redisConnectWithTimeout(address.host.c_str(), address.port, time)
                                   : redisConnectUnixWithTimeout(address.unix.c_str(), time);
    bool interrupted = false;
    {
        const std::lock_guard lock{mutex_};
        context_ = made;
        interrupted = interrupted_;
    }
    const std::string where =
        address.unix.empty() ? address.host + ":" + std::to_string(address.port) : address.unix;
    if (made == nullptr) fail("no memory for a connection");
    if (interrupted) fail("the daemon stops");
    if (made->err != 0) fail(where + ": " + std::string{static_cast<const char*>(made->errstr)});
    if (redisSetTimeout(made, time) != REDIS_OK) fail(where + ": no time-out can be set");
    (void)redisEnableKeepAlive(made);
    if (!settings_.password_file.empty()) {
        const std::string password = password_in(settings_.password_file);
        if (settings_.user.empty()) {
            (void)ask({"AUTH", password});
        } else {
            (void)ask({"AUTH", settings_.user, password});
        }
    }
    if (address.database != 0) (void)ask({"SELECT", std::to_string(address.database)});
    return position();
}

std::optional<Position> RedisSink::position() {
    const auto reply = ask({"HGETALL", key(kPosition)});
    return position_in(*reply);
}

std::optional<Position> RedisSink::position_in(const redisReply& reply) const {
    const auto fields = elements_of(reply);
    if (fields.empty()) return std::nullopt;
    Position position;
    bool good = fields.size() % 2 == 0;
    for (std::size_t i = 0; good && i + 1 < fields.size(); i += 2) {
        const std::string_view name = text_of(*fields[i]);
        const std::string_view value = text_of(*fields[i + 1]);
        if (name == "instance") {
            constexpr std::size_t kDigits = 16;
            good = value.size() == 2 * kDigits &&
                   parse(value.substr(0, kDigits), position.instance.high, 16) &&
                   parse(value.substr(kDigits), position.instance.low, 16);
        } else if (name == "epoch") {
            good = parse(value, position.epoch);
        } else if (name == "sequence") {
            good = parse(value, position.sequence);
        } else if (name == "filling") {
            good = parse(value, position.filling);
        }
    }
    if (!good || position.instance == balance::journal::Instance{})
        throw SinkRefused{"redis: " + key(kPosition) +
                          " is not what a daemon wrote; once it is deleted, everything is filled in anew"};
    return position;
}

void RedisSink::append(const Words& words) {
    if (context_ == nullptr) fail("there is no connection");
    std::vector<const char*> texts;
    std::vector<std::size_t> sizes;
    texts.reserve(words.size());
    sizes.reserve(words.size());
    for (const std::string_view word : words) {
        texts.push_back(word.data());
        sizes.push_back(word.size());
    }
    if (redisAppendCommandArgv(context_, static_cast<int>(words.size()), texts.data(), sizes.data()) !=
        REDIS_OK)
        fail(static_cast<const char*>(context_->errstr));
    ++unanswered_;
}

RedisSink::Reply RedisSink::answer() {
    void* raw = nullptr;
    if (redisGetReply(context_, &raw) != REDIS_OK) {
        // A time-out of ours is an EAGAIN of the socket's.
        const bool late = context_->err == REDIS_ERR_IO && errno == EAGAIN;
        fail(late ? "no answer within " + std::to_string(settings_.timeout.count()) + " ms"
                  : std::string{static_cast<const char*>(context_->errstr)});
    }
    --unanswered_;
    Reply reply{static_cast<redisReply*>(raw)};
    if (reply->type == REDIS_REPLY_ERROR) {
        const std::string said{text_of(*reply)};
        for (const std::string_view code : {"NOAUTH", "WRONGPASS", "NOPERM", "ERR invalid password",
                                            "ERR AUTH", "WRONGTYPE", "ERR unknown command"}) {
            if (said.starts_with(code)) throw SinkRefused{"redis: " + said};
        }
        fail(said);
    }
    return reply;
}

RedisSink::Reply RedisSink::ask(const Words& words) {
    append(words);
    return answer();
}

void RedisSink::put_balance(const BalanceRow& row, bool anew) {
    const std::string where = key(kParty) + std::string{row.id};
    // In a refill, whatever stands there, of whatever kind.
    if (anew) append({"DEL", where});
    const auto balance = rating::format(row.balance);
    const auto held = rating::format(row.held);
    const auto available = rating::format(row.available);
    const auto limit = rating::format(row.credit_limit);
    const auto status = row.status.text();
    append({"HSET", where, "balance", balance.view(), "held", held.view(), "available", available.view(),
            "credit_limit", limit.view(), "currency", row.currency.view(), "status", status.view(), "kind",
            daemon::text_of(row.kind)});
}

void RedisSink::put_occurrence(const Occurrence& one, const Batch& batch) {
    const std::string where = key(kEvents);
    const std::string most = std::to_string(settings_.stream_max);
    const std::string id = one.id();
    const std::string at = time_text(one.at);
    Words words{"XADD",   where,
                "MAXLEN", "~",
                most,     "*",
                "event",  flush::text_of(one.kind),
                "id",     id,
                "at",     at,
                "party",  batch.party_id(one.party)};
    const auto add = [&words](std::string_view name, std::string_view value) {
        words.push_back(name);
        words.push_back(value);
    };
    std::string record;
    std::string used;
    rating::ShortText amount;
    rating::ShortText before;
    if (one.record != nullptr) {
        record = one.record->id();
        used = std::to_string(one.record->used_seconds);
        add("record", record);
        add("session", one.record->session);
        add("line", one.record->line);
        add("number", one.record->called);
        add("service", one.record->service);
        add("state", one.record->state);
        add("used", used);
        if (!one.record->legs.empty()) {
            const CallLeg& leg = one.record->legs.front();
            amount = rating::format(leg.charged);
            add("charged", amount.view());
            add("currency", leg.currency.view());
        }
        add("cause", one.record->cause);
        append(words);
    } else if (one.threshold != nullptr) {
        amount = rating::format(one.threshold->crossing.balance);
        add("threshold", daemon::text_of(one.threshold->crossing.warning));
        add("balance", amount.view());
        append(words);
    } else if (one.status != nullptr) {
        before = one.status->before.text();
        amount = one.status->after.text();
        add("status", amount.view());
        add("before", before.view());
        append(words);
    }
}

void RedisSink::put_position(const Position& position) {
    append({"HSET", key(kPosition), "instance", balance::journal::text_of(position.instance), "epoch",
            std::to_string(position.epoch), "sequence", std::to_string(position.sequence), "filling",
            std::to_string(position.filling)});
}

void RedisSink::write(const Batch& batch) {
    const std::string position_key = key(kPosition);
    append({"WATCH", position_key});
    append({"HGETALL", position_key});
    (void)answer();
    const auto stands = answer();
    if (!batch.clear && position_in(*stands) != batch.before)
        throw SinkMoved{"redis: " + position_key + " is not what it was"};
    if (batch.filling && batch.after.filling == 0) remove_strangers(batch);
    append({"MULTI"});
    // What happened after the snapshot is told anew.
    if (batch.clear) append({"DEL", key(kEvents)});
    for (const BalanceRow& row : batch.balances)
        put_balance(row, batch.filling);
    for (const Occurrence& one : occurrences_of(batch))
        put_occurrence(one, batch);
    put_position(batch.after);
    append({"EXEC"});
    while (unanswered_ > 1)
        (void)answer();
    const auto done = answer();
    if (done->type == REDIS_REPLY_NIL) throw SinkMoved{"redis: somebody else moved " + position_key};
    check_done(*done);
}

void RedisSink::check_done(const redisReply& reply) {
    for (const redisReply* const one : elements_of(reply)) {
        if (one->type != REDIS_REPLY_ERROR) continue;
        // The others were carried out, the position among them: what it says is not so.
        const std::string said{text_of(*one)};
        (void)ask({"DEL", key(kPosition)});
        fail(said + "; everything is filled in anew");
    }
}

void RedisSink::remove_strangers(const Batch& batch) {
    const std::string prefix = key(kParty);
    std::string pattern;
    for (const char c : prefix) {
        if (std::string_view{"*?[]\\^-"}.find(c) != std::string_view::npos) pattern += '\\';
        pattern += c;
    }
    pattern += '*';
    std::string cursor = "0";
    do {
        const auto page = ask({"SCAN", cursor, "MATCH", pattern, "COUNT", kScanKeys});
        const auto parts = elements_of(*page);
        if (parts.size() != 2) fail("SCAN says what it should not");
        cursor = text_of(*parts[0]);
        Words gone{"UNLINK"};
        for (const redisReply* const found : elements_of(*parts[1])) {
            const std::string_view name = text_of(*found);
            if (name.size() > prefix.size() && name.starts_with(prefix) &&
                batch.state->parties.find(name.substr(prefix.size())) == balance::kNoParty)
                gone.push_back(name);
        }
        if (gone.size() > 1) (void)ask(gone);
    } while (cursor != "0");
}

}  // namespace tollgate::daemon::flush
