// HTTP/1.1 server: keep-alive, pipelining, streaming both ways, limits on everything that comes
// from outside, graceful drain, TLS.
//
// One Server has any number of listeners, all answered by one handler. Each connection lives on one
// of the runtime's io executors, and its handler runs there: a handler that needs another thread
// uses runtime::run_on. Requests of one connection are handled one after another, in order.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/http/body.h"
#include "lib/http/headers.h"
#include "lib/runtime/runtime.h"
#include "lib/runtime/task.h"

namespace http {

struct Peer {
  std::string address;  // "127.0.0.1"
  std::uint16_t port = 0;
  bool tls = false;
};

// Whether the client of a request is still there to read its answer. Only who waits long, or gives
// away what can't be given twice, asks: each time is a look into the kernel, and who does not ask
// pays nothing.
class Presence {
 public:
  virtual ~Presence() = default;
  // True once the client has closed its side of the connection, or lost it. What it sent before
  // that (pipelined requests) stays, and is answered as far as it can be. From any thread, while
  // the request is handled.
  virtual bool gone() const = 0;
};

// A request as it came. It and its views are valid until the response has been sent: a response's
// stream may still read the request's body.
struct Request {
  std::string_view method;
  std::string_view target;  // as sent: "/a%20b?x=1"; an absolute-form target is reduced to this
  std::string_view path;    // up to '?', not decoded
  std::string_view query;   // after '?', not decoded; empty without one
  HeaderViews headers;
  BodyReader* body = nullptr;  // never null; answers Expect: 100-continue at the first read
  const Peer* peer = nullptr;
  const Presence* client = nullptr;  // null when it came over no connection
};

struct Response {
  int status = 200;
  // Content-Length, Transfer-Encoding, Connection and Date are the server's; a Content-Length set
  // here is kept for answers to HEAD and 304 only, and "Connection: close" closes after the answer.
  // A status outside 200-599, or a control character in a header, is answered as 500 and logged.
  Headers headers;
  std::string body;
  // When set, sent instead of `body`: with Content-Length when its length is known, else chunked.
  // One that fails, or gives more or less than its length, ends in a reset connection.
  std::unique_ptr<BodyReader> stream;
};

// Called on the connection's thread, at the same time for connections of several threads. What it
// throws is answered as 500 and logged. Cancelled when a drain's deadline has passed.
using Handler = std::function<runtime::Task<Response>(Request& request)>;

struct ServerLimits {
  std::size_t head_bytes_max = 64 * 1024;      // request line and headers: 431 past that
  std::size_t headers_max = 200;               // fields: 431 past that
  std::size_t connections_max = 16'384;        // past that a new connection is closed
  std::uint64_t body_bytes_max = UINT64_MAX;   // 413 past that
  std::uint64_t drain_bytes_max = 256 * 1024;  // unread body skipped to keep a connection alive
  base::Duration head_timeout = std::chrono::seconds(30);  // first byte to end of head
  base::Duration idle_timeout = std::chrono::seconds(75);  // between requests
  base::Duration body_timeout = std::chrono::seconds(60);  // without a single byte either way
};

struct ServerOptions {
  ServerLimits limits;
  std::string server_name;  // the Server header; empty: none
};

struct TlsFiles {
  std::string certificate_chain;  // PEM path
  std::string private_key;        // PEM path
};

struct Listen {
  std::string address = "127.0.0.1";  // IPv4 or IPv6; "::" takes IPv6 only
  std::uint16_t port = 0;             // 0: the kernel chooses
  std::optional<TlsFiles> tls;
  int inherited_fd =
      -1;  // a listening socket to take over instead of opening one; closed at the end
};

class Server {
 public:
  // `runtime` and `clock` outlive the server.
  static base::Result<std::unique_ptr<Server>> open(runtime::Runtime& runtime, base::Clock& clock,
                                                    ServerOptions options, Handler handler);
  virtual ~Server() = default;
  // Opens a socket and starts to accept. Returns the port. A taken port is Conflict.
  virtual base::Result<std::uint16_t> listen(Listen listen) = 0;
  // Stops accepting, lets requests under way finish until the deadline, closes idle connections
  // at once, then closes everything and cancels the handlers, which it waits for. Idempotent;
  // called before destruction and before the runtime stops, from any executor.
  virtual runtime::Task<void> drain(base::Timestamp deadline) = 0;
  virtual std::size_t connections() const = 0;
};

// "Not Found" of 404.
std::string_view reason(int status);

}  // namespace http
