#include "daemon/admin/http_server.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <ctime>
#include <deque>
#include <future>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <unordered_set>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>

#include "daemon/admin/access.h"
#include "daemon/admin/growing_bytes.h"
#include "daemon/admin/http_stream.h"
#include "daemon/letters.h"
#include "daemon/net/tls.h"
#include "daemon/turns.h"

namespace tollgate::daemon::admin {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

/// What one connection buffers beside its headers: a piece of a body on its way.
constexpr std::size_t kReadBytes = std::size_t{64} * 1024;
/// After an accept that failed, because there are no descriptors left for instance.
constexpr std::chrono::milliseconds kAcceptPause{100};
/// How much of an unwanted body is read off, and for how long, so that the peer gets to read why it is
/// unwanted: closing a socket with unread bytes takes back what was sent.
constexpr std::size_t kLingerBytesMax = std::size_t{16} * 1024 * 1024;
constexpr std::chrono::seconds kLingerWait{2};
/// How long after a deadline what is still under way is cancelled once more.
constexpr std::chrono::milliseconds kCancelAgain{100};
/// How soon stop() sees that it is to hurry.
constexpr std::chrono::milliseconds kHurryLook{20};
/// How long a peer may take to begin by TLS; and what is read of it at once, which is a record.
constexpr std::chrono::milliseconds kHandshakeTime{10'000};
/// While the server stops: for what is left of a handshake, and for the first words behind it, the rest of a
/// record, or the goodbye.
constexpr std::chrono::milliseconds kLastHandshakeTime{1'000};
constexpr std::chrono::milliseconds kLastRequestTime{400};
constexpr std::size_t kTlsReadBytes = std::size_t{16} * 1024;

/// A body that grows as bytes arrive. Beast's own string_body would reserve the announced length.
struct GrowingBody {
    using value_type = GrowingBytes;
    static std::uint64_t size(const value_type& body) noexcept { return body.size(); }

    class reader {  // NOLINT(readability-identifier-naming): Beast asks for this name.
      public:
        template <bool isRequest, class Fields>
        reader(http::header<isRequest, Fields>& /*header*/, value_type& body) : body_(body) {}
        void init(const boost::optional<std::uint64_t>& /*length*/, error_code& failure) { failure = {}; }
        template <class Buffers>
        std::size_t put(const Buffers& buffers, error_code& failure) {
            failure = {};
            std::size_t taken = 0;
            for (auto at = asio::buffer_sequence_begin(buffers); at != asio::buffer_sequence_end(buffers);
                 ++at) {
                const asio::const_buffer piece = *at;
                body_.append(piece.data(), piece.size());
                taken += piece.size();
            }
            return taken;
        }
        void finish(error_code& failure) { failure = {}; }

      private:
        value_type& body_;
    };
};
using Parser = http::request_parser<GrowingBody>;

std::string_view view(boost::beast::string_view text) noexcept {
    return {text.data(), text.size()};
}

bool is_loopback(const asio::ip::address& address) {
    if (address.is_v6() && address.to_v6().is_v4_mapped()) {
        return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).is_loopback();
    }
    return address.is_loopback();
}

/// `Fri, 21 Nov 2025 20:49:00 GMT`
std::string date_now() {
    const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    std::tm parts{};
    gmtime_r(&now, &parts);
    std::array<char, 40> text{};
    return {text.data(), std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts)};
}

/// Status line and headers.
std::string head_of(const Response& response, bool keep_open) {
    std::string head = "HTTP/1.1 " + std::to_string(response.status) + ' ';
    head.append(title_of(response.status)).append("\r\nDate: ").append(date_now());
    head.append("\r\nContent-Type: ").append(response.content_type);
    head.append("\r\nContent-Length: ").append(std::to_string(response.body.size()));
    for (const auto& [name, value] : response.headers)
        head.append("\r\n").append(name).append(": ").append(value);
    head.append(keep_open ? "\r\nConnection: keep-alive\r\n\r\n" : "\r\nConnection: close\r\n\r\n");
    return head;
}

Response too_large(std::size_t bytes_max) {
    return problem(
        {.status = 413, .detail = "expected a body of at most " + std::to_string(bytes_max) + " bytes"});
}

/// A body that is taken piece by piece is handed over in pieces of about this size, or smaller ones where
/// there is nothing else to do; and so many of them may wait.
constexpr std::size_t kPieceBytes = std::size_t{256} * 1024;
constexpr std::size_t kPiecesWaitingMax = 4;

/// Hands a body to its sink on the bulk thread: pieces are worked on there while the next ones arrive.
/// Several bodies take turns, a piece each.
///
/// The thread of the sockets puts pieces in and the bulk thread takes them out without waiting for each
/// other, so that on a busy machine a body does not cost two changes of threads a piece.
class Pieces : public std::enable_shared_from_this<Pieces> {
  public:
    Pieces(asio::io_context& sockets, asio::thread_pool& bulk, std::unique_ptr<BodySink> sink)
        : sockets_(sockets), bulk_(bulk), changed_(sockets), sink_(std::move(sink)) {}

    // ---- For the thread of the sockets ----

    /// Takes what has arrived, if it is much or nothing is being worked on. Waits while much waits already.
    asio::awaitable<void> take(GrowingBytes& arrived) {
        begin();
        if (arrived.size() < kPieceBytes && is_working()) co_return;
        put(arrived, false);
        co_await wait([this] { return waiting_.size() < kPiecesWaitingMax; });
    }

    /// Takes the last piece, and answers.
    asio::awaitable<Response> finish(GrowingBytes& arrived) {
        begin();
        put(arrived, true);
        co_await wait([this] { return done_; });
        co_return std::move(response_);
    }

    /// The end does not come. What was built goes on the bulk thread: it may be much.
    void drop() {
        asio::post(bulk_, [self = shared_from_this()] { self->sink_.reset(); });
    }

  private:
    void begin() {
        if (!std::exchange(begun_, true)) sink_->begin();
    }

    [[nodiscard]] bool is_working() {
        const std::lock_guard lock{mutex_};
        return working_;
    }

    /// With the last piece goes the word that it is the last: apart, the body could end before it.
    void put(GrowingBytes& arrived, bool last) {
        const std::lock_guard lock{mutex_};
        whole_ = last;
        waiting_.push_back(std::exchange(arrived, std::exchange(spare_, {})));
        arrived.rewind();
        if (!std::exchange(working_, true)) go_on();
    }

    /// Until a condition holds, which is asked under the lock.
    template <typename Condition>
    asio::awaitable<void> wait(Condition condition) {
        for (;;) {
            {
                const std::lock_guard lock{mutex_};
                if (condition()) co_return;
                listening_ = true;
                changed_.expires_at(asio::steady_timer::time_point::max());
            }
            error_code cancelled;  // That is how changed_ says it.
            co_await changed_.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
        }
    }

    // ---- For the bulk thread ----

    void go_on() {
        asio::post(bulk_, [self = shared_from_this()] { self->work(); });
    }

    /// Works on one piece, and goes behind the others that wait for their turn.
    void work() {
        GrowingBytes piece;
        {
            const std::lock_guard lock{mutex_};
            if (sink_ == nullptr) return;  // Dropped.
            piece = std::exchange(waiting_.front(), {});
            waiting_.pop_front();
        }
        sink_->feed(piece.view());
        std::unique_lock lock{mutex_};
        spare_ = std::move(piece);
        working_ = !waiting_.empty();
        if (working_) {
            go_on();
        } else if (whole_) {
            lock.unlock();
            response_ = sink_->finish();
            sink_.reset();
            lock.lock();
            done_ = true;
        }
        if (std::exchange(listening_, false)) tell();
    }

    void tell() {
        asio::post(sockets_, [self = shared_from_this()] { self->changed_.cancel(); });
    }

    asio::io_context& sockets_;
    asio::thread_pool& bulk_;
    asio::steady_timer changed_;  // For the thread of the sockets, as begun_.
    bool begun_ = false;
    // The bulk thread's once something was put; the response is there when done_ says so.
    std::unique_ptr<BodySink> sink_;
    Response response_;

    std::mutex mutex_;  // For all below; never held for long.
    std::deque<GrowingBytes> waiting_;
    GrowingBytes spare_;      // Its memory is used again.
    bool working_ = false;    // A turn of the bulk thread is due or under way.
    bool whole_ = false;      // The last piece was put.
    bool done_ = false;       // There is a response.
    bool listening_ = false;  // The thread of the sockets wants to know of a change.
};

/// One request among those under way, while it lives.
class Counted {
  public:
    explicit Counted(std::size_t& count) noexcept : count_(count) { ++count_; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    ~Counted() { --count_; }

  private:
    std::size_t& count_;
};

/// Opens a sink wherever it was spawned.
asio::awaitable<Router::Opened> open_sink(const Router& router, const Request& request) {
    co_return router.open(request);
}

/// Runs a handler wherever it was spawned.
asio::awaitable<Response> run(const Router& router, const Request& request) {
    co_return router.handle(request);
}

/// How long a response waits for a disk.
constexpr std::chrono::seconds kDurableWait{10};

asio::awaitable<bool> wait_for(balance::journal::Journal& journal, balance::Sequence sequence) {
    co_return journal.wait(sequence, kDurableWait);
}

bool changes_something(const Request& request) noexcept {
    return request.method != "GET" && request.method != "HEAD";
}

}  // namespace

struct HttpServer::State {
    State(const config::Config::Http& http, Router routes, balance::journal::Journal* journal_or_none,
          const balance::EventLog* log);

    /// Whether there is room, on disk and in memory, for more than ending calls.
    [[nodiscard]] bool has_room() const noexcept {
        return events == nullptr || events->admission() == balance::Admission::open;
    }

    static tcp::acceptor listen(asio::io_context& sockets, const config::Endpoint& endpoint, const char* key);
    /// By TLS, where `identity` is given.
    asio::awaitable<void> accept_all(tcp::acceptor& from, const net::TlsIdentity* identity);
    /// Whoever waits to be let in, and nobody after that.
    void accept_the_last(tcp::acceptor& from, const net::TlsIdentity* by);
    void welcome(tcp::socket socket, const net::TlsIdentity* by);
    static void turn_away(tcp::socket socket);
    void begin_stop();
    void close_all();

    // Never changed once the server is made.
    const Router router;
    balance::journal::Journal* const journal;
    const balance::EventLog* const events;
    std::uint16_t port = 0;
    std::atomic<bool> hurried{false};  // Says nothing of other memory.
    std::uint16_t tls_port = 0;

    // For the thread of the sockets alone.
    config::Config::Http settings;
    std::unordered_set<Connection*> connections;
    std::size_t bodies_bytes = 0;  // Of all bodies being read or worked on.
    std::size_t streams = 0;       // Bodies that are taken piece by piece.
    std::size_t slow_ones = 0;     // Requests of Lane::slow.
    bool stopping = false;

    asio::io_context sockets{1};
    tcp::acceptor acceptor;
    tcp::acceptor tls_acceptor{sockets};  // Open only where there is an identity.
    asio::steady_timer accept_pause{sockets};
    asio::steady_timer tls_accept_pause{sockets};
    std::optional<net::TlsIdentity> identity;
    // Destroyed before `sockets`: what they never came to run holds on to connections.
    asio::thread_pool brief{1};
    asio::thread_pool bulk{1};
    asio::thread_pool slow{1};
    asio::thread_pool durable{1};
    std::thread thread;
    std::promise<void> served;  // Kept when nothing is left for `sockets` to do.
};

/// One connection: reads a request, has it handled, writes the response, and again. All on the thread of the
/// sockets; it lives as long as its coroutine.
class HttpServer::Connection : public std::enable_shared_from_this<Connection> {
  public:
    /// By TLS where `tls` says so.
    Connection(State& server, tcp::socket socket, asio::ssl::context* tls)
        : server_(server), stream_(std::move(socket), tls), deadline_(server.sockets) {
        server_.connections.insert(this);
    }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() {
        server_.connections.erase(this);
        give_back_body();
    }

    /// The whole life of a connection; `self` keeps it alive that long.
    static asio::awaitable<void> serve(std::shared_ptr<Connection> self) {
        error_code ignored;
        self->stream_.socket().set_option(tcp::no_delay{true}, ignored);
        self->buffer_.max_size(self->server_.settings.header_bytes_max + kReadBytes);
        try {
            bool more = co_await self->shake_hands();
            // When it stops, serve_one() still answers what has arrived, and waits for nothing more.
            while (more)
                more = co_await self->serve_one();
            co_await self->linger();
        } catch (const std::exception&) {
            // Out of memory for this connection; the others go on.
        }
        self->drop_deadline();
        self->stream_.socket().close(ignored);
    }

    /// Ends it if it only waits for another request, or for the peer to hang up.
    void stop_if_idle() {
        if (shaking_) return set_deadline(kLastHandshakeTime);
        if (idle_) cancel();
    }
    /// Ends it whatever it is doing.
    void close() {
        error_code ignored;
        stream_.socket().close(ignored);
    }

  private:
    static auto into(error_code& failure) { return asio::redirect_error(asio::use_awaitable, failure); }

    void cancel() {
        error_code ignored;
        stream_.socket().cancel(ignored);
    }

    /// Whatever is read or written next must be over in time. It replaces the deadline before.
    void set_deadline(std::chrono::milliseconds wait) {
        late_ = false;
        run_deadline(wait);
    }
    void run_deadline(std::chrono::milliseconds wait) {
        deadline_.expires_after(wait);
        deadline_.async_wait([self = shared_from_this()](const error_code& aborted) {
            // A deadline that was replaced while this call was already under way is not the one that passed.
            if (aborted || self->deadline_.expiry() > asio::steady_timer::clock_type::now()) return;
            self->late_ = true;
            self->cancel();
            // What had just arrived is not cancelled, and more may be read behind it.
            self->run_deadline(kCancelAgain);
        });
    }
    /// Nor does one whose call is already under way take place.
    void drop_deadline() { deadline_.expires_at(asio::steady_timer::time_point::max()); }

    /// True where there are none to be shaken.
    asio::awaitable<bool> shake_hands() {
        if (stream_.tls() == nullptr) co_return true;
        error_code failure;
        set_deadline(server_.stopping ? kLastHandshakeTime
                                      : std::min(server_.settings.timeout, kHandshakeTime));
        shaking_ = true;
        co_await stream_.tls()->async_handshake(asio::ssl::stream_base::server, into(failure));
        shaking_ = false;
        failed_ = bool{failure};
        co_return !failed_;
    }

    /// Serves one request; true if the connection goes on.
    asio::awaitable<bool> serve_one() {
        error_code failure;
        if (buffer_.size() == 0 && !co_await wait_for_request()) co_return false;

        Parser parser;
        parser.header_limit(static_cast<std::uint32_t>(server_.settings.header_bytes_max));
        parser.body_limit(server_.settings.body_bytes_max);
        set_deadline(server_.settings.timeout);
        co_await http::async_read_header(stream_, buffer_, parser, into(failure));
        if (failure == http::error::end_of_stream) co_return false;  // It hung up between two requests.
        if (failure) {
            const Response refusal = refusal_of_read(failure);
            co_await write(refusal, false, false);
            co_return false;
        }

        Request request;
        if (const auto refusal = read_head(parser, request)) {
            const bool keep_open =
                parser.is_done() && parser.keep_alive() && refusal->status != 400 && !server_.stopping;
            co_return co_await write(*refusal, request.method == "HEAD", keep_open) && keep_open;
        }
        if (lane_ == Lane::stream) co_return co_await serve_stream(parser, request);
        if (!parser.is_done()) {
            if (const auto refusal = co_await read_body(parser, nullptr)) {
                co_await write(*refusal, request.method == "HEAD", false);
                co_return false;
            }
        }
        drop_deadline();
        request.body = parser.get().body().view();
        const Response response = co_await once_durable(co_await handle(request));
        parser.get().body().clear();  // Its memory goes before the answer does.
        give_back_body();
        const bool keep_open = parser.keep_alive() && !server_.stopping;
        co_return co_await write(response, request.method == "HEAD", keep_open) && keep_open;
    }

    /// Serves a request whose body is taken piece by piece.
    asio::awaitable<bool> serve_stream(Parser& parser, const Request& request) {
        drop_deadline();
        if (server_.streams >= kStreamsAtOnce) {
            const Response busy = try_later(
                std::to_string(kStreamsAtOnce) + " uploads are under way, which is the most; try again later",
                std::chrono::seconds{5});
            co_await write(busy, false, false);
            co_return false;
        }
        const Counted counted{server_.streams};
        // With the brief: that there is no such thing is said at once, whatever the bulk is busy with.
        auto opened =
            co_await asio::co_spawn(server_.brief, open_sink(server_.router, request), asio::use_awaitable);
        if (const auto* const refusal = std::get_if<Response>(&opened)) {
            const bool keep_open = parser.is_done() && parser.keep_alive() && !server_.stopping;
            co_return co_await write(*refusal, false, keep_open) && keep_open;
        }
        const auto pieces = std::make_shared<Pieces>(server_.sockets, server_.bulk,
                                                     std::get<std::unique_ptr<BodySink>>(std::move(opened)));
        if (!parser.is_done()) {
            if (const auto refusal = co_await read_body(parser, pieces.get())) {
                pieces->drop();
                give_back_body();
                co_await write(*refusal, false, false);
                co_return false;
            }
        }
        drop_deadline();
        const Response response = co_await once_durable(co_await pieces->finish(parser.get().body()));
        parser.get().body().clear();
        give_back_body();
        const bool keep_open = parser.keep_alive() && !server_.stopping;
        co_return co_await write(response, false, keep_open) && keep_open;
    }

    /// Waits for the first byte; false if it hung up, was quiet for too long, or the server stops and nothing
    /// has arrived.
    asio::awaitable<bool> wait_for_request() {
        error_code failure;
        if (!server_.stopping) {
            set_deadline(server_.settings.timeout);
            co_await wait_for_bytes(failure);
            if (!failure || !server_.stopping) co_return !failure;
        }
        if (stream_.tls() == nullptr) co_return stream_.socket().available(failure) > 0;
        set_deadline(kLastRequestTime);
        // A read that still waits when this has its turn has found nothing. But whoever has only now shaken
        // hands is about to say something.
        if (!fresh_) asio::post(server_.sockets, [self = shared_from_this()] { self->stop_if_idle(); });
        co_await wait_for_bytes(failure);
        co_return !failure;
    }

    asio::awaitable<void> wait_for_bytes(error_code& failure) {
        idle_ = true;
        if (stream_.tls() == nullptr) {
            co_await stream_.socket().async_wait(tcp::socket::wait_read, into(failure));
        } else {  // What has arrived may be inside of it already.
            buffer_.commit(co_await stream_.async_read_some(buffer_.prepare(kTlsReadBytes), into(failure)));
        }
        idle_ = false;
        if (!failure) fresh_ = false;
    }

    /// The problem for a request that could not be read.
    [[nodiscard]] Response refusal_of_read(const error_code& failure) const {
        if (late_) return problem({.status = 408, .detail = "the request did not come on in time"});
        if (failure == http::error::header_limit || failure == http::error::buffer_overflow) {
            return problem({.status = 431,
                            .detail = "expected at most " +
                                      std::to_string(server_.settings.header_bytes_max) +
                                      " bytes of headers (http.header_bytes_max)"});
        }
        if (failure == http::error::body_limit) return too_large(server_.settings.body_bytes_max);
        if (failure == http::error::partial_message) {
            return problem({.status = 400, .detail = "the request ended in its middle"});
        }
        return problem({.status = 400, .detail = "not HTTP/1.1: " + failure.message()});
    }

    static Response no_room() {
        return try_later("the journal's disk is full, or memory is (memory.max); nothing can be changed now",
                         std::chrono::seconds{1});
    }

    /// Takes over what the headers say, or refuses the request before its body is read.
    std::optional<Response> read_head(Parser& parser, Request& request) {
        operation_ = nullptr;
        const auto& head = parser.get();
        request.method = view(head.method_string());
        if (head.count(http::field::host) != 1) {
            return problem({.status = 400, .detail = "expected one Host header"});
        }
        error_code failure;
        const auto peer = stream_.socket().remote_endpoint(failure);
        Caller caller{.loopback = !failure && is_loopback(peer.address()),
                      .host = view(head[http::field::host])};
        if (const auto origin = head.find(http::field::origin); origin != head.end()) {
            caller.origin = view(origin->value());
        }
        const Door* const door = server_.router.door();
        if (door == nullptr || door->is_for_this_machine()) {
            if (auto refusal = refusal_of(caller)) return refusal;
        }

        if (!request.set_target(view(head.target()))) {
            return problem(
                {.status = 400, .detail = "expected a path that begins with a slash, and %XX well formed"});
        }
        request.content_type = in_small_letters(view(head[http::field::content_type]));
        request.content_encoding = in_small_letters(view(head[http::field::content_encoding]));
        request.accept = in_small_letters(view(head[http::field::accept]));
        request.idempotency_key = view(head["Idempotency-Key"]);
        request.if_match = view(head[http::field::if_match]);
        request.authorization = view(head[http::field::authorization]);
        request.signature = view(head["X-Signature"]);
        if (!failure) request.peer = peer.address().to_string();

        const auto found = server_.router.destination(request);
        if (!found) return server_.router.handle(request);
        lane_ = found->lane;
        operation_ = found->operation;
        // Nobody's large body is read in vain; a small one is, so that the connection can go on.
        if (is_large()) {
            if (auto refusal = server_.router.admit(request)) return refusal;
        }
        if (lane_ != Lane::call && changes_something(request) && !server_.has_room()) return no_room();
        const std::size_t bytes_max = most_body_bytes();
        if (parser.content_length().value_or(0) > bytes_max) return too_large(bytes_max);
        parser.body_limit(bytes_max);
        body_bytes_max_ = bytes_max;
        return std::nullopt;
    }

    /// Reads the rest of the body, and hands it on if it is taken in pieces; a problem where that fails.
    asio::awaitable<std::optional<Response>> read_body(Parser& parser, Pieces* pieces) {
        error_code failure;
        const bool asks_first = in_small_letters(view(parser.get()[http::field::expect])) == "100-continue";
        if (asks_first && buffer_.size() == 0) {
            static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
            set_deadline(server_.settings.timeout);
            co_await asio::async_write(stream_, asio::buffer(kContinue), into(failure));
        }
        buffer_.reserve(kReadBytes);  // Beast reads no more at once than there is room for.
        while (!failure && !parser.is_done()) {
            set_deadline(server_.settings.timeout);
            const std::size_t size = parser.get().body().size();
            co_await http::async_read_some(stream_, buffer_, parser, into(failure));
            const std::size_t grown = parser.get().body().size() - size;
            body_bytes_ += grown;
            server_.bodies_bytes += grown;
            if (server_.bodies_bytes > kBodiesAtOnce * server_.settings.body_bytes_max) {
                co_return try_later("other large requests are under way; try again later",
                                    std::chrono::seconds{1});
            }
            // What makes the memory run out may be the body itself, or what is built from it.
            if (grown > 0 && is_large() && !server_.has_room()) co_return no_room();
            if (pieces != nullptr && !failure) co_await pieces->take(parser.get().body());
        }
        if (!failure) co_return std::nullopt;
        if (failure == http::error::body_limit) co_return too_large(body_bytes_max_);
        co_return refusal_of_read(failure);
    }

    /// Of the request under way.
    [[nodiscard]] std::size_t most_body_bytes() const noexcept {
        const std::size_t most = server_.settings.body_bytes_max;
        switch (lane_) {
            case Lane::bulk:
            case Lane::stream:
                return most;
            case Lane::at_once:
            case Lane::brief:
            case Lane::slow:
                return std::min(kBriefBodyBytesMax, most);
            case Lane::call:
                return std::min(kCallBodyBytesMax, most);
        }
        std::abort();  // Not an enumerator: memory is corrupt.
    }

    [[nodiscard]] bool is_large() const noexcept { return lane_ == Lane::bulk || lane_ == Lane::stream; }

    void give_back_body() noexcept {
        server_.bodies_bytes -= body_bytes_;
        body_bytes_ = 0;
    }

    asio::awaitable<Response> handle(const Request& request) {
        switch (lane_) {
            case Lane::at_once:
            case Lane::call:
                co_return server_.router.handle(request);
            case Lane::brief:
                co_return co_await asio::co_spawn(server_.brief, run(server_.router, request),
                                                  asio::use_awaitable);
            case Lane::slow:
                co_return co_await handle_slow(request);
            case Lane::bulk:
            case Lane::stream:
                co_return co_await asio::co_spawn(server_.bulk, run(server_.router, request),
                                                  asio::use_awaitable);
        }
        std::abort();  // Not an enumerator: memory is corrupt.
    }

    asio::awaitable<Response> handle_slow(const Request& request) {
        if (server_.slow_ones >= kSlowAtOnce) {
            co_return try_later("too many log in at the same time; try again later", std::chrono::seconds{3});
        }
        const Counted counted{server_.slow_ones};
        co_return co_await asio::co_spawn(server_.slow, run(server_.router, request), asio::use_awaitable);
    }

    /// The response, once all that it may tell of is durable. Requests are waited for in their order, so that
    /// one that waits holds up nobody: those behind it need at least as much.
    asio::awaitable<Response> once_durable(Response response) {
        auto* const journal = server_.journal;
        if (journal == nullptr || lane_ == Lane::at_once) co_return response;
        const balance::Sequence newest = journal->last();
        if (journal->durable() >= newest) co_return response;
        const bool durable =
            co_await asio::co_spawn(server_.durable, wait_for(*journal, newest), asio::use_awaitable);
        if (durable) co_return response;
        co_return problem({.status = 503,
                           .detail = "the journal did not take it in time; whether it was done is not known: "
                                     "ask, or send the same request again"});
    }

    /// True if the peer took all of it.
    asio::awaitable<bool> write(const Response& response, bool head_only, bool keep_open) {
        server_.router.count(operation_, response.status);
        error_code failure;
        const std::string head = head_of(response, keep_open);
        const std::array<asio::const_buffer, 2> parts = {
            asio::buffer(head), asio::buffer(response.body.data(), head_only ? 0 : response.body.size())};
        set_deadline(server_.settings.timeout);
        co_await asio::async_write(stream_, parts, into(failure));
        co_return !failure;
    }

    /// Says that nothing more comes and reads off what the peer is still sending, within bounds.
    asio::awaitable<void> linger() {
        error_code failure;
        if (stream_.tls() != nullptr) {
            if (failed_) co_return;
            set_deadline(server_.stopping ? kLastRequestTime : kLingerWait);
            idle_ = true;
            co_await stream_.tls()->async_shutdown(into(failure));
            co_return;
        }
        stream_.socket().shutdown(tcp::socket::shutdown_send, failure);
        if (failure) co_return;
        buffer_.consume(buffer_.size());
        set_deadline(kLingerWait);
        idle_ = true;
        for (std::size_t bytes = 0; !failure && !late_ && !server_.stopping && bytes < kLingerBytesMax;) {
            bytes += co_await stream_.async_read_some(buffer_.prepare(kReadBytes), into(failure));
        }
    }

    State& server_;
    HttpStream stream_;
    asio::steady_timer deadline_;
    boost::beast::flat_buffer buffer_;
    Lane lane_ = Lane::at_once;  // Of the request under way, as the next three.
    const ContractOperation* operation_ = nullptr;
    std::size_t body_bytes_max_ = 0;
    std::size_t body_bytes_ = 0;  // Counted in the server's bodies_bytes.
    bool idle_ = false;
    bool shaking_ = false;  // Hands.
    bool failed_ = false;   // The handshake.
    bool fresh_ = true;     // Nothing has come from it yet.
    bool late_ = false;     // The deadline has passed and what was under way is cancelled.
};

tcp::acceptor HttpServer::State::listen(asio::io_context& sockets, const config::Endpoint& wanted,
                                        const char* key) {
    try {
        tcp::acceptor acceptor{sockets};
        const tcp::endpoint endpoint{asio::ip::make_address(wanted.host), wanted.port};
        acceptor.open(endpoint.protocol());
        acceptor.set_option(tcp::acceptor::reuse_address{true});
        acceptor.bind(endpoint);
        acceptor.listen();
        return acceptor;
    } catch (const boost::system::system_error& failure) {
        throw std::runtime_error{std::string{key} + ' ' + config::to_string(wanted) + ": " +
                                 failure.code().message()};
    }
}

HttpServer::State::State(const config::Config::Http& http, Router routes,
                         balance::journal::Journal* journal_or_none, const balance::EventLog* log)
    : router(std::move(routes)),
      journal(journal_or_none),
      events(log == nullptr ? journal_or_none : log),
      settings(http),
      acceptor(listen(sockets, http.listen, "http.listen")) {
    port = acceptor.local_endpoint().port();
    if (http.tls_listen.host.empty()) return;
    identity.emplace("http", net::TlsFiles{http.tls_certificate, http.tls_key, {}});
    tls_acceptor = listen(sockets, http.tls_listen, "http.tls_listen");
    tls_port = tls_acceptor.local_endpoint().port();
}

asio::awaitable<void> HttpServer::State::accept_all(tcp::acceptor& from, const net::TlsIdentity* by) {
    asio::steady_timer& pause = by == nullptr ? accept_pause : tls_accept_pause;
    while (!stopping) {
        error_code failure;
        tcp::socket socket = co_await from.async_accept(asio::redirect_error(asio::use_awaitable, failure));
        if (!failure) {
            welcome(std::move(socket), by);
        } else if (!stopping) {
            pause.expires_after(kAcceptPause);
            co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, failure));
        }
    }
}

void HttpServer::State::accept_the_last(tcp::acceptor& from, const net::TlsIdentity* by) {
    error_code failure;
    from.non_blocking(true, failure);
    while (!failure) {
        tcp::socket socket{sockets};
        from.accept(socket, failure);
        if (!failure) welcome(std::move(socket), by);
    }
    from.close(failure);
}

void HttpServer::State::welcome(tcp::socket socket, const net::TlsIdentity* by) {
    if (connections.size() >= settings.connections_max) {
        // By TLS it would have to shake hands first.
        if (by == nullptr) turn_away(std::move(socket));
        return;
    }
    const auto tls = by == nullptr ? nullptr : by->current();
    auto connection = std::make_shared<Connection>(*this, std::move(socket), tls.get());
    asio::co_spawn(sockets, Connection::serve(std::move(connection)), asio::detached);
}

void HttpServer::State::turn_away(tcp::socket socket) {
    const Response full = try_later("too many connections (http.connections_max)", std::chrono::seconds{1});
    const std::string text = head_of(full, false) + full.body;
    error_code ignored;
    socket.non_blocking(true, ignored);
    // A fresh socket takes this much at once; if not, the peer is only closed.
    socket.write_some(asio::buffer(text), ignored);
    socket.shutdown(tcp::socket::shutdown_send, ignored);
}

void HttpServer::State::begin_stop() {
    stopping = true;
    // Who is connected already may have asked something.
    accept_the_last(acceptor, nullptr);
    if (identity) accept_the_last(tls_acceptor, &*identity);
    accept_pause.cancel();
    tls_accept_pause.cancel();
    for (Connection* connection : connections)
        connection->stop_if_idle();
}

void HttpServer::State::close_all() {
    for (Connection* connection : connections)
        connection->close();
}

HttpServer::HttpServer(const config::Config::Http& settings, Router router,
                       balance::journal::Journal* journal, const balance::EventLog* events)
    : state_(std::make_unique<State>(settings, std::move(router), journal, events)) {}

HttpServer::~HttpServer() {
    stop();
}

std::uint16_t HttpServer::port() const noexcept {
    return state_->port;
}

std::uint16_t HttpServer::tls_port() const noexcept {
    return state_->tls_port;
}

net::TlsIdentity* HttpServer::tls() const noexcept {
    return state_->identity ? &*state_->identity : nullptr;
}

void HttpServer::start() {
    asio::post(state_->bulk, work_in_background);
    asio::post(state_->slow, work_in_background);
    asio::co_spawn(state_->sockets, state_->accept_all(state_->acceptor, nullptr), asio::detached);
    if (state_->identity) {
        asio::co_spawn(state_->sockets, state_->accept_all(state_->tls_acceptor, &*state_->identity),
                       asio::detached);
    }
    state_->thread = std::thread{[state = state_.get()] {
        state->sockets.run();
        state->served.set_value();
    }};
}

void HttpServer::change(const config::Config::Http& settings) {
    asio::post(state_->sockets, [state = state_.get(), timeout = settings.timeout,
                                 connections_max = settings.connections_max] {
        state->settings.timeout = timeout;
        state->settings.connections_max = connections_max;
    });
}

void HttpServer::hurry() noexcept {
    state_->hurried.store(true, std::memory_order_relaxed);
}

void HttpServer::stop() {
    State& state = *state_;
    if (!state.thread.joinable()) return;
    asio::post(state.sockets, [&state] { state.begin_stop(); });
    const auto served = state.served.get_future();
    const auto patience = std::chrono::steady_clock::now() + kStopWait;
    bool done = false;
    while (!done && !state.hurried.load(std::memory_order_relaxed) &&
           std::chrono::steady_clock::now() < patience)
        done = served.wait_for(kHurryLook) == std::future_status::ready;
    if (!done) {
        asio::post(state.sockets, [&state] { state.close_all(); });
        // What waits for its turn is dropped; what has begun is waited for.
        state.brief.stop();
        state.bulk.stop();
        state.slow.stop();
        state.durable.stop();
        state.brief.join();
        state.bulk.join();
        state.slow.join();
        state.durable.join();
        state.sockets.stop();
    }
    state.thread.join();
}

}  // namespace tollgate::daemon::admin
