// HTTP/1.1 client with kept-alive connections, streaming both ways, TLS with verification, and a
// deadline on every call. One Client belongs to one executor; make one a thread.
//
// "localhost" and names under it are 127.0.0.1 without a lookup. Redirects are not followed.
// Errors: InvalidInput - the request is malformed or its stream not as long as promised; Timeout -
// the deadline; Unavailable - everything that the other side did wrong.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/http/body.h"
#include "lib/http/headers.h"
#include "lib/runtime/task.h"

namespace http {

struct Url {
  bool tls = false;
  std::string host;  // without brackets or port
  std::uint16_t port = 0;
  std::string target = "/";  // path and query, as sent

  // "http://host:port/path?query"; user info and fragments are refused.
  static base::Result<Url> parse(std::string_view text);
  // "host" or "host:port" (the port unless it is the scheme's own): the Host header.
  std::string authority() const;
};

struct ClientRequest {
  std::string method = "GET";
  Url url;
  Headers headers;  // Host and Content-Length are added when absent
  std::string body;
  // When set, sent instead of `body`; chunked when neither it nor a Content-Length header tells its
  // length. Outlives the call.
  BodyReader* stream = nullptr;
};

struct ClientResponse {
  int status = 0;
  Headers headers;
  // Never null. Destroying it early closes the connection; reading it to its end returns the
  // connection to the pool. May outlive the Client.
  std::unique_ptr<BodyReader> body;
};

struct ClientOptions {
  std::size_t idle_per_host_max = 32;
  base::Duration idle_timeout = std::chrono::seconds(20);
  std::size_t head_bytes_max = 64 * 1024;
  std::string ca_file;  // trusted roots (PEM); empty: the system's
};

class Client {
 public:
  // Outlives its calls; `clock` outlives it and the responses. A bad ca_file fails the first https.
  static std::unique_ptr<Client> open(runtime::Executor executor, base::Clock& clock,
                                      ClientOptions options = {});
  virtual ~Client() = default;
  // Sends and waits for the response's head until `deadline`, which also bounds reading its body.
  // A kept-alive connection that the peer closed before a byte of the answer is tried once more on
  // a fresh one, when the body can be sent again. No other retry.
  virtual runtime::Task<base::Result<ClientResponse>> send(ClientRequest request,
                                                           base::Timestamp deadline) = 0;
};

}  // namespace http
