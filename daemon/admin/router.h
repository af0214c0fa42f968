/// Requests, responses, and which function makes the one of the other. Knows nothing of sockets.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "balance/party.h"
#include "daemon/access/permission.h"

namespace tollgate::daemon::admin {

/// Who a request is from.
struct Actor {
    std::string login;  ///< Empty as long as nobody is declared: then this machine is the administrator.
    /// Whose subtree is all that exists for him; the provider, too, where `login` is empty.
    balance::PartyId party{0};
    balance::PartyKind kind = balance::PartyKind::provider;
    access::Permissions permissions = access::Permissions::all();
    std::string token;                 ///< The id of the one that the request showed.
    rating::Instant first_declared{};  ///< When the first person was.
};

/// What a handler needs to know of a request. The body's bytes live as long as the handler runs.
struct Request {
    std::string method;             ///< `GET`; case matters, as HTTP says.
    std::vector<std::string> path;  ///< Between the slashes, decoded: `v1`, `parties`, `alice`.
    /// Of each segment of `path` where the last colon stands that was written as one, not as `%3A`: only
    /// behind such a colon can a verb be. npos: nowhere.
    std::vector<std::size_t> verb_colon;
    std::vector<std::pair<std::string, std::string>> query;  ///< Name and value, decoded, in order.
    std::string content_type;  ///< In small letters, as the next; empty where there is none.
    std::string content_encoding;
    std::string accept;
    std::string idempotency_key;
    std::string if_match;
    std::string authorization;
    std::string signature;  ///< `X-Signature`: of the body, by a payment gateway.
    std::string peer;       ///< The address that it came from.
    Actor actor;
    std::string_view body;

    /// Takes path and query apart; false where the target does not begin with a slash or a `%` is not
    /// followed by two hexadecimal digits.
    [[nodiscard]] bool set_target(std::string_view target);
};

struct Response {
    unsigned status = 200;
    std::string content_type;
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;  ///< Beside content type and length.
};

/// What HTTP calls a status, such as `Not Found`.
[[nodiscard]] std::string_view title_of(unsigned status) noexcept;

[[nodiscard]] Response text_response(unsigned status, std::string text);
[[nodiscard]] Response json_response(unsigned status, std::string json);

/// One of several things that are wrong with a request.
struct RequestFault {
    std::optional<std::uint64_t> line;  ///< Of a body that is read by lines, from 1.
    std::string place;                  ///< The field or the column; empty where the whole is meant.
    std::string message;
};

/// A refusal by RFC 9457.
struct Problem {
    unsigned status = 500;
    std::string detail;
    std::span<const RequestFault> errors = {};
    std::string_view place_name = "field";        ///< What a fault's place is: a field, or a deck's column.
    std::optional<std::size_t> error_count = {};  ///< Where there are more faults than `errors`.
};
[[nodiscard]] Response problem(const Problem& what);
/// 503, and when to come again.
[[nodiscard]] Response try_later(std::string detail, std::chrono::seconds after);

/// Where a handler runs, so that what takes long holds up nothing else.
enum class Lane : std::uint8_t {
    at_once,  ///< With the sockets: must not wait for anything.
    brief,    ///< One after the other with its like; a body is a JSON text.
    slow,     ///< Passwords: 50 to 100 ms of a processor each, behind everything else; few may wait.
    bulk,     ///< Imports and whole decks: may take seconds, one after the other.
    stream,   ///< With the bulk, but piece by piece as the body arrives: several take turns.
    call,     ///< A command of a call: with the sockets, and it asks the journal for room itself.
};

/// Takes the body of one request piece by piece. One thread at a time. Where a body does not come to its end
/// it is destroyed unfinished, and nothing must have been changed.
class BodySink {
  public:
    BodySink() = default;
    BodySink(const BodySink&) = delete;
    BodySink& operator=(const BodySink&) = delete;
    virtual ~BodySink() = default;

    /// The body is beginning to arrive. It must not wait for anything.
    virtual void begin() {}
    /// The piece lives as long as the call. Whatever is wrong is said by finish().
    virtual void feed(std::string_view piece) = 0;
    /// All of it was fed. Called once.
    [[nodiscard]] virtual Response finish() = 0;
};

struct ContractOperation;

/// Stands before the handlers, where there is one: daemon/admin/gate.h. Any thread.
class Door {
  public:
    Door() = default;
    Door(const Door&) = delete;
    Door& operator=(const Door&) = delete;
    virtual ~Door() = default;

    /// Nobody is declared: only this machine is served, as the administrator.
    [[nodiscard]] virtual bool is_for_this_machine() const = 0;

    enum class Stage : std::uint8_t {
        headers,  ///< The body is not there yet.
        whole,
    };
    /// Fills in who the request is from; a problem where he may not have this done. `id` is what stands in
    /// the path for the pattern's first one.
    [[nodiscard]] virtual std::optional<Response> admit(Request& request, const ContractOperation& operation,
                                                        std::string_view id, Stage stage) const = 0;
    /// Adds to the thread's JointEvent that it was done: whatever the handler appends takes it along.
    /// `before`: what a GET of the path answered, nullptr where there is none.
    virtual void note(const Request& request, const ContractOperation& operation, std::string_view id,
                      const Response* before) const = 0;
};

class HttpFigures;

/// A table of routes, filled at the start and only read afterwards: any thread may then call `lane` and
/// `handle`.
class Router {
  public:
    /// `id` is what stood for the pattern's first id, empty in a pattern without one.
    using Handler = std::function<Response(const Request& request, std::string_view id)>;
    /// `second` is what stood for the second.
    using PairHandler =
        std::function<Response(const Request& request, std::string_view id, std::string_view second)>;
    /// A sink for the body, or the answer to a request whose body nobody wants to see. The request has no
    /// body yet, and lives as long as the sink.
    using Opened = std::variant<Response, std::unique_ptr<BodySink>>;
    using Opener = std::function<Opened(const Request& request, std::string_view id)>;
    /// Told what a handler threw; it may be called by any thread.
    using Unexpected = std::function<void(std::string_view what)>;

    explicit Router(Unexpected on_unexpected = {}) : on_unexpected_(std::move(on_unexpected)) {}

    /// `pattern` is such as `/v1/parties/{id}/numbers/{number}`: a segment in braces stands for any text, and
    /// there are at most two of them. One may have a verb, `{session}:start`, and its text then ends before
    /// it. Where several patterns fit, the one with more literal segments is meant, then the one with a verb;
    /// whoever means an id that ends as a verb does writes its colon as `%3A`. GET answers HEAD too, unless
    /// it is of Lane::call, because that changes something.
    void add(std::string_view method, std::string_view pattern, Lane lane, Handler handler);
    void add(std::string_view method, std::string_view pattern, Lane lane, PairHandler handler);
    /// A route of Lane::stream.
    void add_stream(std::string_view method, std::string_view pattern, Opener opener);

    /// From now on nobody comes to a handler but through it. Requires: every route is an operation of the
    /// contract.
    void set_door(std::shared_ptr<const Door> door);
    [[nodiscard]] const Door* door() const noexcept { return door_.get(); }
    /// From now on count() counts there; which must outlive this.
    void set_figures(HttpFigures* figures) noexcept { figures_ = figures; }
    /// Whoever sends a response counts it. `operation` nullptr: nothing of the contract was asked for.
    void count(const ContractOperation* operation, unsigned status) const noexcept;
    /// What the door says of a request whose body is not there yet; it is asked again by `handle` and `open`.
    [[nodiscard]] std::optional<Response> admit(Request& request) const noexcept;

    /// The lane of a request's handler; nullopt where it has none and `handle` answers 404 or 405.
    [[nodiscard]] std::optional<Lane> lane(const Request& request) const {
        const auto found = destination(request);
        return found ? std::optional{found->lane} : std::nullopt;
    }
    struct Destination {
        Lane lane;
        const ContractOperation* operation;  ///< nullptr: none of the contract.
    };
    [[nodiscard]] std::optional<Destination> destination(const Request& request) const;

    /// Never throws: whatever a handler throws is a 500. Whoever may change something has a
    /// balance::JointEvent open while he runs: what he appends first takes along what was added to it. A
    /// response to HEAD has a body, which is not to be
    /// sent.
    [[nodiscard]] Response handle(const Request& request) const noexcept;

    /// What takes the body of a request of Lane::stream, which `handle` takes as a whole. Nothing here throws
    /// either, and neither does the sink, which must not outlive the router.
    [[nodiscard]] Opened open(const Request& request) const noexcept;

  private:
    static constexpr std::size_t kIdsMax = 2;

    struct Segment {
        bool is_id = false;
        std::string text;  ///< Of a literal: all of it. Of an id: its verb with the colon, or nothing.
    };
    struct Route {
        std::string method;
        std::vector<Segment> path;
        Lane lane;
        PairHandler handler;  ///< Or else an opener.
        Opener opener;
        const ContractOperation* operation = nullptr;  ///< Of the contract; nullptr: none, as in tests.
    };
    using Ids = std::array<std::string_view, kIdsMax>;
    struct Match {
        const Route* route = nullptr;  ///< nullptr: no route, or none of this method.
        Ids ids{};
        std::string allowed;  ///< The methods of the path, `GET, HEAD`; empty where there is no such path.
    };
    class GuardedSink;

    /// How exactly a request's path fits, the more the better; 0: not at all. Fills in the ids where it does.
    [[nodiscard]] static std::size_t fit(const Route& route, const Request& request, Ids& ids) noexcept;
    [[nodiscard]] static bool serves(const Route& route, std::string_view method) noexcept;
    [[nodiscard]] Match find(const Request& request) const;
    [[nodiscard]] static Response nothing_served(const Match& match);
    /// Does it, or says what it threw and answers 500.
    template <typename Work>
    [[nodiscard]] auto guarded(const Work& work) const noexcept -> decltype(work());
    void add_route(std::string_view method, std::string_view pattern, Lane lane, PairHandler handler,
                   Opener opener);

    /// What the route of a change shows now.
    [[nodiscard]] std::optional<Response> shown_before(const Request& request) const;

    std::vector<Route> routes_;
    std::shared_ptr<const Door> door_;
    HttpFigures* figures_ = nullptr;
    Unexpected on_unexpected_;
};

}  // namespace tollgate::daemon::admin
