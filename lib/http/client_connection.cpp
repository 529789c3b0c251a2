#include "lib/http/client_connection.h"

#include <sys/socket.h>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>

#include "lib/base/encoding.h"
#include "lib/http/owned_fd.h"
#include "lib/runtime/event.h"

namespace http {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kReceiveBytes = 8 * 1024;
constexpr std::size_t kFieldsMax = 500;
// Further away than any call lasts, and within what clocks can add up.
constexpr base::Duration kDeadlineMax = std::chrono::years(1);

bool is_local_name(const std::string& host) {
  const std::string lower = base::to_lower(host);
  return lower == "localhost" || lower.ends_with(".localhost");
}

}  // namespace

// Outlives a caller that gives up: getaddrinfo cannot be interrupted.
struct ClientConnection::Lookup {
  using Resolver = asio::ip::basic_resolver<asio::ip::tcp, runtime::Executor>;
  Lookup(runtime::Executor executor, base::Clock& clock) : resolver(executor), done(clock) {}
  Resolver resolver;
  runtime::Event done;
  bool finished = false;
  boost::system::error_code error;
  std::vector<Endpoint> found;
};

ClientConnection::ClientConnection(runtime::Executor executor, base::Clock& clock, Url url)
    : executor_(executor), clock_(clock), url_(std::move(url)) {}

ClientConnection::~ClientConnection() {
  disarm();
  if (transport_ && transport_->socket().is_open()) transport_->end_sending();
}

void ClientConnection::arm(base::Timestamp deadline) {
  disarm();
  deadline = std::min(deadline, clock_.now() + kDeadlineMax);
  expired_ = deadline <= clock_.now();
  deadline_ = deadline;
  timer_ = clock_.call_at(deadline, [weak = weak_from_this(), executor = executor_] {
    asio::post(executor, [weak] {
      if (const auto self = weak.lock()) self->expire();
    });
  });
}

void ClientConnection::disarm() {
  if (timer_) clock_.cancel(*timer_);
  timer_.reset();
  deadline_ = base::Timestamp::max();
}

void ClientConnection::expire() {
  // A timer that was disarmed when it had already fired finds a later deadline, or none.
  if (!timer_ || clock_.now() < deadline_) return;
  expired_ = true;
  if (transport_) transport_->cancel();
}

std::unexpected<base::Error> ClientConnection::failure(std::string what) const {
  if (expired_) {
    return base::fail(base::ErrorKind::Timeout, "No answer from " + url_.authority() + " in time.");
  }
  return base::fail(base::ErrorKind::Unavailable, std::move(what));
}

runtime::Task<base::Result<std::vector<ClientConnection::Endpoint>>> ClientConnection::resolve() {
  boost::system::error_code error;
  const auto literal = asio::ip::make_address(url_.host, error);
  if (!error) co_return std::vector{Endpoint(literal, url_.port)};
  if (is_local_name(url_.host)) {
    co_return std::vector{Endpoint(asio::ip::address_v4::loopback(), url_.port)};
  }
  const auto lookup = std::make_shared<Lookup>(executor_, clock_);
  lookup->resolver.async_resolve(
      url_.host, std::to_string(url_.port), asio::ip::resolver_base::numeric_service,
      [lookup](const boost::system::error_code& failed, const auto& results) {
        lookup->error = failed;
        for (const auto& entry : results) lookup->found.push_back(entry.endpoint());
        lookup->finished = true;
        lookup->done.notify_all();
      });
  if (!lookup->finished) co_await lookup->done.wait_until(deadline_);
  if (!lookup->finished) {
    lookup->resolver.cancel();
    co_return base::fail(base::ErrorKind::Timeout, "Resolving " + url_.host + " took too long.");
  }
  if (lookup->error || lookup->found.empty()) {
    auto unknown = failure("The host " + url_.host + " cannot be found.");
    unknown.error().detail = lookup->error.message();
    co_return unknown;
  }
  co_return std::move(lookup->found);
}

runtime::Task<base::Result<void>> ClientConnection::connect_to(Endpoint endpoint) {
  transport_.emplace(Socket(executor_), TlsSession());
  Socket& socket = transport_->socket();
  boost::system::error_code error;
  // Not socket.open(): that one would be inherited by every child process.
  OwnedFd fd(::socket(endpoint.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) co_return base::fail_errno("Opening a socket", errno);
  socket.assign(endpoint.protocol(), fd.get(), error);
  if (!error) fd.release();
  if (!error) socket.set_option(asio::ip::tcp::no_delay(true), error);
  if (!error && !expired_) {
    co_await socket.async_connect(endpoint, asio::redirect_error(runtime::use_task, error));
  }
  if (!error) socket.native_non_blocking(true, error);
  if (!error && !expired_) co_return base::Result<void>{};
  auto refused = failure("Connecting to " + url_.authority() + " failed.");
  if (error) refused.error().detail = error.message();
  co_return refused;
}

runtime::Task<base::Result<void>> ClientConnection::connect(std::shared_ptr<TlsContext> tls) {
  CO_TRY(const auto endpoints, co_await resolve());
  base::Result<void> connected;
  for (const Endpoint& endpoint : endpoints) {
    connected = co_await connect_to(endpoint);
    if (connected || expired_) break;
  }
  if (!connected || !tls) co_return connected;
  transport_->secure(tls->connect(transport_->socket().native_handle(), url_.host));
  const Io shaken = co_await transport_->handshake();
  if (shaken.state == IoState::Done) co_return base::Result<void>{};
  co_return failure("The TLS handshake with " + url_.authority() +
                    " failed: " + transport_->tls().failure() + ".");
}

runtime::Task<base::Result<void>> ClientConnection::send(std::string_view first,
                                                         std::string_view second,
                                                         std::string_view third) {
  Parts parts{first, second, third};
  while (!expired_) {
    const Io io = transport_->try_write(parts);
    if (io.state == IoState::Done) co_return base::Result<void>{};
    if (io.state != IoState::WantRead && io.state != IoState::WantWrite) break;
    if (!co_await transport_->wait(io.state)) break;
  }
  co_return failure("The connection to " + url_.authority() + " broke while sending.");
}

runtime::Task<Io> ClientConnection::receive_into(std::span<char> into) {
  if (expired_) co_return Io{};
  const Io io = co_await transport_->read_some(into);
  answered_ |= io.state == IoState::Done;
  co_return io;
}

runtime::Task<Io> ClientConnection::receive_more() {
  buffer_.erase(0, at_);
  at_ = 0;
  const std::size_t had = buffer_.size();
  buffer_.resize(had + kReceiveBytes);
  const Io io = co_await receive_into({buffer_.data() + had, kReceiveBytes});
  buffer_.resize(had + (io.state == IoState::Done ? io.count : 0));
  co_return io;
}

runtime::Task<base::Result<ResponseHead>> ClientConnection::receive_head(std::size_t bytes_max,
                                                                         Headers& headers) {
  const HeadLimits limits{bytes_max, kFieldsMax};
  ResponseHead head;
  HeaderViews fields;
  std::size_t scanned = 0;
  for (;;) {
    // A head in drops is scanned again when a line of it has ended, no oftener.
    const bool worth_it = pending().size() >= bytes_max ||
                          pending().substr(scanned).find('\n') != std::string_view::npos;
    scanned = pending().size();
    const Scan scan = worth_it ? scan_response_head(pending(), limits, head, fields) : Scan{};
    if (scan.refusal != 0) {
      co_return failure(url_.authority() + " does not answer in HTTP: " + std::string(scan.why) +
                        ".");
    }
    if (scan.consumed > 0) {
      headers = {};
      for (const HeaderView& field : fields) {
        headers.add(std::string(field.name), std::string(field.value));
      }
      consume(scan.consumed);
      co_return head;
    }
    const Io io = co_await receive_more();
    if (io.state != IoState::Done) {
      co_return failure(url_.authority() + " closed the connection without an answer.");
    }
  }
}

void ClientConnection::rest() {
  disarm();
  buffer_ = {};
  at_ = 0;
}

}  // namespace http
