#include "daemon/mail/smtp_client.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <stdexcept>
#include <string_view>

#include <curl/curl.h>

namespace tollgate::daemon::mail {
namespace {

/// A relay that moves less than a byte a second is one that says nothing.
constexpr long kLeastBytesPerSecond = 1;

struct FreeList {
    void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};

/// One attempt, as the library's callbacks see it.
struct Attempt {
    std::string_view left;  ///< Of the message.
    std::string refusal;    ///< The relay's last answer, if it was a 4xx or 5xx.
    const std::stop_token& stop;
};

std::size_t read_message(char* into, std::size_t size, std::size_t count, void* user) {
    std::string_view& left = static_cast<Attempt*>(user)->left;
    const std::size_t bytes = std::min(size * count, left.size());
    std::memcpy(into, left.data(), bytes);
    left.remove_prefix(bytes);
    return bytes;
}

/// Takes one line of the relay.
std::size_t read_answer(char* line, std::size_t size, std::size_t count, void* user) {
    const std::string_view text{line, size * count};
    std::string& refusal = static_cast<Attempt*>(user)->refusal;
    if (text.starts_with("221")) return text.size();  // To QUIT, whatever went before.
    refusal.clear();                                  // One that was got over, as that of EHLO by HELO.
    if (text.starts_with('4') || text.starts_with('5')) {
        refusal = text.substr(0, kAnswerBytesMax);
        std::replace_if(
            refusal.begin(), refusal.end(), [](char c) { return c < ' ' || c > '~'; }, ' ');
        refusal.erase(refusal.find_last_not_of(' ') + 1);
    }
    return text.size();
}

std::size_t drop(char* /*bytes*/, std::size_t size, std::size_t count, void* /*user*/) {
    return size * count;
}

/// The library asks about once a second, also while nothing moves.
int shall_stop(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<Attempt*>(user)->stop.stop_requested() ? 1 : 0;
}

long use_of_tls(config::MailTls tls) {
    switch (tls) {
        case config::MailTls::never:
            return CURLUSESSL_NONE;
        case config::MailTls::offered:
            return CURLUSESSL_TRY;
        case config::MailTls::required:
            return CURLUSESSL_ALL;
    }
    std::abort();  // Not an enumerator: memory is corrupt.
}

}  // namespace

struct SmtpClient::Library {
    CURL* handle = nullptr;

    Library() {
        static std::once_flag once;
        std::call_once(once, [] {
            if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
                throw std::runtime_error("libcurl cannot be initialised");
        });
        handle = curl_easy_init();
        if (handle == nullptr) throw std::runtime_error("libcurl has no room for a handle");
    }
    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;
    ~Library() { curl_easy_cleanup(handle); }
};

SmtpClient::SmtpClient(SmtpSettings settings)
    : settings_(std::move(settings)), library_(std::make_unique<Library>()) {}

SmtpClient::~SmtpClient() = default;

SendResult SmtpClient::send(const std::string& from, const std::string& to, const std::string& message,
                            const std::stop_token& stop) {
    CURL* const curl = library_->handle;
    curl_easy_reset(curl);
    Attempt attempt{message, {}, stop};
    std::string error(CURL_ERROR_SIZE, '\0');
    const std::string url = "smtp://" + config::to_string(settings_.relay);
    const std::string sender = '<' + from + '>';
    const std::string recipient = '<' + to + '>';
    const std::unique_ptr<curl_slist, FreeList> recipients{curl_slist_append(nullptr, recipient.c_str())};
    if (recipients == nullptr) return {SendStatus::unreachable, "out of memory"};
    const long timeout_milliseconds = settings_.timeout.count();
    const long timeout_seconds = std::chrono::ceil<std::chrono::seconds>(settings_.timeout).count();
    const bool is_verified = settings_.tls == config::MailTls::required;

    bool is_set = true;
    const auto set = [&](CURLoption option, auto value) {
        is_set = is_set && curl_easy_setopt(curl, option, value) == CURLE_OK;
    };
    set(CURLOPT_URL, url.c_str());
    set(CURLOPT_PROTOCOLS_STR, "smtp");
    set(CURLOPT_PROXY, "");  // Whatever the environment says.
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_FORBID_REUSE, 1L);
    set(CURLOPT_ERRORBUFFER, error.data());
    set(CURLOPT_CONNECTTIMEOUT_MS, timeout_milliseconds);
    set(CURLOPT_SERVER_RESPONSE_TIMEOUT, timeout_seconds);
    set(CURLOPT_LOW_SPEED_LIMIT, kLeastBytesPerSecond);
    set(CURLOPT_LOW_SPEED_TIME, timeout_seconds);
    set(CURLOPT_USE_SSL, use_of_tls(settings_.tls));
    set(CURLOPT_SSL_VERIFYPEER, is_verified ? 1L : 0L);
    set(CURLOPT_SSL_VERIFYHOST, is_verified ? 2L : 0L);
    set(CURLOPT_MAIL_FROM, sender.c_str());
    set(CURLOPT_MAIL_RCPT, recipients.get());
    set(CURLOPT_UPLOAD, 1L);
    set(CURLOPT_READFUNCTION, read_message);
    set(CURLOPT_READDATA, &attempt);
    set(CURLOPT_HEADERFUNCTION, read_answer);
    set(CURLOPT_HEADERDATA, &attempt);
    set(CURLOPT_WRITEFUNCTION, drop);
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, shall_stop);
    set(CURLOPT_XFERINFODATA, &attempt);
    if (!is_set) return {SendStatus::unreachable, "libcurl does not know an option it should know"};

    const CURLcode code = curl_easy_perform(curl);
    if (code == CURLE_OK) return {SendStatus::sent, {}};
    if (code == CURLE_ABORTED_BY_CALLBACK) return {SendStatus::unreachable, "stopped"};
    if (!attempt.refusal.empty()) {
        const bool is_final = attempt.refusal.starts_with('5');
        return {is_final ? SendStatus::never : SendStatus::later, std::move(attempt.refusal)};
    }
    error.resize(std::strlen(error.c_str()));
    if (error.empty()) error = curl_easy_strerror(code);
    error.resize(std::min(error.size(), kAnswerBytesMax));
    return {SendStatus::unreachable, std::move(error)};
}

}  // namespace tollgate::daemon::mail
