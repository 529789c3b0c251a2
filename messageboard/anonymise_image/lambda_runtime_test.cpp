#include "messageboard/anonymise_image/lambda_runtime.h"

#include <gtest/gtest.h>

#include <string>

#include "lib/aws/test_server.h"

namespace anonymise_image {
namespace {

using aws::testing::Asked;
using aws::testing::Reply;

http::Headers invocation_headers(const std::string& deadline) {
  http::Headers headers;
  headers.add("Lambda-Runtime-Aws-Request-Id", "id-1");
  if (!deadline.empty()) headers.add("Lambda-Runtime-Deadline-Ms", deadline);
  return headers;
}

class LambdaRuntimeTest : public ::testing::Test {
 protected:
  aws::testing::TestServer server_;
  LambdaRuntime runtime_{server_.client(), server_.clock(), server_.url().substr(7)};
};

TEST_F(LambdaRuntimeTest, TakesAnInvocation) {
  server_.replies.push_back({200, "{\"a\":1}", invocation_headers("1700000000123")});
  const auto invocation = server_.run(runtime_.next());
  ASSERT_TRUE(invocation.has_value()) << base::describe(invocation.error());
  EXPECT_EQ(invocation->request_id, "id-1");
  EXPECT_EQ(invocation->payload, "{\"a\":1}");
  EXPECT_EQ(invocation->deadline.time_since_epoch(), std::chrono::milliseconds(1700000000123));
  EXPECT_EQ(server_.asked[0].method, "GET");
  EXPECT_EQ(server_.asked[0].target, "/2018-06-01/runtime/invocation/next");
}

TEST_F(LambdaRuntimeTest, RefusesAnInvocationWithoutDeadlineOrId) {
  server_.replies = {{200, "{}", invocation_headers("")},
                     {200, "{}", invocation_headers("soon")},
                     {200, "{}", {}},
                     {500, "", invocation_headers("1")}};
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(server_.run(runtime_.next()).has_value()) << i;
}

TEST_F(LambdaRuntimeTest, Answers) {
  server_.replies.push_back({202, "", {}});
  ASSERT_TRUE(server_.run(runtime_.respond("id-1", "{}")).has_value());
  EXPECT_EQ(server_.asked[0].method, "POST");
  EXPECT_EQ(server_.asked[0].target, "/2018-06-01/runtime/invocation/id-1/response");
  EXPECT_EQ(server_.asked[0].body, "{}");
}

TEST_F(LambdaRuntimeTest, ReportsFailures) {
  server_.replies.push_back({202, "", {}});
  const base::Error error{.kind = base::ErrorKind::InvalidInput, .message = "no event"};
  ASSERT_TRUE(server_.run(runtime_.fail("id-1", error)).has_value());
  ASSERT_TRUE(server_.run(runtime_.fail_init(error)).has_value());
  EXPECT_EQ(server_.asked[0].target, "/2018-06-01/runtime/invocation/id-1/error");
  EXPECT_NE(server_.asked[0].body.find(R"("errorMessage":"no event")"), std::string::npos);
  EXPECT_TRUE(server_.asked[0].headers.find("Lambda-Runtime-Function-Error-Type").has_value());
  EXPECT_EQ(server_.asked[1].target, "/2018-06-01/runtime/init/error");
}

TEST_F(LambdaRuntimeTest, AnAnswerThatIsNotTakenIsAnError) {
  server_.replies.push_back({413, "", {}});
  EXPECT_FALSE(server_.run(runtime_.respond("id-1", "{}")).has_value());
}

}  // namespace
}  // namespace anonymise_image
