#include "config/keys.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <numeric>
#include <utility>
#include <variant>

namespace tollgate::config {

namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr hours kDay{24};

/// sockaddr_un has room for 108 bytes, the last of them NUL.
constexpr std::size_t kUnixPathBytesMax = 107;
constexpr std::size_t kPathBytesMax = 1024;
constexpr std::size_t kUrlBytesMax = 1024;

/// As many digits as a dialled number may have; an emergency number is compared with the whole of it.
constexpr std::size_t kDialledDigitsMax = 32;
constexpr std::size_t kEmergencyNumbersMax = 256;
/// As long as a name in AUTHORIZE's SWITCH, and an id.
constexpr std::size_t kNameBytesMax = 64;
constexpr std::size_t kSwitchPlansMax = 256;
/// As many as metrics tell apart.
constexpr std::size_t kMetricGroupsMax = 32;

/// An AUTHORIZE with every option has 16 words, `HELLO 3 AUTH user password` has 5 and `AUTH password` 2.
constexpr std::uint32_t kArgumentsLeast = 16;
constexpr std::uint32_t kArgumentsBeforeAuthLeast = 2;

/// Longer than any key. What stands beyond it is nobody's typing error and is not compared.
constexpr std::size_t kComparedBytesMax = 64;

/// Gives the field of a Config, const if the Config is.
template <typename Value>
auto field(Value Config::*value) {
    return [value](auto& config) -> auto& {
        return config.*value;
    };
}
template <typename Section, typename Value>
auto field(Section Config::*section, Value Section::*value) {
    return [ section, value ](auto& config) -> auto& {
        return (config.*section).*value;
    };
}

template <typename Field, typename Kind>
Key make_key(std::string_view name, Field field, Kind kind) {
    using Value = typename Kind::Value;
    Key key;
    key.name = name;
    key.expects = kind.expects();
    key.takes_list = std::is_same_v<Kind, Numbers> || std::is_same_v<Kind, Names> ||
                     std::is_same_v<Kind, DialRules> || std::is_same_v<Kind, SwitchPlans>;
    key.copy = [field](const Config& from, Config& to) { field(to) = field(from); };
    key.show = [field, kind](const Config& config) { return kind.show(field(config)); };
    key.read = [field, kind](const Written& written, Config& config) -> std::optional<Problem> {
        Outcome<Value> outcome = kind.read(written);
        if (Problem* problem = std::get_if<Problem>(&outcome)) return std::move(*problem);
        field(config) = std::move(std::get<Value>(outcome));
        return std::nullopt;
    };
    return key;
}

std::vector<Key> make_keys() {
    using C = Config;
    std::vector<Key> keys;
    const auto add = [&keys](std::string_view name, auto place, auto kind) {
        keys.push_back(make_key(name, place, std::move(kind)));
    };

    add("workers", field(&C::workers), Count{0, kWorkersMax});

    add("resp.listen", field(&C::resp, &C::Resp::listen), Address{});
    add("resp.unix", field(&C::resp, &C::Resp::unix), Path{kUnixPathBytesMax});
    add("resp.arguments_max", field(&C::resp, &C::Resp::arguments_max), Count{kArgumentsLeast, 1024});
    add("resp.command_bytes_max", field(&C::resp, &C::Resp::command_bytes_max), Size{kKiB, 16 * kMiB});
    add("resp.arguments_before_auth_max", field(&C::resp, &C::Resp::arguments_before_auth_max),
        Count{kArgumentsBeforeAuthLeast, 1024});
    add("resp.command_bytes_before_auth_max", field(&C::resp, &C::Resp::command_bytes_before_auth_max),
        Size{64, 16 * kMiB});
    add("resp.commands_in_flight_max", field(&C::resp, &C::Resp::commands_in_flight_max), Count{1, 65'536});
    add("resp.unread_bytes_max", field(&C::resp, &C::Resp::unread_bytes_max), Size{16 * kKiB, kGiB});
    add("resp.connections_max", field(&C::resp, &C::Resp::connections_max), Count{1, 1'000'000});
    add("resp.login_timeout", field(&C::resp, &C::Resp::login_timeout),
        Duration{milliseconds{100}, hours{1}});

    add("http.listen", field(&C::http, &C::Http::listen), Address{});
    add("http.body_bytes_max", field(&C::http, &C::Http::body_bytes_max), Size{kKiB, 64 * kGiB});
    add("http.header_bytes_max", field(&C::http, &C::Http::header_bytes_max), Size{kKiB, kMiB});
    add("http.connections_max", field(&C::http, &C::Http::connections_max), Count{1, 65'536});
    add("http.timeout", field(&C::http, &C::Http::timeout), Duration{milliseconds{1}, hours{1}});

    add("deck.rows_max", field(&C::deck, &C::Deck::rows_max), Count{1, 100'000'000});
    add("deck.faults_max", field(&C::deck, &C::Deck::faults_max), Count{1, 100'000});
    add("deck.versions_kept", field(&C::deck, &C::Deck::versions_kept), Count{1, 1'000});

    add("party.max", field(&C::party, &C::Party::max), Count{1, 200'000'000});

    add("session.want", field(&C::session, &C::Session::want), WholeSeconds{seconds{1}, 30 * kDay});
    add("session.longest", field(&C::session, &C::Session::longest), WholeSeconds{seconds{1}, 30 * kDay});
    add("session.hold", field(&C::session, &C::Session::hold), Duration{milliseconds{1}, kDay});
    add("session.grace", field(&C::session, &C::Session::grace), Duration{milliseconds{0}, kDay});
    add("session.repeat", field(&C::session, &C::Session::repeat), Duration{milliseconds{0}, hours{1}});
    add("session.remember", field(&C::session, &C::Session::remember), Duration{milliseconds{1}, 365 * kDay});
    add("session.remember_bytes", field(&C::session, &C::Session::remember_bytes),
        Size{64 * kKiB, 1024 * kGiB});
    add("session.late", field(&C::session, &C::Session::late), Duration{milliseconds{0}, 365 * kDay});
    add("session.shortest", field(&C::session, &C::Session::shortest), WholeSeconds{seconds{1}, hours{1}});
    add("session.expired", field(&C::session, &C::Session::expired),
        Choice<ExpiryCharge>{{{"reported", ExpiryCharge::reported}, {"granted", ExpiryCharge::granted}}});
    add("session.start", field(&C::session, &C::Session::start), Names{kNameBytesMax, kSwitchPlansMax});
    add("session.max", field(&C::session, &C::Session::max), Count{1, 200'000'000});

    add("request.remember", field(&C::request, &C::Request::remember),
        Duration{milliseconds{1}, 3650 * kDay});

    add("gateway.secret_file", field(&C::gateway, &C::Gateway::secret_file), Path{kPathBytesMax});
    add("gateway.url", field(&C::gateway, &C::Gateway::url), Text{kUrlBytesMax});

    add("restart.grace", field(&C::restart, &C::Restart::grace), Duration{milliseconds{0}, kDay});

    add("dial.emergency", field(&C::dial, &C::Dial::emergency),
        Numbers{kDialledDigitsMax, kEmergencyNumbersMax});
    add("dial.plan", field(&C::dial, &C::Dial::plan), DialRules{kDialRulesMax});
    add("dial.switches", field(&C::dial, &C::Dial::switches), SwitchPlans{kNameBytesMax, kSwitchPlansMax});

    add("journal.dir", field(&C::journal, &C::Journal::dir), Path{kPathBytesMax});
    add("journal.reply", field(&C::journal, &C::Journal::reply),
        Choice<JournalReply>{{{"synced", JournalReply::synced}, {"written", JournalReply::written}}});
    add("journal.segment_bytes", field(&C::journal, &C::Journal::segment_bytes),
        Size{kJournalSegmentLeast, kGiB});
    add("journal.snapshot_segments", field(&C::journal, &C::Journal::snapshot_segments), Count{1, 10'000});

    add("postgres.url", field(&C::postgres, &C::Postgres::url), Text{kUrlBytesMax});
    add("postgres.password_file", field(&C::postgres, &C::Postgres::password_file), Path{kPathBytesMax});
    add("postgres.timeout", field(&C::postgres, &C::Postgres::timeout),
        Duration{milliseconds{100}, hours{1}});
    add("postgres.snapshot_bytes", field(&C::postgres, &C::Postgres::snapshot_bytes),
        Size{64 * kKiB, 1024 * kGiB});
    add("postgres.months_ahead", field(&C::postgres, &C::Postgres::months_ahead), Count{0, 120});

    add("restore.reserve", field(&C::restore, &C::Restore::reserve),
        Amount{rating::Money{}, rating::kAmountMax});

    add("mail.relay", field(&C::mail, &C::Mail::relay), Relay{});
    add("mail.from", field(&C::mail, &C::Mail::from), MailAddress{});
    add("mail.tls", field(&C::mail, &C::Mail::tls),
        Choice<MailTls>{
            {{"never", MailTls::never}, {"offered", MailTls::offered}, {"required", MailTls::required}}});
    add("mail.templates", field(&C::mail, &C::Mail::templates), Path{kPathBytesMax});
    add("mail.timeout", field(&C::mail, &C::Mail::timeout), Duration{milliseconds{100}, hours{1}});
    add("mail.retry_first", field(&C::mail, &C::Mail::retry_first), Duration{milliseconds{100}, kDay});
    add("mail.retry_longest", field(&C::mail, &C::Mail::retry_longest),
        Duration{milliseconds{100}, 7 * kDay});
    add("mail.give_up", field(&C::mail, &C::Mail::give_up), Duration{milliseconds{0}, 30 * kDay});
    add("mail.outbox_max", field(&C::mail, &C::Mail::outbox_max), Count{1, 10'000'000});

    add("log.level", field(&C::log, &C::Log::level),
        Choice<LogLevel>{{{"trace", LogLevel::trace},
                          {"debug", LogLevel::debug},
                          {"info", LogLevel::info},
                          {"warn", LogLevel::warn},
                          {"error", LogLevel::error}}});
    add("log.format", field(&C::log, &C::Log::format),
        Choice<LogFormat>{{{"logfmt", LogFormat::logfmt}, {"json", LogFormat::json}}});
    add("log.lines_a_minute", field(&C::log, &C::Log::lines_a_minute), Count{0, 1'000'000});

    add("memory.max", field(&C::memory, &C::Memory::max), Size{0, 1024 * 1024 * kGiB});

    add("shutdown.delay", field(&C::shutdown, &C::Shutdown::delay), Duration{milliseconds{0}, hours{1}});
    add("shutdown.timeout", field(&C::shutdown, &C::Shutdown::timeout),
        Duration{milliseconds{100}, hours{1}});

    add("metrics.destination_groups", field(&C::metrics, &C::Metrics::destination_groups),
        Names{kNameBytesMax, kMetricGroupsMax});

    add("slowlog.threshold", field(&C::slowlog, &C::SlowLog::threshold),
        Duration{milliseconds{0}, std::chrono::hours{1}});
    add("slowlog.max", field(&C::slowlog, &C::SlowLog::max), Count{0, 10'000});

    add("stores.retry_first", field(&C::stores, &C::Stores::retry_first),
        Duration{milliseconds{10}, hours{1}});
    add("stores.retry_longest", field(&C::stores, &C::Stores::retry_longest),
        Duration{milliseconds{10}, kDay});
    add("stores.batch_bytes_max", field(&C::stores, &C::Stores::batch_bytes_max), Size{64 * kKiB, kGiB});

    add("stores.lag_max", field(&C::stores, &C::Stores::lag_max), Duration{milliseconds{0}, 365 * kDay});

    add("redis.url", field(&C::redis, &C::Redis::url), Text{kUrlBytesMax});
    add("redis.user", field(&C::redis, &C::Redis::user), Text{kNameBytesMax});
    add("redis.password_file", field(&C::redis, &C::Redis::password_file), Path{kPathBytesMax});
    add("redis.prefix", field(&C::redis, &C::Redis::prefix), Text{kNameBytesMax});
    add("redis.stream_max", field(&C::redis, &C::Redis::stream_max), Count{1, 100'000'000});
    add("redis.timeout", field(&C::redis, &C::Redis::timeout), Duration{milliseconds{10}, hours{1}});

    add("webhook.url", field(&C::webhook, &C::Webhook::url), Text{kUrlBytesMax});
    add("webhook.secret_file", field(&C::webhook, &C::Webhook::secret_file), Path{kPathBytesMax});
    add("webhook.pending_max", field(&C::webhook, &C::Webhook::pending_max), Count{1, 1'000'000});
    add("webhook.connections", field(&C::webhook, &C::Webhook::connections), Count{1, 64});
    add("webhook.timeout", field(&C::webhook, &C::Webhook::timeout), Duration{milliseconds{10}, hours{1}});
    add("webhook.give_up", field(&C::webhook, &C::Webhook::give_up), Duration{milliseconds{0}, 365 * kDay});

    add("users.file", field(&C::users, &C::Users::file), Path{kPathBytesMax});
    add("resp.tls_listen", field(&C::resp, &C::Resp::tls_listen), AddressOrNone{});
    add("resp.tls_certificate", field(&C::resp, &C::Resp::tls_certificate), Path{kPathBytesMax});
    add("resp.tls_key", field(&C::resp, &C::Resp::tls_key), Path{kPathBytesMax});
    add("resp.tls_client_ca", field(&C::resp, &C::Resp::tls_client_ca), Path{kPathBytesMax});
    add("http.tls_listen", field(&C::http, &C::Http::tls_listen), AddressOrNone{});
    add("http.tls_certificate", field(&C::http, &C::Http::tls_certificate), Path{kPathBytesMax});
    add("http.tls_key", field(&C::http, &C::Http::tls_key), Path{kPathBytesMax});
    return keys;
}

/// Levenshtein's distance, one row of his table at a time, between the first kComparedBytesMax bytes of each.
std::size_t edit_distance(std::string_view from, std::string_view to) {
    from = from.substr(0, kComparedBytesMax);
    to = to.substr(0, kComparedBytesMax);
    std::array<std::size_t, kComparedBytesMax + 1> row{};
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < from.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i + 1);
        for (std::size_t j = 0; j < to.size(); ++j) {
            const std::size_t replaced = diagonal + (from[i] == to[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
        }
    }
    return row[to.size()];
}

/// What must hold between two keys, and how to say that it does not: of the first, then of the second.
struct Rule {
    std::string_view key;
    std::string_view other;
    bool (*holds)(const Config& config);
    std::string_view must_be;
    std::string_view other_must_be;
};

constexpr std::array<Rule, 12> kRules{{
    {"resp.tls_listen", "resp.listen",
     [](const Config& config) {
         return config.resp.tls_listen != config.resp.listen || config.resp.listen.port == 0;
     },
     "must differ from", "must differ from"},
    {"http.tls_listen", "http.listen",
     [](const Config& config) {
         return config.http.tls_listen != config.http.listen || config.http.listen.port == 0;
     },
     "must differ from", "must differ from"},
    {"resp.tls_listen", "resp.tls_certificate",
     [](const Config& config) {
         return config.resp.tls_listen.host.empty() || !config.resp.tls_certificate.empty();
     },
     "needs", "is needed by"},
    {"resp.tls_listen", "resp.tls_key",
     [](const Config& config) { return config.resp.tls_listen.host.empty() || !config.resp.tls_key.empty(); },
     "needs", "is needed by"},
    {"http.tls_listen", "http.tls_certificate",
     [](const Config& config) {
         return config.http.tls_listen.host.empty() || !config.http.tls_certificate.empty();
     },
     "needs", "is needed by"},
    {"http.tls_listen", "http.tls_key",
     [](const Config& config) { return config.http.tls_listen.host.empty() || !config.http.tls_key.empty(); },
     "needs", "is needed by"},
    {"session.longest", "session.shortest",
     [](const Config& config) { return config.session.longest >= config.session.shortest; },  //
     "must be at least", "must be at most"},
    {"resp.arguments_before_auth_max", "resp.arguments_max",
     [](const Config& config) { return config.resp.arguments_before_auth_max <= config.resp.arguments_max; },
     "must be at most", "must be at least"},
    {"resp.command_bytes_before_auth_max", "resp.command_bytes_max",
     [](const Config& config) {
         return config.resp.command_bytes_before_auth_max <= config.resp.command_bytes_max;
     },
     "must be at most", "must be at least"},
    {"mail.retry_longest", "mail.retry_first",
     [](const Config& config) { return config.mail.retry_longest >= config.mail.retry_first; },  //
     "must be at least", "must be at most"},
    {"stores.retry_longest", "stores.retry_first",
     [](const Config& config) { return config.stores.retry_longest >= config.stores.retry_first; },  //
     "must be at least", "must be at most"},
    {"http.listen", "resp.listen",
     [](const Config& config) {
         return config.http.listen != config.resp.listen || config.http.listen.port == 0;
     },
     "must differ from", "must differ from"},
}};

std::string show(std::string_view name, const Config& config) {
    const Key* key = find_key(name);
    if (key == nullptr) std::abort();  // A rule names a key that the table does not have.
    return quoted(key->show(config));
}

}  // namespace

std::span<const Key> keys() {
    static const std::vector<Key> table = make_keys();
    return table;
}

const Key* find_key(std::string_view name) {
    for (const Key& key : keys()) {
        if (key.name == name) return &key;
    }
    return nullptr;
}

bool names_secret(std::string_view name) {
    constexpr std::array<std::string_view, 4> kWords{"password", "passphrase", "secret", "token"};
    if (name.ends_with("_file")) return false;
    // Many of those who take webhooks put a token into the path, and the others may have a password, in
    // places where it is not to be found.
    if (name == "postgres.url" || name == "redis.url" || name == "webhook.url") return true;
    return std::any_of(kWords.begin(), kWords.end(),
                       [name](std::string_view word) { return name.find(word) != std::string_view::npos; });
}

bool is_section(std::string_view name) {
    return std::any_of(keys().begin(), keys().end(), [name](const Key& key) {
        return key.name.size() > name.size() && key.name.starts_with(name) && key.name[name.size()] == '.';
    });
}

const Key& nearest_key(std::string_view name) {
    const Key* nearest = nullptr;
    std::size_t distance = 0;
    for (const Key& key : keys()) {
        const std::size_t candidate = edit_distance(name, key.name);
        if (nearest == nullptr || candidate < distance) {
            nearest = &key;
            distance = candidate;
        }
    }
    if (nearest == nullptr) std::abort();  // The table is empty.
    return *nearest;
}

std::vector<Conflict> conflicts(const Config& config) {
    std::vector<Conflict> found;
    const auto tell = [&config](std::string_view of, std::string_view must_be, std::string_view other) {
        return show(of, config) + ' ' + std::string{must_be} + ' ' + std::string{other} + ", which is " +
               show(other, config);
    };
    for (const Rule& rule : kRules) {
        if (rule.holds(config)) continue;
        found.push_back({rule.key, rule.other, tell(rule.key, rule.must_be, rule.other),
                         tell(rule.other, rule.other_must_be, rule.key)});
    }
    return found;
}

}  // namespace tollgate::config
