#include <algorithm>
#include <boost/json.hpp>

#include "lib/base/encoding.h"
#include "terrarium/services/lambda/testing_region.h"
#include "terrarium/services/lambda/url_exchange.h"

namespace terrarium::lambda {
namespace {

namespace json = boost::json;

UrlRequest request() {
  UrlRequest made;
  made.id = "abc";
  made.host = "abc.lambda-url.us-east-1.localhost";
  made.method = "POST";
  made.path = "/a%20b";
  made.query = "x=1&x=2&y=%2F";
  made.headers = {{"Host", "abc"}, {"X-One", "1"}, {"x-one", "2"}, {"Cookie", "a=1; b=2"}};
  made.source_ip = "127.0.0.1";
  made.port = "4566";
  made.request_id = "id";
  made.time = base::parse_iso8601("2020-03-12T19:03:58.390Z").value();
  return made;
}

json::object event_of(const UrlRequest& made) { return json::parse(url_event(made)).as_object(); }

TEST(LambdaUrlExchange, ARequestIsAnEventOfFormatTwo) {
  UrlRequest made = request();
  made.body = "text";
  const json::object event = event_of(made);
  EXPECT_EQ(event.at("rawPath").as_string(), "/a b");
  EXPECT_EQ(event.at("rawQueryString").as_string(), "x=1&x=2&y=%2F");
  EXPECT_EQ(event.at("queryStringParameters").at("x").as_string(), "1,2");
  EXPECT_EQ(event.at("queryStringParameters").at("y").as_string(), "/");
  EXPECT_EQ(event.at("headers").at("x-one").as_string(), "1,2");
  EXPECT_FALSE(event.at("headers").as_object().contains("cookie"));
  EXPECT_EQ(event.at("cookies").as_array().at(1).as_string(), "b=2");
  EXPECT_EQ(event.at("body").as_string(), "text");
  EXPECT_FALSE(event.at("isBase64Encoded").as_bool());
  const auto& context = event.at("requestContext").as_object();
  EXPECT_EQ(context.at("time").as_string(), "12/Mar/2020:19:03:58 +0000");
  EXPECT_EQ(context.at("timeEpoch").as_int64(), 1'584'039'838'390);
}

TEST(LambdaUrlExchange, ABodyThatIsNoTextIsBase64) {
  UrlRequest made = request();
  made.body = "\xff\x00";
  made.headers.emplace_back("Content-Type", "image/png");
  const json::object event = event_of(made);
  EXPECT_TRUE(event.at("isBase64Encoded").as_bool());
  EXPECT_EQ(event.at("body").as_string(), base::base64_encode(made.body));
}

TEST(LambdaUrlExchange, AnAnswerIsWhatTheFunctionSays) {
  const auto said =
      url_answer(R"({"statusCode":201,"headers":{"X-A":"1"},"cookies":["c=1","d=2"],"body":"AP8=",)"
                 R"("isBase64Encoded":true,"multiValueHeaders":{"X-M":["1","2"]}})");
  EXPECT_EQ(said.status, 201);
  EXPECT_EQ(said.headers.find("x-a"), "1");
  EXPECT_EQ(said.body, std::string("\x00\xff", 2));
  EXPECT_EQ(std::ranges::count_if(said.headers,
                                  [](const auto& field) { return field.first == "Set-Cookie"; }),
            2);
  EXPECT_EQ(
      std::ranges::count_if(said.headers, [](const auto& field) { return field.first == "X-M"; }),
      2);
  const auto plain = url_answer(R"({"a":1})");
  EXPECT_EQ(plain.status, 200);
  EXPECT_EQ(plain.body, R"({"a":1})");
  EXPECT_EQ(url_answer(R"({"statusCode":99})").status, 502);
  EXPECT_EQ(url_answer(R"({"statusCode":99})").body, "Internal Server Error");
  EXPECT_EQ(url_answer(R"({"statusCode":200,"headers":{"X-A":"1\r\nX-B: 2"}})").headers.find("x-a"),
            "1X-B: 2");
}

TEST(LambdaUrlExchange, OriginsAreAllowedAsConfigured) {
  UrlRequest made = request();
  made.headers.emplace_back("Origin", "https://a.example");
  const CorsRules some{.allow_methods = {{"GET"}}, .allow_origins = {{"https://a.example"}}};
  http::Response response;
  allow_origin(some, made, response);
  EXPECT_EQ(response.headers.find("access-control-allow-origin"), "https://a.example");
  made.method = "OPTIONS";
  made.headers.emplace_back("Access-Control-Request-Method", "GET");
  EXPECT_EQ(preflight_answer(some, made).headers.find("access-control-allow-methods"), "GET");
  made.headers.back().second = "DELETE";
  EXPECT_TRUE(preflight_answer(some, made).headers.empty());
  const CorsRules other{.allow_methods = {{"*"}}, .allow_origins = {{"https://b.example"}}};
  EXPECT_TRUE(preflight_answer(other, made).headers.empty());
}

TEST(LambdaUrlExchange, HostsNameUrls) {
  EXPECT_EQ(url_id_of_host("AbC.lambda-url.us-east-1.localhost:4566"), "abc");
  EXPECT_EQ(url_id_of_host("localhost:4566"), std::nullopt);
  EXPECT_EQ(url_id_of_host(".lambda-url.us-east-1.localhost"), std::nullopt);
  EXPECT_EQ(function_url("http://127.0.0.1:4566", "us-east-1", "id"),
            "http://id.lambda-url.us-east-1.localhost:4566/");
}

// A request as the server hands it over, with nothing behind it.
struct Incoming {
  explicit Incoming(std::string to) : host(std::move(to)) {
    request.method = "GET";
    request.path = "/";
    request.headers.add("Host", host);
    request.body = body.get();
    request.peer = &peer;
  }
  std::string host;
  std::unique_ptr<http::BodyReader> body = http::body_of("");
  http::Peer peer{.address = "127.0.0.1"};
  http::Request request;
};

runtime::Task<base::Result<http::Response>> handled(Service& service, http::Request& request) {
  co_return co_await service.handle_url(request);
}

TEST(LambdaUrl, ServesWhomThePolicyAllows) {
  TestingRegion region;
  region.create();
  CreateFunctionUrlConfigRequest create;
  create.function_name = "f";
  create.auth_type = "NONE";
  const auto made = region.ask(region.service->create_function_url_config(region.context, create));
  ASSERT_TRUE(made.has_value());
  const std::string url = made->function_url;
  Incoming incoming(url.substr(7, url.size() - 8));
  ASSERT_TRUE(Service::is_url(incoming.request));
  EXPECT_EQ(region.ask(handled(*region.service, incoming.request))->status, 403);
  AddPermissionRequest allow;
  allow.function_name = "f";
  allow.statement_id = "s";
  allow.action = "lambda:InvokeFunctionUrl";
  allow.principal = "*";
  allow.function_url_auth_type = "NONE";
  const auto allowed = region.ask(region.service->add_permission(region.context, allow));
  ASSERT_TRUE(allowed.has_value()) << base::describe(allowed.error());
  Incoming again(incoming.host);
  const auto answered = region.ask(handled(*region.service, again.request));
  EXPECT_EQ(answered->status, 200);
  EXPECT_EQ(answered->body, "\"done\"");
  region.restart();
  Incoming after(incoming.host);
  EXPECT_EQ(region.ask(handled(*region.service, after.request))->status, 200);
  DeleteFunctionUrlConfigRequest remove;
  remove.function_name = "f";
  ASSERT_TRUE(
      region.ask(region.service->delete_function_url_config(region.context, remove)).has_value());
  Incoming gone(incoming.host);
  EXPECT_EQ(region.ask(handled(*region.service, gone.request))->status, 404);
}

}  // namespace
}  // namespace terrarium::lambda
