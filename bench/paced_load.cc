// Calls at a steady rate: AUTHORIZE, and STOP a little later, over many connections from one thread.
//
//   paced_load PORT LINES NUMBERS RUN SECONDS RATE [CONNECTIONS=50]
//
// LINES and NUMBERS are files with a line's id and a number to dial in each line; RUN makes session ids
// differ from those of other runs. RATE is commands a second: each is sent when it is due, whatever the
// answers do, and its latency counts from then, so that a pause of the daemon shows. RATE 0: as many as are
// answered, 16 in flight on a connection. Every call lasts 60 s of a price per minute, so STOP must charge
// exactly what AUTHORIZE called the price: anything else was not priced by one version. One line of JSON:
// operations, rate, p50, p99 and p999 in microseconds, refused, mixed.
#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kCommandsInFlight = 2;  // AUTHORIZE and its STOP.
/// With nothing to send, the processor is left to others for so long.
constexpr std::chrono::microseconds kRest{20};
constexpr std::chrono::milliseconds kCallLasts{20};
constexpr std::size_t kReadBytes = std::size_t{256} * 1024;

std::vector<std::string> words_of(const char* file) {
    std::ifstream in{file};
    std::vector<std::string> words;
    for (std::string word; std::getline(in, word);)
        words.push_back(word);
    if (words.empty()) throw std::runtime_error(std::string{file} + ": expected a word in each line");
    return words;
}

/// The elements of one flat answer; empty where it has not come whole. `text` loses what was taken.
std::vector<std::string_view> take_answer(std::string_view& text) {
    std::vector<std::string_view> elements;
    std::string_view rest = text;
    const auto line = [&rest](char mark, long& number) {
        const std::size_t end = rest.find("\r\n");
        if (end == std::string_view::npos) return false;
        if (rest.front() != mark) throw std::runtime_error("answered: " + std::string{rest.substr(0, end)});
        std::from_chars(rest.data() + 1, rest.data() + end, number);
        rest.remove_prefix(end + 2);
        return true;
    };
    long count = 0;
    if (!line('*', count)) return {};
    for (long i = 0; i < count; ++i) {
        long size = 0;
        if (!line('$', size) || rest.size() < static_cast<std::size_t>(size) + 2) return {};
        elements.push_back(rest.substr(0, static_cast<std::size_t>(size)));
        rest.remove_prefix(static_cast<std::size_t>(size) + 2);
    }
    text = rest;
    return elements;
}

struct Call {
    std::string session;
    std::string price;  // As AUTHORIZE answered it; empty until then, or where it was refused.
};

struct Expected {
    Clock::time_point due;
    Call* call;
    bool stop;  // Else AUTHORIZE.
};

struct Connection {
    int socket = -1;
    std::string out;
    std::string in;
    std::deque<Expected> expected;
};

class Load {
  public:
    Load(std::uint16_t port, std::size_t connections, std::vector<std::string> lines,
         std::vector<std::string> numbers, std::string run)
        : lines_(std::move(lines)), numbers_(std::move(numbers)), run_(std::move(run)) {
        for (std::size_t i = 0; i < connections; ++i) {
            Connection& connection = connections_.emplace_back();
            connection.socket = ::socket(AF_INET, SOCK_STREAM, 0);
            sockaddr_in address{};
            address.sin_family = AF_INET;
            address.sin_port = htons(port);
            address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
            if (::connect(connection.socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
                throw std::system_error(errno, std::generic_category(), "connect");
            const int on = 1;
            ::setsockopt(connection.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            ::fcntl(connection.socket, F_SETFL, O_NONBLOCK);
        }
    }
    Load(const Load&) = delete;
    Load& operator=(const Load&) = delete;
    ~Load() {
        for (const Connection& connection : connections_)
            ::close(connection.socket);
    }

    void run(std::chrono::seconds time, double rate) {
        const auto begin = Clock::now();
        const auto end = begin + time;
        const std::chrono::duration<double> pause{rate > 0 ? 2 / rate : 0};  // Two commands a call.
        std::uint64_t sent = 0;
        for (auto now = begin; now < end || waiting() > 0; now = Clock::now()) {
            if (now > end + std::chrono::seconds{10}) throw std::runtime_error("answers are missing");
            if (rate > 0) {
                while (now < end) {
                    const auto due = begin + std::chrono::duration_cast<Clock::duration>(
                                                 pause * static_cast<double>(sent));
                    if (due > now) break;
                    authorize(connections_[sent % connections_.size()], due);
                    ++sent;
                }
                while (!stops_.empty() && (stops_.front().due <= now || now >= end)) {
                    stop(*stops_.front().connection, *stops_.front().call, std::min(stops_.front().due, now));
                    stops_.pop_front();
                }
            } else if (now < end) {
                for (Connection& connection : connections_) {
                    while (connection.expected.size() < kCommandsInFlight) {
                        Call& call = authorize(connection, now);
                        stop(connection, call, now);
                    }
                }
            }
            if (!exchange()) std::this_thread::sleep_for(kRest);
        }
        elapsed_ = Clock::now() - begin;
    }

    void report() {
        std::sort(latencies_.begin(), latencies_.end());
        const auto at = [this](double part) {
            const auto index = static_cast<double>(latencies_.size() - 1) * part;
            return static_cast<double>(latencies_[static_cast<std::size_t>(index)]) / 1000;
        };
        std::printf(
            "{\"operations\":%zu,\"rate\":%.0f,\"p50\":%.1f,\"p99\":%.1f,\"p999\":%.1f,"
            "\"refused\":%zu,\"mixed\":%zu}\n",
            latencies_.size(), static_cast<double>(latencies_.size()) / elapsed_.count(), at(0.5), at(0.99),
            at(0.999), refused_, mixed_);
    }

  private:
    struct DueStop {
        Clock::time_point due;
        Connection* connection;
        Call* call;
    };

    [[nodiscard]] std::size_t waiting() const {
        std::size_t count = stops_.size();
        for (const Connection& connection : connections_)
            count += connection.expected.size();
        return count;
    }

    static void append(std::string& out, std::initializer_list<std::string_view> words) {
        out.append("*").append(std::to_string(words.size())).append("\r\n");
        for (const auto word : words) {
            out.append("$").append(std::to_string(word.size())).append("\r\n").append(word).append("\r\n");
        }
    }

    Call& authorize(Connection& connection, Clock::time_point due) {
        random_ = random_ * 6'364'136'223'846'793'005ULL + 1'442'695'040'888'963'407ULL;
        const std::size_t random = random_ >> 33;
        Call& call = calls_.emplace_back();
        call.session = run_ + '-' + std::to_string(++calls_made_);
        append(connection.out, {"AUTHORIZE", lines_[random % lines_.size()],
                                numbers_[(random >> 3) % numbers_.size()], call.session, "WANT", "60"});
        connection.expected.push_back({due, &call, false});
        if (rated_) stops_.push_back({due + kCallLasts, &connection, &call});
        return call;
    }
    void stop(Connection& connection, Call& call, Clock::time_point due) {
        append(connection.out, {"STOP", call.session, "60"});
        connection.expected.push_back({due, &call, true});
    }

    /// Whether anything was sent or came.
    bool exchange() {
        bool busy = false;
        for (Connection& connection : connections_) {
            if (!connection.out.empty()) {
                busy = true;
                const auto bytes =
                    ::send(connection.socket, connection.out.data(), connection.out.size(), MSG_NOSIGNAL);
                if (bytes > 0) connection.out.erase(0, static_cast<std::size_t>(bytes));
            }
            if (connection.expected.empty()) continue;
            const auto bytes = ::recv(connection.socket, buffer_.data(), buffer_.size(), 0);
            if (bytes == 0) throw std::runtime_error("the daemon hung up");
            if (bytes < 0) continue;
            busy = true;
            connection.in.append(buffer_.data(), static_cast<std::size_t>(bytes));
            take_answers(connection);
        }
        return busy;
    }

    void take_answers(Connection& connection) {
        std::string_view text = connection.in;
        const auto now = Clock::now();
        for (;;) {
            const auto answer = take_answer(text);
            if (answer.empty()) break;
            const Expected expected = connection.expected.front();
            connection.expected.pop_front();
            latencies_.push_back(static_cast<std::uint32_t>(
                std::min<std::int64_t>((now - expected.due) / std::chrono::nanoseconds{1}, UINT32_MAX)));
            judge(answer, expected);
        }
        connection.in.erase(0, connection.in.size() - text.size());
        while (!calls_.empty() && calls_.front().session.empty())
            calls_.pop_front();
    }

    void judge(const std::vector<std::string_view>& answer, const Expected& expected) {
        Call& call = *expected.call;
        if (!expected.stop) {
            for (std::size_t i = 2; i + 1 < answer.size() && answer[0] == "OK"; i += 2) {
                if (answer[i] == "price") call.price = answer[i + 1];
            }
            if (call.price.empty()) ++refused_;
            return;
        }
        if (!call.price.empty() && (answer[0] != "OK" || answer[1] != call.price)) ++mixed_;
        call.session.clear();  // It is over.
    }

  public:
    bool rated_ = false;  ///< STOPs are due a while after their AUTHORIZE.

  private:
    std::vector<std::string> lines_;
    std::vector<std::string> numbers_;
    std::string run_;
    std::deque<Connection> connections_;
    std::deque<Call> calls_;  // Nothing but the ends ever goes, so that pointers stay good.
    std::deque<DueStop> stops_;
    std::vector<std::uint32_t> latencies_;
    std::array<char, kReadBytes> buffer_{};
    std::uint64_t random_ = 1;
    std::uint64_t calls_made_ = 0;
    std::size_t refused_ = 0;
    std::size_t mixed_ = 0;
    std::chrono::duration<double> elapsed_{};
};

}  // namespace

int main(int argc, char** argv) {
    ::prctl(PR_SET_TIMERSLACK, 1);  // A rest is not to be longer than it says.
    if (argc < 7 || argc > 8) {
        std::fputs("usage: paced_load PORT LINES NUMBERS RUN SECONDS RATE [CONNECTIONS]\n", stderr);
        return 1;
    }
    try {
        const auto connections = static_cast<std::size_t>(argc > 7 ? std::atoi(argv[7]) : 50);
        const double rate = std::atof(argv[6]);
        Load load{static_cast<std::uint16_t>(std::atoi(argv[1])), connections, words_of(argv[2]),
                  words_of(argv[3]), argv[4]};
        load.rated_ = rate > 0;
        load.run(std::chrono::seconds{std::atoi(argv[5])}, rate);
        load.report();
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "paced_load: %s\n", failure.what());
        return 1;
    }
    return 0;
}
