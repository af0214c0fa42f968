#include "bench/load/generator.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <charconv>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "protocol/resp_writer.h"

namespace tollgate::bench::load {
namespace {

using std::chrono::duration_cast;
using std::chrono::nanoseconds;

constexpr std::size_t kReadBytes = std::size_t{256} * 1024;
constexpr std::size_t kEventsMax = 256;
/// How often watchers are told of latencies.
constexpr std::chrono::milliseconds kReportEvery{100};
/// With answers outstanding and nothing due the thread sleeps at most so long, to notice its end.
constexpr std::chrono::milliseconds kSleepLongest{20};

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

std::string_view digits_of(std::int64_t number, std::array<char, 24>& buffer) {
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr;
    return {buffer.data(), static_cast<std::size_t>(end - buffer.data())};
}

}  // namespace

Histogram Progress::take_recent() {
    const std::lock_guard lock{mutex};
    Histogram taken = recent;
    recent.clear();
    return taken;
}

Generator::Generator(const Settings& settings, unsigned thread)
    : settings_(settings),
      thread_(thread),
      planner_(settings.traffic, settings.seed + thread),
      random_(~(settings.seed + thread)),
      connections_(settings.connections / settings.threads +
                   (thread < settings.connections % settings.threads ? 1 : 0)),
      next_call_(thread),
      buffer_(kReadBytes) {
    const auto length = settings.schedule.get().length();
    figures_.interval = std::max<nanoseconds>(length / static_cast<std::int64_t>(kIntervals), kIntervalLeast);
    figures_.intervals.resize(static_cast<std::size_t>(length / figures_.interval) + 1);
    figures_.steps.resize(settings.schedule.get().steps());
    figures_.measured = length - settings.warm_up;
    figures_.charged.resize(settings.traffic.lines.size());
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    if (epoll_ < 0) fail("epoll_create1");
    std::size_t index = thread;  // Of the connection among those of all threads.
    for (Connection& connection : connections_) {
        if (settings.commands != nullptr) {
            connection.first_command = settings.commands->size() * index / settings.connections;
            connection.last_command = settings.commands->size() * (index + 1) / settings.connections;
            connection.next_command = connection.first_command;
            index += settings.threads;
        }
        connection.socket = Client{settings.peer}.release();
        ::fcntl(connection.socket, F_SETFL, O_NONBLOCK);
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.ptr = &connection;
        if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.socket, &event) != 0) fail("epoll_ctl");
    }
}

Generator::~Generator() {
    for (const Connection& connection : connections_) {
        if (connection.socket >= 0) ::close(connection.socket);
    }
    if (epoll_ >= 0) ::close(epoll_);
}

void Generator::run(Clock::time_point begin) {
    ::prctl(PR_SET_TIMERSLACK, 1);  // A rest is not to be longer than it says.
    begin_ = begin;
    const Offset end = settings_.schedule.get().length();
    if (settings_.saturate > 0) {
        wait(Offset{});
        at_ = now();
        for (Connection& connection : connections_)
            refill(connection);
    }
    for (;;) {
        const Offset at = at_ = now();
        if (settings_.saturate == 0) {
            begin_calls(at);
            take_steps(at);
        }
        if (at >= end && !is_ending_) end_open_calls(at);
        flush();
        report(at);
        if (is_ending_ && in_flight_ == 0 && backlog_.empty() && steps_.empty()) break;
        if (at > end + settings_.answers_awaited) {
            figures_.lost += in_flight_ + backlog_.size();
            break;
        }
        Offset until = at + kSleepLongest;
        if (!is_ending_) until = std::min(until, end);
        if (settings_.saturate == 0) {
            if (const auto due = settings_.schedule.get().due(next_call_)) until = std::min(until, *due);
            if (!steps_.empty()) until = std::min(until, steps_.top().due);
        }
        wait(until);
    }
    figures_.unsettled += sessions_.size() - free_.size();
    report(now() + kReportEvery);
}

void Generator::begin_calls(Offset now) {
    if (is_ending_) return;
    for (;;) {
        const auto due = settings_.schedule.get().due(next_call_);
        if (!due || *due > now) return;
        if (backlog_.size() >= kBacklogMax) {
            figures_.is_behind = true;
            end_open_calls(now);
            return;
        }
        begin_call(next_call_, *due, nullptr);
        next_call_ += settings_.threads;
    }
}

void Generator::begin_call(std::uint64_t number, Offset due, Connection* connection) {
    Slot slot = 0;
    if (free_.empty()) {
        slot = static_cast<Slot>(sessions_.size());
        sessions_.emplace_back();
        talks_from_.emplace_back();
    } else {
        slot = free_.back();
        free_.pop_back();
    }
    Session& session = sessions_[slot];
    session = {};
    session.plan = planner_.plan(number);
    session.number = number;
    session.verb = Verb::authorize;
    session.said = settings_.want;
    ++figures_.calls;
    progress_.open.store(progress_.open.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    ask(slot, due, connection);
}

void Generator::take_steps(Offset now) {
    while (!steps_.empty() && steps_.top().due <= now) {
        const Step step = steps_.top();
        steps_.pop();
        ask(step.slot, step.due, nullptr);
    }
}

/// What waits is due now: whoever rings is released, whoever talks hangs up.
void Generator::end_open_calls(Offset now) {
    is_ending_ = true;
    if (settings_.saturate > 0) return;  // There, whatever was answered is ended as its turn comes.
    std::vector<Step> waiting;
    for (; !steps_.empty(); steps_.pop())
        waiting.push_back(steps_.top());
    for (const Step& step : waiting) {
        Session& session = sessions_[step.slot];
        if (session.verb != Verb::stop || step.due > now) {
            if (session.is_started) {
                const auto talked =
                    duration_cast<nanoseconds>((now - talks_from_[step.slot]) * settings_.speed);
                const auto so_far = std::max(session.used, std::chrono::ceil<std::chrono::seconds>(talked));
                session.verb = Verb::stop;
                session.said = std::max(session.used, std::min({so_far, session.granted, session.plan.talk}));
            } else if (!settings_.traffic.is_pair) {
                session.verb = Verb::release;
                session.said = {};
            }
        }
        ask(step.slot, std::max(now, settings_.schedule.get().length()), nullptr);
    }
}

void Generator::refill(Connection& connection) {
    while (connection.in_flight.size() < settings_.saturate) {
        if (settings_.commands != nullptr) {
            if (is_ending_) return;
            write_from_file(connection);
        } else if (!connection.ready.empty()) {
            const Slot slot = connection.ready.front();
            connection.ready.pop_front();
            ask(slot, at_, &connection);
        } else if (!is_ending_) {
            begin_call(next_call_, at_, &connection);
            next_call_ += settings_.threads;
        } else {
            return;
        }
    }
}

void Generator::plan_next(Slot slot, Offset due, Connection& connection) {
    const Session& session = sessions_[slot];
    const Plan& plan = session.plan;
    const auto in_life = [this](auto time) { return duration_cast<nanoseconds>(time / settings_.speed); };
    if (settings_.traffic.is_pair) {
        later(slot, Verb::stop, std::min(plan.talk, session.granted), due + kPairLasts, connection);
        return;
    }
    using Real = std::chrono::duration<double>;
    if (!session.is_started) {
        const Offset answer = due + in_life(Real{plan.ring});
        if (plan.course == Course::answered) {
            talks_from_[slot] = answer;
            later(slot, Verb::start, {}, answer, connection);
        } else if (session.number % 2 == 0) {
            later(slot, Verb::release, {}, answer, connection);
        } else {
            later(slot, Verb::stop, {}, answer, connection);  // Some switches say STOP 0.
        }
        return;
    }
    // No call goes on beyond its grant: the switch ends it there.
    const auto extend_at = session.used + settings_.extend;
    const bool may_extend = settings_.extend.count() > 0 && !session.is_final && extend_at <= session.granted;
    if (may_extend && extend_at < plan.talk) {
        later(slot, Verb::extend, extend_at, talks_from_[slot] + in_life(Real{extend_at}), connection);
    } else {
        const auto talk = std::max(session.used, std::min(plan.talk, session.granted));
        later(slot, Verb::stop, talk, talks_from_[slot] + in_life(Real{talk}), connection);
    }
}

void Generator::later(Slot slot, Verb verb, std::chrono::seconds said, Offset due, Connection& connection) {
    Session& session = sessions_[slot];
    session.verb = verb;
    session.said = said;
    if (settings_.saturate > 0) {
        connection.ready.push_back(slot);
        return;
    }
    steps_.push({due, slot});
    // One that was to be later has no later.
    if (is_ending_) end_open_calls(now());
}

void Generator::ask(Slot slot, Offset due, Connection* connection) {
    Session& session = sessions_[slot];
    session.asked = 1;
    session.answered = 0;
    session.duplicates = 0;
    const Verb verb = session.verb;
    if (verb == Verb::authorize && session.plan.course == Course::hung_up) {
        // Both on one connection, so that they come in this order.
        if (connection == nullptr) connection = &connections_[turn_++ % connections_.size()];
        write(*connection, {due, {}, slot, Verb::authorize});
        write(*connection, {due, {}, slot, Verb::release});
        return;
    }
    const bool repeats = settings_.repeat > 0 && random_.chance(settings_.repeat);
    if (repeats) session.asked = 2;
    submit({due, {}, slot, verb}, connection);
    if (repeats) {
        ++figures_.repeats;
        submit({due, {}, slot, verb}, connection);
    }
}

void Generator::submit(Command command, Connection* connection) {
    if (connection != nullptr) {
        write(*connection, command);
        return;
    }
    if (backlog_.empty()) {
        for (std::size_t i = 0; i < connections_.size(); ++i) {
            Connection& next = connections_[turn_++ % connections_.size()];
            if (next.in_flight.size() < settings_.pipeline) {
                write(next, command);
                return;
            }
        }
    }
    backlog_.push_back(command);
}

void Generator::empty_backlog() {
    for (std::size_t full = 0; !backlog_.empty() && full < connections_.size();) {
        Connection& next = connections_[turn_++ % connections_.size()];
        if (next.in_flight.size() >= settings_.pipeline) {
            ++full;
            continue;
        }
        full = 0;
        write(next, backlog_.front());
        backlog_.pop_front();
    }
}

void Generator::write(Connection& connection, Command command) {
    command.sent = at_;
    append(connection.out, sessions_[command.slot], command.verb);
    count_sent(connection, command);
}

void Generator::write_from_file(Connection& connection) {
    if (connection.next_command == connection.last_command) {
        connection.next_command = connection.first_command;
        ++connection.pass;
    }
    settings_.commands->append(connection.out, connection.next_command++, connection.pass);
    count_sent(connection, {at_, at_, 0, Verb::count});
}

void Generator::count_sent(Connection& connection, const Command& command) {
    connection.in_flight.push_back(command);
    ++in_flight_;
    ++figures_.commands;
    progress_.sent.store(figures_.commands, std::memory_order_relaxed);
    if (!connection.is_dirty) {
        connection.is_dirty = true;
        dirty_.push_back(&connection);
    }
    if (command.sent >= Offset{}) {
        const auto interval = static_cast<std::size_t>(command.sent / figures_.interval);
        if (interval < figures_.intervals.size()) ++figures_.intervals[interval].sent;
    }
}

std::string Generator::session_id(const Session& session) const {
    return settings_.run + '-' + std::to_string(session.number);
}

void Generator::append(std::string& out, const Session& session, Verb verb) {
    protocol::RespWriter writer{out};
    std::array<char, 24> digits;  // NOLINT: to_chars fills what is read.
    std::array<char, 24> number;  // NOLINT
    const auto id = digits_of(static_cast<std::int64_t>(session.number), number);
    const auto session_word = [&] {
        // The id in one piece, without a string of its own.
        std::array<char, 24> size;  // NOLINT
        out += '$';
        out += digits_of(static_cast<std::int64_t>(settings_.run.size() + 1 + id.size()), size);
        out += "\r\n";
        out += settings_.run;
        out += '-';
        out += id;
        out += "\r\n";
    };
    const auto said = [&] { return digits_of(session.said.count(), digits); };
    switch (verb) {
        case Verb::authorize:
            out +=
                session.plan.at == rating::kNever ? "*6\r\n$9\r\nAUTHORIZE\r\n" : "*8\r\n$9\r\nAUTHORIZE\r\n";
            writer.bulk(settings_.traffic.lines[session.plan.line]);
            writer.bulk(settings_.traffic.numbers[session.plan.number]);
            session_word();
            out += "$4\r\nWANT\r\n";
            writer.bulk(digits_of(settings_.want.count(), digits));
            if (session.plan.at != rating::kNever) {
                out += "$2\r\nAT\r\n";
                writer.bulk(rating::format(session.plan.at));
            }
            return;
        case Verb::start:
            out += "*2\r\n$5\r\nSTART\r\n";
            session_word();
            return;
        case Verb::extend:
            out += "*6\r\n$6\r\nEXTEND\r\n";
            session_word();
            out += "$4\r\nUSED\r\n";
            writer.bulk(said());
            out += "$4\r\nWANT\r\n";
            writer.bulk(digits_of(settings_.want.count(), digits));
            return;
        case Verb::stop:
            out += "*3\r\n$4\r\nSTOP\r\n";
            session_word();
            writer.bulk(said());
            return;
        case Verb::release:
            out += "*2\r\n$7\r\nRELEASE\r\n";
            session_word();
            return;
        case Verb::count:
            break;
    }
    std::abort();  // Not an enumerator.
}

void Generator::flush() {
    for (Connection* const connection : dirty_) {
        connection->is_dirty = false;
        if (!connection->is_blocked) flush(*connection);
    }
    dirty_.clear();
}

void Generator::flush(Connection& connection) {
    const bool was_blocked = connection.is_blocked;
    const auto sent = ::send(connection.socket, connection.out.data(), connection.out.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) fail("the daemon takes no commands");
    if (sent > 0) connection.out.erase(0, static_cast<std::size_t>(sent));
    connection.is_blocked = !connection.out.empty();
    if (connection.is_blocked == was_blocked) return;
    epoll_event event{};
    event.events = connection.is_blocked ? EPOLLIN | EPOLLOUT : EPOLLIN;
    event.data.ptr = &connection;
    if (::epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.socket, &event) != 0) fail("epoll_ctl");
}

void Generator::wait(Offset until) {
    std::array<epoll_event, kEventsMax> events;  // NOLINT: epoll fills what is read.
    const Offset rest = std::max(until - now(), Offset{0});
    const auto seconds = std::chrono::floor<std::chrono::seconds>(rest);
    timespec timeout{};
    timeout.tv_sec = seconds.count();
    timeout.tv_nsec = (rest - seconds).count();
    const int count =
        ::epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &timeout, nullptr);
    if (count < 0 && errno != EINTR) fail("epoll_pwait2");
    for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        Connection& connection = *static_cast<Connection*>(event.data.ptr);
        if ((event.events & EPOLLOUT) != 0) flush(connection);
        if ((event.events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) read(connection);
    }
    if (!backlog_.empty()) empty_backlog();
}

void Generator::read(Connection& connection) {
    const auto bytes = ::recv(connection.socket, buffer_.data(), buffer_.size(), 0);
    if (bytes < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (bytes < 0) fail("the daemon's answers");
    if (bytes == 0) throw std::runtime_error("the daemon hung up");
    at_ = now();
    std::string_view text{buffer_.data(), static_cast<std::size_t>(bytes)};
    const bool has_rest = !connection.in.empty();
    if (has_rest) text = connection.in.append(text);
    Answer answer;
    for (;;) {
        const auto status = answer.read(text);
        if (status == Answer::Status::malformed) throw std::runtime_error("what answers does not speak RESP");
        if (status == Answer::Status::incomplete) break;
        if (connection.in_flight.empty())
            throw std::runtime_error("an answer came that nobody had asked for");
        take(connection, answer, at_);
        text.remove_prefix(answer.consumed());
    }
    if (has_rest) {
        connection.in.erase(0, connection.in.size() - text.size());
    } else {
        connection.in.assign(text);
    }
    if (settings_.saturate > 0) refill(connection);
}

void Generator::take(Connection& connection, const Answer& answer, Offset now) {
    const Command command = connection.in_flight.front();
    connection.in_flight.pop_front();
    --in_flight_;
    measure(command, now);
    if (settings_.commands != nullptr) {
        take_from_file(answer);
        return;
    }
    Session& session = sessions_[command.slot];
    if (command.verb != session.verb) {  // RELEASE of a call that was hung up.
        session.verb = command.verb;
        session.answered = 0;
    }
    const Verdict verdict = judge(session, answer, settings_.want);
    switch (verdict.kind) {
        case Verdict::Kind::good:
            break;
        case Verdict::Kind::refused:
            if (session.answered == 1) count_refused(verdict.code);
            break;
        case Verdict::Kind::busy:
            ++figures_.busy;
            break;
        case Verdict::Kind::wrong:
            found_wrong("session " + session_id(session) + ": " + verdict.fault);
            break;
    }
    if (session.answered < session.asked) return;

    const bool is_hung_up = session.plan.course == Course::hung_up;
    if (command.verb == Verb::authorize) {
        if (session.is_granted) ++figures_.granted;
        if (is_hung_up) return;  // RELEASE is on its way.
        if (session.is_granted) {
            plan_next(command.slot, command.due, connection);
            return;
        }
        session.is_ended = verdict.kind == Verdict::Kind::refused;
    } else if (!session.is_ended && !is_hung_up && verdict.kind != Verdict::Kind::wrong &&
               verdict.kind != Verdict::Kind::busy) {
        plan_next(command.slot, command.due, connection);
        return;
    }
    finish(command.slot);
}

/// Of a stranger's answers only this much is known: an error is wrong, and an array tells a code first.
void Generator::take_from_file(const Answer& answer) {
    if (answer.kind() == Answer::Kind::error) found_wrong("answered an error: " + std::string{answer.text()});
    if (answer.kind() == Answer::Kind::array && answer.text() != "OK") count_refused(answer.text());
}

void Generator::count_refused(std::string_view code) {
    auto found = figures_.refused.find(code);
    if (found == figures_.refused.end()) found = figures_.refused.emplace(code, 0).first;
    ++found->second;
    progress_.refused.fetch_add(1, std::memory_order_relaxed);
}

void Generator::found_wrong(std::string fault) {
    ++figures_.wrong;
    progress_.wrong.store(figures_.wrong, std::memory_order_relaxed);
    if (figures_.faults.size() < kFaultsShownMax) figures_.faults.push_back(std::move(fault));
}

void Generator::finish(Slot slot) {
    Session& session = sessions_[slot];
    if (!session.is_ended && !(session.plan.course == Course::hung_up && !session.is_granted))
        ++figures_.unsettled;
    rating::Money& sum = figures_.charged[session.plan.line];
    sum = sum + session.charged;
    free_.push_back(slot);
    progress_.open.store(progress_.open.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
}

void Generator::measure(const Command& command, Offset now) {
    progress_.answered.store(progress_.answered.load(std::memory_order_relaxed) + 1,
                             std::memory_order_relaxed);
    if (now >= Offset{}) {
        const auto came = static_cast<std::size_t>(now / figures_.interval);
        if (came < figures_.intervals.size()) ++figures_.intervals[came].answered;
    }
    if (command.due < settings_.warm_up || command.due >= settings_.schedule.get().length()) return;
    const nanoseconds took = now - command.due;
    figures_.latency.add(took);
    figures_.service.add(now - command.sent);
    if (command.verb != Verb::count) figures_.verbs[static_cast<std::size_t>(command.verb)].add(took);
    recent_.add(took);
    figures_.intervals[static_cast<std::size_t>(command.due / figures_.interval)].latency.add(took);
    Figures::Slice& step = figures_.steps[settings_.schedule.get().step_at(command.due)];
    ++step.sent;
    step.latency.add(took);
    if (now < settings_.schedule.get().length()) ++step.answered;
}

void Generator::report(Offset now) {
    if (now - reported_ < kReportEvery) return;
    reported_ = now;
    const std::unique_lock lock{progress_.mutex, std::try_to_lock};
    if (!lock.owns_lock()) return;
    progress_.recent.add(recent_);
    recent_.clear();
}

}  // namespace tollgate::bench::load
