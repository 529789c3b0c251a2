#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <string>
#include <tuple>

#include "lib/base/encoding.h"
#include "lib/http/loopback_fixture.h"
#include "lib/runtime/event.h"

namespace http {
namespace {

using namespace std::chrono_literals;

Response text(std::string body, int status = 200) {
  Response response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

// Gives `pieces` stretches of 1000 bytes, of unknown length in sum; then ends or fails.
class Pieces final : public BodyReader {
 public:
  Pieces(int pieces, bool fails, std::optional<std::uint64_t> length = std::nullopt)
      : left_(pieces), fails_(fails), length_(length) {}
  runtime::Task<base::Result<std::size_t>> read(std::span<char> into) override {
    if (left_ == 0 && fails_) co_return base::fail(base::ErrorKind::Internal, "broken on purpose");
    if (left_-- == 0) co_return std::size_t{0};
    std::memset(into.data(), 'p', 1000);
    co_return std::size_t{1000};
  }
  std::optional<std::uint64_t> length() const override { return length_; }

 private:
  int left_;
  bool fails_;
  std::optional<std::uint64_t> length_;
};

struct Site {
  std::atomic<bool> released = false;
  std::atomic<int> waiting = 0;
  std::atomic<int> departed = 0;
  std::atomic<int> body_error = -1;
  base::SystemClock clock;

  runtime::Task<Response> echo(Request& request) {
    auto body = co_await read_all(*request.body, 1'000'000);
    if (!body) {
      body_error = static_cast<int>(body.error().kind);
      co_return text(body.error().message, 400);
    }
    co_return text(std::string(request.method) + " " + *body);
  }

  runtime::Task<Response> wait() {
    ++waiting;
    while (!released) co_await runtime::sleep_until(clock, clock.now() + 1ms);
    co_return text("waited");
  }

  // Until the client has gone; says so to whoever asks then.
  runtime::Task<Response> watch(Request& request) {
    ++waiting;
    while (!released && !request.client->gone()) {
      co_await runtime::sleep_until(clock, clock.now() + 1ms);
    }
    if (request.client->gone()) ++departed;
    co_return text("watched");
  }

  runtime::Task<Response> fixed(Response response) { co_return response; }

  runtime::Task<Response> answer(Request& request) {
    const std::string_view path = request.path;
    Response response;
    if (path == "/echo") return echo(request);
    if (path == "/wait") return wait();
    if (path == "/watch") return watch(request);
    if (path == "/throw") std::ignore = std::stoi("no number");
    if (path == "/204") response.status = 204;
    if (path == "/304") response = text("not for you", 304);
    if (path == "/peer") response = text(request.peer->address);
    if (path == "/query") response = text(std::string(request.query));
    if (path == "/large") response = text(std::string(3'000'000, 'l'));
    if (path == "/injected") response.headers.add("X-Name", "a\r\nSet-Cookie: b");
    if (path == "/status") response.status = 99;
    if (path == "/close") response.headers.add("Connection", "close");
    if (path == "/stream") response.stream = std::make_unique<Pieces>(3, false);
    if (path == "/sized") response.stream = std::make_unique<Pieces>(3, false, 3000);
    if (path == "/short") response.stream = std::make_unique<Pieces>(2, false, 3000);
    if (path == "/long") response.stream = std::make_unique<Pieces>(4, false, 3000);
    if (path == "/broken") response.stream = std::make_unique<Pieces>(2, true);
    if (path == "/") response = text("root");
    return fixed(std::move(response));
  }

  Handler handler() {
    return [this](Request& request) { return answer(request); };
  }
};

struct Served {
  Site site;
  LoopbackServer server{site.handler(), ServerOptions{{}, "test-server"}};
  RawClient client{server.port()};

  std::string ask(std::string_view bytes, std::string_view until) {
    EXPECT_TRUE(client.send(bytes));
    return client.read_until(until);
  }
};

TEST(HttpServer, AnswersOneRequestAfterAnotherOnOneConnection) {
  Served served;
  for (int i = 0; i < 3; ++i) {
    const std::string answer = served.ask(get("/"), "\r\n\r\nroot");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\nDate: ")) << answer;
    EXPECT_NE(answer.find("Server: test-server\r\n"), std::string::npos);
    EXPECT_NE(answer.find("Content-Length: 4\r\n"), std::string::npos);
    EXPECT_EQ(answer.find("Connection:"), std::string::npos);
  }
  EXPECT_EQ(served.server.server().connections(), 1U);
}

TEST(HttpServer, DateIsTheClocks) {
  Served served;
  const std::string answer = served.ask(get("/"), "root");
  const std::size_t at = answer.find("Date: ") + 6;
  const auto date = base::parse_http_date(answer.substr(at, answer.find('\r', at) - at));
  ASSERT_TRUE(date.has_value());
  EXPECT_LT(served.server.clock().now() - *date, 60s);
}

TEST(HttpServer, PipelinedRequestsAreAnsweredInOrder) {
  Served served;
  std::string all;
  std::string expected;
  for (int i = 0; i < 2000; ++i) {
    const std::string number = std::to_string(i);
    all += i % 3 == 0 ? get("/query?" + number)
                      : "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: " +
                            std::to_string(number.size()) + "\r\n\r\n" + number;
    expected += i % 3 == 0 ? number + ";" : "POST " + number + ";";
  }
  all += get("/", "Connection: close\r\n");
  ASSERT_TRUE(served.client.send(all));
  std::string bodies;
  for (int i = 0; i < 2000; ++i) {
    const std::string head = served.client.read_until("\r\n\r\n");
    const std::size_t length = std::stoul(head.substr(head.find("Content-Length: ") + 16));
    bodies += served.client.read_bytes(length) + ";";
  }
  EXPECT_EQ(bodies, expected);
  EXPECT_TRUE(served.client.read_to_end().ends_with("Connection: close\r\n\r\nroot"));
}

TEST(HttpServer, AnswerDoesNotWaitForTheSlowRequestPipelinedBehindIt) {
  Served served;
  const std::string first = served.ask(get("/") + get("/wait"), "root");
  EXPECT_TRUE(first.ends_with("root"));
  EXPECT_TRUE(eventually([&] { return served.site.waiting == 1; }));
  served.site.released = true;
  EXPECT_TRUE(served.client.read_until("waited").ends_with("waited"));
}

TEST(HttpServer, HandlerThatAsksLearnsThatItsClientHasLeft) {
  Served served;
  ASSERT_TRUE(served.client.send(get("/watch")));
  ASSERT_TRUE(eventually([&] { return served.site.waiting == 1; }));
  EXPECT_EQ(served.site.departed, 0);
  served.client.close();
  EXPECT_TRUE(eventually([&] { return served.site.departed == 1; }));
  EXPECT_TRUE(eventually([&] { return served.server.server().connections() == 0; }));
}

TEST(HttpServer, RequestsPipelinedBehindOneThatAsksAreNoDepartureAndNotLost) {
  Served served;
  ASSERT_TRUE(served.client.send(get("/watch") + get("/")));
  ASSERT_TRUE(eventually([&] { return served.site.waiting == 1; }));
  // These wait in the kernel, for nobody reads them while the first is answered.
  ASSERT_TRUE(served.client.send(get("/echo") + get("/query?last")));
  served.site.released = true;
  EXPECT_NE(served.client.read_until("\r\n\r\nlast").find("watched"), std::string::npos);
  EXPECT_EQ(served.site.departed, 0);
}

TEST(HttpServer, ClientThatOnlyEndsItsSideHasLeftAndReadsWhatItAskedFor) {
  Served served;
  ASSERT_TRUE(served.client.send(get("/watch") + get("/")));
  served.client.end_sending();
  const std::string answers = served.client.read_to_end();
  EXPECT_EQ(served.site.departed, 1);
  EXPECT_NE(answers.find("watched"), std::string::npos);
  EXPECT_NE(answers.find("root"), std::string::npos);
}

TEST(HttpServer, BodiesComeByLengthAndInChunks) {
  Served served;
  const std::string large(300'000, 'b');
  const std::string head = "PUT /echo HTTP/1.1\r\nHost: t\r\n";
  EXPECT_TRUE(served.ask(head + "Content-Length: 300000\r\n\r\n" + large, large).ends_with(large));
  EXPECT_TRUE(served
                  .ask(head + "Transfer-Encoding: chunked\r\n\r\n493e0\r\n" + large +
                           "\r\n0\r\nX-Trailer: t\r\n\r\n",
                       large)
                  .ends_with("PUT " + large));
  EXPECT_TRUE(served.ask(head + "Content-Length: 0\r\n\r\n", "PUT ").ends_with("PUT "));
  EXPECT_TRUE(served.ask(get("/"), "root").ends_with("root"));
}

TEST(HttpServer, HeadsLargerThanTheFirstBufferKeepTheirViewsWhileTheBodyIsRead) {
  Served served;
  const std::string padding = "X-Padding: " + std::string(20'000, 'x') + "\r\n";
  ASSERT_TRUE(served.client.send("DELETE /echo?q HTTP/1.1\r\nHost: t\r\n" + padding +
                                 "Transfer-Encoding: chunked\r\n\r\n5\r\nhe"));
  ASSERT_TRUE(served.client.send("llo\r\n"));
  ASSERT_TRUE(served.client.send("0\r\n\r\n" + get("/")));
  EXPECT_TRUE(served.client.read_until("root").find("DELETE hello") != std::string::npos);
}

TEST(HttpServer, ContinueIsSaidWhenTheBodyIsWanted) {
  Served served;
  const std::string head = "PUT /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n";
  EXPECT_EQ(served.ask(head + "Expect: 100-continue\r\n\r\n", "\r\n\r\n"),
            "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_TRUE(served.ask("ok", "PUT ok").ends_with("PUT ok"));
  // Who has sent the body along waits for nothing.
  EXPECT_TRUE(
      served.ask(head + "Expect: 100-continue\r\n\r\nok", "\r\n").starts_with("HTTP/1.1 200"));
}

TEST(HttpServer, BodyThatNobodyWantsIsNotAskedFor) {
  Served served;
  ASSERT_TRUE(served.client.send(
      "PUT / HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"));
  const std::string answer = served.client.read_to_end();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200"));
  EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos);
}

TEST(HttpServer, ContinueIsSaidOrTheConnectionEndsAlsoWithoutABody) {
  Served served;
  const std::string expecting = "Host: t\r\nContent-Length: 0\r\nExpect: 100-continue\r\n\r\n";
  EXPECT_TRUE(served.ask("PUT /echo HTTP/1.1\r\n" + expecting, "PUT ")
                  .starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200"));
  ASSERT_TRUE(served.client.send("PUT / HTTP/1.1\r\n" + expecting));
  const std::string answer = served.client.read_to_end();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200"));
  EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos);
}

TEST(HttpServer, UnknownExpectationsArePassedOver) {
  Served served;
  EXPECT_TRUE(served.ask(get("/", "Expect: tea\r\n"), "root").starts_with("HTTP/1.1 200"));
}

TEST(HttpServer, UnreadBodyIsSkippedWhenSmallAndEndsTheConnectionWhenLarge) {
  Served served;
  const std::string head = "PUT / HTTP/1.1\r\nHost: t\r\n";
  EXPECT_TRUE(served.ask(head + "Content-Length: 5\r\n\r\nGET /", "root").ends_with("root"));
  EXPECT_TRUE(served.ask(head + "Transfer-Encoding: chunked\r\n\r\n5\r\nGET /\r\n0\r\n\r\n", "root")
                  .ends_with("root"));
  ASSERT_TRUE(served.client.send(head + "Content-Length: 100000000\r\n\r\n"));
  const std::string part(1 << 20, 'x');
  ASSERT_TRUE(served.client.send(part));
  served.client.end_sending();
  const std::string answer = served.client.read_to_end();
  EXPECT_TRUE(answer.ends_with("root"));
  EXPECT_FALSE(served.client.reset());
  EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos);
}

TEST(HttpServer, BodyCutShortIsAnErrorToItsReader) {
  for (const char* framing :
       {"Content-Length: 9\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n3\r\n"}) {
    Served served;
    ASSERT_TRUE(served.client.send("PUT /echo HTTP/1.1\r\nHost: t\r\n" + std::string(framing)));
    served.client.end_sending();
    EXPECT_TRUE(served.client.read_to_end().starts_with("HTTP/1.1 400 Bad Request\r\n"));
    EXPECT_EQ(served.site.body_error, static_cast<int>(base::ErrorKind::InvalidInput));
  }
}

TEST(HttpServer, MalformedChunksAreAnErrorToTheirReaderAndEndTheConnection) {
  Served served;
  ASSERT_TRUE(served.client.send(
      "PUT /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n" + get("/")));
  const std::string answer = served.client.read_to_end();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 400"));
  EXPECT_EQ(answer.find("root"), std::string::npos);
}

TEST(HttpServer, HeadAnd204And304HaveNoBody) {
  Served served;
  ASSERT_TRUE(
      served.client.send("HEAD / HTTP/1.1\r\nHost: t\r\n\r\nHEAD /stream HTTP/1.1\r\n"
                         "Host: t\r\n\r\n" +
                         get("/204") + get("/304") + get("/", "Connection: close\r\n")));
  const std::string head = served.client.read_until("\r\n\r\n");
  EXPECT_NE(head.find("Content-Length: 4\r\n"), std::string::npos);
  EXPECT_TRUE(served.client.read_until("\r\n\r\n").starts_with("HTTP/1.1 200 OK\r\n"));
  const std::string none = served.client.read_until("\r\n\r\n");
  EXPECT_TRUE(none.starts_with("HTTP/1.1 204 No Content\r\n")) << none;
  EXPECT_EQ(none.find("Content-Length"), std::string::npos);
  const std::string same = served.client.read_until("\r\n\r\n");
  EXPECT_TRUE(same.starts_with("HTTP/1.1 304 Not Modified\r\n")) << same;
  EXPECT_TRUE(served.client.read_to_end().ends_with("\r\n\r\nroot"));
}

TEST(HttpServer, Http10IsClosedUnlessItAsksToLive) {
  Served served;
  const std::string kept =
      served.ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "\r\n\r\nroot");
  EXPECT_NE(kept.find("Connection: keep-alive\r\n"), std::string::npos);
  ASSERT_TRUE(served.client.send("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_TRUE(served.client.read_to_end().ends_with("\r\n\r\nroot"));
}

TEST(HttpServer, CloseIsHonouredFromEitherSide) {
  Served served;
  ASSERT_TRUE(served.client.send(get("/", "Connection: close\r\n") + get("/")));
  const std::string answer = served.client.read_to_end();
  EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos);
  EXPECT_EQ(answer.find("root"), answer.rfind("root"));
  RawClient other(served.server.port());
  ASSERT_TRUE(other.send(get("/close")));
  EXPECT_NE(other.read_to_end().find("Connection: close\r\n"), std::string::npos);
}

TEST(HttpServer, StreamsTravelInChunksOrByLength) {
  Served served;
  const std::string chunked = served.ask(get("/stream"), "\r\n0\r\n\r\n");
  EXPECT_NE(chunked.find("Transfer-Encoding: chunked\r\n"), std::string::npos);
  EXPECT_NE(chunked.find("\r\n\r\n3e8\r\nppp"), std::string::npos);
  const std::string sized = served.ask(get("/sized"), std::string(3000, 'p'));
  EXPECT_NE(sized.find("Content-Length: 3000\r\n"), std::string::npos);
  ASSERT_TRUE(served.client.send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
  const std::string old = served.client.read_to_end();
  EXPECT_TRUE(old.ends_with("\r\n\r\n" + std::string(3000, 'p')));
  EXPECT_NE(old.find("Connection: close\r\n"), std::string::npos);
}

TEST(HttpServer, StreamThatFailsNeverEndsProperly) {
  for (const char* path : {"/broken", "/short", "/long"}) {
    for (const char* version : {"1.0", "1.1"}) {
      Served served;
      ASSERT_TRUE(served.client.send("GET " + std::string(path) + " HTTP/" + version +
                                     "\r\nHost: t\r\n\r\n"));
      const std::string answer = served.client.read_to_end();
      EXPECT_TRUE(served.client.reset()) << path << version;
      EXPECT_FALSE(answer.ends_with("0\r\n\r\n"));
    }
  }
}

TEST(HttpServer, HandlerThatThrowsGives500AndTheConnectionLives) {
  Served served;
  EXPECT_TRUE(served.ask(get("/throw"), "Error\n").starts_with("HTTP/1.1 500 "));
  EXPECT_TRUE(served.ask(get("/"), "root").starts_with("HTTP/1.1 200"));
}

TEST(HttpServer, ResponseThatWouldSplitOrLieGives500) {
  Served served;
  const std::string answer = served.ask(get("/injected"), "Error\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 500 "));
  EXPECT_EQ(answer.find("Set-Cookie"), std::string::npos);
  EXPECT_TRUE(served.ask(get("/status"), "Error\n").starts_with("HTTP/1.1 500 "));
}

TEST(HttpServer, RefusedHeadIsAnsweredAndEndsTheConnection) {
  Served served;
  ASSERT_TRUE(served.client.send("GET / HTTP/1.1\r\n\r\n" + get("/")));
  const std::string answer = served.client.read_to_end();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"));
  EXPECT_TRUE(answer.ends_with("Bad Request: the Host header is missing\n"));
  EXPECT_FALSE(served.client.reset());
}

TEST(HttpServer, HeadThatComesByteByByteIsAnswered) {
  Served served;
  for (const char c : get("/query?slow")) ASSERT_TRUE(served.client.send({&c, 1}));
  EXPECT_TRUE(served.client.read_until("slow").ends_with("\r\n\r\nslow"));
}

TEST(HttpServer, LargeBodyReachesASlowReaderWhole) {
  Served served;
  const std::string large(3'000'000, 'l');
  EXPECT_TRUE(served.ask(get("/large"), large).ends_with(large));
}

TEST(HttpServer, ManyConnectionsAreServedAtOnceAndLeaveNothing) {
  Site site;
  LoopbackServer server(site.handler());
  {
    std::vector<std::unique_ptr<RawClient>> clients;
    for (int i = 0; i < 200; ++i) clients.push_back(std::make_unique<RawClient>(server.port()));
    for (auto& client : clients) ASSERT_TRUE(client->send(get("/")));
    for (auto& client : clients) EXPECT_TRUE(client->read_until("root").ends_with("root"));
    EXPECT_EQ(server.server().connections(), 200U);
  }
  EXPECT_TRUE(eventually([&] { return server.server().connections() == 0; }));
}

}  // namespace
}  // namespace http
