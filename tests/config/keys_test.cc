#include "config/keys.h"

#include <fstream>
#include <map>
#include <set>
#include <string>
#include <tuple>

#include <gtest/gtest.h>

namespace tollgate::config {
namespace {

/// What the manual says of one key: the comment that stands right above it.
struct Paragraph {
    std::string comment;  ///< Its lines joined by spaces, without the number signs.
};

/// Reads the manual as a person does, line by line and without a TOML parser: the keys that are set, by name.
std::map<std::string, Paragraph> read_manual() {
    std::map<std::string, Paragraph> paragraphs;
    std::ifstream manual(TOLLGATE_CONFIG_MANUAL);
    EXPECT_TRUE(manual) << "cannot read " TOLLGATE_CONFIG_MANUAL;
    std::string section;
    std::string comment;
    for (std::string line; std::getline(manual, line);) {
        if (line.starts_with("# ")) {
            comment += line.substr(1);
        } else if (line.starts_with('[')) {
            section = line.substr(1, line.find(']') - 1) + '.';
            comment.clear();
        } else if (const std::size_t equals = line.find(" = "); equals != std::string::npos) {
            paragraphs[section + line.substr(0, equals)] = {comment};
            comment.clear();
        } else {
            comment.clear();
        }
    }
    return paragraphs;
}

// Goal: the manual and the program name the same keys, with the same units and ranges.
// Method: each key of the table stands in the manual, below a comment that ends with
// the table's own words; and the manual has no other. That the values there are the defaults is
// Load.TheManualIsTheDefaults.
TEST(Keys, EachIsInTheManualWithItsRangeAndNoOther) {
    std::map<std::string, Paragraph> manual = read_manual();
    for (const Key& key : keys()) {
        const std::string name{key.name};
        EXPECT_TRUE(manual.contains(name)) << name;
        const std::string ending = " Takes " + key.expects + '.';
        EXPECT_TRUE(manual[name].comment.ends_with(ending))
            << name << ": expected '" << ending << "' at the end of '" << manual[name].comment << "'";
        EXPECT_GT(manual[name].comment.size(), ending.size())
            << name << ": the manual does not say what it does";
        manual.erase(name);
    }
    for (const auto& [name, paragraph] : manual)
        ADD_FAILURE() << name << " is in the manual, but not in the table";
}

TEST(Keys, HaveNamesOfTheirOwn) {
    std::set<std::string_view> names;
    for (const Key& key : keys())
        EXPECT_TRUE(names.insert(key.name).second) << key.name;
    EXPECT_EQ(names.size(), 91U);
}

// Goal: no two keys share a field, and no key forgets its own.
// Method: give each key of a default Config another value; what it shows changes, what all others show does
// not.
TEST(Keys, EachHasAFieldOfItsOwn) {
    const std::map<std::string_view, std::string> another_value{
        {"workers", "3"},
        {"resp.listen", "[::1]:1"},
        {"resp.unix", "/run/a"},
        {"resp.arguments_max", "65"},
        {"resp.command_bytes_max", "17 KiB"},
        {"resp.arguments_before_auth_max", "9"},
        {"resp.command_bytes_before_auth_max", "513"},
        {"resp.commands_in_flight_max", "1025"},
        {"resp.unread_bytes_max", "2 MiB"},
        {"resp.connections_max", "20001"},
        {"resp.login_timeout", "61s"},
        {"http.listen", "0.0.0.0:2"},
        {"http.body_bytes_max", "2 GiB"},
        {"http.header_bytes_max", "17 KiB"},
        {"http.connections_max", "257"},
        {"http.timeout", "61s"},
        {"deck.rows_max", "2000001"},
        {"deck.faults_max", "101"},
        {"deck.versions_kept", "6"},
        {"party.max", "20000001"},
        {"session.want", "2h"},
        {"session.longest", "25h"},
        {"session.hold", "181s"},
        {"session.grace", "61s"},
        {"session.repeat", "33s"},
        {"session.remember", "7h"},
        {"session.remember_bytes", "2 GiB"},
        {"session.late", "73h"},
        {"session.shortest", "2s"},
        {"session.expired", "granted"},
        {"session.start", "sbc"},
        {"session.max", "16000001"},
        {"request.remember", "841h"},
        {"gateway.secret_file", "/etc/tollgate/gateway.secret"},
        {"gateway.url", "https://pay.example.com/"},
        {"restart.grace", "301s"},
        {"dial.emergency", "110"},
        {"dial.plan", "00:2:"},
        {"dial.switches", "sbc=national"},
        {"journal.dir", "/var/a"},
        {"journal.reply", "written"},
        {"journal.segment_bytes", "65 MiB"},
        {"journal.snapshot_segments", "5"},
        {"postgres.url", "postgresql://tollgate@db/tollgate"},
        {"postgres.password_file", "/etc/tollgate/postgres.password"},
        {"postgres.timeout", "31s"},
        {"postgres.snapshot_bytes", "257 MiB"},
        {"postgres.months_ahead", "4"},
        {"restore.reserve", "2.5"},
        {"mail.relay", "mail.example.com:25"},
        {"mail.from", "a@b"},
        {"mail.tls", "required"},
        {"mail.templates", "/etc/a"},
        {"mail.timeout", "61s"},
        {"mail.retry_first", "2m"},
        {"mail.retry_longest", "2h"},
        {"mail.give_up", "6d"},
        {"mail.outbox_max", "100001"},
        {"log.level", "trace"},
        {"log.format", "json"},
        {"log.lines_a_minute", "61"},
        {"memory.max", "1 GiB"},
        {"shutdown.delay", "1s"},
        {"shutdown.timeout", "21s"},
        {"metrics.destination_groups", "mobile"},
        {"slowlog.threshold", "11ms"},
        {"slowlog.max", "129"},
        {"stores.retry_first", "300ms"},
        {"stores.retry_longest", "1m"},
        {"stores.batch_bytes_max", "9 MiB"},
        {"stores.lag_max", "2m"},
        {"redis.url", "redis://127.0.0.1:6379"},
        {"redis.user", "tollgate"},
        {"redis.password_file", "/etc/tollgate/redis.secret"},
        {"redis.prefix", "tg"},
        {"redis.stream_max", "10001"},
        {"redis.timeout", "6s"},
        {"webhook.url", "https://hooks.example.com/"},
        {"webhook.secret_file", "/etc/tollgate/webhook.secret"},
        {"webhook.pending_max", "10001"},
        {"webhook.connections", "5"},
        {"webhook.timeout", "11s"},
        {"webhook.give_up", "4d"},
        {"users.file", "/etc/tollgate/users.toml"},
        {"resp.tls_listen", "[::1]:3"},
        {"resp.tls_certificate", "/etc/tollgate/resp.pem"},
        {"resp.tls_key", "/etc/tollgate/resp.key"},
        {"resp.tls_client_ca", "/etc/tollgate/switches.pem"},
        {"http.tls_listen", "0.0.0.0:4"},
        {"http.tls_certificate", "/etc/tollgate/http.pem"},
        {"http.tls_key", "/etc/tollgate/http.key"},
    };
    const Config defaults;
    for (const Key& changed : keys()) {
        ASSERT_TRUE(another_value.contains(changed.name)) << changed.name << ": give it a value above";
        Written value{Written::Form::plain, another_value.at(changed.name), {}};
        if (changed.takes_list) value = {Written::Form::list, value.text, {value}};
        Config config;
        ASSERT_FALSE(changed.read(value, config)) << changed.name;
        for (const Key& key : keys()) {
            EXPECT_EQ(key.show(config) == key.show(defaults), key.name != changed.name)
                << key.name << " after " << changed.name << " was set";
        }
    }
}

// Goal: a value that is refused leaves the field as it was.
TEST(Keys, RefusedValueChangesNothing) {
    for (const Key& key : keys()) {
        Config config;
        EXPECT_TRUE(key.read({Written::Form::other, "1.5", {}}, config)) << key.name;
        EXPECT_EQ(config, Config{}) << key.name;
    }
}

TEST(Keys, AreFoundByExactName) {
    ASSERT_NE(find_key("session.hold"), nullptr);
    EXPECT_EQ(find_key("session.hold")->name, "session.hold");
    for (const char* name :
         {"", "session", "session.", "hold", "Session.hold", "session.hold ", "session.holds"}) {
        EXPECT_EQ(find_key(name), nullptr) << name;
    }
}

TEST(Keys, SectionsAreWhatStandsBeforeADot) {
    EXPECT_TRUE(is_section("session"));
    EXPECT_TRUE(is_section("dial"));
    for (const char* name : {"", "sess", "session.", "session.hold", "workers"}) {
        EXPECT_FALSE(is_section(name)) << name;
    }
}

TEST(Keys, NearestIsByEditDistance) {
    EXPECT_EQ(nearest_key("sesion.hold").name, "session.hold");
    EXPECT_EQ(nearest_key("session.hodl").name, "session.hold");
    EXPECT_EQ(nearest_key("worker").name, "workers");
    EXPECT_EQ(nearest_key("htpp.listen").name, "http.listen");
    EXPECT_EQ(nearest_key("session.hold").name, "session.hold");
    EXPECT_EQ(nearest_key("dial.plans").name, "dial.plan");
    EXPECT_FALSE(nearest_key(std::string(100'000, 'x')).name.empty());
}

TEST(Conflicts, DefaultsHaveNone) {
    EXPECT_TRUE(conflicts(Config{}).empty());
}

// Goal: each rule between two keys refuses what is just beyond it and allows what is just at it.
TEST(Conflicts, AreToldOfBothKeys) {
    Config config;
    config.session.longest = std::chrono::seconds{9};
    config.session.shortest = std::chrono::seconds{10};
    ASSERT_EQ(conflicts(config).size(), 1U);
    EXPECT_EQ(conflicts(config)[0].key, "session.longest");
    EXPECT_EQ(conflicts(config)[0].other, "session.shortest");
    EXPECT_EQ(conflicts(config)[0].complaint, R"("9s" must be at least session.shortest, which is "10s")");
    EXPECT_EQ(conflicts(config)[0].other_complaint,
              R"("10s" must be at most session.longest, which is "9s")");
    config.session.longest = std::chrono::seconds{10};
    EXPECT_TRUE(conflicts(config).empty());

    config.resp.arguments_before_auth_max = 65;
    ASSERT_EQ(conflicts(config).size(), 1U);
    EXPECT_EQ(conflicts(config)[0].complaint, R"("65" must be at most resp.arguments_max, which is "64")");
    config.resp.arguments_max = 65;
    EXPECT_TRUE(conflicts(config).empty());

    config.resp.command_bytes_before_auth_max = 16 * kKiB + 1;
    ASSERT_EQ(conflicts(config).size(), 1U);
    EXPECT_EQ(conflicts(config)[0].complaint,
              R"("16385" must be at most resp.command_bytes_max, which is "16 KiB")");
    config.resp.command_bytes_before_auth_max = 16 * kKiB;
    EXPECT_TRUE(conflicts(config).empty());

    config.mail.retry_longest = std::chrono::seconds{59};
    ASSERT_EQ(conflicts(config).size(), 1U);
    EXPECT_EQ(conflicts(config)[0].complaint, R"("59s" must be at least mail.retry_first, which is "1m")");
    config.mail.retry_longest = std::chrono::seconds{60};
    EXPECT_TRUE(conflicts(config).empty());

    config.stores.retry_longest = std::chrono::milliseconds{249};
    ASSERT_EQ(conflicts(config).size(), 1U);
    EXPECT_EQ(conflicts(config)[0].complaint,
              R"("249ms" must be at least stores.retry_first, which is "250ms")");
    config.stores.retry_longest = std::chrono::milliseconds{250};
    EXPECT_TRUE(conflicts(config).empty());

    for (const auto& [section, listen, certificate, key] :
         {std::tuple{"resp", &config.resp.tls_listen, &config.resp.tls_certificate, &config.resp.tls_key},
          std::tuple{"http", &config.http.tls_listen, &config.http.tls_certificate, &config.http.tls_key}}) {
        *listen = {"127.0.0.1", 7443};
        EXPECT_EQ(conflicts(config).size(), 2U) << section;
        *certificate = "a";
        ASSERT_EQ(conflicts(config).size(), 1U) << section;
        EXPECT_EQ(conflicts(config)[0].complaint,
                  "\"127.0.0.1:7443\" needs " + std::string{section} + ".tls_key, which is \"\"");
        *key = "b";
        EXPECT_TRUE(conflicts(config).empty()) << section;
    }

    config.http.listen = config.resp.listen;
    ASSERT_EQ(conflicts(config).size(), 1U);
    EXPECT_EQ(conflicts(config)[0].complaint,
              R"("127.0.0.1:7379" must differ from resp.listen, which is "127.0.0.1:7379")");
    config.http.listen.port = config.resp.listen.port = 0;  // Any free port twice is two ports.
    EXPECT_TRUE(conflicts(config).empty());
}

}  // namespace
}  // namespace tollgate::config
