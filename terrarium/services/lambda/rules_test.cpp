#include <gtest/gtest.h>

#include "lib/base/encoding.h"
#include "terrarium/services/lambda/batch.h"
#include "terrarium/services/lambda/function_rules.h"
#include "terrarium/services/lambda/function_view.h"
#include "terrarium/services/lambda/log_text.h"

namespace terrarium::lambda {
namespace {

using namespace std::chrono_literals;
const Place kPlace{"us-east-1", "000000000000"};

std::string name_of(std::string_view text) {
  const auto parsed = parse_function_name(text, kPlace);
  return parsed ? parsed->name + "|" + parsed->qualifier : "refused";
}

TEST(LambdaName, EveryFormOfAFunctionNameIsUnderstood) {
  EXPECT_EQ(name_of("f"), "f|");
  EXPECT_EQ(name_of("f:$LATEST"), "f|$LATEST");
  EXPECT_EQ(name_of("000000000000:function:f"), "f|");
  EXPECT_EQ(name_of("function:f:prod"), "f|prod");
  EXPECT_EQ(name_of("arn:aws:lambda:us-east-1:000000000000:function:f:7"), "f|7");
}

TEST(LambdaName, WhatIsNoneIsRefused) {
  for (const char* text : {"", "a b", "f:", ":f", "f:g:h", "arn:aws:lambda:us-east-1:f",
                           "arn:aws:s3:us-east-1:000000000000:function:f", "f\n",
                           "arn:aws:lambda:eu-west-1:000000000000:function:f",
                           "arn:aws:lambda:us-east-1:111111111111:function:f"}) {
    EXPECT_EQ(name_of(text), "refused") << text;
  }
  EXPECT_EQ(name_of(std::string(65, 'a')), "refused");
  EXPECT_FALSE(parse_function_name("f:a", std::optional<std::string>("b"), kPlace).has_value());
}

CreateFunctionRequest request() {
  CreateFunctionRequest request;
  request.function_name = "f";
  request.runtime = "provided.al2023";
  request.handler = "bootstrap";
  request.role = "arn:aws:iam::000000000000:role/r";
  return request;
}

std::string refusal(const CreateFunctionRequest& request) {
  const auto made = new_function(request, kPlace);
  return made ? "" : std::string(made.error().row->code) + ": " + made.error().message;
}

TEST(LambdaFunctionRules, ARuntimeThatDoesNotRunHereIsRefusedByName) {
  auto java = request();
  java.runtime = "java21";
  const std::string text = refusal(java);
  EXPECT_TRUE(text.starts_with("InvalidParameterValueException: Value java21 at 'runtime'"));
  EXPECT_NE(text.find("provided.al2, provided.al2023"), std::string::npos);
  java.runtime = "PYTHON3.9";
  EXPECT_TRUE(refusal(java).ends_with("python3.8, python3.9] or be a valid ARN")) << refusal(java);
  EXPECT_EQ(refusal(request()), "");
}

TEST(LambdaFunctionRules, ReservedVariablesAndTooManyBytesAreRefused) {
  auto reserved = request();
  reserved.environment.emplace().variables =
      std::map<std::string, std::string>{{"AWS_REGION", "x"}, {"OWN", "y"}};
  EXPECT_NE(refusal(reserved).find("Reserved keys used in this request: AWS_REGION"),
            std::string::npos);
  auto large = request();
  large.environment.emplace().variables = {{"BIG", std::string(4096, 'x')}};
  EXPECT_NE(refusal(large).find("exceeded the 4KB limit"), std::string::npos);
  auto malformed = request();
  malformed.environment.emplace().variables.emplace().emplace("1A", "x");
  EXPECT_NE(refusal(malformed), "");
}

TEST(LambdaFunctionRules, WhatThisRegionDoesNotDoIsRefused) {
  auto image = request();
  image.package_type = "Image";
  EXPECT_NE(refusal(image), "");
  auto vpc = request();
  vpc.vpc_config.emplace().subnet_ids = {"subnet-1"};
  EXPECT_NE(refusal(vpc).find("VpcConfig"), std::string::npos);
  vpc.vpc_config->subnet_ids->clear();
  EXPECT_EQ(refusal(vpc), "");
  auto arm = request();
  arm.architectures = {"arm64"};
  EXPECT_NE(refusal(arm), "");
}

TEST(LambdaFunctionRules, RangesAreAwss) {
  auto wrong = request();
  wrong.timeout = 901;
  EXPECT_NE(refusal(wrong), "");
  wrong.timeout = 900;
  wrong.memory_size = 127;
  EXPECT_NE(refusal(wrong), "");
  wrong.memory_size = 10'240;
  wrong.ephemeral_storage.emplace().size = 511;
  EXPECT_NE(refusal(wrong), "");
  wrong.ephemeral_storage->size = 512;
  EXPECT_EQ(refusal(wrong), "");
  wrong.role = "arn:aws:iam::111111111111:role/r";
  EXPECT_NE(refusal(wrong).find("Cross-account"), std::string::npos);
  wrong.role = "role";
  EXPECT_NE(refusal(wrong).find("ValidationException"), std::string::npos);
}

TEST(LambdaFunctionRules, TheConfigurationIsAsAwsShowsIt) {
  auto record = new_function(request(), kPlace);
  ASSERT_TRUE(record.has_value());
  record->code_sha256_hex = base::hex_encode("0123456789abcdef0123456789abcdef");
  record->last_modified = base::parse_iso8601("2023-04-29T16:19:51.000Z").value();
  const std::string arn = function_arn(kPlace, "f");
  const auto view = describe(*record, kPlace, arn, View::Creating);
  EXPECT_EQ(view.last_modified, "2023-04-29T16:19:51.000+0000");
  EXPECT_EQ(view.code_sha256, base::base64_encode("0123456789abcdef0123456789abcdef"));
  EXPECT_EQ(view.state, "Pending");
  EXPECT_EQ(view.function_arn, "arn:aws:lambda:us-east-1:000000000000:function:f");
  EXPECT_EQ(describe(*record, kPlace, arn, View::Settled).state, "Active");
  EXPECT_EQ(view.logging_config->log_group, "/aws/lambda/f");
  EXPECT_FALSE(describe(*record, kPlace, arn, View::Listed).state.has_value());
}

TEST(LambdaFunctionRules, CodeIsAZipOrAnObjectOfSomeVersion) {
  FunctionCode code;
  code.s3_bucket = "b";
  code.s3_key = "k";
  EXPECT_EQ(code_source(code)->version_id, std::nullopt);
  code.s3_object_version = "v";
  EXPECT_EQ(code_source(code)->version_id, "v");
  code.zip_file = "zip";
  EXPECT_FALSE(code_source(code).has_value());
}

TEST(LambdaFunctionRules, AZipInARequestIsSmallerThanOneInABucket) {
  FunctionCode code;
  code.zip_file = std::string(52'428'801, 'z');
  const auto source = code_source(std::move(code));
  ASSERT_FALSE(source.has_value());
  EXPECT_EQ(source.error().row->code, "RequestEntityTooLargeException");
  EXPECT_EQ(source.error().message, "Zipped size must be smaller than 52428800 bytes");
}

TEST(LambdaRecords, ComeBackAsTheyWereWritten) {
  auto record = new_function(request(), kPlace).value();
  record.variables = {{"A", "1"}};
  record.reserved_concurrency = 5;
  record.policy = {{"s", "{\"Sid\":\"s\"}"}};
  const auto again = parse_function(to_text(record));
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(to_text(*again), to_text(record));
  const QueuedEvent event{.request_id = "id",
                          .qualifier = "live",
                          .attempts = 2,
                          .hops = 3,
                          .accepted = base::Timestamp(5s),
                          .due = base::Timestamp(65s),
                          .client_context = "{}",
                          .payload = std::string("a\0b", 3)};
  const auto same = parse_event(to_text(event));
  ASSERT_TRUE(same.has_value());
  EXPECT_EQ(to_text(*same), to_text(event));
  EXPECT_EQ(same->payload, event.payload);
  EXPECT_FALSE(parse_event(to_text(event).substr(0, 20)).has_value());
  const auto parts = keys::parts(keys::event("us-east-1", "f", event.accepted, "id"));
  EXPECT_EQ(parts.region + "/" + parts.name, "us-east-1/f");
}

TEST(LambdaLogText, LinesAreCharacterByCharacterAwss) {
  EXPECT_EQ(start_line("id", "$LATEST"), "START RequestId: id Version: $LATEST\n");
  EXPECT_EQ(report_line({.request_id = "id",
                         .duration = 12'340us,
                         .init_duration = 50'120us,
                         .memory_mb = 128,
                         .memory_peak_bytes = 20 << 20}),
            "REPORT RequestId: id\tDuration: 12.34 ms\tBilled Duration: 13 ms\tMemory Size: 128 "
            "MB\tMax Memory Used: 20 MB\tInit Duration: 50.12 ms\t\n");
  EXPECT_EQ(timeout_line(base::parse_iso8601("2023-04-29T16:19:51.123Z").value(), "id", 3s),
            "2023-04-29T16:19:51.123Z id Task timed out after 3.00 seconds\n\n");
  EXPECT_EQ(exit_text({.code = 1}), "Runtime exited with error: exit status 1");
  EXPECT_EQ(exit_text({.signal = 9}), "Runtime exited with error: signal: killed");
  EXPECT_EQ(exit_text({}), "Runtime exited without providing a reason");
  base::SeededRandom random(1);
  const std::string stream =
      log_stream_name(base::parse_iso8601("2023-04-29T16:19:51Z").value(), "$LATEST", random);
  EXPECT_TRUE(stream.starts_with("2023/04/29/[$LATEST]"));
  EXPECT_EQ(stream.size(), 52U);
}

TEST(LambdaBatch, OnlyWhatTheAnswerNamesHasFailed) {
  const std::vector<sqs::ReceivedMessage> messages = {{.message_id = "a"}, {.message_id = "b"}};
  const auto failed = [&messages](std::string_view response) -> std::string {
    const auto items = failed_items(response, messages);
    if (!items) return "all";
    std::string text;
    for (const std::string& item : *items) text += item;
    return text;
  };
  EXPECT_EQ(failed(R"({"batchItemFailures":[{"itemIdentifier":"b"}]})"), "b");
  for (const char* success :
       {"", "null", "{}", R"({"batchItemFailures":[]})", R"({"batchItemFailures":null})"}) {
    EXPECT_EQ(failed(success), "") << success;
  }
  for (const char* broken :
       {"{", "\"ok\"", R"({"batchItemFailures":"b"})", R"({"batchItemFailures":[{}]})",
        R"({"batchItemFailures":[{"itemIdentifier":""}]})",
        R"({"batchItemFailures":[{"itemIdentifier":null}]})",
        R"({"batchItemFailures":[{"itemIdentifier":"stranger"}]})"}) {
    EXPECT_EQ(failed(broken), "all") << broken;
  }
}

}  // namespace
}  // namespace terrarium::lambda
