#include "daemon/mail/smtp_client.h"

#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace tollgate::daemon::mail {
namespace {

using std::chrono::milliseconds;

/// A relay that answers as it is told to: to the connection (`""`), to each verb, and to the mail itself
/// (`"."`). Where it is told nothing it takes everything. An answer of nothing is silence; `hang up` hangs
/// up.
class ScriptedRelay {
  public:
    explicit ScriptedRelay(std::map<std::string, std::string> answers) : answers_(std::move(answers)) {
        listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* const generic = reinterpret_cast<sockaddr*>(&address);
        EXPECT_EQ(bind(listener_, generic, size), 0);
        EXPECT_EQ(listen(listener_, 8), 0);
        EXPECT_EQ(getsockname(listener_, generic, &size), 0);
        port_ = ntohs(address.sin_port);
        thread_ = std::jthread{[this](const std::stop_token& stop) { run(stop); }};
    }
    ScriptedRelay(const ScriptedRelay&) = delete;
    ScriptedRelay& operator=(const ScriptedRelay&) = delete;
    ~ScriptedRelay() {
        thread_.request_stop();
        thread_.join();
        close(listener_);
    }

    [[nodiscard]] SmtpSettings settings() const {
        return {{"127.0.0.1", port_}, config::MailTls::offered, milliseconds{1000}};
    }
    /// All lines that came, without their ends.
    [[nodiscard]] std::vector<std::string> lines() const {
        const std::lock_guard lock{mutex_};
        return lines_;
    }

  private:
    static bool readable(int file) {
        pollfd waiting{file, POLLIN, 0};
        return poll(&waiting, 1, 20) == 1;
    }

    /// False: hang up.
    [[nodiscard]] bool answer(int peer, const std::string& to, std::string usual) const {
        const auto told = answers_.find(to);
        if (told != answers_.end()) usual = told->second;
        if (usual == "hang up") return false;
        if (usual.empty()) return true;
        usual += "\r\n";
        return send(peer, usual.data(), usual.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(usual.size());
    }

    void run(const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            if (!readable(listener_)) continue;
            const int peer = accept(listener_, nullptr, nullptr);
            serve(peer, stop);
            close(peer);
        }
    }

    void serve(int peer, const std::stop_token& stop) {
        if (!answer(peer, "", "220 relay")) return;
        bool in_mail = false;
        std::string unread;
        while (!stop.stop_requested()) {
            const std::size_t end = unread.find("\r\n");
            if (end == std::string::npos) {
                if (!readable(peer)) continue;
                std::array<char, 4096> bytes{};
                const ssize_t size = recv(peer, bytes.data(), bytes.size(), 0);
                if (size <= 0) return;
                unread.append(bytes.data(), static_cast<std::size_t>(size));
                continue;
            }
            const std::string line = unread.substr(0, end);
            unread.erase(0, end + 2);
            {
                const std::lock_guard lock{mutex_};
                lines_.push_back(line);
            }
            if (in_mail) {
                if (line != ".") continue;
                in_mail = false;
                if (!answer(peer, ".", "250 taken")) return;
                continue;
            }
            const std::string verb = line.substr(0, 4);
            if (!answer(peer, verb, verb == "DATA" ? "354 go on" : verb == "QUIT" ? "221 bye" : "250 fine"))
                return;
            in_mail = verb == "DATA" && !answers_.contains("DATA");
            if (verb == "QUIT") return;
        }
    }

    std::map<std::string, std::string> answers_;
    int listener_ = -1;
    std::uint16_t port_ = 0;
    mutable std::mutex mutex_;
    std::vector<std::string> lines_;
    std::jthread thread_;
};

SendResult send_to(const ScriptedRelay& relay) {
    return SmtpClient{relay.settings()}.send("from@example.com", "to@example.com", "Subject: a\r\n\r\nb\r\n");
}

SendResult send_where(std::map<std::string, std::string> answers) {
    const ScriptedRelay relay{std::move(answers)};
    return send_to(relay);
}

TEST(SmtpClientThreads, SaysWhatRfc5321HasItSay) {
    const ScriptedRelay relay{{}};
    const SendResult result = send_to(relay);
    EXPECT_EQ(result.status, SendStatus::sent) << result.answer;
    EXPECT_EQ(result.answer, "");
    std::vector<std::string> lines = relay.lines();
    ASSERT_EQ(lines.size(), 9U);
    EXPECT_TRUE(lines[0].starts_with("EHLO ")) << lines[0];
    lines.erase(lines.begin());
    const std::vector<std::string> expected = {"MAIL FROM:<from@example.com>",
                                               "RCPT TO:<to@example.com>",
                                               "DATA",
                                               "Subject: a",
                                               "",
                                               "b",
                                               ".",
                                               "QUIT"};
    EXPECT_EQ(lines, expected);
}

// Goal: a line with nothing but a dot does not end the mail, and arrives.
TEST(SmtpClientThreads, DotsStayInTheMail) {
    const ScriptedRelay relay{{}};
    const SendResult result =
        SmtpClient{relay.settings()}.send("a@b", "c@d", "X: y\r\n\r\n.\r\nRCPT TO:<e@f>\r\n..\r\n");
    EXPECT_EQ(result.status, SendStatus::sent) << result.answer;
    const std::vector<std::string> lines = relay.lines();
    ASSERT_EQ(lines.size(), 11U);
    EXPECT_EQ(lines[6], "..");
    EXPECT_EQ(lines[7], "RCPT TO:<e@f>");
    EXPECT_EQ(lines[8], "...");
    EXPECT_EQ(lines[9], ".");
}

// Goal: 4xx is "later" and 5xx is "never", whatever it answers, and the relay's words are told.
TEST(SmtpClientThreads, RefusalsAreToldApart) {
    for (const char* step : {"", "MAIL", "RCPT", "DATA", "."}) {
        const SendResult later = send_where({{step, "451 4.3.0 not now"}});
        EXPECT_EQ(later.status, SendStatus::later) << step;
        EXPECT_EQ(later.answer, "451 4.3.0 not now") << step;
        const SendResult never = send_where({{step, "550-5.1.1 no\r\n550 5.1.1 never"}});
        EXPECT_EQ(never.status, SendStatus::never) << step;
        EXPECT_EQ(never.answer, "550 5.1.1 never") << step;
    }
}

// Goal: what was refused and then got over is not why something else failed.
TEST(SmtpClientThreads, ARelayWithoutEhloIsOne) {
    EXPECT_EQ(send_where({{"EHLO", "502 what?"}}).status, SendStatus::sent);
    EXPECT_EQ(send_where({{"EHLO", "502 what?"}, {"RCPT", "hang up"}}).status, SendStatus::unreachable);
}

TEST(SmtpClientThreads, WhoHangsUpIsTriedAgain) {
    for (const char* step : {"", "EHLO", "MAIL", "RCPT", "DATA", "."}) {
        const SendResult result = send_where({{step, "hang up"}});
        EXPECT_EQ(result.status, SendStatus::unreachable) << step;
        EXPECT_NE(result.answer, "") << step;
    }
}

// Method: the time-out is one second.
TEST(SmtpClientThreads, WhoSaysNothingIsTriedAgain) {
    for (const char* step : {"", "RCPT", "."}) {
        const auto begin = std::chrono::steady_clock::now();
        const SendResult result = send_where({{step, ""}});
        EXPECT_EQ(result.status, SendStatus::unreachable) << step;
        EXPECT_NE(result.answer, "") << step;
        EXPECT_LT(std::chrono::steady_clock::now() - begin, milliseconds{10'000}) << step;
    }
}

TEST(SmtpClientThreads, NobodyThereIsTriedAgain) {
    SmtpSettings settings;
    {
        const ScriptedRelay relay{{}};
        settings = relay.settings();
    }
    const SendResult result = SmtpClient{settings}.send("a@b", "c@d", "X: y\r\n\r\n");
    EXPECT_EQ(result.status, SendStatus::unreachable);
    EXPECT_NE(result.answer, "");
    settings.relay.host = "nowhere.invalid";
    EXPECT_EQ(SmtpClient{settings}.send("a@b", "c@d", "X: y\r\n\r\n").status, SendStatus::unreachable);
}

TEST(SmtpClientThreads, StopsWhenAsked) {
    ScriptedRelay relay{{{"MAIL", ""}}};
    SmtpSettings settings = relay.settings();
    settings.timeout = std::chrono::minutes{5};
    std::stop_source stop;
    const auto begin = std::chrono::steady_clock::now();
    SendResult result;
    {
        const std::jthread sender{
            [&] { result = SmtpClient{settings}.send("a@b", "c@d", "X: y\r\n\r\n", stop.get_token()); }};
        std::this_thread::sleep_for(milliseconds{100});
        stop.request_stop();
    }
    EXPECT_EQ(result.status, SendStatus::unreachable);
    EXPECT_EQ(result.answer, "stopped");
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{30});
}

// Goal: where the way must be encrypted and the relay cannot, nothing is said of the mail.
TEST(SmtpClientThreads, RequiredTlsIsRequired) {
    const ScriptedRelay relay{{}};
    SmtpSettings settings = relay.settings();
    settings.tls = config::MailTls::required;
    const SendResult result = SmtpClient{settings}.send("a@b", "c@d", "X: y\r\n\r\n");
    EXPECT_EQ(result.status, SendStatus::unreachable) << result.answer;
    for (const std::string& line : relay.lines())
        EXPECT_FALSE(line.starts_with("MAIL")) << line;
}

// Goal: one client sends one mail after the other, whatever became of those before.
TEST(SmtpClientThreads, IsUsedAgain) {
    const ScriptedRelay refusing{{{"RCPT", "550 no"}}};
    SmtpClient client{refusing.settings()};
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(client.send("a@b", "c@d", "X: y\r\n\r\n").status, SendStatus::never);
}

}  // namespace
}  // namespace tollgate::daemon::mail
