/// Who this daemon says it is to those who connect by TLS.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include <boost/asio/ssl/context.hpp>

namespace tollgate::daemon::net {

/// Files, PEM each.
struct TlsFiles {
    std::string certificate;  ///< With those between it and its root behind it.
    std::string key;
    std::string client_ca;  ///< Who may have signed clients' certificates; empty: none is asked for.
};

/// Certificate and key of one listener. Any thread may call any member at any time; a connection keeps what
/// it began with.
class TlsIdentity {
  public:
    /// `section` of the configuration, for messages: `resp`. Throws std::runtime_error that names key, file
    /// and reason.
    TlsIdentity(std::string section, TlsFiles files);

    using Context = std::shared_ptr<boost::asio::ssl::context>;
    /// What the files hold now. Throws as the constructor does.
    [[nodiscard]] Context read() const;
    /// Connections from now on see that.
    void use(Context fresh) noexcept;

    [[nodiscard]] Context current() const;

  private:
    const std::string section_;
    const TlsFiles files_;
    mutable std::mutex mutex_;  // For the pointer; taken once a connection.
    Context context_;
};

}  // namespace tollgate::daemon::net
