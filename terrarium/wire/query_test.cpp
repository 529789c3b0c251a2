#include "terrarium/wire/query.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "generated/iam/model.h"
#include "generated/sqs/model.h"
#include "terrarium/wire/errors.h"
#include "terrarium/wire/scalar.h"

namespace terrarium::wire {
namespace {

const OperationModel& operation_of(const ServiceModel& service, std::string_view name) {
  return *std::ranges::find(service.operations, name, &OperationModel::name);
}

template <class Input>
base::Result<Input> decode(const ServiceModel& service, std::string_view operation,
                           std::string_view form) {
  TRY(const Parameters parameters, Parameters::parse(form));
  const OperationModel& model = operation_of(service, operation);
  Input input;
  DecodeReport report;
  TRY_VOID(decode_query(Protocol::Query, model, parameters, &input, report));
  TRY_VOID(validate(service, Protocol::Query, *model.input, &input, report));
  return input;
}

TEST(QueryDecoding, ReadsAMessageWithAttributes) {
  const auto input = decode<sqs::SendMessageRequest>(
      sqs::kModel, "SendMessage",
      "Action=SendMessage&Version=2012-11-05&QueueUrl=http%3A%2F%2Flocalhost%2F0%2Fq"
      "&MessageBody=a+b%26c&DelaySeconds=5"
      "&MessageAttribute.1.Name=one&MessageAttribute.1.Value.StringValue=x"
      "&MessageAttribute.1.Value.DataType=String"
      "&MessageAttribute.2.Name=two&MessageAttribute.2.Value.BinaryValue=AAEC"
      "&MessageAttribute.2.Value.DataType=Binary");
  ASSERT_TRUE(input.has_value()) << input.error().message;
  EXPECT_EQ(input->queue_url, "http://localhost/0/q");
  EXPECT_EQ(input->message_body, "a b&c");
  EXPECT_EQ(input->delay_seconds, 5);
  ASSERT_EQ(input->message_attributes->size(), 2u);
  EXPECT_EQ(input->message_attributes->at("one").string_value, "x");
  EXPECT_EQ(input->message_attributes->at("two").binary_value, std::string("\0\1\2", 3));
}

TEST(QueryDecoding, ReadsFlattenedListsInNumericOrder) {
  std::string form = "Action=SendMessageBatch&QueueUrl=u";
  for (const int i : {10, 2, 1}) {
    const std::string prefix = "&SendMessageBatchRequestEntry." + std::to_string(i);
    form += prefix + ".Id=m" + std::to_string(i) + prefix + ".MessageBody=b";
  }
  const auto input = decode<sqs::SendMessageBatchRequest>(sqs::kModel, "SendMessageBatch", form);
  ASSERT_TRUE(input.has_value()) << input.error().message;
  ASSERT_EQ(input->entries.size(), 3u);
  EXPECT_EQ(input->entries[0].id, "m1");
  EXPECT_EQ(input->entries[1].id, "m2");
  EXPECT_EQ(input->entries[2].id, "m10");
}

TEST(QueryDecoding, ReadsFlattenedMaps) {
  const auto input = decode<sqs::CreateQueueRequest>(
      sqs::kModel, "CreateQueue",
      "Action=CreateQueue&QueueName=q&Attribute.1.Name=VisibilityTimeout&Attribute.1.Value=40"
      "&Tag.1.Key=team&Tag.1.Value=");
  ASSERT_TRUE(input.has_value()) << input.error().message;
  EXPECT_EQ(input->attributes->at("VisibilityTimeout"), "40");
  EXPECT_EQ(input->tags->at("team"), "");
}

TEST(QueryDecoding, ReadsAnEmptyListAsEmpty) {
  const auto input = decode<sqs::ReceiveMessageRequest>(
      sqs::kModel, "ReceiveMessage", "Action=ReceiveMessage&QueueUrl=u&AttributeNames=");
  ASSERT_TRUE(input.has_value()) << input.error().message;
  ASSERT_TRUE(input->attribute_names.has_value());
  EXPECT_TRUE(input->attribute_names->empty());
}

TEST(QueryDecoding, ReadsMemberListsOfOtherServices) {
  const auto input = decode<iam::CreateUserRequest>(
      iam::kModel, "CreateUser",
      "Action=CreateUser&UserName=u&Tags.member.1.Key=a&Tags.member.1.Value=b");
  ASSERT_TRUE(input.has_value()) << input.error().message;
  ASSERT_EQ(input->tags->size(), 1u);
  EXPECT_EQ(input->tags->front().key, "a");
}

TEST(QueryDecoding, NamesTheMissingParameter) {
  const auto input =
      decode<sqs::SendMessageRequest>(sqs::kModel, "SendMessage", "Action=SendMessage&QueueUrl=u");
  ASSERT_FALSE(input.has_value());
  EXPECT_TRUE(input.error().is(errors::kMissingParameter));
  EXPECT_EQ(input.error().message, "The request must contain the parameter MessageBody.");
}

TEST(QueryDecoding, NamesTheMissingParameterOfAnEntry) {
  const auto input = decode<sqs::SendMessageBatchRequest>(
      sqs::kModel, "SendMessageBatch", "QueueUrl=u&SendMessageBatchRequestEntry.1.MessageBody=b");
  ASSERT_FALSE(input.has_value());
  EXPECT_EQ(input.error().message, "The request must contain the parameter Entries.1.Id.");
}

TEST(QueryDecoding, RefusesAParameterThatNobodyKnows) {
  for (const char* form : {"QueueUrl=u&MessageBody=b&Colour=red",
                           "QueueUrl=u&MessageBody=b&MessageAttribute.1.Colour=red",
                           "QueueUrl=u&MessageBody=b&MessageBody.1=c",
                           "QueueUrl=u&MessageBody=b&MessageAttribute.x.Name=c"}) {
    const auto input = decode<sqs::SendMessageRequest>(sqs::kModel, "SendMessage", form);
    ASSERT_FALSE(input.has_value()) << form;
    EXPECT_NE(input.error().row, nullptr) << form;
  }
}

TEST(QueryDecoding, RefusesIntegersThatAreNone) {
  for (const char* text : {"x", "", "1.5", "+1", " 1", "99999999999", "0x10"}) {
    const auto input = decode<sqs::SendMessageRequest>(
        sqs::kModel, "SendMessage", std::string("QueueUrl=u&MessageBody=b&DelaySeconds=") + text);
    ASSERT_FALSE(input.has_value()) << text;
    EXPECT_TRUE(input.error().is(errors::kInvalidParameterValue)) << text;
    EXPECT_NE(input.error().message.find("DelaySeconds"), std::string::npos);
  }
}

TEST(QueryDecoding, RefusesBrokenBase64AndBrokenUtf8) {
  EXPECT_FALSE(decode<sqs::SendMessageRequest>(sqs::kModel, "SendMessage",
                                               "QueueUrl=u&MessageBody=b&MessageAttribute.1.Name=n"
                                               "&MessageAttribute.1.Value.DataType=Binary"
                                               "&MessageAttribute.1.Value.BinaryValue=A")
                   .has_value());
  const auto broken =
      decode<sqs::SendMessageRequest>(sqs::kModel, "SendMessage", "QueueUrl=u&MessageBody=%ff%fe");
  ASSERT_FALSE(broken.has_value());
  EXPECT_EQ(broken.error().message,
            "Value for parameter MessageBody is invalid. Reason: must be valid UTF-8.");
}

TEST(QueryDecoding, RepeatsTheBeginningOfALongValueInWholeCharacters) {
  std::string form = "QueueUrl=u&MessageBody=b&DelaySeconds=x";
  for (int i = 0; i < 200; ++i) form += "%C3%BC";
  const auto input = decode<sqs::SendMessageRequest>(sqs::kModel, "SendMessage", form);
  ASSERT_FALSE(input.has_value());
  EXPECT_TRUE(is_utf8(input.error().message)) << input.error().message;
  EXPECT_TRUE(input.error().message.starts_with("Value (x\xc3\xbc")) << input.error().message;
}

TEST(QueryDecoding, RefusesAParameterThatComesTwice) {
  const auto input = decode<sqs::SendMessageRequest>(sqs::kModel, "SendMessage",
                                                     "QueueUrl=u&MessageBody=b&MessageBody=c");
  ASSERT_FALSE(input.has_value());
  EXPECT_TRUE(input.error().is(errors::kMalformedQueryString));
}

TEST(QueryDecoding, RefusesTooManyParametersAndTooDeepNames) {
  std::string form = "QueueUrl=u";
  for (std::size_t i = 0; i < kParametersMax; ++i) form += "&a=";
  EXPECT_FALSE(Parameters::parse(form).has_value());
  std::string deep = "QueueUrl=u&MessageBody=b&a";
  for (int i = 0; i < 100; ++i) deep += ".a";
  EXPECT_FALSE(
      decode<sqs::SendMessageRequest>(sqs::kModel, "SendMessage", deep + "=x").has_value());
}

TEST(QueryDecoding, ReportsEveryViolatedConstraintOfIam) {
  const auto input =
      decode<iam::CreateRoleRequest>(iam::kModel, "CreateRole", "RoleName=&MaxSessionDuration=5");
  ASSERT_FALSE(input.has_value());
  EXPECT_EQ(input.error().row->code, "ValidationError");
  EXPECT_EQ(input.error().message,
            "3 validation errors detected: Value at 'assumeRolePolicyDocument' failed to "
            "satisfy constraint: Member must not be null; Value at 'roleName' failed to "
            "satisfy constraint: Member must have length greater than or equal to 1; Value "
            "at 'maxSessionDuration' failed to satisfy constraint: Member must have value "
            "greater than or equal to 3600");
}

TEST(QueryEncoding, PrintsMessagesAsFlattenedElements) {
  sqs::Message message;
  message.message_id = "id-1";
  message.body = "a<b>&\r\n";
  message.attributes = std::map<std::string, std::string>{{"SentTimestamp", "1"}};
  sqs::ReceiveMessageResult result;
  result.messages = {message, sqs::Message{}};
  EXPECT_EQ(encode_query(sqs::kModel, operation_of(sqs::kModel, "ReceiveMessage"), &result, "r-1"),
            "<?xml version=\"1.0\"?><ReceiveMessageResponse "
            "xmlns=\"http://queue.amazonaws.com/doc/2012-11-05/\"><ReceiveMessageResult><Message>"
            "<MessageId>id-1</MessageId><Body>a&lt;b&gt;&amp;&#xD;\n</Body><Attribute>"
            "<Name>SentTimestamp</Name><Value>1</Value></Attribute></Message><Message></Message>"
            "</ReceiveMessageResult><ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata>"
            "</ReceiveMessageResponse>");
}

TEST(QueryEncoding, PrintsAnOperationWithoutOutput) {
  EXPECT_EQ(encode_query(sqs::kModel, operation_of(sqs::kModel, "DeleteMessage"), nullptr, "r"),
            "<?xml version=\"1.0\"?><DeleteMessageResponse "
            "xmlns=\"http://queue.amazonaws.com/doc/2012-11-05/\"><ResponseMetadata>"
            "<RequestId>r</RequestId></ResponseMetadata></DeleteMessageResponse>");
}

TEST(QueryEncoding, PrintsTimesInWholeSecondsAndListsAsMembers) {
  iam::ListUsersResponse response;
  iam::User user;
  user.user_name = "u";
  user.create_date = base::Timestamp(std::chrono::seconds(1'682'785'191));
  response.users = {user};
  const std::string xml =
      encode_query(iam::kModel, operation_of(iam::kModel, "ListUsers"), &response, "r");
  EXPECT_NE(xml.find("<ListUsersResult><Users><member>"), std::string::npos) << xml;
  EXPECT_NE(xml.find("<CreateDate>2023-04-29T16:19:51Z</CreateDate>"), std::string::npos) << xml;
}

}  // namespace
}  // namespace terrarium::wire
