#include "lib/http/client.h"

#include <fmt/format.h>

#include <charconv>

#include "lib/base/check.h"
#include "lib/base/encoding.h"
#include "lib/http/client_pool.h"
#include "lib/http/response_body.h"

namespace http {
namespace {

constexpr std::size_t kStreamBytes = 64 * 1024;
// Interim answers (100, 102, 103) skipped before the answer proper.
constexpr int kInterimMax = 16;

// How the request's body travels.
struct Upload {
  std::string head;
  std::optional<std::uint64_t> length;  // none: chunked
};

base::Result<std::optional<std::uint64_t>> stated_length(const Headers& headers) {
  const auto text = headers.find("Content-Length");
  if (!text) return std::nullopt;
  std::uint64_t length = 0;
  const char* const end = text->data() + text->size();
  const auto [stopped, error] = std::from_chars(text->data(), end, length);
  if (error == std::errc{} && stopped == end) return length;
  return base::fail(base::ErrorKind::InvalidInput, "The request's Content-Length is no length.");
}

base::Result<void> check_request(const ClientRequest& request) {
  const auto refuse = [](std::string what) {
    return base::fail(base::ErrorKind::InvalidInput, "The request has " + what + ".");
  };
  if (!is_token(request.method) || request.method == "CONNECT") return refuse("no usable method");
  if (!is_target(request.url.target)) return refuse("a malformed target");
  if (!is_host(request.url.authority()) || request.url.port == 0) return refuse("no host");
  for (const auto& [name, value] : request.headers) {
    if (!is_token(name)) return refuse("a malformed header name");
    if (!is_field_value(value)) return refuse("a control character in header " + name);
  }
  if (request.headers.find("Transfer-Encoding")) return refuse("a Transfer-Encoding of its own");
  return {};
}

base::Result<Upload> plan_upload(const ClientRequest& request) {
  TRY_VOID(check_request(request));
  TRY(const auto stated, stated_length(request.headers));
  Upload upload;
  upload.length = request.stream != nullptr ? request.stream->length() : request.body.size();
  if (stated && upload.length && *stated != *upload.length) {
    return base::fail(base::ErrorKind::InvalidInput,
                      "The request's Content-Length is not its body's length.");
  }
  if (stated) upload.length = stated;
  upload.head = fmt::format("{} {} HTTP/1.1\r\n", request.method, request.url.target);
  if (!request.headers.find("Host")) {
    upload.head += fmt::format("Host: {}\r\n", request.url.authority());
  }
  for (const auto& [name, value] : request.headers) {
    upload.head += fmt::format("{}: {}\r\n", name, value);
  }
  const bool usually_has_body =
      request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
  if (!upload.length) {
    upload.head += "Transfer-Encoding: chunked\r\n";
  } else if (!stated && (*upload.length > 0 || usually_has_body)) {
    upload.head += fmt::format("Content-Length: {}\r\n", *upload.length);
  }
  upload.head += "\r\n";
  return upload;
}

runtime::Task<base::Result<void>> send_stream(ClientConnection& connection, const Upload& upload,
                                              const ClientRequest& request) {
  CO_TRY_VOID(co_await connection.send(upload.head, {}, {}));
  const bool interim_awaited = request.headers.find("Expect").has_value();
  BodyReader& stream = *request.stream;
  const auto buffer = std::make_unique_for_overwrite<char[]>(kStreamBytes);
  std::uint64_t sent = 0;
  for (;;) {
    CO_TRY(const std::size_t count, co_await stream.read({buffer.get(), kStreamBytes}));
    if (count == 0) break;
    // Sending on to a server that has given its answer may last until it gives up reading.
    if (!interim_awaited && connection.interrupted()) {
      co_return connection.failure("The server has stopped to listen.");
    }
    sent += count;
    if (upload.length && sent > *upload.length) break;
    const std::string_view piece(buffer.get(), count);
    if (upload.length) {
      CO_TRY_VOID(co_await connection.send(piece, {}, {}));
    } else {
      const std::string size = fmt::format("{:x}\r\n", count);
      CO_TRY_VOID(co_await connection.send(size, piece, "\r\n"));
    }
  }
  if (upload.length && sent != *upload.length) {
    co_return base::fail(base::ErrorKind::InvalidInput,
                         "The request's stream is not as long as it had promised.");
  }
  if (upload.length) co_return base::Result<void>{};
  co_return co_await connection.send("0\r\n\r\n", {}, {});
}

class PooledClient final : public Client {
 public:
  PooledClient(runtime::Executor executor, base::Clock& clock, ClientOptions options)
      : executor_(executor),
        clock_(clock),
        options_(std::move(options)),
        pool_(std::make_shared<ClientPool>(executor, clock, options_.idle_per_host_max,
                                           options_.idle_timeout)) {}

  runtime::Task<base::Result<ClientResponse>> send(ClientRequest request,
                                                   base::Timestamp deadline) override {
    CHECK(co_await runtime::this_executor() == executor_, "a client is used on its executor");
    CO_TRY(const Upload upload, plan_upload(request));
    if (auto connection = pool_->take(request.url)) {
      connection->arm(deadline);
      auto response = co_await exchange(connection, request, upload);
      const bool stale = !response && !connection->answered() && !connection->expired();
      if (!stale || request.stream != nullptr) co_return response;
    }
    const auto connection = std::make_shared<ClientConnection>(executor_, clock_, request.url);
    connection->arm(deadline);
    CO_TRY(auto tls, tls_for(request.url));
    CO_TRY_VOID(co_await connection->connect(std::move(tls)));
    co_return co_await exchange(connection, request, upload);
  }

 private:
  base::Result<std::shared_ptr<TlsContext>> tls_for(const Url& url) {
    if (!url.tls) return nullptr;
    if (!tls_) {
      TRY(tls_, TlsContext::client(options_.ca_file));
    }
    return tls_;
  }

  runtime::Task<base::Result<ClientResponse>> exchange(std::shared_ptr<ClientConnection> connection,
                                                       const ClientRequest& request,
                                                       const Upload& upload) {
    connection->expect_answer();
    const auto sent = request.stream != nullptr
                          ? co_await send_stream(*connection, upload, request)
                          : co_await connection->send(upload.head, request.body, {});
    // A server may refuse before it has read everything: its answer says more than the broken pipe.
    const bool broken = !sent && sent.error().kind == base::ErrorKind::Unavailable;
    if (!sent && !broken) co_return std::unexpected(sent.error());
    ClientResponse response;
    ResponseHead head;
    for (int i = 0;; ++i) {
      auto received = co_await connection->receive_head(options_.head_bytes_max, response.headers);
      if (!received) co_return std::unexpected(broken ? sent.error() : received.error());
      head = *received;
      if (head.status >= 200) break;
      if (head.status == 101 || i == kInterimMax) {
        co_return connection->failure("The server answers what was not asked.");
      }
    }
    response.status = head.status;
    if (broken) head.framing.keep_alive = false;
    const bool none = request.method == "HEAD" || head.status == 204 || head.status == 304;
    response.body =
        std::make_unique<ResponseBody>(std::move(connection), pool_, head.framing, none);
    co_return response;
  }

  runtime::Executor executor_;
  base::Clock& clock_;
  const ClientOptions options_;
  std::shared_ptr<ClientPool> pool_;
  std::shared_ptr<TlsContext> tls_;
};

}  // namespace

std::unique_ptr<Client> Client::open(runtime::Executor executor, base::Clock& clock,
                                     ClientOptions options) {
  return std::make_unique<PooledClient>(executor, clock, std::move(options));
}

}  // namespace http
