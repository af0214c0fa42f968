#include "daemon/net/tls.h"

#include <stdexcept>
#include <utility>

namespace tollgate::daemon::net {

namespace ssl = boost::asio::ssl;

TlsIdentity::TlsIdentity(std::string section, TlsFiles files)
    : section_(std::move(section)), files_(std::move(files)), context_(read()) {}

void TlsIdentity::use(Context fresh) noexcept {
    const std::lock_guard lock{mutex_};
    context_.swap(fresh);  // The one before ends without the lock.
}

TlsIdentity::Context TlsIdentity::current() const {
    const std::lock_guard lock{mutex_};
    return context_;
}

TlsIdentity::Context TlsIdentity::read() const {
    auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
    boost::system::error_code failure;
    const auto good = [&](const char* key, const std::string& file) {
        if (failure) throw std::runtime_error{section_ + "." + key + ": " + file + ": " + failure.message()};
    };
    // 1.2 and 1.3: whoever speaks less has not been updated for ten years.
    context->set_options(ssl::context::default_workarounds | ssl::context::no_sslv2 | ssl::context::no_sslv3 |
                             ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1 | ssl::context::no_compression,
                         failure);
    good("tls_listen", "TLS");
    context->use_certificate_chain_file(files_.certificate, failure);
    good("tls_certificate", files_.certificate);
    context->use_private_key_file(files_.key, ssl::context::pem, failure);
    good("tls_key", files_.key);
    if (!files_.client_ca.empty()) {
        context->load_verify_file(files_.client_ca, failure);
        good("tls_client_ca", files_.client_ca);
        context->set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert, failure);
        good("tls_client_ca", files_.client_ca);
        // Without one OpenSSL refuses clients with a certificate that go on with an earlier session.
        if (::SSL_CTX_set_session_id_context(context->native_handle(),
                                             reinterpret_cast<const unsigned char*>(section_.data()),
                                             static_cast<unsigned>(section_.size())) != 1)
            throw std::runtime_error{section_ + ".tls_listen: TLS: no session id context"};
    }
    return context;
}

}  // namespace tollgate::daemon::net
