// The commands that Redis clients send of their own accord, answered as they need it to go on.

#include <array>

#include "daemon/commands/arguments.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/sender.h"
#include "daemon/commands/table.h"
#include "protocol/resp_writer.h"

namespace tollgate::daemon::commands {

using protocol::RespWriter;

/// What this version of the daemon says it is as a Redis: clients choose what to send by it.
constexpr std::string_view kRedisVersion = "7.0.0";

void ping(Context&, Words words, std::string& out) {
    RespWriter writer{out};
    if (words.size() == 2) return writer.bulk(words[1]);
    writer.simple("PONG");
}

void echo(Context&, Words words, std::string& out) {
    RespWriter{out}.bulk(words[1]);
}

void select(Context&, Words words, std::string& out) {
    RespWriter writer{out};
    if (words[1] != "0") return writer.error("ERR DB index is out of range; expected SELECT 0");
    writer.simple("OK");
}

void quit(Context& context, Words, std::string& out) {
    context.client.closing = true;
    RespWriter{out}.simple("OK");
}

void reset(Context& context, Words, std::string& out) {
    context.client.name.clear();
    context.client.resp_version = 2;
    if (context.client.user != nullptr) {
        context.client.user = nullptr;
        context.client.let_in = false;
    }
    context.services.clients.rename(context.client.id, {});
    RespWriter{out}.simple("RESET");
}

void time(Context& context, Words, std::string& out) {
    const auto micros =
        std::chrono::floor<std::chrono::microseconds>(context.now.wall).time_since_epoch().count();
    RespWriter writer{out};
    writer.array(2);
    writer.bulk_integer(micros / 1'000'000);
    writer.bulk_integer(micros % 1'000'000);
}

namespace {

/// Keeps what is to be compared; false, with an answer, where there is nobody to be.
bool begin_login(Context& context, std::string_view user, std::string_view password,
                 std::optional<Login::Hello> hello, std::string& out) {
    const auto* const users = context.services.users;
    if (users == nullptr || users->is_empty()) {
        RespWriter{out}.error(
            "ERR AUTH called without any user declared: only loopback and the Unix socket are served, as "
            "admin; "
            "leave the password out of the client's settings");
        return false;
    }
    context.client.login =
        Login{std::string{user}, std::string{password}, context.stopwatch.read_at, std::move(hello)};
    return true;
}

bool set_name(Context& context, std::string_view name, RespWriter& writer) {
    const bool odd =
        name.size() > kClientNameBytesMax || name.find_first_of(" \r\n\t") != std::string_view::npos;
    if (odd) {
        writer.error(
            "ERR Client names cannot contain spaces, newlines or special characters, and have at most 64 "
            "bytes");
        return false;
    }
    context.client.name = name;
    context.services.clients.rename(context.client.id, context.client.name);
    return true;
}

void write_hello(const Context& context, RespWriter writer) {
    constexpr std::size_t kFields = 7;
    const int version = context.client.resp_version;
    if (version == 3) {
        writer.map(kFields);
    } else {
        writer.array(2 * kFields);
    }
    writer.bulk("server");
    writer.bulk("tollgate");
    writer.bulk("version");
    writer.bulk(kRedisVersion);
    writer.bulk("proto");
    writer.integer(version);
    writer.bulk("id");
    writer.integer(static_cast<std::int64_t>(context.client.id));
    writer.bulk("mode");
    writer.bulk("standalone");
    writer.bulk("role");
    writer.bulk("master");
    writer.bulk("modules");
    writer.array(0);
}

}  // namespace

void auth(Context& context, Words words, std::string& out) {
    if (words.size() > 3)
        return RespWriter{out}.error(
            "ERR wrong number of arguments for 'AUTH'; expected AUTH [user] password");
    const bool named = words.size() == 3;
    (void)begin_login(context, named ? words[1] : std::string_view{}, words.back(), std::nullopt, out);
}

namespace {

void write_login(Context& context, const access::User* user, std::chrono::nanoseconds wait,
                 const Login& login, std::string& out) {
    Client& client = context.client;
    RespWriter writer{out};
    if (wait > std::chrono::nanoseconds{0}) {
        return writer.error("BUSY retry after " +
                            std::to_string(std::chrono::ceil<std::chrono::milliseconds>(wait).count()) +
                            " ms: too many attempts to log in");
    }
    if (user == nullptr) return writer.error("WRONGPASS invalid username-password pair or user is disabled.");
    client.user = user;
    client.let_in = true;
    if (!login.hello) return writer.simple("OK");
    if (login.hello->client_name && !set_name(context, *login.hello->client_name, writer)) return;
    client.resp_version = login.hello->resp_version;
    write_hello(context, writer);
}

}  // namespace

void answer_login(Context& context, const access::User* user, std::chrono::nanoseconds wait,
                  std::string& out) {
    Login login = std::move(*context.client.login);
    context.client.login.reset();
    access::wipe(login.password);
    const std::size_t before = out.size();
    write_login(context, user, wait, login, out);
    // The wait for its hash is part of it; for the list of slow commands it is not, which no hash keeps busy.
    context.stopwatch.read_at = login.read_at;
    const std::array<std::string_view, 1> words{login.hello ? "HELLO" : "AUTH"};
    count_answer(context, place_of(words[0]), words, std::string_view{out}.substr(before));
}

void hello(Context& context, Words words, std::string& out) {
    RespWriter writer{out};
    int version = context.client.resp_version;
    std::string_view name;
    bool named = false;
    std::optional<Words> credentials;
    for (std::size_t i = 1; i < words.size(); ++i) {
        if (i == 1) {
            if (words[1] != "2" && words[1] != "3")
                return writer.error("NOPROTO unsupported protocol version");
            version = words[1] == "3" ? 3 : 2;
        } else if (is_word(words[i], "SETNAME") && i + 1 < words.size()) {
            name = words[++i];
            named = true;
        } else if (is_word(words[i], "AUTH") && i + 2 < words.size()) {
            credentials = words.subspan(i + 1, 2);
            i += 2;
        } else {
            return writer.error(
                "ERR Syntax error in HELLO option; expected HELLO [2|3 [AUTH user password] [SETNAME name]]");
        }
    }
    if (credentials) {
        Login::Hello hello{version, std::nullopt};
        if (named) hello.client_name = name;
        (void)begin_login(context, (*credentials)[0], (*credentials)[1], std::move(hello), out);
        return;
    }
    if (!context.client.let_in) {
        return writer.error(
            "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> "
            "AUTH "
            "<user> <pass> option can be used to authenticate the client and select the RESP protocol "
            "version "
            "at the same time");
    }
    if (named && !set_name(context, name, writer)) return;
    context.client.resp_version = version;
    write_hello(context, writer);
}

void client(Context& context, Words words, std::string& out) {
    RespWriter writer{out};
    Client& self = context.client;
    if (is_word(words[1], "SETINFO") && words.size() == 4) {
        const bool version = is_word(words[2], "LIB-VER");
        if (!version && !is_word(words[2], "LIB-NAME"))
            return writer.error("ERR Unrecognized option; expected LIB-NAME or LIB-VER");
        (version ? self.library_version : self.library) = words[3].substr(0, kClientNameBytesMax);
        return writer.simple("OK");
    }
    if (is_word(words[1], "SETNAME") && words.size() == 3) {
        if (set_name(context, words[2], writer)) writer.simple("OK");
        return;
    }
    if (is_word(words[1], "GETNAME") && words.size() == 2) {
        if (self.name.empty()) return writer.null_bulk();
        return writer.bulk(self.name);
    }
    if (is_word(words[1], "ID") && words.size() == 2)
        return writer.integer(static_cast<std::int64_t>(self.id));
    if (is_word(words[1], "LIST") && words.size() == 2) {
        std::string text;
        for (const auto& entry : context.services.clients.list()) {
            if (entry.id != self.id && !may(self, Need::daemon)) continue;
            const auto age =
                std::chrono::floor<std::chrono::seconds>(context.now.steady - entry.connected_at);
            text += "id=" + std::to_string(entry.id) + " addr=" + entry.address + " name=" + entry.name +
                    " age=" + std::to_string(age.count()) + "\n";
        }
        return writer.bulk(text);
    }
    writer.error(
        "ERR unknown subcommand or wrong arguments for 'CLIENT'; expected SETINFO, SETNAME, GETNAME, ID or "
        "LIST");
}

void config(Context&, Words words, std::string& out) {
    RespWriter writer{out};
    if (!is_word(words[1], "GET")) {
        return writer.error(
            "ERR CONFIG only knows GET; the configuration is a file, see config/tollgate.toml");
    }
    writer.array(0);
}

void sentinel(Context& context, Words words, std::string& out) {
    RespWriter writer{out};
    if (!is_word(words[1], "GET-MASTER-ADDR-BY-NAME") || words.size() != 3) {
        return writer.error("ERR SENTINEL only knows get-master-addr-by-name name");
    }
    writer.array(2);
    writer.bulk("127.0.0.1");
    writer.bulk_integer(context.services.facts.resp_port);
}

void refused(Context&, Words words, std::string& out) {
    RespWriter writer{out};
    if (is_word(words[0], "CLUSTER")) return writer.error("ERR This instance has cluster support disabled");
    if (is_word(words[0], "SHUTDOWN"))
        return writer.error("ERR SHUTDOWN is refused: stop the process with SIGTERM");
    writer.error("ERR '" + std::string{words[0]} + "' is refused: this is a charging system, not a database");
}

}  // namespace tollgate::daemon::commands
