#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <cstring>
#include <thread>

#include "lib/http/loopback_fixture.h"
#include "lib/runtime/event.h"

namespace http {
namespace {

using namespace std::chrono_literals;

// Endless, and counts what was taken of it.
class Endless final : public BodyReader {
 public:
  explicit Endless(std::atomic<std::uint64_t>& taken) : taken_(taken) {}
  runtime::Task<base::Result<std::size_t>> read(std::span<char> into) override {
    std::memset(into.data(), 'e', into.size());
    taken_ += into.size();
    co_return into.size();
  }
  std::optional<std::uint64_t> length() const override { return std::nullopt; }

 private:
  std::atomic<std::uint64_t>& taken_;
};

struct Site {
  base::SystemClock clock;
  std::atomic<bool> released = false;
  std::atomic<int> waiting = 0;
  std::atomic<int> body_error = -1;
  std::atomic<std::uint64_t> taken = 0;

  runtime::Task<Response> handle(Request& request) {
    Response response;
    response.body = "done";
    if (request.path == "/wait") {
      ++waiting;
      while (!released) co_await runtime::sleep_until(clock, clock.now() + 1ms);
    }
    if (request.path == "/stuck") {
      ++waiting;
      co_await runtime::sleep_until(clock, clock.now() + 1h);
    }
    if (request.path == "/endless") response.stream = std::make_unique<Endless>(taken);
    if (request.path == "/read") {
      const auto body = co_await read_all(*request.body, 100);
      if (!body) body_error = static_cast<int>(body.error().kind);
    }
    co_return response;
  }

  Handler handler() {
    return [this](Request& request) { return handle(request); };
  }
};

ServerOptions with(const std::function<void(ServerLimits&)>& change) {
  ServerOptions options;
  change(options.limits);
  return options;
}

runtime::Task<void> drain_at(Server& server, base::Timestamp deadline) {
  co_await server.drain(deadline);
}

TEST(HttpServerLimits, HeadTooLargeIs431) {
  Site site;
  LoopbackServer server(site.handler(), with([](ServerLimits& limits) {
                          limits.head_bytes_max = 1000;
                          limits.headers_max = 5;
                        }));
  RawClient large(server.port());
  ASSERT_TRUE(large.send(get("/", "X: " + std::string(2000, 'x') + "\r\n")));
  EXPECT_TRUE(large.read_to_end().starts_with("HTTP/1.1 431 "));
  RawClient many(server.port());
  ASSERT_TRUE(many.send(get("/", "A: a\r\nB: b\r\nC: c\r\nD: d\r\nE: e\r\n")));
  EXPECT_TRUE(many.read_to_end().starts_with("HTTP/1.1 431 "));
}

TEST(HttpServerLimits, BodyTooLargeIs413OrAnErrorToItsReader) {
  Site site;
  LoopbackServer server(site.handler(),
                        with([](ServerLimits& limits) { limits.body_bytes_max = 10; }));
  RawClient sized(server.port());
  ASSERT_TRUE(sized.send("PUT /read HTTP/1.1\r\nHost: t\r\nContent-Length: 11\r\n\r\n"));
  EXPECT_TRUE(sized.read_to_end().starts_with("HTTP/1.1 413 "));
  EXPECT_EQ(site.body_error, -1);
  RawClient chunked(server.port());
  ASSERT_TRUE(
      chunked.send("PUT /read HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "b\r\n12345678901\r\n0\r\n\r\n"));
  EXPECT_TRUE(chunked.read_to_end().ends_with("done"));
  EXPECT_EQ(site.body_error, static_cast<int>(base::ErrorKind::TooLarge));
}

TEST(HttpServerLimits, ConnectionsPastTheMaximumAreClosed) {
  Site site;
  LoopbackServer server(site.handler(),
                        with([](ServerLimits& limits) { limits.connections_max = 2; }));
  RawClient first(server.port());
  RawClient second(server.port());
  EXPECT_TRUE(eventually([&] { return server.server().connections() == 2; }));
  RawClient third(server.port());
  EXPECT_EQ(third.read_to_end(), "");
  first.close();
  EXPECT_TRUE(eventually([&] { return server.server().connections() == 1; }));
  RawClient fourth(server.port());
  ASSERT_TRUE(fourth.send(get("/")));
  EXPECT_TRUE(fourth.read_until("done").ends_with("done"));
}

TEST(HttpServerLimits, HeadThatStallsIs408) {
  Site site;
  LoopbackServer server(site.handler(),
                        with([](ServerLimits& limits) { limits.head_timeout = 50ms; }));
  RawClient client(server.port());
  ASSERT_TRUE(client.send("GET / HTTP/1.1\r\n"));
  EXPECT_TRUE(client.read_to_end().starts_with("HTTP/1.1 408 "));
}

TEST(HttpServerLimits, HeadInDropsIsNotGivenMoreTime) {
  Site site;
  LoopbackServer server(site.handler(),
                        with([](ServerLimits& limits) { limits.head_timeout = 50ms; }));
  RawClient client(server.port());
  ASSERT_TRUE(client.send("GET / HTTP/1.1\r\n"));
  base::Timestamp next;
  EXPECT_TRUE(eventually([&] {
    if (site.clock.now() > next) {
      client.send("x");
      next = site.clock.now() + 5ms;
    }
    return client.answered();
  }));
  client.end_sending();
  EXPECT_TRUE(client.read_to_end().starts_with("HTTP/1.1 408 "));
}

TEST(HttpServerLimits, IdleConnectionIsClosedQuietly) {
  Site site;
  LoopbackServer server(site.handler(),
                        with([](ServerLimits& limits) { limits.idle_timeout = 50ms; }));
  RawClient silent(server.port());
  RawClient used(server.port());
  ASSERT_TRUE(used.send(get("/")));
  EXPECT_TRUE(used.read_to_end().ends_with("done"));
  EXPECT_EQ(silent.read_to_end(), "");
  EXPECT_FALSE(silent.reset() || used.reset());
}

TEST(HttpServerLimits, BodyThatStallsIsATimeoutToItsReader) {
  Site site;
  LoopbackServer server(site.handler(),
                        with([](ServerLimits& limits) { limits.body_timeout = 50ms; }));
  RawClient client(server.port());
  ASSERT_TRUE(client.send("PUT /read HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nab"));
  const std::string answer = client.read_until("done");
  EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos);
  EXPECT_EQ(site.body_error, static_cast<int>(base::ErrorKind::Timeout));
}

TEST(HttpServerLimits, SlowReaderHoldsTheStreamBackAndIsCutOff) {
  Site site;
  LoopbackServer server(site.handler(),
                        with([](ServerLimits& limits) { limits.body_timeout = 200ms; }));
  RawClient client(server.port());
  ASSERT_TRUE(client.send(get("/endless")));
  EXPECT_TRUE(eventually([&] { return site.taken > 0; }));
  EXPECT_TRUE(eventually([&] { return server.server().connections() == 0; }));
  // The two kernels' buffers and one of ours.
  EXPECT_LT(site.taken, 32U << 20U);
  client.read_to_end();
  EXPECT_TRUE(client.reset());
}

TEST(HttpServerLimits, HandlerMayTakeLongerThanAnyTimeout) {
  Site site;
  LoopbackServer server(site.handler(), with([](ServerLimits& limits) {
                          limits.head_timeout = limits.idle_timeout = limits.body_timeout = 20ms;
                        }));
  RawClient client(server.port());
  ASSERT_TRUE(client.send(get("/wait")));
  EXPECT_TRUE(eventually([&] { return site.waiting == 1; }));
  const base::Timestamp later = site.clock.now() + 100ms;
  EXPECT_TRUE(eventually([&] { return site.clock.now() > later; }));
  site.released = true;
  EXPECT_TRUE(client.read_until("done").ends_with("done"));
}

TEST(HttpServerDrain, LetsRequestsFinishAndClosesTheIdle) {
  Site site;
  LoopbackServer server(site.handler());
  RawClient idle(server.port());
  ASSERT_TRUE(idle.send(get("/")));
  idle.read_until("done");
  RawClient busy(server.port());
  ASSERT_TRUE(busy.send(get("/wait")));
  EXPECT_TRUE(eventually([&] { return site.waiting == 1; }));
  std::thread draining([&] { server.drain(10s); });
  EXPECT_EQ(idle.read_to_end(), "");
  EXPECT_FALSE(idle.reset());
  EXPECT_FALSE(RawClient(server.port()).connected());
  site.released = true;
  const std::string answer = busy.read_to_end();
  EXPECT_TRUE(answer.ends_with("done"));
  EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos);
  draining.join();
  EXPECT_EQ(server.server().connections(), 0U);
}

TEST(HttpServerDrain, CancelsWhatIsLeftAtTheDeadline) {
  Site site;
  LoopbackServer server(site.handler());
  RawClient stuck(server.port());
  ASSERT_TRUE(stuck.send(get("/stuck")));
  RawClient uploading(server.port());
  ASSERT_TRUE(uploading.send("PUT /read HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nab"));
  RawClient downloading(server.port());
  ASSERT_TRUE(downloading.send(get("/endless")));
  EXPECT_TRUE(eventually([&] { return site.waiting == 1 && site.taken > 0; }));
  server.drain(20ms);
  EXPECT_EQ(server.server().connections(), 0U);
}

TEST(HttpServerDrain, MayBeAskedForTwiceAtOnceAndAgain) {
  Site site;
  LoopbackServer server(site.handler());
  RawClient busy(server.port());
  ASSERT_TRUE(busy.send(get("/wait")));
  EXPECT_TRUE(eventually([&] { return site.waiting == 1; }));
  std::thread one([&] { server.drain(10s); });
  std::thread two([&] { server.drain(10s); });
  site.released = true;
  one.join();
  two.join();
  EXPECT_EQ(server.server().connections(), 0U);
  server.drain(0s);
  EXPECT_FALSE(server.server().listen({}).has_value());
}

TEST(HttpServerDrain, WorksFromTheServersOwnThreads) {
  Site site;
  LoopbackServer server(site.handler());
  RawClient idle(server.port());
  std::atomic<bool> drained = false;
  boost::asio::co_spawn(server.runtime().io(1),
                        drain_at(server.server(), server.clock().now() + 5s),
                        [&](const std::exception_ptr&) { drained = true; });
  EXPECT_TRUE(eventually([&] { return drained.load(); }));
  EXPECT_EQ(idle.read_to_end(), "");
}

TEST(HttpListen, TakenPortIsAConflictThatNamesIt) {
  Site site;
  LoopbackServer server(site.handler());
  Listen again;
  again.port = server.port();
  const auto refused = server.server().listen(again);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, base::ErrorKind::Conflict);
  EXPECT_NE(refused.error().message.find("127.0.0.1:" + std::to_string(server.port())),
            std::string::npos);
}

TEST(HttpListen, AddressMustBeOne) {
  Site site;
  LoopbackServer server(site.handler());
  Listen listen;
  listen.address = "nowhere";
  EXPECT_EQ(server.server().listen(listen).error().kind, base::ErrorKind::InvalidInput);
  listen.address = "192.0.2.1";
  EXPECT_EQ(server.server().listen(listen).error().kind, base::ErrorKind::InvalidInput);
}

TEST(HttpListen, OneServerListensOnSeveralAddresses) {
  Site site;
  LoopbackServer server(site.handler());
  Listen other;
  other.address = "127.0.0.2";
  const auto port = server.server().listen(other);
  ASSERT_TRUE(port.has_value());
  RawClient client(*port, "127.0.0.2");
  ASSERT_TRUE(client.send(get("/")));
  EXPECT_TRUE(client.read_until("done").ends_with("done"));
  Listen v6;
  v6.address = "::1";
  const auto v6_port = server.server().listen(v6);
  if (!v6_port) GTEST_SKIP() << "this machine has no IPv6: " << base::describe(v6_port.error());
  RawClient v6_client(*v6_port, "::1");
  ASSERT_TRUE(v6_client.send(get("/")));
  EXPECT_TRUE(v6_client.read_until("done").ends_with("done"));
}

TEST(HttpListen, InheritedSocketIsTakenOver) {
  OwnedFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  Site site;
  LoopbackServer server(site.handler());
  Listen listen;
  listen.inherited_fd = ::dup(fd.get());
  EXPECT_EQ(server.server().listen(listen).error().kind, base::ErrorKind::InvalidInput);
  ASSERT_EQ(::listen(fd.get(), 16), 0);
  listen.inherited_fd = fd.release();
  const auto port = server.server().listen(listen);
  ASSERT_TRUE(port.has_value());
  RawClient client(*port);
  ASSERT_TRUE(client.send(get("/")));
  EXPECT_TRUE(client.read_until("done").ends_with("done"));
}

}  // namespace
}  // namespace http
