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

    /// Reads the files again: connections from now on see what they hold now. Throws as the constructor does,
    /// with nothing changed.
    void reload();

    [[nodiscard]] std::shared_ptr<boost::asio::ssl::context> current() const;

  private:
    [[nodiscard]] std::shared_ptr<boost::asio::ssl::context> read() const;

    const std::string section_;
    const TlsFiles files_;
    mutable std::mutex mutex_;  // For the pointer; taken once a connection.
    std::shared_ptr<boost::asio::ssl::context> context_;
};

}  // namespace tollgate::daemon::net
