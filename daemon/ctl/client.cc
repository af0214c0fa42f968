#include "daemon/ctl/client.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <ostream>
#include <stdexcept>

#include <curl/curl.h>

namespace tollgate::daemon::ctl {
namespace {

/// What moves so little has stopped.
constexpr long kLeastBytesPerSecond = 1;
constexpr long kConnectSeconds = 10;
constexpr long kSuccess = 200;
constexpr long kAfterSuccess = 300;

struct FreeList {
    void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};
struct CloseFile {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

bool is_unreserved(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

}  // namespace

struct Client::Exchange {
    CURL* curl = nullptr;
    Answer answer;
    std::ostream* out = nullptr;
    File file;
    Progress progress;
    std::unique_ptr<curl_slist, FreeList> headers;
    std::string error = std::string(CURL_ERROR_SIZE, '\0');

    void add_header(const std::string& line) {
        curl_slist* const longer = curl_slist_append(headers.get(), line.c_str());
        if (longer == nullptr) throw std::runtime_error("out of memory");
        (void)headers.release();
        headers.reset(longer);
    }

    static std::size_t take_body(char* bytes, std::size_t size, std::size_t count, void* user) {
        auto& self = *static_cast<Exchange*>(user);
        const std::string_view piece{bytes, size * count};
        long status = 0;
        curl_easy_getinfo(self.curl, CURLINFO_RESPONSE_CODE, &status);
        if (self.out != nullptr && status >= kSuccess && status < kAfterSuccess) {
            self.out->write(piece.data(), static_cast<std::streamsize>(piece.size()));
            return self.out->good() ? piece.size() : 0;
        }
        self.answer.body += piece;
        return piece.size();
    }
    static std::size_t take_header(char* bytes, std::size_t size, std::size_t count, void* user) {
        std::string_view line{bytes, size * count};
        constexpr std::string_view kTag = "etag:";
        const bool is_tag = line.size() > kTag.size() &&
                            std::equal(kTag.begin(), kTag.end(), line.begin(), [](char small, char c) {
                                return small == (c >= 'A' && c <= 'Z' ? c + 32 : c);
                            });
        if (is_tag) {
            line.remove_prefix(kTag.size());
            line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
            static_cast<Exchange*>(user)->answer.etag = line.substr(0, line.find_first_of("\r\n"));
        }
        return size * count;
    }
    static std::size_t give_file(char* bytes, std::size_t size, std::size_t count, void* user) {
        std::FILE* const file = static_cast<Exchange*>(user)->file.get();
        const std::size_t read = std::fread(bytes, 1, size * count, file);
        return std::ferror(file) != 0 ? CURL_READFUNC_ABORT : read;
    }
    static int tell_progress(void* user, curl_off_t, curl_off_t, curl_off_t size, curl_off_t sent) {
        const auto& self = *static_cast<Exchange*>(user);
        if (self.progress) self.progress(static_cast<std::uint64_t>(sent), static_cast<std::uint64_t>(size));
        return 0;
    }
};

Client::Client(std::string url, std::string token, std::chrono::seconds timeout)
    : url_(std::move(url)), token_(std::move(token)), timeout_(timeout), handle_(nullptr) {
    while (url_.ends_with('/'))
        url_.pop_back();
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        throw std::runtime_error("libcurl cannot be initialised");
    handle_ = curl_easy_init();
    if (handle_ == nullptr) throw std::runtime_error("libcurl has no room for a handle");
}

Client::~Client() {
    curl_easy_cleanup(handle_);
}

void Client::prepare(Exchange& exchange, const std::string& method, const std::string& target,
                     const Headers& headers) {
    CURL* const curl = handle_;
    exchange.curl = curl;
    curl_easy_reset(curl);
    bool is_set = true;
    const auto set = [&](CURLoption option, auto value) {
        is_set = is_set && curl_easy_setopt(curl, option, value) == CURLE_OK;
    };
    const std::string url = url_ + target;
    set(CURLOPT_URL, url.c_str());  // Copied.
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_CUSTOMREQUEST, method.c_str());
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_PATH_AS_IS, 1L);
    set(CURLOPT_ERRORBUFFER, exchange.error.data());
    set(CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
    set(CURLOPT_WRITEFUNCTION, Exchange::take_body);
    set(CURLOPT_WRITEDATA, &exchange);
    set(CURLOPT_HEADERFUNCTION, Exchange::take_header);
    set(CURLOPT_HEADERDATA, &exchange);
    // The way to this machine needs no proxy, whatever the environment says of others.
    if (is_private_way(url_) && url_.starts_with("http://")) set(CURLOPT_NOPROXY, "localhost,127.0.0.1,::1");
    for (const auto& [name, value] : headers) {
        std::string line = name;
        line.append(": ").append(value);
        exchange.add_header(line);
    }
    if (!token_.empty()) exchange.add_header("Authorization: Bearer " + token_);
    exchange.add_header("Expect:");  // Nobody waits for "100 Continue".
    set(CURLOPT_HTTPHEADER, exchange.headers.get());
    if (!is_set) throw std::runtime_error("libcurl does not know an option it should know");
}

Answer Client::perform(Exchange& exchange) {
    CURL* const curl = handle_;
    const CURLcode code = curl_easy_perform(curl);
    Answer answer = std::move(exchange.answer);
    if (code != CURLE_OK) {
        answer = {};
        answer.error = exchange.error.c_str();
        if (answer.error.empty()) answer.error = curl_easy_strerror(code);
        return answer;
    }
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
    const char* type = nullptr;
    curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
    if (type != nullptr) answer.content_type = type;
    return answer;
}

Answer Client::send(const std::string& method, const std::string& target, std::string_view body,
                    const Headers& headers) {
    Exchange exchange;
    prepare(exchange, method, target, headers);
    curl_easy_setopt(handle_, CURLOPT_TIMEOUT, timeout_.count());
    const std::string text{body};
    if (!text.empty() || method != "GET") {
        curl_easy_setopt(handle_, CURLOPT_POSTFIELDSIZE, static_cast<long>(text.size()));
        curl_easy_setopt(handle_, CURLOPT_POSTFIELDS, text.data());
    }
    return perform(exchange);
}

Answer Client::upload(const std::string& method, const std::string& target, const std::string& file,
                      const Headers& headers, const Progress& progress) {
    Exchange exchange;
    exchange.file.reset(std::fopen(file.c_str(), "rbe"));
    if (exchange.file == nullptr || std::fseek(exchange.file.get(), 0, SEEK_END) != 0) {
        exchange.answer.error = file + ": " + std::strerror(errno);
        return exchange.answer;
    }
    const long size = std::ftell(exchange.file.get());
    std::rewind(exchange.file.get());
    exchange.progress = progress;
    prepare(exchange, method, target, headers);
    curl_easy_setopt(handle_, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(handle_, CURLOPT_READFUNCTION, Exchange::give_file);
    curl_easy_setopt(handle_, CURLOPT_READDATA, &exchange);
    curl_easy_setopt(handle_, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(size));
    curl_easy_setopt(handle_, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(handle_, CURLOPT_XFERINFOFUNCTION, Exchange::tell_progress);
    curl_easy_setopt(handle_, CURLOPT_XFERINFODATA, &exchange);
    return perform(exchange);
}

Answer Client::download(const std::string& target, std::ostream& out, const Headers& headers) {
    Exchange exchange;
    exchange.out = &out;
    prepare(exchange, "GET", target, headers);
    curl_easy_setopt(handle_, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(handle_, CURLOPT_LOW_SPEED_LIMIT, kLeastBytesPerSecond);
    curl_easy_setopt(handle_, CURLOPT_LOW_SPEED_TIME, timeout_.count());
    return perform(exchange);
}

std::string encoded(std::string_view text) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        if (is_unreserved(c)) {
            out += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out += '%';
            out += kHex[byte >> 4U];
            out += kHex[byte & 0xfU];
        }
    }
    return out;
}

std::string query_of(const std::vector<std::pair<std::string, std::string>>& parameters) {
    std::string query;
    for (const auto& [name, value] : parameters) {
        if (value.empty()) continue;
        query += query.empty() ? '?' : '&';
        query += encoded(name) + '=' + encoded(value);
    }
    return query;
}

bool is_private_way(std::string_view url) noexcept {
    if (url.starts_with("https://")) return true;
    constexpr std::string_view kPlain = "http://";
    if (!url.starts_with(kPlain)) return false;
    url.remove_prefix(kPlain.size());
    const std::string_view host =
        url.starts_with('[') ? url.substr(0, url.find(']') + 1) : url.substr(0, url.find_first_of(":/"));
    return host == "localhost" || host == "[::1]" || host.starts_with("127.");
}

}  // namespace tollgate::daemon::ctl
