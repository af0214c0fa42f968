/// HTTP as a client: one request, one answer. The only file that knows the library for it, libcurl.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tollgate::daemon::ctl {

struct Answer {
    long status = 0;    ///< 0: there was none, and `error` says why.
    std::string error;  ///< One line for people.
    std::string content_type;
    std::string etag;
    std::string body;

    [[nodiscard]] bool good() const noexcept { return status >= 200 && status < 300; }
};

using Headers = std::vector<std::pair<std::string, std::string>>;

/// One thread at a time; it blocks.
class Client {
  public:
    /// `url` is such as `http://127.0.0.1:7380`. `token` may be empty. Throws std::runtime_error where the
    /// library cannot be used.
    Client(std::string url, std::string token, std::chrono::seconds timeout);
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    ~Client();

    /// `target` begins with a slash and is encoded. Nothing is sent again: what may be, is the caller's
    /// knowledge.
    [[nodiscard]] Answer send(const std::string& method, const std::string& target,
                              std::string_view body = {}, const Headers& headers = {});

    /// How much of a file was sent, and of how much.
    using Progress = std::function<void(std::uint64_t sent, std::uint64_t size)>;
    /// As `send`, with the bytes of a file as they are. It may take as long as it moves.
    [[nodiscard]] Answer upload(const std::string& method, const std::string& target, const std::string& file,
                                const Headers& headers, const Progress& progress);

    /// As `send`, and the body goes to `out` as it comes, where the status is one of success.
    [[nodiscard]] Answer download(const std::string& target, std::ostream& out, const Headers& headers = {});

  private:
    struct Exchange;
    void prepare(Exchange& exchange, const std::string& method, const std::string& target,
                 const Headers& headers);
    [[nodiscard]] Answer perform(Exchange& exchange);

    std::string url_;
    std::string token_;
    std::chrono::seconds timeout_;
    void* handle_;  ///< The library's CURL.
};

/// One segment of a path or one value of a query, with whatever is special in it as `%XX`.
[[nodiscard]] std::string encoded(std::string_view text);

/// Name and value pairs as `?a=b&c=d`; those without a value are left out; empty where there are none.
[[nodiscard]] std::string query_of(const std::vector<std::pair<std::string, std::string>>& parameters);

/// Whether what is sent there stays on this machine or is encrypted.
[[nodiscard]] bool is_private_way(std::string_view url) noexcept;

}  // namespace tollgate::daemon::ctl
