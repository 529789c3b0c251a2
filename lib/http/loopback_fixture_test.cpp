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

bool RawClient::answered() const {
  char byte = 0;
  return ::recv(fd_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
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

ScriptedServer::ScriptedServer(std::vector<Answers> connections)
    : connections_(std::move(connections)),
      listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  const auto any = reinterpret_cast<sockaddr*>(&address);
  CHECK(::bind(listener_.get(), any, length) == 0 && ::listen(listener_.get(), 16) == 0 &&
            ::getsockname(listener_.get(), any, &length) == 0,
        "a loopback port is free");
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] {
    for (const Answers& answers : connections_) serve(answers);
  });
}

ScriptedServer::~ScriptedServer() {
  ::shutdown(listener_.get(), SHUT_RDWR);
  thread_.join();
}

void ScriptedServer::serve(const Answers& answers) {
  const OwnedFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (fd.get() < 0) return;
  ++accepted_;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  for (const std::string& answer : answers) {
    std::string head;
    char buffer[16 * 1024];
    while (head.find("\r\n\r\n") == std::string::npos) {
      const ssize_t got = ::recv(fd.get(), buffer, sizeof buffer, 0);
      if (got <= 0) return;
      head.append(buffer, static_cast<std::size_t>(got));
    }
    {
      const std::lock_guard lock(mutex_);
      received_ += head;
    }
    ::send(fd.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
  }
}

std::string ScriptedServer::received() const {
  const std::lock_guard lock(mutex_);
  return received_;
}

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
