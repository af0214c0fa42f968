#include "daemon/net/connection.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

#include "daemon/access/authenticator.h"
#include "daemon/commands/arguments.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/table.h"
#include "daemon/net/worker.h"
#include "protocol/resp_writer.h"

namespace tollgate::daemon::net {
namespace {

/// A connection begins with a small buffer, because most of ten thousand half-open ones never say anything,
/// and gets a larger one as soon as it fills the small one: a pipeline is read at once.
constexpr std::size_t kInputBytesFirst = 4 * 1024;
constexpr std::size_t kInputBytesLarge = 64 * 1024;

/// How much a client may still send after the last answer. Closing with bytes unread would make the kernel
/// reset the connection, and the client would never see that answer.
constexpr std::size_t kLingerBytesMax = 1024 * 1024;

/// How long a client by TLS may take to begin, and to say goodbye.
constexpr std::chrono::seconds kHandshakeTime{10};
constexpr std::chrono::seconds kGoodbyeTime{2};
/// While the daemon stops, all together within twice the worker's kDrainTime: for what is left of a
/// handshake, for the rest of a record, and for the goodbye.
constexpr std::chrono::milliseconds kLastHandshakeTime{1000};
constexpr std::chrono::milliseconds kLastRecordTime{400};

/// How long after a deadline what is still under way is cancelled once more.
constexpr std::chrono::milliseconds kCancelAgain{100};

/// What browsers send when a page tricks them into talking to this port.
bool is_browser(std::string_view input) noexcept {
    if (input.starts_with('*')) return false;
    const auto begins = [input](std::string_view upper) {
        return input.size() >= upper.size() && commands::is_word(input.substr(0, upper.size()), upper);
    };
    return begins("GET ") || begins("POST ") || begins("HOST:");
}

}  // namespace

Connection::Connection(Worker& worker, Socket socket, commands::Client client, boost::asio::ssl::context* tls)
    : worker_(worker),
      socket_(std::move(socket)),
      tls_(tls == nullptr ? nullptr : std::make_shared<Tls>(socket_, *tls)),
      client_(std::move(client)),
      input_(kInputBytesFirst) {}

void Connection::start() {
    mind_stranger();
    if (tls_ != nullptr) return shake_hands();
    read();
}

void Connection::limit_tls(std::chrono::milliseconds time) {
    tls_->deadline.expires_after(time);
    tls_->deadline.async_wait(
        [this, there = std::weak_ptr<Tls>{tls_}](const boost::system::error_code& cancelled) {
            // A timer that has expired cannot be cancelled any more, but it can be set anew.
            if (cancelled || there.expired() || tls_->deadline.expiry() > std::chrono::steady_clock::now())
                return;
            boost::system::error_code ignored;
            socket_.cancel(ignored);
            // What had just arrived is not cancelled, and more may be read behind it.
            limit_tls(kCancelAgain);
        });
}

void Connection::unlimit_tls() {
    tls_->deadline.expires_at(std::chrono::steady_clock::time_point::max());
}

void Connection::shake_hands() {
    limit_tls(kHandshakeTime);
    tls_->stream.async_handshake(boost::asio::ssl::stream_base::server,
                                 [this](const boost::system::error_code& error) {
                                     if (error || client_.closing) return close();
                                     unlimit_tls();
                                     tls_->is_begun = true;
                                     if (!worker_.draining()) return read();
                                     // Its first words come right behind the end of its handshake.
                                     read_the_last_by_tls(kLastRecordTime);
                                 });
}

void Connection::drain() {
    // It has not been able to say anything yet.
    if (tls_ != nullptr && !tls_->is_begun) return limit_tls(kLastHandshakeTime);
    boost::system::error_code ignored;
    if (output_.empty()) socket_.cancel(ignored);
}

void Connection::mind_stranger() {
    if (client_.let_in != login_until_.has_value()) return;
    if (client_.let_in) {
        worker_.expect_no_login(*std::exchange(login_until_, std::nullopt), client_.id);
        return;
    }
    login_until_ = worker_.now().steady + worker_.limits().login_timeout;
    worker_.expect_login(*login_until_, client_.id);
}

bool Connection::is_dismissed() const noexcept {
    return login_until_ && *login_until_ <= worker_.now().steady;
}

void Connection::dismiss_stranger() {
    if (waits_for_login_) return;
    client_.closing = true;
    boost::system::error_code ignored;
    socket_.cancel(ignored);
    // As above; he is dismissed again until he is gone.
    login_until_ = worker_.now().steady + kCancelAgain;
    worker_.expect_login(*login_until_, client_.id);
}

void Connection::close() {
    if (login_until_) worker_.expect_no_login(*login_until_, client_.id);
    worker_.destroy(*this);
}

void Connection::read() {
    grow_input();
    const auto room = boost::asio::buffer(input_.data() + input_size_, input_.size() - input_size_);
    auto then = [this](const boost::system::error_code& error, std::size_t size) {
        if (worker_.draining() && error == boost::asio::error::operation_aborted) return read_the_last();
        if (error || client_.closing) return close();
        input_size_ += size;
        worker_.arrived(*this);
    };
    if (tls_ != nullptr) return tls_->stream.async_read_some(room, std::move(then));
    socket_.async_read_some(room, std::move(then));
}

void Connection::grow_input() {
    if (input_size_ < input_.size()) return;
    input_.resize(std::max({input_.size(), kInputBytesLarge, worker_.limits().command_bytes_max}));
}

void Connection::read_the_last() {
    if (tls_ != nullptr) return read_the_last_by_tls(std::chrono::milliseconds{0});
    grow_input();
    boost::system::error_code nothing_left;
    const std::size_t size = socket_.read_some(
        boost::asio::buffer(input_.data() + input_size_, input_.size() - input_size_), nothing_left);
    if (nothing_left || size == 0) return close();
    input_size_ += size;
    process();
}

void Connection::read_the_last_by_tls(std::chrono::milliseconds patience) {
    grow_input();
    const auto room = boost::asio::buffer(input_.data() + input_size_, input_.size() - input_size_);
    limit_tls(kLastRecordTime);
    tls_->stream.async_read_some(room, [this](const boost::system::error_code& error, std::size_t size) {
        unlimit_tls();
        if (error == boost::asio::error::operation_aborted) return say_goodbye(kLastRecordTime);
        if (error) return close();
        input_size_ += size;
        process();
    });
    if (patience.count() > 0) return;
    // Only what waits for bytes is cancelled by this. What was read before, and what the socket has, is not.
    boost::system::error_code ignored;
    socket_.cancel(ignored);
}

void Connection::process() {
    look_who_it_is();
    Turn turn{.now = Worker::now()};
    carry_out(turn);
    answer();
}

void Connection::logged_in(const access::User* user) {
    waits_for_login_ = false;
    commands::Context context = context_of({.now = Worker::now()});
    commands::answer_login(context, user, {}, output_);
    declared_ = nullptr;  // The guess may be older than what is declared now.
    look_who_it_is();
    if (is_dismissed()) client_.closing = true;
    if (user == nullptr || client_.closing || input_size_ == 0) {
        more_input_ = input_size_ > 0;
        return answer();
    }
    process();
}

void Connection::look_who_it_is() {
    const access::Users* const users = worker_.services().users;
    if (users == nullptr || declared_ == &users->current()) return;
    declared_ = &users->current();
    if (const access::User* const before = client_.user) {
        client_.user = declared_->find(before->name());
        if (client_.user != nullptr &&
            (client_.user->password() != before->password() || !client_.user->may_come_from(client_.host)))
            client_.user = nullptr;
    }
    client_.let_in = client_.user != nullptr || (declared_->empty() && client_.local);
    mind_stranger();
}

bool Connection::begin_login(commands::Context& context) {
    const commands::Login& login = *client_.login;
    auto begun = worker_.authenticator()->begin(
        login.user, login.password, client_.host, context.now.steady,
        [worker = &worker_, id = client_.id](const access::User* user) { worker->logged_in(id, user); });
    if (std::holds_alternative<access::Authenticator::Pending>(begun)) return false;
    const auto* const wait = std::get_if<access::Authenticator::Wait>(&begun);
    if (wait != nullptr) {
        commands::answer_login(context, nullptr, wait->time, output_);
    } else {
        commands::answer_login(context, std::get<access::Authenticator::Result>(begun), {}, output_);
    }
    return true;
}

void Connection::answer() {
    if (waits_for_login_) return;  // Answers before it go out with its own.
    if (output_.empty()) {
        if (client_.closing) return close();
        if (worker_.draining()) return worker_.later([this] { read_the_last(); });
        return read();
    }
    if (relies_on_ != 0 && !worker_.durable(relies_on_)) return worker_.send_when_durable(*this, relies_on_);
    write();
}

commands::Context Connection::context_of(const Turn& turn) {
    return {worker_.services(), client_, worker_.counters(), turn.now, turn.stopwatch};
}

Batch::Taken Connection::take_behind(Batch& batch, std::size_t consumed, std::size_t most) {
    const auto& limits = worker_.limits();
    return batch.take({input_.data() + consumed, input_size_ - consumed},
                      client_.let_in ? limits.resp : limits.resp_before_auth, client_.let_in ? most : 1);
}

void Connection::take_first(Batch& batch) {
    look_who_it_is();
    // Of neither anything is carried out: run_commands() sees to both.
    if (client_.closing || is_browser({input_.data(), input_size_})) return;
    taken_ = take_behind(batch, 0, worker_.limits().commands_in_flight_max);
}

void Connection::foresee(const Turn& turn, Foresight& foresight) {
    if (!taken_) return;
    const commands::Context context = context_of(turn);
    for (const Batch::Command& command : taken_->commands)
        commands::foresee(context, command.words, foresight);
}

void Connection::carry_out(Turn& turn) {
    const std::size_t consumed = run_commands(turn);
    input_size_ -= consumed;
    if (input_size_ > 0 && consumed > 0) std::memmove(input_.data(), input_.data() + consumed, input_size_);
}

std::size_t Connection::run_commands(Turn& turn) {
    const auto& limits = worker_.limits();
    commands::Context context = context_of(turn);
    std::size_t consumed = 0;
    std::size_t count = 0;
    more_input_ = false;
    bool relies = false;
    const auto is_enough = [&] {
        return output_.size() >= limits.unread_bytes_max || count == limits.commands_in_flight_max;
    };
    for (bool going_on = !client_.closing; going_on && consumed < input_size_;) {
        if (is_enough()) {
            more_input_ = true;
            break;
        }
        const bool let_in = client_.let_in;
        if (!taken_) {
            if (is_browser({input_.data() + consumed, input_size_ - consumed})) {
                client_.closing = true;
                break;
            }
            worker_.batch().clear();
            taken_ = take_behind(worker_.batch(), consumed, limits.commands_in_flight_max - count);
            if (taken_->commands.size() > 1) {
                foresee(turn, worker_.foresight());
                worker_.foresight().fetch();
                context.stopwatch.lap_at = commands::Ticks::now();  // It is no command's own time.
            }
        }
        const Batch::Taken taken = *std::exchange(taken_, std::nullopt);
        if (taken.first.status == protocol::ParseStatus::incomplete) break;
        if (taken.first.status == protocol::ParseStatus::malformed) {
            protocol::RespWriter{output_}.protocol_error(taken.first);
            client_.closing = true;
            break;
        }
        for (const Batch::Command& command : taken.commands) {
            if (is_enough()) break;  // Never before the first: it may not be taken apart again.
            consumed += command.bytes;
            if (command.words.empty()) continue;
            relies |= commands::execute(context, command.words, output_);
            context.now.steady += std::chrono::nanoseconds{1};  // What comes later in a batch is later.
            ++count;
            if (client_.login && !client_.closing) {
                waits_for_login_ = !begin_login(context);
                // Whoever guesses does so once a turn: others have theirs in between.
                more_input_ = !waits_for_login_ && !client_.let_in && consumed < input_size_;
            }
            going_on = !client_.closing && !waits_for_login_ && !more_input_;
            // What follows was taken apart by the limits of who he was before.
            if (!going_on || client_.let_in != let_in) break;
        }
    }
    turn = {context.now, context.stopwatch};
    mind_stranger();  // After AUTH, HELLO and RESET.
    if (relies) relies_on_ = worker_.newest_event();
    return consumed;
}

void Connection::write() {
    if (tls_ != nullptr) {
        boost::asio::async_write(tls_->stream, boost::asio::buffer(output_),
                                 [this](const boost::system::error_code& failed, std::size_t) {
                                     if (failed) return close();
                                     written();
                                 });
        return;
    }
    // Most answers fit into the socket's buffer: no need to go through the event loop for them.
    boost::system::error_code error;
    const std::size_t sent = socket_.write_some(boost::asio::buffer(output_), error);
    if (error && error != boost::asio::error::would_block) return close();
    output_sent_ = error ? 0 : sent;
    if (output_sent_ == output_.size()) return written();
    boost::asio::async_write(
        socket_, boost::asio::buffer(output_.data() + output_sent_, output_.size() - output_sent_),
        [this](const boost::system::error_code& failed, std::size_t) {
            if (failed) return close();
            written();
        });
}

void Connection::written() {
    worker_.note_step();
    output_.clear();
    relies_on_ = 0;
    if (client_.closing) return worker_.draining() && tls_ == nullptr ? close() : linger();
    // Not from here: a client that never stops must not grow the stack, nor keep others waiting.
    if (more_input_) return worker_.later([this] { process(); });
    if (worker_.draining()) return worker_.later([this] { read_the_last(); });
    read();
}

void Connection::say_goodbye(std::chrono::milliseconds time) {
    limit_tls(time);
    tls_->stream.async_shutdown([this](const boost::system::error_code&) { close(); });
}

void Connection::linger() {
    if (tls_ != nullptr) return say_goodbye(worker_.draining() ? kLastRecordTime : kGoodbyeTime);
    boost::system::error_code ignored;
    if (lingered_bytes_ == 0) socket_.shutdown(Socket::shutdown_send, ignored);
    socket_.async_read_some(boost::asio::buffer(input_),
                            [this](const boost::system::error_code& error, std::size_t size) {
                                lingered_bytes_ += size;
                                if (error || lingered_bytes_ > kLingerBytesMax || worker_.draining())
                                    return close();
                                linger();
                            });
}

}  // namespace tollgate::daemon::net
