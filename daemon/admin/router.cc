#include "daemon/admin/router.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <exception>

#include "balance/event_log.h"
#include "daemon/admin/http_figures.h"
#include "daemon/admin/json.h"
#include "daemon/admin/operations.h"

namespace tollgate::daemon::admin {
namespace {

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

/// Where the last colon of an encoded segment stands once it is decoded. Requires: it is well formed.
std::size_t verb_colon_of(std::string_view segment) noexcept {
    const std::size_t colon = segment.rfind(':');
    if (colon == std::string_view::npos) return colon;
    std::size_t decoded = 0;
    for (std::size_t i = 0; i < colon; i += segment[i] == '%' ? 3U : 1U)
        ++decoded;
    return decoded;
}

}  // namespace

bool Request::set_target(std::string_view target) {
    path.clear();
    verb_colon.clear();
    query.clear();
    target = target.substr(0, target.find('#'));
    if (!target.starts_with('/')) return false;
    std::string_view path_text = take_until(target, '?');
    path_text.remove_prefix(1);
    for (bool more = true; more;) {
        more = path_text.find('/') != std::string_view::npos;
        const std::string_view encoded = take_until(path_text, '/');
        auto segment = percent_decoded(encoded);
        if (!segment) return false;
        path.push_back(std::move(*segment));
        verb_colon.push_back(verb_colon_of(encoded));
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

Response try_later(std::string detail, std::chrono::seconds after) {
    Response response = problem({.status = 503, .detail = std::move(detail)});
    response.headers.emplace_back("Retry-After", std::to_string(after.count()));
    return response;
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

/// A sink whose exceptions are a 500, and of which is noted whose doing it was.
class Router::GuardedSink : public BodySink {
  public:
    GuardedSink(const Router& router, std::unique_ptr<BodySink> sink, Request request, const Route& route,
                std::string_view id)
        : router_(router),
          owned_(std::move(sink)),
          sink_(owned_.get()),
          request_(std::move(request)),
          route_(route),
          id_(id) {}
    GuardedSink(const Router& router, BodySink* sink, Request request, const Route& route,
                std::string_view id)
        : router_(router), sink_(sink), request_(std::move(request)), route_(route), id_(id) {}

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
            if (router_.door_ != nullptr) router_.door_->note(request_, *route_.operation, id_, nullptr);
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
    std::unique_ptr<BodySink> owned_;
    BodySink* sink_;
    const Request request_;
    const Route& route_;
    const std::string id_;
    std::optional<Response> failure_;
};

void Router::add(std::string_view method, std::string_view pattern, Lane lane, Handler handler) {
    add_route(method, pattern, lane,
              [run = std::move(handler)](const Request& request, std::string_view id, std::string_view) {
                  return run(request, id);
              },
              {});
}

void Router::add(std::string_view method, std::string_view pattern, Lane lane, PairHandler handler) {
    add_route(method, pattern, lane, std::move(handler), {});
}

void Router::add_stream(std::string_view method, std::string_view pattern, Opener opener) {
    add_route(method, pattern, Lane::stream, {}, std::move(opener));
}

void Router::add_route(std::string_view method, std::string_view pattern, Lane lane, PairHandler handler,
                       Opener opener) {
    assert(pattern.starts_with('/'));
    Route route{std::string{method},
                {},
                lane,
                std::move(handler),
                std::move(opener),
                find_operation(method, pattern)};
    pattern.remove_prefix(1);
    std::size_t ids = 0;
    for (bool more = true; more;) {
        more = pattern.find('/') != std::string_view::npos;
        std::string_view segment = take_until(pattern, '/');
        const bool is_id = segment.starts_with('{');
        if (is_id) segment.remove_prefix(segment.find('}') + 1);
        ids += is_id ? 1 : 0;
        route.path.push_back({is_id, std::string{segment}});
    }
    assert(ids <= kIdsMax);
    routes_.push_back(std::move(route));
}

bool Router::serves(const Route& route, std::string_view method) noexcept {
    return route.method == method || (route.method == "GET" && method == "HEAD" && route.lane != Lane::call);
}

std::size_t Router::fit(const Route& route, const Request& request, Ids& ids) noexcept {
    if (route.path.size() != request.path.size()) return 0;
    std::size_t exactness = 1;
    std::size_t id_count = 0;
    for (std::size_t i = 0; i < route.path.size(); ++i) {
        const Segment& expected = route.path[i];
        std::string_view text = request.path[i];
        if (!expected.is_id) {
            if (text != expected.text) return 0;
            exactness += 2;
            continue;
        }
        if (!expected.text.empty()) {
            const std::size_t colon = request.verb_colon[i];
            if (colon == std::string_view::npos || text.substr(colon) != expected.text) return 0;
            text = text.substr(0, colon);
            ++exactness;
        }
        ids[id_count++] = text;
    }
    return exactness;
}

Router::Match Router::find(const Request& request) const {
    Match match;
    std::size_t best = 0;
    for (const auto& route : routes_) {
        Ids ids{};
        const std::size_t exactness = fit(route, request, ids);
        if (exactness == 0) continue;
        if (!match.allowed.empty()) match.allowed += ", ";
        match.allowed += route.method;
        if (route.method == "GET" && serves(route, "HEAD")) match.allowed += ", HEAD";
        if (exactness > best && serves(route, request.method)) {
            best = exactness;
            match.route = &route;
            match.ids = ids;
        }
    }
    return match;
}

std::optional<Router::Destination> Router::destination(const Request& request) const {
    const Match match = find(request);
    if (match.route == nullptr) return std::nullopt;
    // A list as CSV is all of it, not a page.
    const bool is_table = request.method == "GET" && request.accept.find("text/csv") != std::string::npos;
    return Destination{is_table ? Lane::bulk : match.route->lane, match.route->operation};
}

void Router::count(const ContractOperation* operation, unsigned status) const noexcept {
    if (figures_ != nullptr) figures_->add(operation, status);
}

Response Router::nothing_served(const Match& match) {
    if (match.allowed.empty()) return problem({.status = 404, .detail = "nothing is served here"});
    Response refusal = problem({.status = 405, .detail = "expected " + match.allowed});
    refusal.headers.emplace_back("Allow", match.allowed);
    return refusal;
}

void Router::set_door(std::shared_ptr<const Door> door) {
    assert(std::all_of(routes_.begin(), routes_.end(),
                       [](const Route& route) { return route.operation != nullptr; }));
    door_ = std::move(door);
}

std::optional<Response> Router::admit(Request& request) const noexcept {
    if (door_ == nullptr) return std::nullopt;
    return guarded([&]() -> std::optional<Response> {
        // What is not there is not there for anybody, but strangers are not told.
        static constexpr ContractOperation kNothing{
            {}, {}, {}, Scope::self, {{}, {}, access::kAnybody}, RecordOf::none};
        const Match match = find(request);
        const ContractOperation& operation = match.route == nullptr ? kNothing : *match.route->operation;
        return door_->admit(request, operation, match.ids[0], Door::Stage::headers);
    });
}

std::optional<Response> Router::shown_before(const Request& request) const {
    Request shown;
    shown.method = "GET";
    shown.path = request.path;
    shown.verb_colon = request.verb_colon;
    // What a verb is done to stands before its colon.
    if (const std::size_t colon = shown.verb_colon.back(); colon != std::string::npos) {
        shown.path.back().resize(colon);
        shown.verb_colon.back() = std::string::npos;
    }
    Match match = find(shown);
    if (match.route == nullptr && shown.path.size() > 3) {  // `/v1/parties/alice/topups`: alice.
        shown.path.pop_back();
        shown.verb_colon.pop_back();
        match = find(shown);
    }
    if (match.route == nullptr || match.route->lane != Lane::brief || !match.route->handler)
        return std::nullopt;
    if (std::all_of(match.ids.begin(), match.ids.end(), [](auto id) { return id.empty(); }))
        return std::nullopt;
    Response response = match.route->handler(shown, match.ids[0], match.ids[1]);
    if (response.status != 200 || response.content_type != "application/json") return std::nullopt;
    return response;
}

Response Router::handle(const Request& request) const noexcept {
    return guarded([&]() -> Response {
        const Match match = find(request);
        if (match.route == nullptr) {
            Request stranger = request;
            if (auto refused = admit(stranger)) return *std::move(refused);
            return nothing_served(match);
        }
        const Route& route = *match.route;
        Request admitted;
        if (door_ != nullptr) {
            admitted = request;
            if (auto refused = door_->admit(admitted, *route.operation, match.ids[0], Door::Stage::whole))
                return *std::move(refused);
        }
        const Request& asked = door_ == nullptr ? request : admitted;
        std::optional<balance::JointEvent> joint;
        const bool changes = request.method != "GET" && request.method != "HEAD";
        if (changes && route.lane != Lane::call) {
            const auto before = door_ == nullptr ? std::nullopt : shown_before(request);
            joint.emplace();
            if (door_ != nullptr)
                door_->note(asked, *route.operation, match.ids[0], before ? &*before : nullptr);
        }
        if (route.handler) return route.handler(asked, match.ids[0], match.ids[1]);
        Opened opened = route.opener(asked, match.ids[0]);
        if (auto* const answer = std::get_if<Response>(&opened)) return std::move(*answer);
        const auto sink = std::get<std::unique_ptr<BodySink>>(std::move(opened));
        joint.reset();  // The sink may do its work elsewhere: it opens its own.
        GuardedSink guarded_sink{*this, sink.get(), asked, route, match.ids[0]};
        guarded_sink.begin();
        guarded_sink.feed(request.body);
        return guarded_sink.finish();
    });
}

Router::Opened Router::open(const Request& request) const noexcept {
    return guarded([&]() -> Opened {
        const Match match = find(request);
        if (match.route == nullptr) return nothing_served(match);
        assert(match.route->opener);
        Request admitted = request;
        if (door_ != nullptr) {
            if (auto refused =
                    door_->admit(admitted, *match.route->operation, match.ids[0], Door::Stage::whole))
                return *std::move(refused);
        }
        Opened opened = match.route->opener(request, match.ids[0]);
        if (auto* const sink = std::get_if<std::unique_ptr<BodySink>>(&opened)) {
            *sink =
                std::make_unique<GuardedSink>(*this, std::move(*sink), admitted, *match.route, match.ids[0]);
        }
        return opened;
    });
}

}  // namespace tollgate::daemon::admin
