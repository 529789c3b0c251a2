#include <gtest/gtest.h>

#include <algorithm>

#include "generated/lambda/model.h"
#include "generated/logs/model.h"
#include "generated/sqs/model.h"
#include "terrarium/wire/errors.h"
#include "terrarium/wire/json_parse.h"

namespace terrarium::wire {
namespace {

const OperationModel& operation_of(const ServiceModel& service, std::string_view name) {
  return *std::ranges::find(service.operations, name, &OperationModel::name);
}

template <class Input>
base::Result<Input> decode(const ServiceModel& service, std::string_view operation,
                           std::string_view text) {
  const Shape& shape = *operation_of(service, operation).input;
  Input input;
  DecodeReport report;
  TRY_VOID(parse_json(text, shape, JsonNames::Model, &input, Path{}, report));
  TRY_VOID(validate(service, service.protocols.back(), shape, &input, report));
  return input;
}

TEST(JsonDecoding, ReadsAMessageByTheModelsNames) {
  const auto input = decode<sqs::SendMessageRequest>(sqs::kModel, "SendMessage", R"({
      "QueueUrl": "u", "MessageBody": "\u00e4\n", "DelaySeconds": 3, "Unknown": [1, {}],
      "MessageAttributes": {"n": {"DataType": "Binary", "BinaryValue": "AAEC"}}})");
  ASSERT_TRUE(input.has_value()) << input.error().message;
  EXPECT_EQ(input->message_body, "ä\n");
  EXPECT_EQ(input->delay_seconds, 3);
  EXPECT_EQ(input->message_attributes->at("n").binary_value, std::string("\0\1\2", 3));
}

TEST(JsonDecoding, TakesNullForAbsent) {
  const auto input = decode<sqs::SendMessageRequest>(
      sqs::kModel, "SendMessage", R"({"QueueUrl":"u","MessageBody":"b","DelaySeconds":null})");
  ASSERT_TRUE(input.has_value());
  EXPECT_FALSE(input->delay_seconds.has_value());
}

TEST(JsonDecoding, IsStrictAboutTypes) {
  for (const char* text : {R"({"QueueUrl":1,"MessageBody":"b"})",
                           R"({"QueueUrl":"u","MessageBody":"b","DelaySeconds":"3"})",
                           R"({"QueueUrl":"u","MessageBody":"b","DelaySeconds":1.5})",
                           R"({"QueueUrl":"u","MessageBody":"b","DelaySeconds":3000000000})",
                           R"({"QueueUrl":"u","MessageBody":"b","DelaySeconds":true})",
                           R"({"QueueUrl":"u","MessageBody":"b","MessageAttributes":[]})",
                           R"({"QueueUrl":["u"],"MessageBody":"b"})",
                           R"({"QueueUrl":"u","MessageBody":"b","MessageAttributes":
                              {"n":{"DataType":"Binary","BinaryValue":"A"}}})"}) {
    const auto input = decode<sqs::SendMessageRequest>(sqs::kModel, "SendMessage", text);
    ASSERT_FALSE(input.has_value()) << text;
    EXPECT_TRUE(input.error().is(errors::kSerializationException)) << text;
  }
}

TEST(JsonDecoding, NamesWhereATypeIsWrong) {
  const auto input = decode<sqs::SendMessageBatchRequest>(
      sqs::kModel, "SendMessageBatch", R"({"QueueUrl":"u","Entries":[{"Id":7}]})");
  ASSERT_FALSE(input.has_value());
  EXPECT_EQ(input.error().message, "NUMBER_VALUE can not be converted to a String at Entries.1.Id");
}

TEST(JsonDecoding, RefusesWhatIsNotAnObject) {
  for (const char* text : {"[]", "1", "{", "{}x", "\"a\"", "nul", "{\"a\":1,}", "\xff"}) {
    const auto input = decode<sqs::ListQueuesRequest>(sqs::kModel, "ListQueues", text);
    ASSERT_FALSE(input.has_value()) << text;
    EXPECT_TRUE(input.error().is(errors::kSerializationException)) << text;
  }
  EXPECT_TRUE(decode<sqs::ListQueuesRequest>(sqs::kModel, "ListQueues", "").has_value());
}

TEST(JsonDecoding, RefusesDeepNesting) {
  const std::string text = "{\"a\":" + std::string(100'000, '[');
  EXPECT_FALSE(decode<sqs::ListQueuesRequest>(sqs::kModel, "ListQueues", text).has_value());
}

TEST(JsonDecoding, NamesMissingMembersAsEachServiceDoes) {
  const auto sqs = decode<sqs::SendMessageRequest>(sqs::kModel, "SendMessage", "{}");
  ASSERT_FALSE(sqs.has_value());
  EXPECT_EQ(sqs.error().message, "The request must contain the parameter QueueUrl.");
  const auto logs = decode<logs::CreateLogGroupRequest>(logs::kModel, "CreateLogGroup", "{}");
  ASSERT_FALSE(logs.has_value());
  EXPECT_EQ(logs.error().row->code, "InvalidParameterException");
  EXPECT_EQ(logs.error().message,
            "1 validation error detected: Value null at 'logGroupName' failed to satisfy "
            "constraint: Member must not be null");
}

TEST(JsonDecoding, ChecksElementsOfListsAgainstTheirConstraints) {
  const auto input = decode<logs::PutLogEventsRequest>(
      logs::kModel, "PutLogEvents",
      R"({"logGroupName":"g","logStreamName":"s","logEvents":[{"timestamp":-1,"message":"m"}]})");
  ASSERT_FALSE(input.has_value());
  EXPECT_EQ(input.error().message,
            "1 validation error detected: Value '-1' at 'logEvents.1.member.timestamp' failed to "
            "satisfy constraint: Member must have value greater than or equal to 0");
}

TEST(JsonEncoding, PrintsWhatIsThereByTheModelsNames) {
  sqs::Message message;
  message.body = std::string("\"\\\n\x01ä", 6);
  message.attributes = std::map<std::string, std::string>{{"SentTimestamp", "1"}};
  sqs::ReceiveMessageResult result;
  result.messages = {message};
  std::string out;
  print_json(out, *operation_of(sqs::kModel, "ReceiveMessage").output, &result, JsonNames::Model);
  EXPECT_EQ(out,
            "{\"Messages\":[{\"Body\":\"\\\"\\\\\\n\\u0001ä\","
            "\"Attributes\":{\"SentTimestamp\":\"1\"}}]}");
}

TEST(JsonEncoding, PrintsTimesAsSecondsAndNothingForEmpty) {
  lambda::EventSourceMappingConfiguration mapping;
  mapping.last_modified = base::Timestamp(std::chrono::milliseconds(1'682'785'191'250));
  mapping.batch_size = 10;
  std::string out;
  print_json(out, *operation_of(lambda::kModel, "GetEventSourceMapping").output, &mapping,
             JsonNames::Wire);
  EXPECT_EQ(out, "{\"BatchSize\":10,\"LastModified\":1682785191.250}");
}

}  // namespace
}  // namespace terrarium::wire
