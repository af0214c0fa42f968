#include "config/config.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tollgate::config {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using Overrides = std::vector<std::string>;

/// A file that lives as long as the test, named after it.
class Load : public ::testing::Test {
  protected:
    Load()
        : path_(::testing::TempDir() + "tollgate_config_" +
                ::testing::UnitTest::GetInstance()->current_test_info()->name() + ".toml") {}
    ~Load() override { std::filesystem::remove(path_); }

    [[nodiscard]] Config load_text(const std::string& text, const Overrides& overrides = {}) const {
        std::ofstream(path_, std::ios::binary) << text;
        return load(path_, overrides);
    }

    /// All that load() complains of, each line's leading path written as `FILE`; `(none)` if it does not.
    [[nodiscard]] std::string complaint(const std::string& text, const Overrides& overrides = {}) const {
        try {
            static_cast<void>(load_text(text, overrides));
        } catch (const ConfigError& error) {
            std::string messages = error.what();
            for (std::size_t at = 0; (at = messages.find(path_, at)) != std::string::npos;) {
                messages.replace(at, path_.size(), "FILE");
            }
            return messages;
        }
        return "(none)";
    }

    /// The same for overrides alone.
    [[nodiscard]] static std::string complaint_of_set(const std::string& override_text) {
        try {
            static_cast<void>(load("", Overrides{override_text}));
        } catch (const ConfigError& error) {
            return error.what();
        }
        return "(none)";
    }

    [[nodiscard]] const std::string& path() const { return path_; }

  private:
    std::string path_;
};

TEST_F(Load, NoFileIsTheDefaults) {
    const Config config = load("", {});
    EXPECT_EQ(config, Config{});
    EXPECT_EQ(to_string(config.resp.listen), "127.0.0.1:7379");
    EXPECT_EQ(to_string(config.http.listen), "127.0.0.1:7380");
    EXPECT_EQ(config.session.want, seconds{3'600});
    EXPECT_EQ(config.session.hold, milliseconds{180'000});
    EXPECT_EQ(config.request.remember, hours{35 * 24});
    EXPECT_EQ(config.dial.emergency, (std::vector<std::string>{"112", "911"}));
}

TEST_F(Load, AnEmptyFileIsTheDefaults) {
    EXPECT_EQ(load_text(""), Config{});
    EXPECT_EQ(load_text("# nothing\n[session]\n[http]\n"), Config{});
    EXPECT_EQ(load_text("\xEF\xBB\xBF# a byte-order mark\r\n"), Config{});
}

// Goal: what the manual shows as defaults are the defaults. That it shows every key is a test of the table.
TEST_F(Load, TheManualIsTheDefaults) {
    EXPECT_EQ(load(TOLLGATE_CONFIG_MANUAL, {}), Config{});
}

TEST_F(Load, ReadsEveryKindOfValue) {
    const Config config = load_text(R"(workers = 4
dial.emergency = ["110", "112", "000"]
[resp]
listen = "[::1]:0"
unix = "/run/tollgate/resp.sock"
arguments_max = 1_024
command_bytes_max = "64 KiB"
unread_bytes_max = 65536
[session]
hold = "3m"
grace = "0s"
repeat = "500ms"
longest = "48h"
expired = "granted"
[log]
level = "debug"
)");
    EXPECT_EQ(config.workers, 4U);
    EXPECT_EQ(config.dial.emergency, (std::vector<std::string>{"110", "112", "000"}));
    EXPECT_EQ(config.resp.listen, (Endpoint{"::1", 0}));
    EXPECT_EQ(config.resp.unix, "/run/tollgate/resp.sock");
    EXPECT_EQ(config.resp.arguments_max, 1'024U);
    EXPECT_EQ(config.resp.command_bytes_max, 65'536U);
    EXPECT_EQ(config.resp.unread_bytes_max, 65'536U);
    EXPECT_EQ(config.session.hold, minutes{3});
    EXPECT_EQ(config.session.grace, seconds{0});
    EXPECT_EQ(config.session.repeat, milliseconds{500});
    EXPECT_EQ(config.session.longest, hours{48});
    EXPECT_EQ(config.session.expired, ExpiryCharge::granted);
    EXPECT_EQ(config.log.level, LogLevel::debug);
    EXPECT_EQ(config.http, Config{}.http) << "what is not in the file keeps its default";
}

TEST_F(Load, FaultNamesFileLineKeyValueAndWayOut) {
    EXPECT_EQ(complaint("# one\n[session]\nhold = 180\n"),
              R"(FILE:3: session.hold: "180" has no unit; write 180s, 3m or 1h)");
    EXPECT_EQ(complaint("[session]\nhold = \"180\"\n"),
              R"(FILE:2: session.hold: "180" has no unit; write 180s, 3m or 1h)");
    EXPECT_EQ(complaint("session.hold = \"180s\"\n"), "(none)");
}

// Goal: one run shows all that is wrong, in the order of the file, then of the command line.
TEST_F(Load, AllFaultsAreReportedTogether) {
    EXPECT_EQ(
        complaint("workers = 65\n"
                  "[session]\n"
                  "want = \"1500ms\"\n"
                  "hold = \"180s\"\n"
                  "expired = \"charged\"\n"
                  "[resp]\n"
                  "listen = \"127.0.0.1:70000\"\n"
                  "[deck]\n"
                  "rows_max = true\n",
                  {"workers=-1", "log.level=info", "log.level=loud"}),
        "FILE:1: workers: \"65\" is not a whole number from 0 to 64\n"
        "FILE:3: session.want: \"1500ms\" is not a length of time in whole seconds from 1s to 30d\n"
        "FILE:5: session.expired: \"charged\" is not one of reported, granted\n"
        "FILE:7: resp.listen: \"127.0.0.1:70000\" is not an IP address and a port from 0 to 65535, such as "
        "127.0.0.1:7379 or [::1]:7379\n"
        "FILE:9: deck.rows_max: \"true\" is not a whole number from 1 to 100000000\n"
        "--set workers=-1: \"-1\" is not a whole number from 0 to 64\n"
        "--set log.level=loud: \"loud\" is not one of trace, debug, info, warn, error");
}

TEST_F(Load, UnknownKeyNamesTheNearest) {
    EXPECT_EQ(complaint("[session]\nhodl = \"3m\"\n"),
              R"(FILE:2: session.hodl: no such key for the value "3m"; the nearest is session.hold)");
    EXPECT_EQ(complaint("[sesion]\nhold = \"3m\"\n"),
              R"(FILE:2: sesion.hold: no such key for the value "3m"; the nearest is session.hold)");
    EXPECT_EQ(complaint("worker = 3\n"),
              R"(FILE:1: worker: no such key for the value "3"; the nearest is workers)");
    EXPECT_EQ(complaint("[resp.tls]\nkey = 1\n"),
              R"(FILE:2: resp.tls.key: no such key for the value "1"; the nearest is resp.tls_key)");
    // One key with a dot in its name is not the key of a section.
    EXPECT_EQ(complaint("\"session.hold\" = \"3m\"\n"),
              R"(FILE:1: "session.hold": no such key for the value "3m"; the nearest is session.hold)");
    EXPECT_EQ(complaint("\"work\\ners\" = 1\n"),
              R"(FILE:1: "work\x0aers": no such key for the value "1"; the nearest is workers)");
}

TEST_F(Load, SectionIsNoKeyAndKeyIsNoSection) {
    EXPECT_EQ(
        complaint("session = 5\n"),
        R"(FILE:1: session: "5" is given to a section; give it to one of its keys, such as session.max)");
    EXPECT_EQ(complaint("[workers]\nnumber = 5\n"),
              R"(FILE:1: workers: "{...}" is not a whole number from 0 to 64)");
    EXPECT_EQ(complaint("[[log]]\nlevel = \"info\"\n"),
              R"(FILE:1: log: "[{...}]" is given to a section; give it to one of its keys, such as )"
              "log.level");
}

TEST_F(Load, DialPlansAreListsOfTexts) {
    EXPECT_EQ(complaint("[dial]\nplan = []\nswitches = []\nemergency = []\n"), "(none)");
    EXPECT_EQ(complaint("[dial]\nplan = ['00:2:', '*31#:4:', ':0:']\nswitches = ['a=b=c']\n"), "(none)");
    const std::vector<std::string> overrides{"dial.plan=00:2:,0:1:49"};
    const Config config = load({}, overrides);
    EXPECT_EQ(config.dial.plan, (std::vector<DialRule>{{"00", 2, ""}, {"0", 1, "49"}}));
    EXPECT_NE(complaint("[dial]\nplan = '00:2:'\n").find("; write [\"00:2:\", \"0:1:49\"]"),
              std::string::npos);
}

TEST_F(Load, SyntaxErrorNamesLineAndColumn) {
    const std::string open_text = complaint("[session]\nhold = \"180s\nwant = \"1h\"\n");
    EXPECT_TRUE(open_text.starts_with("FILE:2:13: not TOML: ")) << open_text;
    const std::string twice = complaint("workers = 1\nworkers = 2\n");
    EXPECT_TRUE(twice.starts_with("FILE:2:11: not TOML: ")) << twice;
    EXPECT_EQ(complaint("workers = 1'é'\n"), "FILE:1:12: not TOML: a quote cannot stand here");
    EXPECT_EQ(complaint("dial = {'emergency'=['1',\"2\"]}\nresp.\"unix\"=''\n'workers'=1"), "(none)");
    EXPECT_EQ(complaint("[séssion]\n"),
              "FILE:1:3: not TOML: only strings and comments may have letters beyond ASCII");
    EXPECT_EQ(complaint("workers = 1\n[session]\nhold = “3m”\n"),
              "FILE:3:8: not TOML: only strings and comments may have letters beyond ASCII");
    EXPECT_EQ(complaint("journal.dir = \"\\\"é#\" # é\nresp.unix = 'é\"' # é\n# é"), "(none)");
    EXPECT_EQ(complaint("resp.unix = ''\njournal.dir = \"\"\"\na\"\"\"\n"),
              "FILE:2:15: not TOML: no key takes a string of many lines");
    const std::string bad_utf8 = complaint("workers = \"\xff\"\n");
    EXPECT_TRUE(bad_utf8.starts_with("FILE:1:")) << bad_utf8;
    // On these toml++ 3.3 breaks an assertion of its own instead of complaining.
    EXPECT_EQ(complaint("workers = 1\n\n[.session]\nhold = \"3m\"\n"),
              "FILE:3:1: not TOML: this is neither a [section] nor KEY = VALUE");
    EXPECT_EQ(complaint("[$session]"), "FILE:1:1: not TOML: this is neither a [section] nor KEY = VALUE");
    // What the command line has to say is not lost for it.
    const std::string both = complaint("workers =\n", {"session.hold=180"});
    EXPECT_TRUE(both.starts_with("FILE:1:")) << both;
    EXPECT_TRUE(both.ends_with("\n--set session.hold=180: \"180\" has no unit; write 180s, 3m or 1h"))
        << both;
}

TEST_F(Load, AFileThatCannotBeReadSaysWhy) {
    EXPECT_THROW(
        {
            try {
                static_cast<void>(load("/nonexistent/tollgate.toml", {}));
            } catch (const ConfigError& error) {
                EXPECT_STREQ(error.what(),
                             "/nonexistent/tollgate.toml: cannot be opened: No such file or directory");
                throw;
            }
        },
        ConfigError);
    EXPECT_THROW(
        {
            try {
                static_cast<void>(load("/", {}));
            } catch (const ConfigError& error) {
                EXPECT_STREQ(error.what(), "/: cannot be read: Is a directory");
                throw;
            }
        },
        ConfigError);
}

TEST_F(Load, AFileOfTheWrongKindIsNotReadWhole) {
    EXPECT_EQ(complaint(std::string(256 * kKiB, '\n')), "(none)");
    EXPECT_EQ(complaint(std::string(256 * kKiB + 1, '\n')),
              "FILE: has more than 256 KiB, so it is hardly a configuration");
}

TEST_F(Load, RulesBetweenKeysNameWhatTheOperatorWrote) {
    EXPECT_EQ(complaint("[session]\nshortest = \"1m\"\nlongest = \"10s\"\n"),
              R"(FILE:3: session.longest: "10s" must be at least session.shortest, which is "1m")");
    EXPECT_EQ(complaint("[resp]\narguments_max = 16\n"), "(none)");
    EXPECT_EQ(
        complaint("[http]\nlisten = \"127.0.0.1:7379\"\n"),
        R"(FILE:2: http.listen: "127.0.0.1:7379" must differ from resp.listen, which is "127.0.0.1:7379")");
    EXPECT_EQ(complaint_of_set("resp.listen=127.0.0.1:7380"),
              R"(--set resp.listen=127.0.0.1:7380: "127.0.0.1:7380" must differ from http.listen, which is )"
              R"("127.0.0.1:7380")");
    EXPECT_EQ(
        complaint_of_set("resp.command_bytes_before_auth_max=1 MiB"),
        R"(--set resp.command_bytes_before_auth_max=1 MiB: "1 MiB" must be at most resp.command_bytes_max, )"
        R"(which is "16 KiB")");
    // A faulty value is one fault, and no ground for a second.
    EXPECT_EQ(complaint("[session]\nshortest = \"2m\"\nlongest = \"1m\"\n", {"session.longest=60"}),
              R"(--set session.longest=60: "60" has no unit; write 180s, 3m or 1h)");
}

TEST_F(Load, SetOverridesTheFileAndTheLastOneWins) {
    const Overrides overrides{"workers=2",          "workers=3",          "resp.listen=[::]:0",
                              "resp.unix=/run/a=b", "session.hold=2s",    "http.body_bytes_max=2 MiB",
                              "journal.dir=/var/a", "session.remember=2d"};
    const Config config = load_text("workers = 1\n[session]\nhold = \"1s\"\ngrace = \"5s\"\n", overrides);
    EXPECT_EQ(config.workers, 3U);
    EXPECT_EQ(config.resp.listen, (Endpoint{"::", 0}));
    EXPECT_EQ(config.resp.unix, "/run/a=b");
    EXPECT_EQ(config.session.hold, seconds{2});
    EXPECT_EQ(config.session.grace, seconds{5});
    EXPECT_EQ(config.http.body_bytes_max, 2 * kMiB);
    EXPECT_EQ(config.journal.dir, "/var/a");
    EXPECT_EQ(config.session.remember, hours{48});
}

TEST_F(Load, SetReadsListsInBothForms) {
    const auto emergency = [](const std::string& value) {
        return load("", Overrides{"dial.emergency=" + value}).dial.emergency;
    };
    using List = std::vector<std::string>;
    EXPECT_EQ(emergency("110"), (List{"110"}));
    EXPECT_EQ(emergency("110,112"), (List{"110", "112"}));
    EXPECT_EQ(emergency(" 110 , 112 "), (List{"110", "112"}));
    EXPECT_EQ(emergency(R"(["110", '112'])"), (List{"110", "112"}));
    EXPECT_EQ(emergency(""), List{});
    EXPECT_EQ(emergency("[]"), List{});
}

TEST_F(Load, SetRefusesBrokenLists) {
    EXPECT_EQ(complaint_of_set("dial.emergency=110,"),
              R"(--set dial.emergency=110,: "" is not a number of 1 to 32 digits)");
    EXPECT_EQ(complaint_of_set("dial.emergency=110,,112"),
              R"(--set dial.emergency=110,,112: "" is not a number of 1 to 32 digits)");
    EXPECT_EQ(complaint_of_set("dial.emergency=+112"),
              R"(--set dial.emergency=+112: "+112" is not a number of 1 to 32 digits)");
    EXPECT_EQ(complaint_of_set("dial.emergency=[112]"),
              R"(--set dial.emergency=[112]: "112" is not a number of 1 to 32 digits; write it in quotes)");
    EXPECT_EQ(complaint_of_set(R"(dial.emergency=["112")"),
              R"(--set dial.emergency=["112": "["112"" is not a TOML array such as ["112", "911"])");
    EXPECT_EQ(complaint_of_set("dial.emergency=[]\nworkers = 5"),
              R"(--set dial.emergency=[]\x0aworkers = 5: "[]\x0aworkers = 5" is not a TOML array such as )"
              R"(["112", "911"])");
}

TEST_F(Load, SetFaultsSayWhatWasSet) {
    EXPECT_EQ(complaint_of_set("session.hold=180"),
              R"(--set session.hold=180: "180" has no unit; write 180s, 3m or 1h)");
    EXPECT_EQ(complaint_of_set("session.hold"),
              "--set session.hold: has no value; write --set KEY=VALUE, such as --set session.hold=180s");
    EXPECT_EQ(complaint_of_set("sesion.hold=3m"),
              R"(--set sesion.hold=3m: no such key for the value "3m"; the nearest is session.hold)");
    EXPECT_EQ(
        complaint_of_set("session=3m"),
        R"(--set session=3m: "3m" is given to a section; give it to one of its keys, such as session.max)");
    EXPECT_EQ(complaint_of_set("log.level=\"debug\""),
              R"(--set log.level="debug": ""debug"" is not one of trace, debug, info, warn, error)");
}

// Goal: a file made to hurt ends in a message, not in a stack overflow.
TEST_F(Load, DeepNestingIsAFault) {
    const auto dotted = [](std::size_t bytes) {
        std::string key = "a";
        while (key.size() + 2 <= bytes)
            key += ".a";
        return key;
    };
    EXPECT_EQ(complaint("#\n" + dotted(250 * kKiB) + " = 1\n"),
              "FILE:2:1: not TOML: this line is longer than 4 KiB");
    const std::string brackets = complaint("a = " + std::string(4'000, '[') + "\n");
    EXPECT_TRUE(brackets.starts_with("FILE:1:")) << brackets;
    EXPECT_NE(complaint("[" + dotted(4'090) + "]\n" + dotted(4'090) + " = 1\n"), "(none)");
    EXPECT_EQ(complaint("# " + std::string(4 * kKiB - 3, 'x') + "\nworkers = 1"), "(none)");
    EXPECT_NE(complaint_of_set("dial.emergency=[{" + dotted(100 * kKiB) + " = 1}]"), "(none)");
}

}  // namespace
}  // namespace tollgate::config
