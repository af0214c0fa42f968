#include "daemon/flush/webhook_sink.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <exception>
#include <span>
#include <stdexcept>
#include <vector>

#include <curl/curl.h>

#include "balance/journal/checksum.h"
#include "daemon/access/signature.h"
#include "daemon/json_text.h"
#include "daemon/operation/log_line.h"
#include "daemon/turns.h"

namespace tollgate::daemon::flush {
namespace {

namespace journal = balance::journal;

constexpr std::string_view kFile = "webhook-position";
constexpr std::uint64_t kFileBytesMax = 4096;
/// The file is written no more often, and so much is sent again after a crash.
constexpr std::chrono::seconds kSaveEvery{1};
/// How long the sending thread sleeps at most.
constexpr std::chrono::milliseconds kNap{200};
constexpr std::size_t kFailureBytesMax = 200;

/// One JSON object, field by field.
class Object {
  public:
    explicit Object(std::string& out) : out_(out) { out_ += '{'; }
    ~Object() { out_ += '}'; }
    Object(const Object&) = delete;
    Object& operator=(const Object&) = delete;

    Object& name(std::string_view name) {
        if (!first_) out_ += ',';
        first_ = false;
        add_json(out_, name);
        out_ += ':';
        return *this;
    }
    Object& add(std::string_view field, std::string_view value) {
        add_json(name(field).out_, value);
        return *this;
    }
    Object& add(std::string_view field, std::uint64_t value) {
        name(field).out_ += std::to_string(value);
        return *this;
    }
    /// Left out where it is not so.
    Object& add(std::string_view field, rating::Instant at) {
        return at == rating::kAlways ? *this : add(field, rating::format(at).view());
    }
    Object& add(std::string_view field, rating::Money amount) {
        return add(field, rating::format(amount).view());
    }

  private:
    std::string& out_;
    bool first_ = true;
};

void add_call(Object& object, std::string& out, const CallRecord& record) {
    object.add("record", record.id()).add("session", record.session).add("line", record.line);
    object.add("number", record.called).add("caller", record.caller).add("service", record.service);
    object.add("switch", record.switch_name).add("state", record.state).add("flags", record.flags);
    object.add("answered_at", record.answered_at).add("ended_at", record.ended_at);
    object.add("used_seconds", record.used_seconds).add("cause", record.cause).add("tags", record.tags);
    object.name("legs");
    out += '[';
    bool first = true;
    for (const CallLeg& leg : record.legs) {
        if (!std::exchange(first, false)) out += ',';
        Object one{out};
        one.add("party", leg.party).add("seller", leg.seller).add("currency", leg.currency.view());
        one.add("charged", leg.charged);
        if (!leg.rated) continue;
        one.add("tariff", leg.tariff).add("version", leg.version).add("prefix", leg.prefix);
        one.add("destination", leg.destination).add("billed_seconds", leg.billed_seconds);
    }
    out += ']';
}

std::size_t drop(char* /*bytes*/, std::size_t size, std::size_t count, void* /*user*/) {
    return size * count;
}

struct FreeList {
    void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};
struct FreeEasy {
    void operator()(CURL* easy) const noexcept { curl_easy_cleanup(easy); }
};

template <typename Value>
void set(CURL* easy, CURLoption option, Value value) {
    if (curl_easy_setopt(easy, option, value) != CURLE_OK)
        throw std::runtime_error("webhook: this libcurl cannot do what is needed");
}

}  // namespace

void check_webhook_url(const std::string& url) {
    const auto wrong = [&url](const char* why) {
        std::string shown = logging::redacted_url(url);
        // Many services want their secret in the path.
        const std::size_t scheme = shown.find("://");
        const std::size_t path = shown.find_first_of("/?#", scheme == std::string::npos ? 0 : scheme + 3);
        if (path != std::string::npos) shown.replace(path, std::string::npos, "/***");
        std::string text{"webhook.url: \""};
        text.append(shown).append("\": ").append(why);
        text += "; expected http://HOST[:PORT]/PATH or https://…; what is special in it is written %XX";
        return std::runtime_error{text};
    };
    if (!url.starts_with("http://") && !url.starts_with("https://")) throw wrong("it is of another kind");
    struct Free {
        void operator()(CURLU* parts) const noexcept { curl_url_cleanup(parts); }
    };
    const std::unique_ptr<CURLU, Free> parts{curl_url()};
    const CURLUcode said = curl_url_set(parts.get(), CURLUPART_URL, url.c_str(), 0);
    if (said != CURLUE_OK) throw wrong(curl_url_strerror(said));
}

std::string webhook_body(const Occurrence& one, const Batch& batch, std::string_view id) {
    std::string out;
    {
        Object object{out};
        object.add("id", id).add("event", text_of(one.kind)).add("at", one.at);
        object.add("party", batch.party_id(one.party));
        if (one.record != nullptr) {
            add_call(object, out, *one.record);
        } else if (one.threshold != nullptr) {
            object.add("threshold", daemon::text_of(one.threshold->crossing.warning));
            object.add("balance", one.threshold->crossing.balance);
            object.add("currency", batch.state->parties.get(one.party).currency.view());
        } else if (one.status != nullptr) {
            object.add("status", one.status->after.text().view());
            object.add("before", one.status->before.text().view());
        }
    }
    return out;
}

struct WebhookSink::Library {
    Library() {
        static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
        if (ready == CURLE_OK) multi = curl_multi_init();
        if (multi == nullptr) throw std::runtime_error("webhook: libcurl cannot be used");
    }
    ~Library() { curl_multi_cleanup(multi); }
    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;

    CURLM* multi = nullptr;
};

/// One event on its way.
struct WebhookSink::Post {
    Post(CURLM* of, PartyId whose) : multi(of), party(whose), easy(curl_easy_init()) {
        if (easy == nullptr) throw std::runtime_error("webhook: no memory for a connection");
    }
    ~Post() { curl_multi_remove_handle(multi, easy.get()); }
    Post(const Post&) = delete;
    Post& operator=(const Post&) = delete;

    void header(const std::string& line) {
        curl_slist* const longer = curl_slist_append(headers.get(), line.c_str());
        if (longer == nullptr) throw std::runtime_error("webhook: no memory for a header");
        (void)headers.release();
        headers.reset(longer);
    }

    CURLM* multi;
    PartyId party;
    std::string body;
    std::unique_ptr<curl_slist, FreeList> headers;
    std::array<char, CURL_ERROR_SIZE> why{};
    std::unique_ptr<CURL, FreeEasy> easy;
};

WebhookSink::WebhookSink(WebhookSettings settings, journal::Disk& disk, Now now, Say say)
    : settings_(std::move(settings)),
      disk_(disk),
      now_(std::move(now)),
      say_(std::move(say)),
      library_(std::make_unique<Library>()),
      chance_(std::random_device{}()) {
    check_webhook_url(settings_.url);
    if (settings_.secret.empty())
        throw std::runtime_error{"webhook.secret_file: nothing is sent unsigned, and there is no secret"};
}

WebhookSink::~WebhookSink() {
    interrupt();
    thread_ = {};
}

void WebhookSink::interrupt() noexcept {
    {
        const std::lock_guard lock{mutex_};
        interrupted_ = true;
        thread_.request_stop();
    }
    room_.notify_all();
    (void)curl_multi_wakeup(library_->multi);
}

// ---- Its position ----

std::optional<Position> WebhookSink::read_position() const {
    std::vector<std::byte> bytes;
    const std::string name{kFile};
    const auto error = journal::read_file(disk_, name, kFileBytesMax, bytes);
    if (error == ENOENT) return std::nullopt;
    if (error != 0) throw SinkFailure{"webhook: " + disk_.path(name) + ": " + journal::text_of(error)};
    // Numbers behind each other; the last is the checksum of what is before it.
    const std::string_view text{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    std::array<std::uint64_t, 5> numbers{};
    const char* at = text.data();
    const char* const end = at + text.size();
    const char* sum_at = at;
    bool good = true;
    for (auto& number : numbers) {
        sum_at = at;
        const auto [stop, wrong] = std::from_chars(at, end, number);
        good = good && wrong == std::errc{} && stop != end;
        at = good ? stop + 1 : end;
    }
    const auto head = std::span{bytes}.first(static_cast<std::size_t>(sum_at - text.data()));
    if (!good || at != end || numbers[4] != journal::checksum(head)) {
        throw SinkRefused{"webhook: " + disk_.path(name) +
                          " is not what was written; without it, only what happens from then on is told"};
    }
    return Position{{numbers[0], numbers[1]}, numbers[2], numbers[3], 0};
}

void WebhookSink::write_position(const Position& position) const {
    std::string text = std::to_string(position.instance.high) + ' ' + std::to_string(position.instance.low) +
                       ' ' + std::to_string(position.epoch) + ' ' + std::to_string(position.sequence) + ' ';
    text += std::to_string(journal::checksum(std::as_bytes(std::span{text}))) + '\n';
    const std::string name{kFile};
    if (const auto error = journal::write_file(disk_, name, std::as_bytes(std::span{text})); error != 0)
        throw SinkFailure{"webhook: " + disk_.path(name) + ": cannot be written: " + journal::text_of(error)};
}

void WebhookSink::save_position(std::chrono::nanoseconds now, bool at_once) {
    Position position;
    {
        const std::lock_guard lock{mutex_};
        if (delivered_ == saved_ || (!at_once && now - saved_at_ < kSaveEvery)) return;
        position = delivered_;
    }
    saved_at_ = now;
    try {
        write_position(position);
    } catch (const SinkFailure& failure) {
        return say_(failure.what());
    }
    const std::lock_guard lock{mutex_};
    saved_ = position;
}

std::optional<Position> WebhookSink::connect() {
    {
        const std::lock_guard lock{mutex_};
        if (interrupted_) throw SinkFailure{"webhook: the daemon stops"};
    }
    const auto found = read_position();
    const std::lock_guard lock{mutex_};
    // Somebody who wants it to begin anew has removed the file, or put another in its place. What is being
    // sent is sent first.
    if (!has_position_ || (open_.empty() && found != saved_)) {
        if (found) accepted_ = delivered_ = saved_ = *found;
        has_position_ = found.has_value();
    }
    if (!thread_.joinable()) {
        thread_ = std::jthread{[this](const std::stop_token& stop) { send_on(stop); }};
    }
    return has_position_ ? std::optional{accepted_} : std::nullopt;
}

void WebhookSink::begin(const Position& here) {
    if (!read_position()) write_position(here);
}

std::optional<Position> WebhookSink::position() {
    const std::lock_guard lock{mutex_};
    if (!has_position_) return std::nullopt;
    return accepted_;
}

std::optional<Sink::Delivered> WebhookSink::delivered() const {
    const std::lock_guard lock{mutex_};
    Delivered all{.sequence = delivered_.sequence, .saved = saved_.sequence};
    if (!open_.empty()) all.waiting_since = open_.front().at;
    all.pending = pending_;
    all.retried = retried_;
    all.failures = failures_;
    all.given_up = given_up_;
    all.last_failure = last_failure_;
    return all;
}

// ---- Taking in ----

void WebhookSink::add(PartyId party, Event&& event) {
    const auto [place, fresh] = queues_.try_emplace(party);
    const auto now = now_().steady;
    event.taken_in = now;
    place->second.events.push_back(std::move(event));
    ++pending_;
    if (!fresh) return;  // It waits for the one before.
    place->second.due = now;
    due_.emplace(now, party);
}

void WebhookSink::write(const Batch& batch) {
    if (batch.clear) {
        // From here on, and nothing that was before.
        write_position(batch.after);
        const std::lock_guard lock{mutex_};
        accepted_ = delivered_ = saved_ = batch.after;
        has_position_ = true;
        return;
    }
    const std::string journal_id = journal::text_of(batch.after.instance);
    const auto occurrences = occurrences_of(batch);
    std::unique_lock lock{mutex_};
    if (accepted_ != batch.before || !has_position_) throw SinkMoved{"webhook: it is not where it was left"};
    if (occurrences.empty() && !open_.empty()) {
        // It has nothing to tell, and goes with the one before it that still waits.
        accepted_ = open_.back().after = batch.after;
        return;
    }
    const std::uint64_t number = ++batches_;
    open_.push_back({number, batch.after, batch.first_at.wall, occurrences.size()});
    for (const Occurrence& one : occurrences) {
        lock.unlock();
        Event event;
        event.batch = number;
        event.id = journal_id + '-' + one.id();
        event.kind = text_of(one.kind);
        event.body = webhook_body(one, batch, event.id);
        lock.lock();
        if (pending_ >= settings_.pending_max) (void)curl_multi_wakeup(library_->multi);
        room_.wait(lock, [this] { return interrupted_ || pending_ < settings_.pending_max; });
        if (interrupted_) throw SinkFailure{"webhook: the daemon stops"};
        add(one.party, std::move(event));
    }
    accepted_ = batch.after;
    close_batches();
    lock.unlock();
    (void)curl_multi_wakeup(library_->multi);
}

void WebhookSink::close_batches() {
    while (!open_.empty() && open_.front().left == 0) {
        delivered_ = open_.front().after;
        open_.pop_front();
    }
}

// ---- Sending ----

std::chrono::nanoseconds WebhookSink::delay_of(std::uint32_t attempts) {
    auto delay = settings_.retry_first;
    for (std::uint32_t i = 1; i < attempts && delay < settings_.retry_longest; ++i)
        delay *= 2;
    delay = std::min(delay, settings_.retry_longest);
    std::uniform_int_distribution<std::int64_t> some{delay.count() / 2, delay.count()};
    return std::chrono::milliseconds{some(chance_)};
}

void WebhookSink::begin_posts(std::chrono::nanoseconds now) {
    while (posts_.size() < settings_.connections) {
        std::unique_ptr<Post> post;
        std::string id;
        std::string_view kind;
        {
            const std::lock_guard lock{mutex_};
            if (due_.empty() || due_.begin()->first > now) return;
            const PartyId party = due_.begin()->second;
            due_.erase(due_.begin());
            const Event& event = queues_.at(party).events.front();
            post = std::make_unique<Post>(library_->multi, party);
            post->body = event.body;
            id = event.id;
            kind = event.kind;
        }
        const auto wall = std::chrono::floor<std::chrono::seconds>(now_().wall).time_since_epoch().count();
        const std::string time = std::to_string(wall);
        post->header("Content-Type: application/json");
        post->header("User-Agent: tollgate");
        post->header("Expect:");
        post->header("Tollgate-Event: " + std::string{kind});
        post->header("Tollgate-Id: " + id);
        post->header("Tollgate-Signature: t=" + time +
                     ",v1=" + access::signature_of(time + '.' + post->body, settings_.secret));
        CURL* const easy = post->easy.get();
        const long timeout = settings_.timeout.count();
        set(easy, CURLOPT_URL, settings_.url.c_str());
        set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
        set(easy, CURLOPT_NOSIGNAL, 1L);
        set(easy, CURLOPT_FOLLOWLOCATION, 0L);
        set(easy, CURLOPT_TIMEOUT_MS, timeout);
        set(easy, CURLOPT_CONNECTTIMEOUT_MS, timeout);
        set(easy, CURLOPT_HTTPHEADER, post->headers.get());
        set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(post->body.size()));
        set(easy, CURLOPT_POSTFIELDS, post->body.c_str());
        set(easy, CURLOPT_WRITEFUNCTION, &drop);
        set(easy, CURLOPT_ERRORBUFFER, post->why.data());
        set(easy, CURLOPT_PRIVATE, static_cast<void*>(post.get()));
        if (curl_multi_add_handle(library_->multi, easy) != CURLM_OK)
            throw std::runtime_error("webhook: libcurl takes no more");
        posts_.emplace(post->party, std::move(post));
    }
}

void WebhookSink::finish_posts(std::chrono::nanoseconds now) {
    int left = 0;
    while (const CURLMsg* const message = curl_multi_info_read(library_->multi, &left)) {
        if (message->msg != CURLMSG_DONE) continue;
        void* mine = nullptr;
        long code = 0;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &mine);
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &code);
        const CURLcode result = message->data.result;
        const Post& post = *static_cast<const Post*>(mine);
        const PartyId party = post.party;
        std::string failure;
        constexpr long kOkFirst = 200;
        constexpr long kOkLast = 299;
        if (result != CURLE_OK) {
            failure = post.why[0] != '\0' ? post.why.data() : curl_easy_strerror(result);
        } else if (code < kOkFirst || code > kOkLast) {
            failure = "the server answers " + std::to_string(code);
        }
        posts_.erase(party);
        finish(party, failure.substr(0, kFailureBytesMax), now);
    }
}

void WebhookSink::finish(PartyId party, const std::string& failure, std::chrono::nanoseconds now) {
    std::string told;
    {
        const std::lock_guard lock{mutex_};
        Queue& queue = queues_.at(party);
        Event& event = queue.events.front();
        bool over = failure.empty();
        queue.due = now;
        if (!over) {
            ++failures_;
            last_failure_ = "webhook: " + failure;
            if (event.attempts++ == 0) ++retried_;
            const bool too_old = settings_.give_up.count() != 0 && now - event.taken_in >= settings_.give_up;
            if (too_old) {
                ++given_up_;
                told = "webhook: event " + event.id + " is given up after " + std::to_string(event.attempts) +
                       " attempts: " + failure;
                over = true;
            } else {
                // While one is tried again, the others need not be told of.
                if (event.attempts == 1 && retried_ == 1)
                    told = "webhook: event " + event.id + " was not taken, it is tried again: " + failure;
                queue.due = now + delay_of(event.attempts);
            }
        }
        if (over) {
            if (event.attempts > 0 && --retried_ == 0 && failure.empty())
                told = "webhook: event " + event.id + " is taken after " + std::to_string(event.attempts) +
                       " failures, and no other is being tried again";
            // Batches are numbered one by one, and the oldest is the first.
            --open_[event.batch - open_.front().number].left;
            --pending_;
            queue.events.pop_front();
            close_batches();
        }
        if (queue.events.empty()) {
            queues_.erase(party);
        } else {
            due_.emplace(queue.due, party);
        }
    }
    room_.notify_all();
    if (!told.empty()) say_(told);
}

void WebhookSink::send_on(const std::stop_token& stop) {
    work_in_background();
    while (!stop.stop_requested()) {
        auto nap = kNap;
        try {
            const auto now = now_().steady;
            begin_posts(now);
            int running = 0;
            (void)curl_multi_perform(library_->multi, &running);
            finish_posts(now_().steady);
            save_position(now, false);
            const std::lock_guard lock{mutex_};
            if (posts_.size() < settings_.connections && !due_.empty()) {
                const auto until = std::chrono::ceil<std::chrono::milliseconds>(due_.begin()->first - now);
                nap = std::clamp(until, std::chrono::milliseconds{0}, kNap);
            }
        } catch (const std::exception& failure) {
            // Memory, or a library that is another than it was: what was begun is begun again later.
            say_(failure.what());
            const std::lock_guard lock{mutex_};
            posts_.clear();
            due_.clear();
            for (auto& [party, queue] : queues_) {
                queue.due = now_().steady + settings_.retry_longest;
                due_.emplace(queue.due, party);
            }
        }
        (void)curl_multi_poll(library_->multi, nullptr, 0, static_cast<int>(nap.count()), nullptr);
    }
    posts_.clear();
    save_position(now_().steady, true);
}

}  // namespace tollgate::daemon::flush
