#include "terrarium/wire/rest.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "generated/lambda/model.h"
#include "generated/s3/model.h"
#include "lib/runtime/runtime.h"
#include "terrarium/wire/errors.h"

namespace terrarium::wire {
namespace {

const OperationModel& operation_of(const ServiceModel& service, std::string_view name) {
  return *std::ranges::find(service.operations, name, &OperationModel::name);
}

struct Parts {
  std::vector<std::pair<std::string, std::string>> headers;
  std::string query;
  Labels labels = {{"Bucket", "b"}, {"Key", "k"}};
  std::string body;
};

template <class Input>
base::Result<Input> decode(const ServiceModel& service, std::string_view operation,
                           const Parts& parts) {
  http::HeaderViews headers;
  for (const auto& [name, value] : parts.headers) headers.add(name, value);
  TRY(const Parameters query, Parameters::parse(parts.query));
  const OperationModel& model = operation_of(service, operation);
  Input input;
  DecodeReport report;
  const RestRequest request{headers, query, parts.labels, parts.body};
  TRY_VOID(decode_rest(service.protocols.front(), model, request, &input, report));
  TRY_VOID(validate(service, service.protocols.front(), *model.input, &input, report));
  return input;
}

constexpr std::string_view kDelete =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\n"
    "  <Object><Key>a &amp; b&#10;</Key></Object><!-- two -->\n"
    "  <Object><Key> </Key><VersionId>null</VersionId></Object>\n"
    "  <Quiet>true</Quiet>\n</Delete>";

TEST(RestXmlDecoding, ReadsFlattenedListsAndScalars) {
  const auto input =
      decode<s3::DeleteObjectsRequest>(s3::kModel, "DeleteObjects", {.body = std::string(kDelete)});
  ASSERT_TRUE(input.has_value()) << input.error().message;
  EXPECT_EQ(input->bucket, "b");
  ASSERT_EQ(input->delete_.objects.size(), 2u);
  EXPECT_EQ(input->delete_.objects[0].key, "a & b\n");
  EXPECT_EQ(input->delete_.objects[1].key, " ");
  EXPECT_EQ(input->delete_.objects[1].version_id, "null");
  EXPECT_EQ(input->delete_.quiet, true);
}

TEST(RestXmlDecoding, ReadsANotificationConfiguration) {
  const auto input = decode<s3::PutBucketNotificationConfigurationRequest>(
      s3::kModel, "PutBucketNotificationConfiguration", {.body = R"(<NotificationConfiguration>
        <QueueConfiguration><Id>i</Id><Queue>arn:aws:sqs:us-east-1:0:q</Queue>
          <Event>s3:ObjectCreated:*</Event><Event>s3:ObjectRemoved:*</Event>
          <Filter><S3Key><FilterRule><Name>prefix</Name><Value>in/</Value></FilterRule></S3Key>
          </Filter></QueueConfiguration></NotificationConfiguration>)"});
  ASSERT_TRUE(input.has_value()) << input.error().message;
  const auto& queue = input->notification_configuration.queue_configurations->front();
  EXPECT_EQ(queue.queue_arn, "arn:aws:sqs:us-east-1:0:q");
  EXPECT_EQ(queue.events, (std::vector<std::string>{"s3:ObjectCreated:*", "s3:ObjectRemoved:*"}));
  EXPECT_EQ(queue.filter->key->filter_rules->front().value, "in/");
}

TEST(RestXmlDecoding, ReadsTheTypeAttributeOfAGrantee) {
  const auto input = decode<s3::PutBucketAclRequest>(
      s3::kModel, "PutBucketAcl", {.body = R"(<AccessControlPolicy><AccessControlList><Grant>
        <Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser">
        <ID>i</ID></Grantee><Permission>FULL_CONTROL</Permission></Grant></AccessControlList>
        </AccessControlPolicy>)"});
  ASSERT_TRUE(input.has_value()) << input.error().message;
  EXPECT_EQ(input->access_control_policy->grants->front().grantee->type, "CanonicalUser");
}

TEST(RestXmlDecoding, RefusesWhatTheSchemaDoesNotAllow) {
  for (const char* body :
       {"<Delete>", "<Delete/>x", "<Remove><Object><Key>k</Key></Object></Remove>",
        "<Delete><Object><Key>k</Key><Colour/></Object></Delete>",
        "<Delete><Object><Key>k</Key><Key>l</Key></Object></Delete>",
        "<Delete><Object><Key>k</Key></Object><Quiet>yes</Quiet></Delete>",
        "<Delete><Object><Key><b/></Key></Object></Delete>", "<Delete>text</Delete>",
        "<Delete><Object></Object></Delete>", "not xml", "<Delete><Object><Key>\xff</Key>",
        "<!DOCTYPE Delete [<!ENTITY e \"x\">]><Delete><Object><Key>&e;</Key></Object></Delete>",
        "<!DOCTYPE Delete SYSTEM \"file:///etc/passwd\"><Delete/>"}) {
    const auto input =
        decode<s3::DeleteObjectsRequest>(s3::kModel, "DeleteObjects", {.body = body});
    ASSERT_FALSE(input.has_value()) << body;
    EXPECT_TRUE(input.error().is(errors::kMalformedXml)) << body;
  }
}

TEST(RestXmlDecoding, RefusesDeepNestingWithoutUsingTheStack) {
  std::string body = "<Delete>";
  for (int i = 0; i < 200'000; ++i) body += "<Object>";
  for (int i = 0; i < 200'000; ++i) body += "</Object>";
  const auto input =
      decode<s3::DeleteObjectsRequest>(s3::kModel, "DeleteObjects", {.body = body + "</Delete>"});
  EXPECT_FALSE(input.has_value());
}

TEST(RestXmlDecoding, NamesAMissingElement) {
  const auto input = decode<s3::DeleteObjectsRequest>(
      s3::kModel, "DeleteObjects",
      {.body = "<Delete><Object><Key>a</Key></Object><Object/></Delete>"});
  ASSERT_FALSE(input.has_value());
  EXPECT_NE(input.error().detail.find("Delete.Objects.2.Key is missing"), std::string::npos)
      << input.error().message;
}

TEST(RestXmlDecoding, WantsTheBodyThatTheOperationNeeds) {
  const auto input = decode<s3::DeleteObjectsRequest>(s3::kModel, "DeleteObjects", {});
  ASSERT_FALSE(input.has_value());
  EXPECT_TRUE(input.error().is(errors::kMissingRequestBody));
  EXPECT_TRUE(decode<s3::CreateBucketRequest>(s3::kModel, "CreateBucket", {}).has_value());
}

TEST(RestXmlDecoding, ReadsHeadersMetadataAndQuery) {
  const auto input =
      decode<s3::PutObjectRequest>(s3::kModel, "PutObject",
                                   {.headers = {{"X-Amz-Meta-Author", "me"},
                                                {"x-amz-meta-author", "you"},
                                                {"x-amz-meta-", "nameless"},
                                                {"Content-Type", "image/png"},
                                                {"Content-Encoding", "aws-chunked,gzip"},
                                                {"Content-Length", "12"}}});
  ASSERT_TRUE(input.has_value()) << input.error().message;
  EXPECT_EQ(input->metadata, (std::map<std::string, std::string>{{"author", "me,you"}}));
  EXPECT_EQ(input->content_type, "image/png");
  EXPECT_EQ(input->content_encoding, "gzip");
  const auto list = decode<s3::ListObjectsV2Request>(
      s3::kModel, "ListObjectsV2", {.query = "list-type=2&prefix=a%2Fb+c&max-keys=&delimiter="});
  ASSERT_TRUE(list.has_value()) << list.error().message;
  EXPECT_EQ(list->prefix, "a/b c");
  EXPECT_EQ(list->delimiter, "");
  EXPECT_FALSE(list->max_keys.has_value());
}

TEST(RestXmlDecoding, DropsAwsChunkedWhenItIsAlone) {
  const auto input = decode<s3::PutObjectRequest>(
      s3::kModel, "PutObject", {.headers = {{"content-encoding", "aws-chunked"}}});
  ASSERT_TRUE(input.has_value());
  EXPECT_FALSE(input->content_encoding.has_value());
}

TEST(RestXmlDecoding, NamesAWrongQueryParameter) {
  const auto input = decode<s3::ListObjectsV2Request>(s3::kModel, "ListObjectsV2",
                                                      {.query = "list-type=2&max-keys=many"});
  ASSERT_FALSE(input.has_value());
  EXPECT_TRUE(input.error().is(errors::kInvalidArgument));
  EXPECT_EQ(input.error().fields[0].second, "max-keys");
}

TEST(RestXmlDecoding, IgnoresAConditionalDateThatItCannotRead) {
  const auto input = decode<s3::GetObjectRequest>(
      s3::kModel, "GetObject", {.headers = {{"If-Modified-Since", "yesterday"}}});
  ASSERT_TRUE(input.has_value()) << input.error().message;
  EXPECT_FALSE(input->if_modified_since.has_value());
}

template <class Output>
base::Result<http::Response> encode(const ServiceModel& service, std::string_view operation,
                                    Output output) {
  return encode_rest(service, service.protocols.front(), operation_of(service, operation), &output);
}

TEST(RestXmlEncoding, PrintsAListing) {
  s3::Object object;
  object.key = "a\x01<b>";
  object.size = 3;
  object.last_modified = base::Timestamp(std::chrono::seconds(1'682'785'191));
  s3::ListObjectsV2Output output;
  output.name = "b";
  output.contents = {object};
  output.common_prefixes = {s3::CommonPrefix{"p/"}, s3::CommonPrefix{"q/"}};
  const auto response = encode(s3::kModel, "ListObjectsV2", std::move(output));
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->body,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
            "<Contents><Key>a&#x1;&lt;b&gt;</Key><LastModified>2023-04-29T16:19:51.000Z"
            "</LastModified><Size>3</Size></Contents><Name>b</Name>"
            "<CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes>"
            "<CommonPrefixes><Prefix>q/</Prefix></CommonPrefixes></ListBucketResult>");
  EXPECT_EQ(response->headers.find("content-type"), "application/xml");
}

TEST(RestXmlEncoding, PrintsTheLocationAsTheRootItself) {
  const auto somewhere = encode(s3::kModel, "GetBucketLocation",
                                s3::GetBucketLocationOutput{.location_constraint = "eu-west-1"});
  EXPECT_NE(somewhere->body.find("01/\">eu-west-1</LocationConstraint>"), std::string::npos);
  const auto home = encode(s3::kModel, "GetBucketLocation", s3::GetBucketLocationOutput{});
  EXPECT_NE(home->body.find("01/\"></LocationConstraint>"), std::string::npos) << home->body;
}

TEST(RestXmlEncoding, PutsMembersIntoHeadersAndStatus) {
  s3::GetObjectOutput output;
  output.etag = "\"e\"";
  output.content_length = 5;
  output.last_modified = base::Timestamp(std::chrono::seconds(1'682'785'191));
  output.metadata = std::map<std::string, std::string>{{"author", "me"}};
  output.status_code = 206;
  output.body = Body{http::body_of("hello")};
  const auto response = encode(s3::kModel, "GetObject", std::move(output));
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->status, 206);
  EXPECT_EQ(response->headers.find("ETag"), "\"e\"");
  EXPECT_EQ(response->headers.find("Last-Modified"), "Sat, 29 Apr 2023 16:19:51 GMT");
  EXPECT_EQ(response->headers.find("x-amz-meta-author"), "me");
  ASSERT_NE(response->stream, nullptr);
  EXPECT_EQ(response->stream->length(), 5u);
}

TEST(RestXmlEncoding, RefusesAValueThatWouldMakeAnotherHeader) {
  s3::GetObjectOutput output;
  output.content_type = "text/plain\r\nSet-Cookie: a=b";
  const auto response = encode(s3::kModel, "GetObject", std::move(output));
  ASSERT_FALSE(response.has_value());
  EXPECT_TRUE(response.error().is(errors::kInvalidArgument));
}

TEST(RestXmlEncoding, ReturnsAPolicyAsItIs) {
  const auto response =
      encode(s3::kModel, "GetBucketPolicy", s3::GetBucketPolicyOutput{.policy = "{\"a\":1}"});
  EXPECT_EQ(response->body, "{\"a\":1}");
}

TEST(RestJson, ReadsLabelsQueryHeadersAndPayloadOfAnInvocation) {
  const auto input =
      decode<lambda::InvocationRequest>(lambda::kModel, "Invoke",
                                        {.headers = {{"X-Amz-Invocation-Type", "Event"}},
                                         .query = "Qualifier=1",
                                         .labels = {{"FunctionName", "f"}},
                                         .body = "[1]"});
  ASSERT_TRUE(input.has_value()) << input.error().message;
  EXPECT_EQ(input->function_name, "f");
  EXPECT_EQ(input->invocation_type, "Event");
  EXPECT_EQ(input->qualifier, "1");
  EXPECT_EQ(input->payload, "[1]");
}

TEST(RestJson, ChecksTheModelsConstraints) {
  const auto input = decode<lambda::ListFunctionsRequest>(lambda::kModel, "ListFunctions",
                                                          {.query = "MaxItems=0", .labels = {}});
  ASSERT_FALSE(input.has_value());
  EXPECT_EQ(input.error().row->code, "ValidationException");
  EXPECT_EQ(input.error().message,
            "1 validation error detected: Value '0' at 'maxItems' failed to satisfy constraint: "
            "Member must have value greater than or equal to 1");
}

TEST(RestJson, ShowsTheListThatIsTooLongOrTooShort) {
  const auto input = decode<lambda::UpdateFunctionCodeRequest>(
      lambda::kModel, "UpdateFunctionCode",
      {.labels = {{"FunctionName", "f"}}, .body = R"({"Architectures":["x86_64","arm64"]})"});
  ASSERT_FALSE(input.has_value());
  EXPECT_EQ(input.error().message,
            "1 validation error detected: Value '[x86_64, arm64]' at 'architectures' failed to "
            "satisfy constraint: Member must have length less than or equal to 1");
}

TEST(RestJson, AListThatTheQueryLacksIsMissing) {
  const auto input = decode<lambda::UntagResourceRequest>(
      lambda::kModel, "UntagResource", {.query = "", .labels = {{"ARN", "arn"}}});
  ASSERT_FALSE(input.has_value());
  EXPECT_EQ(input.error().message,
            "1 validation error detected: Value null at 'tagKeys' failed to satisfy constraint: "
            "Member must not be null");
}

TEST(RestJson, AnswersAnInvocationWithStatusHeaderAndPayload) {
  lambda::InvocationResponse output;
  output.status_code = 200;
  output.function_error = "Unhandled";
  output.payload = "{\"errorMessage\":\"x\"}";
  const auto response = encode(lambda::kModel, "Invoke", std::move(output));
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->headers.find("X-Amz-Function-Error"), "Unhandled");
  EXPECT_EQ(response->body, "{\"errorMessage\":\"x\"}");
}

}  // namespace
}  // namespace terrarium::wire
