#include "messageboard/api/integration/board_under_test.h"

#include <fmt/core.h>

#include <boost/json.hpp>
#include <cstdlib>

#include "lib/base/check.h"
#include "lib/http/client.h"
#include "lib/runtime/event.h"

namespace messageboard {
namespace {

using namespace std::chrono_literals;

constexpr base::Duration kAnswerTimeout = 20s;

runtime::Task<void> send(base::Clock& clock, http::ClientRequest request, Asked& asked) {
  const auto client = http::Client::open(co_await runtime::this_executor(), clock);
  const base::Timestamp deadline = clock.now() + kAnswerTimeout;
  auto response = co_await client->send(std::move(request), deadline);
  if (!response) co_return;
  auto body = co_await http::read_all(*response->body, std::size_t{64} * 1024 * 1024);
  if (!body) co_return;
  asked.status = response->status;
  asked.headers = std::move(response->headers);
  asked.body = *std::move(body);
}

Config config_for(const DatabaseAddress& database, const FakeS3& s3) {
  setenv("AWS_ENDPOINT_URL", s3.endpoint().c_str(), 1);
  Config config;
  config.database = database;
  config.raw_bucket = "raw";
  config.processed_bucket = "processed";
  config.region = "us-east-1";
  config.port = 0;
  return config;
}

}  // namespace

BoardUnderTest::BoardUnderTest(const DatabaseAddress& database, const FakeS3& s3)
    : runtime_(2, 0),
      board_(std::make_unique<Board>(runtime_, clock_, random_, config_for(database, s3))) {
  const auto port = board_->start();
  CHECK(port.has_value(), "loopback has free ports");
  port_ = *port;
  runtime_.start();
}

BoardUnderTest::~BoardUnderTest() {
  runtime::block_on(board_->stop());
  runtime_.stop();
}

Asked BoardUnderTest::ask(const std::string& method, const std::string& target,
                          const std::vector<std::pair<std::string, std::string>>& headers,
                          const std::string& body) {
  http::ClientRequest request;
  request.method = method;
  request.url = {.tls = false, .host = "127.0.0.1", .port = port_, .target = target};
  for (const auto& [name, value] : headers) request.headers.add(name, value);
  request.body = body;
  Asked asked;
  runtime::block_on(send(clock_, std::move(request), asked));
  return asked;
}

Asked BoardUnderTest::post_message(const std::string& author, const std::string& body) {
  const boost::json::object message{{"author", author}, {"body", body}};
  return ask("POST", "/message/", {{"Content-Type", "application/json"}},
             boost::json::serialize(message));
}

Asked BoardUnderTest::upload(const std::string& filename, const std::string& bytes) {
  const std::string body = fmt::format(
      "--frontier\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{}\"\r\n"
      "Content-Type: application/x-lie\r\n\r\n{}\r\n--frontier--\r\n",
      filename, bytes);
  return ask("POST", "/image/", {{"Content-Type", "multipart/form-data; boundary=frontier"}}, body);
}

bool eventually(const std::function<bool()>& predicate) {
  base::SystemClock clock;
  const base::Timestamp end = clock.now() + 20s;
  while (!predicate()) {
    if (clock.now() > end) return false;
    runtime::block_on(runtime::sleep_until(clock, clock.now() + 20ms));
  }
  return true;
}

std::string field(const std::string& text, const std::string& name) {
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(text, error);
  if (error || !value.is_object() || !value.as_object().contains(name)) return "";
  const boost::json::value& found = value.at(name);
  return found.is_string() ? std::string(found.as_string()) : boost::json::serialize(found);
}

}  // namespace messageboard
