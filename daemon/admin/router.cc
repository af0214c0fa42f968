#include "daemon/admin/router.h"

#include <array>
#include <cassert>
#include <exception>

#include "balance/event_log.h"
#include "daemon/admin/json.h"

namespace tollgate::daemon::admin {
namespace {

constexpr std::string_view kIdPattern = "{id}";

constexpr std::array<std::pair<unsigned, std::string_view>, 20> kTitles = {{
    {200, "OK"},
    {201, "Created"},
    {204, "No Content"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
}};

std::optional<unsigned> hexadecimal(char c) noexcept {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
    if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
    return std::nullopt;
}

/// `%40` is an at sign; nullopt where a percent sign is followed by anything else.
std::optional<std::string> percent_decoded(std::string_view text) {
    std::string decoded;
    decoded.reserve(text.size());
    while (!text.empty()) {
        if (text.front() != '%') {
            decoded.push_back(text.front());
            text.remove_prefix(1);
            continue;
        }
        if (text.size() < 3) return std::nullopt;
        const auto high = hexadecimal(text[1]);
        const auto low = hexadecimal(text[2]);
        if (!high || !low) return std::nullopt;
        decoded.push_back(static_cast<char>(*high * 16 + *low));
        text.remove_prefix(3);
    }
    return decoded;
}

/// What stands before the next `separator`, taken off the front of `text` together with it.
std::string_view take_until(std::string_view& text, char separator) noexcept {
    const std::size_t end = text.find(separator);
    const std::string_view taken = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return taken;
}

bool serves(std::string_view route_method, std::string_view method) noexcept {
    return route_method == method || (route_method == "GET" && method == "HEAD");
}

}  // namespace

bool Request::set_target(std::string_view target) {
    path.clear();
    query.clear();
    target = target.substr(0, target.find('#'));
    if (!target.starts_with('/')) return false;
    std::string_view path_text = take_until(target, '?');
    path_text.remove_prefix(1);
    for (bool more = true; more;) {
        more = path_text.find('/') != std::string_view::npos;
        auto segment = percent_decoded(take_until(path_text, '/'));
        if (!segment) return false;
        path.push_back(std::move(*segment));
    }
    while (!target.empty()) {
        std::string_view pair = take_until(target, '&');
        auto name = percent_decoded(take_until(pair, '='));
        auto value = percent_decoded(pair);
        if (!name || !value) return false;
        query.emplace_back(std::move(*name), std::move(*value));
    }
    return true;
}

std::string_view title_of(unsigned status) noexcept {
    for (const auto& [known, title] : kTitles) {
        if (known == status) return title;
    }
    return "Unknown";
}

Response text_response(unsigned status, std::string text) {
    return {status, "text/plain; charset=utf-8", std::move(text), {}};
}

Response json_response(unsigned status, std::string json) {
    return {status, "application/json", std::move(json), {}};
}

Response problem(const Problem& what) {
    JsonWriter json;
    json.open_object();
    json.name("type").text("about:blank").name("title").text(title_of(what.status));
    json.name("status").whole(what.status).name("detail").text(what.detail);
    if (!what.errors.empty()) {
        json.name("errors").open_list();
        for (const auto& fault : what.errors) {
            json.open_object();
            if (fault.line) json.name("line").whole(*fault.line);
            json.name(what.place_name).text(fault.place).name("message").text(fault.message);
            json.close_object();
        }
        json.close_list();
    }
    if (what.error_count) json.name("error_count").whole(*what.error_count);
    json.close_object();
    return {what.status, "application/problem+json", json.take(), {}};
}

template <typename Work>
auto Router::guarded(const Work& work) const noexcept -> decltype(work()) {
    std::string what;
    try {
        return work();
    } catch (const std::exception& failure) {
        what = failure.what();
    } catch (...) {
        what = "something that is no std::exception";
    }
    if (on_unexpected_) on_unexpected_(what);
    return problem({.status = 500, .detail = "the daemon failed to carry this out; its log may say why"});
}

/// A sink whose exceptions are a 500.
class Router::GuardedSink : public BodySink {
  public:
    GuardedSink(const Router& router, std::unique_ptr<BodySink> sink)
        : router_(router), sink_(std::move(sink)) {}

    void begin() override {
        guard([this] { sink_->begin(); });
    }
    void feed(std::string_view piece) override {
        guard([this, piece] { sink_->feed(piece); });
    }
    Response finish() override {
        if (failure_) return *std::move(failure_);
        return router_.guarded([this] {
            const balance::JointEvent joint;
            return sink_->finish();
        });
    }

  private:
    template <typename Work>
    void guard(const Work& work) {
        if (failure_) return;
        failure_ = router_.guarded([&work]() -> std::optional<Response> {
            work();
            return std::nullopt;
        });
    }

    const Router& router_;
    std::unique_ptr<BodySink> sink_;
    std::optional<Response> failure_;
};

void Router::add(std::string_view method, std::string_view pattern, Lane lane, Handler handler) {
    add_route(method, pattern, lane, std::move(handler), {});
}

void Router::add_stream(std::string_view method, std::string_view pattern, Opener opener) {
    add_route(method, pattern, Lane::stream, {}, std::move(opener));
}

void Router::add_route(std::string_view method, std::string_view pattern, Lane lane, Handler handler,
                       Opener opener) {
    Request parsed;
    const bool is_path = parsed.set_target(pattern);
    assert(is_path);
    routes_.push_back(
        {std::string{method}, std::move(parsed.path), lane, std::move(handler), std::move(opener)});
}

Router::Match Router::find(const Request& request) const {
    Match match;
    for (const auto& route : routes_) {
        if (route.path.size() != request.path.size()) continue;
        std::string_view id;
        bool same = true;
        for (std::size_t i = 0; same && i < route.path.size(); ++i) {
            if (route.path[i] == kIdPattern) {
                id = request.path[i];
            } else {
                same = route.path[i] == request.path[i];
            }
        }
        if (!same) continue;
        if (!match.allowed.empty()) match.allowed += ", ";
        match.allowed += route.method == "GET" ? "GET, HEAD" : route.method;
        if (match.route == nullptr && serves(route.method, request.method)) {
            match.route = &route;
            match.id = id;
        }
    }
    return match;
}

std::optional<Lane> Router::lane(const Request& request) const {
    const Match match = find(request);
    if (match.route == nullptr) return std::nullopt;
    return match.route->lane;
}

Response Router::nothing_served(const Match& match) {
    if (match.allowed.empty()) return problem({.status = 404, .detail = "nothing is served here"});
    Response refusal = problem({.status = 405, .detail = "expected " + match.allowed});
    refusal.headers.emplace_back("Allow", match.allowed);
    return refusal;
}

Response Router::handle(const Request& request) const noexcept {
    return guarded([&]() -> Response {
        const Match match = find(request);
        if (match.route == nullptr) return nothing_served(match);
        std::optional<balance::JointEvent> joint;
        if (request.method != "GET" && request.method != "HEAD") joint.emplace();
        if (match.route->handler) return match.route->handler(request, match.id);
        Opened opened = match.route->opener(request, match.id);
        if (auto* const answer = std::get_if<Response>(&opened)) return std::move(*answer);
        const auto sink = std::get<std::unique_ptr<BodySink>>(std::move(opened));
        joint.reset();  // The sink may do its work elsewhere: it opens its own.
        sink->begin();
        sink->feed(request.body);
        return sink->finish();
    });
}

Router::Opened Router::open(const Request& request) const noexcept {
    return guarded([&]() -> Opened {
        const Match match = find(request);
        if (match.route == nullptr) return nothing_served(match);
        assert(match.route->opener);
        Opened opened = match.route->opener(request, match.id);
        if (auto* const sink = std::get_if<std::unique_ptr<BodySink>>(&opened)) {
            *sink = std::make_unique<GuardedSink>(*this, std::move(*sink));
        }
        return opened;
    });
}

}  // namespace tollgate::daemon::admin
