#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "config/dial_rule.h"
#include "config/user.h"
#include "rating/money.h"

/// What the operator can set, read once at the start (and again on SIGHUP) and handed on as values.
///
/// `config/tollgate.toml` is the manual: it names every key with its default, unit and range. The fields here
/// are named as the keys are (`session.hold` is Config::session.hold), and keys.cc is the table that joins
/// the two. Whoever gets a Config from load() need not check anything again: every field is in its range.
namespace tollgate::config {

/// `workers` is never more, however many processors there are.
inline constexpr std::uint32_t kWorkersMax = 64;

inline constexpr std::size_t kKiB = 1024;
inline constexpr std::size_t kMiB = 1024 * kKiB;
inline constexpr std::size_t kGiB = 1024 * kMiB;

/// An address to listen on. The host is a literal IPv4 or IPv6 address, never a name, so nothing is looked
/// up.
struct Endpoint {
    std::string host;        ///< `127.0.0.1` or `::1`, without brackets.
    std::uint16_t port = 0;  ///< 0 = any free port.

    friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

/// As it is written in the configuration: `127.0.0.1:7379`, `[::1]:7379`.
[[nodiscard]] std::string to_string(const Endpoint& endpoint);

/// A mail server that takes what is sent. Its host may be a name: it is looked up each time something is
/// sent.
struct MailRelay {
    std::string host;  ///< Empty: no mail is sent.
    std::uint16_t port = 0;

    friend bool operator==(const MailRelay&, const MailRelay&) = default;
};

/// `mail.example.com:25`, `[::1]:25`; empty for none.
[[nodiscard]] std::string to_string(const MailRelay& relay);

/// Whether mail goes to the relay encrypted (STARTTLS).
enum class MailTls : std::uint8_t {
    never,
    offered,   ///< Where the relay offers it; whose certificate it is is not asked.
    required,  ///< With a certificate of that host, or nothing is sent.
};

/// What a session is charged that nobody ended.
enum class ExpiryCharge : std::uint8_t {
    reported,  ///< What EXTEND reported; the rest of the grant is given back.
    granted,   ///< The whole grant, if the call was started.
};

/// When a command that changed something is answered.
enum class JournalReply : std::uint8_t {
    synced,   ///< Once the journal is on the disk.
    written,  ///< Once it is with the operating system: survives a crash of the process, not of the machine.
};

/// The smallest segment of a journal: the largest event fits into it several times.
inline constexpr std::size_t kJournalSegmentLeast = std::size_t{4} << 20;

/// From the most to the least said.
enum class LogLevel : std::uint8_t { trace, debug, info, warn, error };

/// How a line of the log is written.
enum class LogFormat : std::uint8_t { logfmt, json };

/// A switch whose callers dial by a plan.
struct SwitchPlan {
    std::string switch_name;
    std::string plan;

    friend bool operator==(const SwitchPlan&, const SwitchPlan&) = default;
};

struct Config {
    /// The switches' protocol. Sizes are bytes, counted for each connection alone.
    struct Resp {
        Endpoint listen{"127.0.0.1", 7379};
        std::string unix;  ///< Path of a Unix socket; empty = none.
        std::uint32_t arguments_max = 64;
        std::size_t command_bytes_max = 16 * kKiB;
        std::uint32_t arguments_before_auth_max = 8;      ///< At most `arguments_max`.
        std::size_t command_bytes_before_auth_max = 512;  ///< At most `command_bytes_max`.
        std::uint32_t commands_in_flight_max = 1024;      ///< Read, but not answered yet.
        std::size_t unread_bytes_max = kMiB;              ///< Answered, but not taken by the peer.
        std::uint32_t connections_max = 20'000;
        /// For those who have to log in, once users are declared.
        std::chrono::milliseconds login_timeout = std::chrono::seconds{60};
        Endpoint tls_listen{"", 0};   ///< For TLS, beside it; no host: none.
        std::string tls_certificate;  ///< Its chain, PEM.
        std::string tls_key;          ///< PEM.
        std::string tls_client_ca;    ///< Who may have signed clients' certificates; empty: none is asked.

        friend bool operator==(const Resp&, const Resp&) = default;
    };

    /// Administration, metrics and charging over HTTP.
    struct Http {
        Endpoint listen{"127.0.0.1", 7380};
        std::size_t body_bytes_max = kGiB;
        std::size_t header_bytes_max = 16 * kKiB;
        std::uint32_t connections_max = 256;
        std::chrono::milliseconds timeout =
            std::chrono::seconds{60};  ///< For a peer that sends or takes nothing.
        Endpoint tls_listen{"", 0};    ///< For HTTPS, beside it; no host: none.
        std::string tls_certificate;
        std::string tls_key;

        friend bool operator==(const Http&, const Http&) = default;
    };

    /// One upload of a tariff's price list.
    struct Deck {
        std::uint32_t rows_max = 2'000'000;
        std::uint32_t faults_max = 100;   ///< So many faulty rows are reported, the rest are counted.
        std::uint32_t versions_kept = 5;  ///< Of each tariff, the one in force included.

        friend bool operator==(const Deck&, const Deck&) = default;
    };

    struct Party {
        std::uint32_t max = 20'000'000;  ///< Parties of every kind together, closed ones too.

        friend bool operator==(const Party&, const Party&) = default;
    };

    /// A call from AUTHORIZE until it is forgotten; `docs/protocol.md` has its life.
    struct Session {
        std::chrono::seconds want = std::chrono::hours{1};      ///< Asked for where AUTHORIZE has no WANT.
        std::chrono::seconds longest = std::chrono::hours{24};  ///< No grant is longer. At least `shortest`.
        std::chrono::milliseconds hold = std::chrono::seconds{180};  ///< From AUTHORIZE to START.
        std::chrono::milliseconds grace = std::chrono::seconds{60};  ///< Beyond the grant, before it expires.
        std::chrono::milliseconds repeat = std::chrono::seconds{32};  ///< AUTHORIZE again is the same answer.
        std::chrono::milliseconds remember = std::chrono::hours{6};   ///< An ended session, for repeats.
        std::size_t remember_bytes = kGiB;                            ///< All ended sessions together.
        std::chrono::milliseconds late = std::chrono::hours{72};      ///< An expired one, for a late STOP.
        std::chrono::seconds shortest = std::chrono::seconds{1};      ///< Less is no grant.
        ExpiryCharge expired = ExpiryCharge::reported;
        std::vector<std::string> start;  ///< Switches whose sessions need a START, each once.
        std::uint32_t max = 16'000'000;  ///< Open and remembered sessions together.

        friend bool operator==(const Session&, const Session&) = default;
    };

    struct Request {
        std::chrono::milliseconds remember = std::chrono::hours{840};  ///< Request ids that moved money.

        friend bool operator==(const Request&, const Request&) = default;
    };

    /// The gateway for trying payments out; see docs/partners.md.
    struct Gateway {
        std::string secret_file;  ///< Whose first line is its secret; empty: there is no gateway.
        std::string url;          ///< A page that payers are sent to, the intent's id behind it; or empty.

        friend bool operator==(const Gateway&, const Gateway&) = default;
    };

    struct Restart {
        std::chrono::milliseconds grace =
            std::chrono::seconds{300};  ///< Nothing expires so soon after a start.

        friend bool operator==(const Restart&, const Restart&) = default;
    };

    struct Dial {
        /// Granted FREE whatever else holds; compared with the whole of the digits as dialled.
        std::vector<std::string> emergency{"112", "911"};
        std::vector<DialRule> plan;        ///< Of whoever names no dial plan.
        std::vector<SwitchPlan> switches;  ///< Each switch once. A plan need not exist.

        friend bool operator==(const Dial&, const Dial&) = default;
    };

    struct Journal {
        std::string dir;  ///< Directory; empty = no journal.
        JournalReply reply = JournalReply::synced;
        std::size_t segment_bytes = std::size_t{64} << 20;  ///< Of one file.
        std::uint32_t snapshot_segments = 4;                ///< A snapshot each time so many were begun.

        friend bool operator==(const Journal&, const Journal&) = default;
    };

    /// Everything as rows, and the journal once more: docs/schema.md.
    struct Postgres {
        std::string url;            ///< As libpq takes it; empty: there is none.
        std::string password_file;  ///< Whose first line is the password; empty: as libpq finds it.
        std::chrono::milliseconds timeout = std::chrono::seconds{30};
        std::size_t snapshot_bytes = std::size_t{256} << 20;  ///< Of events behind a snapshot there.
        std::uint32_t months_ahead = 3;                       ///< Partitions made before they are needed.

        friend bool operator==(const Postgres&, const Postgres&) = default;
    };

    /// A journal that is made anew from PostgreSQL.
    struct Restore {
        rating::Money reserve;  ///< Held back of every active party.

        friend bool operator==(const Restore&, const Restore&) = default;
    };

    /// Notifications by e-mail.
    struct Mail {
        MailRelay relay;
        std::string from{"tollgate@localhost"};  ///< An address; see config/mail_address.h.
        MailTls tls = MailTls::offered;
        std::string templates;  ///< Directory; empty = the built-in ones.
        std::chrono::milliseconds timeout = std::chrono::seconds{60};     ///< For a relay that says nothing.
        std::chrono::milliseconds retry_first = std::chrono::minutes{1};  ///< Doubled each time, up to
        std::chrono::milliseconds retry_longest = std::chrono::hours{1};  ///< this. At least `retry_first`.
        std::chrono::milliseconds give_up = std::chrono::hours{5 * 24};   ///< After the mail was made.
        std::uint32_t outbox_max = 100'000;  ///< Mails that are kept, sent ones too.

        friend bool operator==(const Mail&, const Mail&) = default;
    };

    struct Log {
        LogLevel level = LogLevel::info;
        LogFormat format = LogFormat::logfmt;
        std::uint32_t lines_a_minute = 60;  ///< Of one kind; 0 = any number.

        friend bool operator==(const Log&, const Log&) = default;
    };

    struct Memory {
        std::size_t max = 0;  ///< Of the process; 0 = what the control group allows.

        friend bool operator==(const Memory&, const Memory&) = default;
    };

    /// From SIGTERM to the end of the process.
    struct Shutdown {
        std::chrono::milliseconds delay{0};  ///< /readyz says no for so long before anything is refused.
        std::chrono::milliseconds timeout = std::chrono::seconds{20};  ///< Then nobody is waited for.

        friend bool operator==(const Shutdown&, const Shutdown&) = default;
    };

    struct Metrics {
        std::vector<std::string> destination_groups;  ///< Told apart, each once; none: the first there are.

        friend bool operator==(const Metrics&, const Metrics&) = default;
    };

    /// The commands that took longest.
    struct SlowLog {
        std::chrono::milliseconds threshold{10};  ///< Noted from here on.
        std::uint32_t max = 128;                  ///< Kept.

        friend bool operator==(const SlowLog&, const SlowLog&) = default;
    };

    /// Whatever follows the journal: Redis and the others below.
    struct Stores {
        std::chrono::milliseconds retry_first = std::chrono::milliseconds{250};  ///< Doubled each time, up to
        std::chrono::milliseconds retry_longest =
            std::chrono::seconds{30};             ///< this. At least `retry_first`.
        std::size_t batch_bytes_max = 16 * kMiB;  ///< Of events that are handed over at once.
        std::chrono::milliseconds lag_max =
            std::chrono::seconds{60};  ///< Beyond it /readyz says no; 0 = never.

        friend bool operator==(const Stores&, const Stores&) = default;
    };

    /// Balances and what happened, for portals to read.
    struct Redis {
        std::string url;            ///< Where it is; empty: there is none.
        std::string user;           ///< Empty: the default one.
        std::string password_file;  ///< Whose first line is the password; empty: none is asked for.
        std::string prefix{"tollgate"};
        std::uint32_t stream_max = 10'000;  ///< Entries of the stream, about.
        std::chrono::milliseconds timeout = std::chrono::seconds{5};

        friend bool operator==(const Redis&, const Redis&) = default;
    };

    /// Who is told over HTTP of what happens.
    struct Webhook {
        std::string url;                     ///< Empty: nobody.
        std::string secret_file;             ///< Whose first line signs what is sent.
        std::uint32_t pending_max = 10'000;  ///< Events that wait to be taken.
        std::uint32_t connections = 4;       ///< At the same time.
        std::chrono::milliseconds timeout = std::chrono::seconds{10};
        std::chrono::milliseconds give_up = std::chrono::hours{3 * 24};  ///< Of one event.

        friend bool operator==(const Webhook&, const Webhook&) = default;
    };

    /// Who may speak RESP; and a file of more of them.
    struct Users {
        std::string file;  ///< Of nothing but `[[user]]`; empty: none.

        friend bool operator==(const Users&, const Users&) = default;
    };

    std::uint32_t workers = 0;  ///< Threads that serve RESP; 0 = one a processor, at most kWorkersMax.
    Resp resp;
    Http http;
    Deck deck;
    Party party;
    Session session;
    Request request;
    Gateway gateway;
    Restart restart;
    Dial dial;
    Journal journal;
    Postgres postgres;
    Restore restore;
    Mail mail;
    Log log;
    Memory memory;
    Shutdown shutdown;
    Metrics metrics;
    SlowLog slowlog;
    Stores stores;
    Redis redis;
    Webhook webhook;
    Users users;
    /// Every `[[user]]`, of the file and of users.file; each name once. None: only this machine is served.
    std::vector<User> user;

    friend bool operator==(const Config&, const Config&) = default;
};

/// A configuration that cannot be used. what() has every fault that was found, one a line, each with its
/// place, key, value and the way out: `config/tollgate.toml:14: session.hold: "180" has no unit; write 180s,
/// 3m or 1h`.
class ConfigError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// The defaults, then what the TOML file at `path` sets, then the overrides, `KEY=VALUE` each, in their
/// order. An empty path is no file. The VALUE of an override is plain text, without quotes; a list is
/// `112,911` or a TOML array. Throws ConfigError. For `main` and its reload, not for the path of a call.
[[nodiscard]] Config load(const std::string& path, std::span<const std::string> overrides);

}  // namespace tollgate::config
