/// Stands in for a daemon: answers what a test wants it to, also what no daemon should.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <mutex>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "protocol/limits.h"
#include "protocol/resp_parser.h"
#include "protocol/resp_writer.h"

namespace tollgate::bench::load {

/// Grants every call what it wants at a micro-unit a second and charges what STOP says; nothing else. One
/// thread of its own serves all connections, in order.
class FakeDaemon {
  public:
    using Words = std::span<const std::string_view>;
    /// Changes the answer to a command, which is about to be sent; an empty one is never sent.
    using Tamper = std::function<void(Words command, std::string& answer)>;

    explicit FakeDaemon(Tamper tamper = {})
        : tamper_(std::move(tamper)), listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
            ::listen(listener_, 64) != 0 ||
            ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
            throw std::runtime_error("no port for the fake daemon");
        port_ = ntohs(address.sin_port);
        thread_ = std::jthread{[this](const std::stop_token& stop) { serve(stop); }};
    }
    FakeDaemon(const FakeDaemon&) = delete;
    FakeDaemon& operator=(const FakeDaemon&) = delete;
    ~FakeDaemon() {
        thread_.request_stop();
        thread_.join();
        ::close(listener_);
    }

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    /// Nothing is read or answered for so long, once.
    void stall(std::chrono::milliseconds time) { stall_ = time.count(); }

  private:
    struct Peer {
        int socket;
        std::string in;
    };

    void serve(const std::stop_token& stop) {
        std::vector<Peer> peers;
        while (!stop.stop_requested()) {
            std::vector<pollfd> polled{{listener_, POLLIN, 0}};
            for (const Peer& peer : peers)
                polled.push_back({peer.socket, POLLIN, 0});
            ::poll(polled.data(), polled.size(), 20);
            if (const auto pause = stall_.exchange(0); pause > 0)
                ::usleep(static_cast<useconds_t>(pause * 1'000));
            for (std::size_t i = 0; i < peers.size(); ++i) {
                if (polled[i + 1].revents != 0) read(peers[i]);
            }
            if (polled[0].revents != 0) peers.push_back({::accept(listener_, nullptr, nullptr), {}});
        }
        for (const Peer& peer : peers)
            ::close(peer.socket);
    }

    void read(Peer& peer) {
        std::array<char, 65'536> buffer;  // NOLINT: filled by recv.
        const auto bytes = ::recv(peer.socket, buffer.data(), buffer.size(), 0);
        if (bytes <= 0) {
            ::close(std::exchange(peer.socket, -1));
            return;
        }
        peer.in.append(buffer.data(), static_cast<std::size_t>(bytes));
        std::string out;
        std::size_t taken = 0;
        for (;;) {
            std::array<std::string_view, protocol::kArgumentsMax> words;
            const auto parsed =
                protocol::parse_command(std::span{peer.in}.subspan(taken), protocol::kLimitsAfterAuth, words);
            if (parsed.status != protocol::ParseStatus::complete) break;
            taken += parsed.consumed;
            const Words command{words.data(), parsed.argument_count};
            std::string answer;
            answer_to(command, answer);
            if (tamper_) tamper_(command, answer);
            out += answer;
        }
        peer.in.erase(0, taken);
        if (!out.empty()) ::send(peer.socket, out.data(), out.size(), MSG_NOSIGNAL);
    }

    static void append(std::string& out, std::initializer_list<std::string_view> words) {
        protocol::RespWriter writer{out};
        writer.array(words.size());
        for (const auto word : words)
            writer.bulk(word);
    }

    static std::string micros(std::string_view seconds) {
        std::string digits{seconds};
        digits.insert(0, digits.size() < 6 ? 6 - digits.size() : 0, '0');
        return "0." + digits;
    }

    void answer_to(Words command, std::string& out) {
        const auto verb = command[0];
        if (verb == "AUTHORIZE") {
            const bool is_repeat = !known_.insert(std::string{command[3]}).second;
            append(out, {"OK",        command[5],
                         "final",     "0",
                         "validity",  "999",
                         "level",     "",
                         "reason",    "",
                         "price",     "0.00006",
                         "held",      micros(command[5]),
                         "available", "1",
                         "currency",  "EUR",
                         "number",    command[2],
                         "dup",       is_repeat ? "1" : "0"});
        } else if (verb == "STOP") {
            const bool is_repeat = known_.erase(std::string{command[1]}) == 0;
            append(out, {"OK", micros(command[2]), "billed", command[2], "status", "stopped", "flags", "",
                         "record", "r-1", "dup", is_repeat ? "1" : "0"});
        } else if (verb == "INFO") {
            protocol::RespWriter{out}.bulk("# Books\r\n");
        } else {
            protocol::RespWriter{out}.error("ERR unknown command");
        }
    }

    Tamper tamper_;
    int listener_;
    std::uint16_t port_ = 0;
    std::set<std::string> known_;
    std::atomic<std::int64_t> stall_{0};
    std::jthread thread_;
};

}  // namespace tollgate::bench::load
