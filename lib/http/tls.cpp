#include "lib/http/tls.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "lib/base/check.h"

namespace http {
namespace {

// OpenSSL's own socket BIO writes with write(2): a peer that has gone would raise SIGPIPE.
int fd_of(BIO* bio) { return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio))); }

bool would_block(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

int bio_write(BIO* bio, const char* bytes, int count) {
  BIO_clear_retry_flags(bio);
  const ssize_t sent =
      ::send(fd_of(bio), bytes, static_cast<std::size_t>(count), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0 && would_block(errno)) BIO_set_retry_write(bio);
  return static_cast<int>(sent);
}

int bio_read(BIO* bio, char* into, int count) {
  BIO_clear_retry_flags(bio);
  const ssize_t got = ::recv(fd_of(bio), into, static_cast<std::size_t>(count), MSG_DONTWAIT);
  if (got < 0 && would_block(errno)) BIO_set_retry_read(bio);
  if (got == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  return static_cast<int>(got);
}

long bio_control(BIO* bio, int command, long, void*) {
  switch (command) {
    case BIO_CTRL_FLUSH: return 1;
    case BIO_CTRL_EOF: return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
    default: return 0;
  }
}

BIO_METHOD* socket_method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
    BIO_meth_set_write(made, bio_write);
    BIO_meth_set_read(made, bio_read);
    BIO_meth_set_ctrl(made, bio_control);
    return made;
  }();
  return method;
}

// The newest reason in OpenSSL's queue, which is emptied.
std::string take_reason() {
  char text[256] = "no reason given";
  if (const unsigned long code = ERR_peek_last_error(); code != 0) {
    ERR_error_string_n(code, text, sizeof text);
  }
  ERR_clear_error();
  return text;
}

constexpr unsigned char kHttp1[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

// A client that offers protocols must offer ours: anything else would be spoken past each other.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_bytes,
                    const unsigned char* offered, unsigned offered_bytes, void*) {
  unsigned char* found = nullptr;
  if (SSL_select_next_proto(&found, chosen_bytes, kHttp1, sizeof kHttp1, offered, offered_bytes) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

SSL_CTX* make_context(const SSL_METHOD* method) {
  SSL_CTX* context = SSL_CTX_new(method);
  CHECK(context != nullptr, "OpenSSL has memory for a context");
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // Idle sessions give their 34 KB of buffers back.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  return context;
}

int clamp(std::size_t count) { return static_cast<int>(std::min<std::size_t>(count, INT_MAX)); }

}  // namespace

void TlsSession::Free::operator()(ssl_st* ssl) const { SSL_free(ssl); }
void TlsContext::Free::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }

Io TlsSession::outcome(int returned, std::size_t count) {
  switch (SSL_get_error(ssl_.get(), returned)) {
    case SSL_ERROR_NONE: return {IoState::Done, count};
    case SSL_ERROR_WANT_READ: return {IoState::WantRead, 0};
    case SSL_ERROR_WANT_WRITE: return {IoState::WantWrite, 0};
    case SSL_ERROR_ZERO_RETURN: return {IoState::Eof, 0};
    // A bare end of the TCP stream is among these: without close_notify it may be a truncation.
    default: return {IoState::Failed, 0};
  }
}

Io TlsSession::handshake() {
  ERR_clear_error();
  const int returned = SSL_do_handshake(ssl_.get());
  return outcome(returned, 0);
}

Io TlsSession::read(std::span<char> into) {
  ERR_clear_error();
  const int returned = SSL_read(ssl_.get(), into.data(), clamp(into.size()));
  return outcome(returned, static_cast<std::size_t>(std::max(returned, 0)));
}

Io TlsSession::write(std::string_view bytes) {
  ERR_clear_error();
  const int returned = SSL_write(ssl_.get(), bytes.data(), clamp(bytes.size()));
  return outcome(returned, static_cast<std::size_t>(std::max(returned, 0)));
}

void TlsSession::close_notify() {
  ERR_clear_error();
  if (SSL_is_init_finished(ssl_.get()) != 0) SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

std::string TlsSession::failure() const {
  if (const long verified = SSL_get_verify_result(ssl_.get()); verified != X509_V_OK) {
    ERR_clear_error();
    return X509_verify_cert_error_string(verified);
  }
  return take_reason();
}

base::Result<std::shared_ptr<TlsContext>> TlsContext::server(const TlsFiles& files) {
  std::shared_ptr<TlsContext> made(new TlsContext(make_context(TLS_server_method())));
  SSL_CTX* const context = made->context_.get();
  const auto refuse = [](const std::string& doing) {
    auto failure = base::fail(base::ErrorKind::InvalidInput, doing);
    failure.error().detail = take_reason();
    return failure;
  };
  if (SSL_CTX_use_certificate_chain_file(context, files.certificate_chain.c_str()) != 1) {
    return refuse("The TLS certificate " + files.certificate_chain + " cannot be used.");
  }
  if (SSL_CTX_use_PrivateKey_file(context, files.private_key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context) != 1) {
    return refuse("The TLS private key " + files.private_key +
                  " cannot be used with its certificate.");
  }
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  return made;
}

base::Result<std::shared_ptr<TlsContext>> TlsContext::client(const std::string& ca_file) {
  std::shared_ptr<TlsContext> made(new TlsContext(make_context(TLS_client_method())));
  SSL_CTX* const context = made->context_.get();
  const int loaded = ca_file.empty()
                         ? SSL_CTX_set_default_verify_paths(context)
                         : SSL_CTX_load_verify_locations(context, ca_file.c_str(), nullptr);
  if (loaded != 1) {
    auto failure = base::fail(base::ErrorKind::InvalidInput,
                              "The trusted roots " + ca_file + " cannot be used.");
    failure.error().detail = take_reason();
    return failure;
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_alpn_protos(context, kHttp1, sizeof kHttp1);
  return made;
}

TlsSession TlsContext::session(int fd) const {
  TlsSession made;
  made.ssl_.reset(SSL_new(context_.get()));
  BIO* const bio = BIO_new(socket_method());
  CHECK(made.ssl_ != nullptr && bio != nullptr, "OpenSSL has memory for a session");
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(fd)));
  BIO_set_init(bio, 1);
  SSL_set_bio(made.ssl_.get(), bio, bio);
  return made;
}

TlsSession TlsContext::accept(int fd) const {
  TlsSession made = session(fd);
  SSL_set_accept_state(made.ssl_.get());
  return made;
}

TlsSession TlsContext::connect(int fd, const std::string& host) const {
  TlsSession made = session(fd);
  SSL* const ssl = made.ssl_.get();
  unsigned char address[16];
  if (::inet_pton(AF_INET, host.c_str(), address) == 1 ||
      ::inet_pton(AF_INET6, host.c_str(), address) == 1) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str());
  } else {
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    CHECK(SSL_set1_host(ssl, host.c_str()) == 1, "the host was checked before");
    SSL_set_tlsext_host_name(ssl, host.c_str());
  }
  SSL_set_connect_state(ssl);
  return made;
}

}  // namespace http
