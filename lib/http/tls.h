// TLS 1.2 and 1.3 over a non-blocking socket that somebody else waits for: every call does what it
// can and says what it wants next. Sessions never raise SIGPIPE. Internal to lib/http.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "lib/base/result.h"
#include "lib/http/server.h"

struct ssl_st;
struct ssl_ctx_st;

namespace http {

enum class IoState : std::uint8_t {
  Done,       // `count` bytes went through
  WantRead,   // nothing did: call again when the socket is readable
  WantWrite,  // the same, writable
  Eof,        // the peer ended its side properly
  Failed,     // reset, cancelled, broken protocol: the connection is of no use any more
};

struct Io {
  IoState state = IoState::Failed;
  std::size_t count = 0;
};

class TlsSession {
 public:
  TlsSession() = default;
  explicit operator bool() const { return ssl_ != nullptr; }
  Io handshake();
  Io read(std::span<char> into);
  Io write(std::string_view bytes);
  // Tells the peer that what it got is all; does not wait.
  void close_notify();
  // Why the handshake failed, for a message.
  std::string failure() const;

 private:
  friend class TlsContext;
  struct Free {
    void operator()(ssl_st* ssl) const;
  };
  Io outcome(int returned, std::size_t count);
  std::unique_ptr<ssl_st, Free> ssl_;
};

// Certificates and settings; shared by all sessions of a listener or client. Any thread.
class TlsContext {
 public:
  static base::Result<std::shared_ptr<TlsContext>> server(const TlsFiles& files);
  // Trusts the roots of `ca_file`, or the system's when it is empty.
  static base::Result<std::shared_ptr<TlsContext>> client(const std::string& ca_file);

  TlsSession accept(int fd) const;
  // Sends `host` as SNI and accepts only a certificate of that name or address.
  TlsSession connect(int fd, const std::string& host) const;

 private:
  struct Free {
    void operator()(ssl_ctx_st* context) const;
  };
  explicit TlsContext(ssl_ctx_st* context) : context_(context) {}
  TlsSession session(int fd) const;
  std::unique_ptr<ssl_ctx_st, Free> context_;
};

}  // namespace http
