// Listening sockets, and the loop that hands what they accept to the workers.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <cstring>

#include "lib/base/log.h"
#include "lib/http/connection.h"
#include "lib/http/owned_fd.h"
#include "lib/http/tls.h"
#include "lib/http/worker.h"

namespace http {
namespace {

namespace asio = boost::asio;

constexpr std::string_view kArea = "http";
constexpr int kBacklog = 4096;
// Connections accepted before the loop looks after others.
constexpr int kAcceptBatch = 64;
// Out of file descriptors: nothing helps but connections that end.
constexpr base::Duration kStarvedPause = std::chrono::milliseconds(100);

union Address {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
  sockaddr_storage room;
};

base::Result<socklen_t> parse_address(const Listen& listen, Address& address) {
  std::memset(&address, 0, sizeof address);
  if (::inet_pton(AF_INET, listen.address.c_str(), &address.v4.sin_addr) == 1) {
    address.v4.sin_family = AF_INET;
    address.v4.sin_port = htons(listen.port);
    return socklen_t{sizeof address.v4};
  }
  if (::inet_pton(AF_INET6, listen.address.c_str(), &address.v6.sin6_addr) == 1) {
    address.v6.sin6_family = AF_INET6;
    address.v6.sin6_port = htons(listen.port);
    return socklen_t{sizeof address.v6};
  }
  return base::fail(base::ErrorKind::InvalidInput,
                    "\"" + listen.address + "\" is no IPv4 or IPv6 address to listen on.");
}

std::uint16_t port_of(const Address& address) {
  return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

Peer peer_of(const Address& address, bool tls) {
  char text[INET6_ADDRSTRLEN] = {};
  if (address.any.sa_family == AF_INET6) {
    ::inet_ntop(AF_INET6, &address.v6.sin6_addr, text, sizeof text);
  } else {
    ::inet_ntop(AF_INET, &address.v4.sin_addr, text, sizeof text);
  }
  return {text, port_of(address), tls};
}

base::Result<Listener> finish_listener(OwnedFd fd) {
  Address address{};
  socklen_t length = sizeof address;
  if (::getsockname(fd.get(), &address.any, &length) != 0) {
    return base::fail_errno("Asking a listening socket for its port", errno);
  }
  // Connections inherit it: an answer in two pieces must not wait 40 ms for the peer's ACK.
  const int one = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return Listener{std::move(fd), port_of(address)};
}

base::Result<Listener> adopt_listener(int inherited) {
  OwnedFd fd(inherited);
  int listening = 0;
  socklen_t length = sizeof listening;
  if (::getsockopt(fd.get(), SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) != 0 ||
      listening == 0) {
    return base::fail(base::ErrorKind::InvalidInput,
                      "File descriptor " + std::to_string(inherited) + " is no listening socket.");
  }
  return finish_listener(std::move(fd));
}

std::unexpected<base::Error> bind_failure(const Listen& listen, int error) {
  const bool v6 = listen.address.find(':') != std::string::npos;
  const std::string where =
      (v6 ? "[" + listen.address + "]" : listen.address) + ":" + std::to_string(listen.port);
  auto failure = base::fail_errno("Listening on " + where, error);
  switch (error) {
    case EADDRINUSE:
      failure.error().kind = base::ErrorKind::Conflict;
      failure.error().message = where + " is taken by another program.";
      break;
    case EACCES:
      failure.error().kind = base::ErrorKind::Denied;
      failure.error().message = "This user may not listen on " + where + ".";
      break;
    case EADDRNOTAVAIL:
      failure.error().kind = base::ErrorKind::InvalidInput;
      failure.error().message = where + " is no address of this machine.";
      break;
    default: break;
  }
  return failure;
}

Worker& least_loaded(Core& core) {
  const auto load = [](const auto& worker) { return worker->load.load(std::memory_order_relaxed); };
  return **std::ranges::min_element(core.workers, {}, load);
}

// Counts the connection; it uncounts itself.
bool admit(Core& core) {
  const std::size_t had = core.connections.fetch_add(1, std::memory_order_relaxed);
  if (had < core.options.limits.connections_max) return true;
  core.connections.fetch_sub(1, std::memory_order_relaxed);
  return false;
}

// Runs on the worker's executor.
void adopt(std::shared_ptr<Core> core, Worker& worker, OwnedFd fd, int family, Peer peer,
           const TlsContext* tls) {
  const auto protocol = family == AF_INET6 ? asio::ip::tcp::v6() : asio::ip::tcp::v4();
  Socket socket(worker.executor);
  boost::system::error_code error;
  socket.assign(protocol, fd.get(), error);
  if (error) {
    worker.load.fetch_sub(1, std::memory_order_relaxed);
    core->connections.fetch_sub(1, std::memory_order_relaxed);
    base::log::warning(kArea, "an accepted connection cannot be watched: {}", error.message());
    return;
  }
  socket.native_non_blocking(true, error);
  TlsSession session = tls != nullptr ? tls->accept(fd.get()) : TlsSession();
  fd.release();
  worker.connections.spawn(
      "connection", Connection::serve(std::make_unique<Connection>(
                        std::move(core), worker, Transport(std::move(socket), std::move(session)),
                        std::move(peer))));
}

void hand_over(const std::shared_ptr<Core>& core, OwnedFd fd, const Address& address,
               const std::shared_ptr<TlsContext>& tls) {
  Worker& worker = least_loaded(*core);
  worker.load.fetch_add(1, std::memory_order_relaxed);
  asio::post(worker.executor,
             [core, &worker, fd = std::move(fd), tls, family = int{address.any.sa_family},
              peer = peer_of(address, tls != nullptr)]() mutable {
               adopt(core, worker, std::move(fd), family, std::move(peer), tls.get());
             });
}

// Takes what has arrived. False: the process has no descriptor for the next one.
bool accept_some(const std::shared_ptr<Core>& core, int listener,
                 const std::shared_ptr<TlsContext>& tls, int batch) {
  for (int i = 0; i < batch; ++i) {
    Address address{};
    socklen_t length = sizeof address;
    OwnedFd fd(::accept4(listener, &address.any, &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd.get() < 0) {
      // Other errors belong to the connection that failed before it was taken.
      if (errno == EAGAIN || errno == EWOULDBLOCK) return true;
      if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) return false;
      continue;
    }
    if (!admit(*core)) {
      base::log::debug(kArea, "connection refused: {} are open", core->connections.load());
      continue;
    }
    hand_over(core, std::move(fd), address, tls);
  }
  return true;
}

}  // namespace

base::Result<Listener> open_listener(const Listen& listen) {
  if (listen.inherited_fd >= 0) return adopt_listener(listen.inherited_fd);
  Address address{};
  TRY(const socklen_t length, parse_address(listen, address));
  OwnedFd fd(::socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd.get() < 0) return base::fail_errno("Opening a socket", errno);
  const int one = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  // One listener, one family: "::" does not take IPv4's port as well.
  if (address.any.sa_family == AF_INET6) {
    ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
  }
  if (::bind(fd.get(), &address.any, length) != 0 || ::listen(fd.get(), kBacklog) != 0) {
    return bind_failure(listen, errno);
  }
  return finish_listener(std::move(fd));
}

runtime::Task<void> accept_all(std::shared_ptr<Core> core, OwnedFd listener,
                               std::shared_ptr<TlsContext> tls, bool inherited) {
  const int fd = listener.get();
  boost::system::error_code error;
  asio::posix::basic_stream_descriptor<runtime::Executor> descriptor(
      co_await runtime::this_executor());
  descriptor.assign(fd, error);
  if (!error) listener.release();
  if (!error) descriptor.non_blocking(true, error);
  bool starved = false;
  while (!error && !core->draining.load(std::memory_order_relaxed)) {
    co_await descriptor.async_wait(asio::posix::descriptor_base::wait_read,
                                   asio::redirect_error(runtime::use_task, error));
    if (error) break;
    if (accept_some(core, fd, tls, kAcceptBatch)) {
      starved = false;
      continue;
    }
    if (!starved) base::log::warning(kArea, "no file descriptor for a new connection: waiting");
    starved = true;
    co_await runtime::sleep_until(core->clock, core->clock.now() + kStarvedPause);
  }
  if (error && error != asio::error::operation_aborted) {
    base::log::error(kArea, "a listener has failed: {}", error.message());
  }
  // Who has connected before the drain is served, unless somebody else listens here too.
  if (!inherited) accept_some(core, fd, tls, kBacklog);
}

}  // namespace http
