#include "lib/http/client.h"

#include <gtest/gtest.h>

#include <cstring>

#include "lib/http/loopback_fixture.h"
#include "lib/runtime/event.h"

namespace http {
namespace {

using namespace std::chrono_literals;

TEST(HttpUrl, IsTakenApart) {
  const Url url = *Url::parse("http://Example.com:8080/a/b?c=d");
  EXPECT_FALSE(url.tls);
  EXPECT_EQ(url.host, "Example.com");
  EXPECT_EQ(url.port, 8080);
  EXPECT_EQ(url.target, "/a/b?c=d");
  EXPECT_EQ(url.authority(), "Example.com:8080");
  EXPECT_EQ(Url::parse("https://a")->port, 443);
  EXPECT_EQ(Url::parse("https://a")->authority(), "a");
  EXPECT_EQ(Url::parse("http://a")->target, "/");
  EXPECT_EQ(Url::parse("HTTP://a?x")->target, "/?x");
  EXPECT_EQ(Url::parse("http://[::1]:81/")->host, "::1");
  EXPECT_EQ(Url::parse("http://[::1]:81/")->authority(), "[::1]:81");
}

TEST(HttpUrl, WhatIsNoneIsRefused) {
  for (const char* text : {"",
                           "a",
                           "//a/",
                           "ftp://a/",
                           "http://",
                           "http:///x",
                           "http://u@a/",
                           "http://u:p@a/",
                           "http://a/#f",
                           "http://a:/",
                           "http://a:0/",
                           "http://a:65536/",
                           "http://a:8x/",
                           "http://a b/",
                           "http://a/b c",
                           "http://[::1/",
                           "http://[x]/",
                           "http://a\r\n/",
                           "http://a/\r\nX: y",
                           "http://[::1]x/"}) {
    EXPECT_FALSE(Url::parse(text).has_value()) << text;
  }
}

struct Asked {
  base::Result<ClientResponse> response = base::fail(base::ErrorKind::Internal, "not asked");
  base::Result<std::string> body = base::fail(base::ErrorKind::Internal, "not read");

  base::ErrorKind failed() const { return response ? body.error().kind : response.error().kind; }
};

ClientRequest request_to(std::uint16_t port, std::string_view target = "/") {
  ClientRequest request;
  request.url = *Url::parse("http://127.0.0.1:" + std::to_string(port) + std::string(target));
  return request;
}

runtime::Task<void> ask(Client& client, ClientRequest request, base::Timestamp deadline,
                        Asked& asked) {
  asked.response = co_await client.send(std::move(request), deadline);
  if (asked.response) asked.body = co_await read_all(*asked.response->body, 10'000'000);
}

runtime::Task<void> ask_without_reading(Client& client, ClientRequest request,
                                        base::Timestamp deadline, Asked& asked) {
  asked.response = co_await client.send(std::move(request), deadline);
}

runtime::Task<void> read_to_end(BodyReader& body) {
  const auto bytes = co_await read_all(body, 1000);
  EXPECT_TRUE(bytes.has_value());
}

// One client on one loop, which runs while something is asked.
struct Asking {
  base::SystemClock clock;
  boost::asio::io_context loop{1};
  std::unique_ptr<Client> client;

  explicit Asking(ClientOptions options = {})
      : client(Client::open(loop.get_executor(), clock, std::move(options))) {}

  void run(runtime::Task<void> task) {
    bool done = false;
    boost::asio::co_spawn(loop, std::move(task),
                          [&done](const std::exception_ptr& thrown) { done = thrown == nullptr; });
    loop.restart();
    loop.run();
    EXPECT_TRUE(done);
  }
  Asked operator()(ClientRequest request, base::Duration within = 10s) {
    Asked asked;
    run(ask(*client, std::move(request), clock.now() + within, asked));
    return asked;
  }
  Asked operator()(const ScriptedServer& server, base::Duration within = 10s) {
    return (*this)(request_to(server.port()), within);
  }
};

struct Site {
  runtime::Task<Response> handle(Request& request) {
    Response response;
    response.headers.add("X-Peer", std::to_string(request.peer->port));
    response.headers.add("X-Length",
                         std::string(request.headers.find("Content-Length").value_or("-")));
    response.headers.add("X-Host", std::string(request.headers.find("Host").value_or("-")));
    auto body = co_await read_all(*request.body, 10'000'000);
    response.body = std::string(request.method) + " " + std::string(request.target) + " " +
                    (body ? *body : body.error().message);
    co_return response;
  }
  LoopbackServer server{[this](Request& request) { return handle(request); }};
};

TEST(HttpClient, SendsMethodTargetHeadersAndBody) {
  Site site;
  Asking asking;
  ClientRequest request = request_to(site.server.port(), "/a?b");
  request.method = "PUT";
  request.body = "payload";
  const Asked asked = asking(std::move(request));
  ASSERT_TRUE(asked.body.has_value());
  EXPECT_EQ(*asked.body, "PUT /a?b payload");
  EXPECT_EQ(asked.response->headers.find("x-length"), "7");
  EXPECT_EQ(asked.response->headers.find("x-host"),
            "127.0.0.1:" + std::to_string(site.server.port()));
}

TEST(HttpClient, NamesUnderLocalhostNeedNoLookup) {
  Site site;
  Asking asking;
  ClientRequest request = request_to(site.server.port());
  request.url.host = "Bucket.s3.localhost";
  const Asked asked = asking(std::move(request));
  ASSERT_TRUE(asked.response.has_value());
  EXPECT_TRUE(asked.response->headers.find("X-Host")->starts_with("Bucket.s3.localhost:"));
}

TEST(HttpClient, ConnectionIsUsedAgain) {
  Site site;
  Asking asking;
  const Asked first = asking(request_to(site.server.port()));
  const Asked second = asking(request_to(site.server.port()));
  ASSERT_TRUE(first.body.has_value() && second.body.has_value());
  EXPECT_EQ(first.response->headers.find("X-Peer"), second.response->headers.find("X-Peer"));
  EXPECT_EQ(site.server.server().connections(), 1U);
}

TEST(HttpClient, ResponseGivenUpClosesItsConnection) {
  Site site;
  Asking asking;
  ClientRequest request = request_to(site.server.port());
  request.method = "POST";
  request.body = std::string(5'000'000, 'x');
  {
    Asked asked;
    asking.run(
        ask_without_reading(*asking.client, std::move(request), asking.clock.now() + 10s, asked));
    ASSERT_TRUE(asked.response.has_value());
    EXPECT_EQ(asked.response->status, 200);
  }
  EXPECT_TRUE(eventually([&] { return site.server.server().connections() == 0; }));
}

TEST(HttpClient, IdleConnectionsAreFewAndDoNotStayForEver) {
  Site site;
  Asking asking(ClientOptions{.idle_per_host_max = 1, .idle_timeout = 30ms, .ca_file = {}});
  Asked one;
  Asked two;
  asking.run(ask_without_reading(*asking.client, request_to(site.server.port()),
                                 asking.clock.now() + 10s, one));
  asking.run(ask_without_reading(*asking.client, request_to(site.server.port()),
                                 asking.clock.now() + 10s, two));
  EXPECT_EQ(site.server.server().connections(), 2U);
  asking.run(read_to_end(*one.response->body));
  asking.run(read_to_end(*two.response->body));
  EXPECT_TRUE(eventually([&] { return site.server.server().connections() == 1; }));
  EXPECT_TRUE(eventually([&] {
    asking.loop.restart();
    asking.loop.poll();
    return site.server.server().connections() == 0;
  }));
}

TEST(HttpClient, StaleConnectionIsTriedOnceMore) {
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  // The first connection takes a second request and closes without a word.
  ScriptedServer server({{answer, ""}, {answer}});
  Asking asking;
  EXPECT_EQ(*asking(server).body, "ok");
  EXPECT_EQ(*asking(server).body, "ok");
  EXPECT_EQ(server.accepted(), 2);
}

TEST(HttpClient, FreshConnectionThatClosesIsNotTriedAgain) {
  ScriptedServer server({{""}, {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}});
  Asking asking;
  EXPECT_EQ(asking(server).failed(), base::ErrorKind::Unavailable);
  EXPECT_EQ(server.accepted(), 1);
}

TEST(HttpClient, HalfAnAnswerIsNotTriedAgain) {
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  ScriptedServer server({{answer, "HTTP/1.1 20"}, {answer}});
  Asking asking;
  EXPECT_EQ(*asking(server).body, "ok");
  EXPECT_EQ(asking(server).failed(), base::ErrorKind::Unavailable);
}

TEST(HttpClient, ConnectionThatSaidTooMuchIsNotUsedAgain) {
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  ScriptedServer server({{answer + answer, "HTTP/1.1 500 No\r\n\r\n"}, {answer}});
  Asking asking;
  EXPECT_EQ(*asking(server).body, "ok");
  EXPECT_EQ(asking(server).response->status, 200);
  EXPECT_EQ(server.accepted(), 2);
}

TEST(HttpClient, BodiesEndByLengthChunksOrClose) {
  ScriptedServer server(
      {{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        "2;x=y\r\nab\r\n1\r\nc\r\n0\r\nT: u\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ndef",
        "HTTP/1.0 200 OK\r\n\r\nuntil the end"}});
  Asking asking;
  EXPECT_EQ(*asking(server).body, "abc");
  EXPECT_EQ(*asking(server).body, "def");
  EXPECT_EQ(*asking(server).body, "until the end");
}

TEST(HttpClient, BodyCutShortIsAnError) {
  for (const char* answer : {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"}) {
    ScriptedServer server({{answer}});
    Asking asking;
    const Asked asked = asking(server);
    ASSERT_TRUE(asked.response.has_value()) << answer;
    ASSERT_FALSE(asked.body.has_value()) << answer;
    EXPECT_EQ(asked.body.error().kind, base::ErrorKind::Unavailable);
  }
}

TEST(HttpClient, InterimAnswersAreSkipped) {
  ScriptedServer server(
      {{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n"}});
  Asking asking;
  const Asked asked = asking(server);
  ASSERT_TRUE(asked.body.has_value());
  EXPECT_EQ(asked.response->status, 204);
  EXPECT_EQ(asked.response->headers.find("Link"), std::nullopt);
  EXPECT_EQ(*asked.body, "");
  EXPECT_EQ(asking(server).failed(), base::ErrorKind::Unavailable);
}

TEST(HttpClient, WhatIsNotHttpIsAnError) {
  ScriptedServer server({{"SSH-2.0-OpenSSH_9.2\r\n"}});
  Asking asking;
  const Asked asked = asking(server);
  ASSERT_FALSE(asked.response.has_value());
  EXPECT_NE(asked.response.error().message.find("does not answer in HTTP"), std::string::npos);
}

TEST(HttpClient, HeadOfAResponseIsLimited) {
  ScriptedServer server({{"HTTP/1.1 200 OK\r\nX: " + std::string(5000, 'x') + "\r\n\r\n"}});
  Asking asking(ClientOptions{.head_bytes_max = 1000, .ca_file = {}});
  EXPECT_EQ(asking(server).failed(), base::ErrorKind::Unavailable);
}

runtime::Task<Response> answer_in_an_hour(base::Clock& clock) {
  co_await runtime::sleep_until(clock, clock.now() + 1h);
  co_return Response{};
}

TEST(HttpClient, DeadlineBoundsTheWaitForTheHead) {
  base::SystemClock clock;
  LoopbackServer server([&clock](Request&) { return answer_in_an_hour(clock); });
  Asking asking;
  EXPECT_EQ(asking(request_to(server.port()), 30ms).failed(), base::ErrorKind::Timeout);
  EXPECT_EQ(asking(request_to(server.port()), -1s).failed(), base::ErrorKind::Timeout);
}

TEST(HttpClient, DeadlineBoundsTheBodyToo) {
  // The scripted server waits for another head after the half answer.
  ScriptedServer server({{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", "x"}});
  Asking asking;
  const Asked asked = asking(server, 50ms);
  ASSERT_TRUE(asked.response.has_value());
  EXPECT_EQ(asked.body.error().kind, base::ErrorKind::Timeout);
}

TEST(HttpClient, RefusedConnectionIsUnavailable) {
  std::uint16_t port = 0;
  {
    ScriptedServer gone({});
    port = gone.port();
  }
  Asking asking;
  EXPECT_EQ(asking(request_to(port)).failed(), base::ErrorKind::Unavailable);
}

// A stream whose length may be unknown or a lie.
class Stream final : public BodyReader {
 public:
  Stream(std::string bytes, std::optional<std::uint64_t> length)
      : inner_(body_of(std::move(bytes))), length_(length) {}
  runtime::Task<base::Result<std::size_t>> read(std::span<char> into) override {
    co_return co_await inner_->read(into);
  }
  std::optional<std::uint64_t> length() const override { return length_; }

 private:
  std::unique_ptr<BodyReader> inner_;
  std::optional<std::uint64_t> length_;
};

TEST(HttpClient, StreamsGoUpByLengthOrInChunks) {
  Site site;
  Asking asking;
  const std::string bytes(500'000, 's');
  for (const bool known : {true, false}) {
    Stream stream(bytes, known ? std::optional<std::uint64_t>(bytes.size()) : std::nullopt);
    ClientRequest request = request_to(site.server.port());
    request.method = "PUT";
    request.stream = &stream;
    const Asked asked = asking(std::move(request));
    ASSERT_TRUE(asked.body.has_value()) << asked.response.error().message;
    EXPECT_EQ(*asked.body, "PUT / " + bytes);
    EXPECT_EQ(asked.response->headers.find("X-Length"), known ? "500000" : "-");
  }
}

TEST(HttpClient, StreamOfAnotherLengthThanPromisedIsAnError) {
  Site site;
  Asking asking;
  for (const std::uint64_t promised : {5U, 20U}) {
    Stream stream("ten bytes.", promised);
    ClientRequest request = request_to(site.server.port());
    request.method = "PUT";
    request.stream = &stream;
    EXPECT_EQ(asking(std::move(request)).failed(), base::ErrorKind::InvalidInput);
  }
}

TEST(HttpClient, RefusalBeforeTheWholeUploadIsHeard) {
  ScriptedServer server({{"HTTP/1.1 413 No\r\nContent-Length: 4\r\n\r\nmuch"}});
  Asking asking;
  Stream stream(std::string(20'000'000, 's'), std::nullopt);
  ClientRequest request = request_to(server.port());
  request.method = "PUT";
  request.stream = &stream;
  const Asked asked = asking(std::move(request));
  ASSERT_TRUE(asked.response.has_value()) << base::describe(asked.response.error());
  EXPECT_EQ(asked.response->status, 413);
}

TEST(HttpClient, WhatWouldSplitTheRequestIsRefused) {
  ScriptedServer server({});
  Asking asking;
  const auto refused = [&](const std::function<void(ClientRequest&)>& change) {
    ClientRequest request = request_to(server.port());
    change(request);
    return asking(std::move(request)).failed() == base::ErrorKind::InvalidInput;
  };
  EXPECT_TRUE(refused([](ClientRequest& request) { request.method = "GET /x HTTP/1.1\r\nA:"; }));
  EXPECT_TRUE(refused([](ClientRequest& request) { request.method = "CONNECT"; }));
  EXPECT_TRUE(refused([](ClientRequest& request) { request.url.target = "/a b"; }));
  EXPECT_TRUE(refused([](ClientRequest& request) { request.headers.add("X", "a\r\nB: c"); }));
  EXPECT_TRUE(refused([](ClientRequest& request) { request.headers.add("X:", "a"); }));
  EXPECT_TRUE(refused([](ClientRequest& request) { request.headers.add("Content-Length", "9"); }));
  EXPECT_TRUE(
      refused([](ClientRequest& request) { request.headers.add("Transfer-Encoding", "x"); }));
}

}  // namespace
}  // namespace http
