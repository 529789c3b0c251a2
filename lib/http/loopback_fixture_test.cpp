// The bodies of loopback_fixture.h: in a test source, so that the library does not carry them.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <thread>

#include "lib/base/check.h"
#include "lib/http/loopback_fixture.h"

namespace http {
namespace {

constexpr timeval kPatience{10, 0};

runtime::Task<void> drain_until(Server& server, base::Timestamp deadline) {
  co_await server.drain(deadline);
}

}  // namespace

LoopbackServer::LoopbackServer(Handler handler, ServerOptions options, Listen listen) {
  auto opened = Server::open(runtime_, clock_, std::move(options), std::move(handler));
  CHECK(opened.has_value(), "the test's server opens");
  server_ = *std::move(opened);
  runtime_.start();
  const auto port = server_->listen(std::move(listen));
  CHECK(port.has_value(), "the test's server listens");
  port_ = *port;
}

LoopbackServer::~LoopbackServer() {
  drain(std::chrono::seconds(0));
  EXPECT_EQ(server_->connections(), 0U);
  runtime_.stop();
}

void LoopbackServer::drain(base::Duration within) {
  runtime::block_on(drain_until(*server_, clock_.now() + within));
}

RawClient::RawClient(std::uint16_t port, std::string_view address) {
  const bool v6 = address.find(':') != std::string_view::npos;
  OwnedFd fd(::socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  sockaddr_in6 v6_address{};
  v6_address.sin6_family = AF_INET6;
  v6_address.sin6_port = htons(port);
  const std::string text(address);
  int connected = -1;
  if (v6) {
    ::inet_pton(AF_INET6, text.c_str(), &v6_address.sin6_addr);
    connected = ::connect(fd.get(), reinterpret_cast<sockaddr*>(&v6_address), sizeof v6_address);
  } else {
    ::inet_pton(AF_INET, text.c_str(), &v4.sin_addr);
    connected = ::connect(fd.get(), reinterpret_cast<sockaddr*>(&v4), sizeof v4);
  }
  if (connected == 0) fd_ = std::move(fd);
}

bool RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void RawClient::end_sending() { ::shutdown(fd_.get(), SHUT_WR); }

bool RawClient::receive() {
  char buffer[16 * 1024];
  const ssize_t got = ::recv(fd_.get(), buffer, sizeof buffer, 0);
  if (got > 0) received_.append(buffer, static_cast<std::size_t>(got));
  if (got < 0) reset_ = errno == ECONNRESET;
  if (got < 0 && !reset_) ADD_FAILURE() << "nothing came for ten seconds, after: " << received_;
  return got > 0;
}

std::string RawClient::read_until(std::string_view mark) {
  std::size_t found = std::string::npos;
  while ((found = received_.find(mark)) == std::string::npos && receive()) {
  }
  const std::string taken = received_.substr(0, std::min(found, received_.size()) + mark.size());
  received_.erase(0, taken.size());
  return taken;
}

std::string RawClient::read_bytes(std::size_t count) {
  while (received_.size() < count && receive()) {
  }
  const std::string taken = received_.substr(0, count);
  received_.erase(0, taken.size());
  return taken;
}

std::string RawClient::read_to_end() {
  while (receive()) {
  }
  return std::exchange(received_, {});
}

void run(std::function<runtime::Task<void>()> start) { runtime::block_on(start()); }

bool eventually(const std::function<bool()>& holds) {
  const base::SystemClock clock;
  const base::Timestamp deadline = clock.now() + std::chrono::seconds(10);
  while (!holds()) {
    if (clock.now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

std::string get(std::string_view target, std::string_view more) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: test\r\n" + std::string(more) + "\r\n";
}

}  // namespace http
