#include "terrarium/wire/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "generated/lambda/model.h"
#include "generated/logs/model.h"
#include "generated/s3/model.h"
#include "generated/sqs/errors.h"
#include "generated/sqs/model.h"
#include "terrarium/wire/errors.h"
#include "terrarium/wire/router_fixture.h"

namespace terrarium::wire::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;

class WireRouter : public RouterTest {
 protected:
  WireRouter() {
    router_.add(EntryBuilder(sqs::kModel)
                    .on<sqs::GetQueueUrlRequest, sqs::GetQueueUrlResult>(
                        "GetQueueUrl",
                        [this](const Context& context, sqs::GetQueueUrlRequest input) {
                          return get_queue_url(context, std::move(input));
                        })
                    .on<sqs::DeleteMessageRequest, Empty>(
                        "DeleteMessage",
                        [this](const Context&, sqs::DeleteMessageRequest input) {
                          queue_url_ = input.queue_url;
                          return base::Result<Empty>(Empty{});
                        })
                    .build());
    router_.add(EntryBuilder(lambda::kModel)
                    .on<lambda::DeleteFunctionRequest, Empty>(
                        "DeleteFunction",
                        [](const Context&, lambda::DeleteFunctionRequest) {
                          return base::Result<Empty>(base::fail(base::ErrorKind::NotFound, "gone"));
                        })
                    .on<lambda::UpdateFunctionCodeRequest, lambda::FunctionConfiguration>(
                        "UpdateFunctionCode",
                        [](const Context&, lambda::UpdateFunctionCodeRequest input) {
                          lambda::FunctionConfiguration output;
                          output.description = input.dry_run.value_or(false) ? "dry" : "wet";
                          return base::Result<lambda::FunctionConfiguration>(output);
                        })
                    .build());
    router_.add(EntryBuilder(logs::kModel)
                    .on<logs::CreateLogGroupRequest, Empty>(
                        "CreateLogGroup",
                        [](const Context&, logs::CreateLogGroupRequest) -> base::Result<Empty> {
                          // As a third party's code might throw.
                          (void)std::stoi("a secret detail");
                          return Empty{};
                        })
                    .build());
    router_.add(EntryBuilder(s3::kModel)
                    .on<s3::GetObjectRequest, s3::GetObjectOutput>(
                        "GetObject",
                        [this](const Context& context, s3::GetObjectRequest input) {
                          return get_object(context, std::move(input));
                        })
                    .on<s3::OptionsRequest, s3::OptionsOutput>(
                        "OptionsObject",
                        [](const Context& context, s3::OptionsRequest input) {
                          EXPECT_EQ(context.principal.kind, PrincipalKind::Anonymous);
                          s3::OptionsOutput output;
                          output.headers = {{"x-asked-by", input.origin.value_or("")}};
                          return base::Result<s3::OptionsOutput>(output);
                        })
                    .finish([](const Context&, std::string_view path, http::Response& response) {
                      response.headers.add("x-path", std::string(path));
                    })
                    .on<s3::HeadObjectRequest, s3::HeadObjectOutput>(
                        "HeadObject",
                        [](const Context&, s3::HeadObjectRequest) {
                          return base::Result<s3::HeadObjectOutput>(
                              base::fail(errors::kNoSuchKey, "The key does not exist."));
                        })
                    .build());
  }

  base::Result<sqs::GetQueueUrlResult> get_queue_url(const Context& context,
                                                     sqs::GetQueueUrlRequest input) {
    context_ = context;
    if (input.queue_name == "missing") {
      return base::fail(sqs::errors::kQueueDoesNotExist, "The queue does not <exist>.");
    }
    if (input.queue_name == "broken") {
      return base::fail(base::ErrorKind::Internal, "a secret detail");
    }
    return sqs::GetQueueUrlResult{context.endpoint + "/000000000000/" + input.queue_name};
  }

  base::Result<s3::GetObjectOutput> get_object(const Context& context, s3::GetObjectRequest input) {
    context_ = context;
    if (input.key == "unchanged") {
      static constexpr base::ErrorRow kNotModified{"NotModified", 304, {}};
      auto failure = base::fail(kNotModified, "");
      failure.error().fields = {{"header:ETag", "\"e\""}, {"header:X-Evil", "a\r\nb: c"}};
      return failure;
    }
    s3::GetObjectOutput output;
    output.body.source = http::body_of(input.bucket + "|" + input.key);
    return output;
  }

  Sent query(const std::string& form) {
    return signed_for(
        "sqs", request("POST", "/", form, {{"Content-Type", "application/x-www-form-urlencoded"}}));
  }
  Sent json(const std::string& operation, const std::string& body) {
    return signed_for("sqs", request("POST", "/", body,
                                     {{"Content-Type", "application/x-amz-json-1.0"},
                                      {"X-Amz-Target", "AmazonSQS." + operation}}));
  }

  Context context_;
  std::string queue_url_;
};

TEST_F(WireRouter, AnswersTheQueryProtocol) {
  const Received received = send(query("Action=GetQueueUrl&Version=2012-11-05&QueueName=q"));
  EXPECT_EQ(received.status, 200);
  EXPECT_EQ(received.header("content-type"), "text/xml");
  EXPECT_THAT(received.body, HasSubstr("<GetQueueUrlResult><QueueUrl>http://localhost:4566/"
                                       "000000000000/q</QueueUrl></GetQueueUrlResult>"));
  EXPECT_THAT(received.body, HasSubstr("<RequestId>" + received.header("x-amzn-RequestId")));
}

TEST_F(WireRouter, AnswersTheSameServiceInJson) {
  const Received received = send(json("GetQueueUrl", R"({"QueueName":"q"})"));
  EXPECT_EQ(received.status, 200);
  EXPECT_EQ(received.header("content-type"), "application/x-amz-json-1.0");
  EXPECT_EQ(received.body, R"({"QueueUrl":"http://localhost:4566/000000000000/q"})");
}

TEST_F(WireRouter, FillsTheContextFromTheSignature) {
  region_ = "eu-west-3";
  send(json("GetQueueUrl", R"({"QueueName":"q"})"));
  EXPECT_EQ(context_.region, "eu-west-3");
  EXPECT_EQ(context_.account, "000000000000");
  EXPECT_EQ(context_.principal.kind, PrincipalKind::Root);
  EXPECT_EQ(context_.principal.access_key_id, "AKID");
  EXPECT_EQ(context_.source_ip, "127.0.0.1");
  EXPECT_EQ(context_.now, clock_.now());
}

TEST_F(WireRouter, NamesAnErrorInBothProtocolsOfAService) {
  const Received xml = send(query("Action=GetQueueUrl&QueueName=missing"));
  EXPECT_EQ(xml.status, 400);
  EXPECT_THAT(xml.body, HasSubstr("<Type>Sender</Type><Code>AWS.SimpleQueueService."
                                  "NonExistentQueue</Code><Message>The queue does not "
                                  "&lt;exist&gt;.</Message>"));
  const Received text = send(json("GetQueueUrl", R"({"QueueName":"missing"})"));
  EXPECT_EQ(text.status, 400);
  EXPECT_EQ(text.body, R"({"__type":"com.amazonaws.sqs#QueueDoesNotExist",)"
                       R"("message":"The queue does not <exist>."})");
  EXPECT_EQ(text.header("x-amzn-query-error"), "AWS.SimpleQueueService.NonExistentQueue;Sender");
}

TEST_F(WireRouter, NamesAMissingParameterInBothProtocolsOfAService) {
  EXPECT_THAT(send(query("Action=GetQueueUrl")).body, HasSubstr("<Code>MissingParameter</Code>"));
  const Received text = send(json("GetQueueUrl", R"({"QueueName":null})"));
  EXPECT_EQ(text.status, 400);
  EXPECT_THAT(text.body, HasSubstr("com.amazonaws.sqs#MissingRequiredParameterException"));
  EXPECT_EQ(text.header("x-amzn-query-error"), "MissingParameter;Sender");
}

TEST_F(WireRouter, LeavesADryRunThatIsNotEc2sToTheService) {
  const Received received =
      send(signed_for("lambda", request("PUT", "/2015-03-31/functions/f/code", R"({"DryRun":true})",
                                        {{"Content-Type", "application/json"}})));
  EXPECT_EQ(received.status, 200);
  EXPECT_EQ(received.body, R"({"Description":"dry"})");
}

TEST_F(WireRouter, TakesTheQueueFromTheUrlWhenOldClientsPostThere) {
  EXPECT_EQ(send(signed_for("sqs", request("POST", "/000000000000/q",
                                           "Action=DeleteMessage&ReceiptHandle=h")))
                .status,
            200);
  EXPECT_EQ(queue_url_, "http://localhost:4566/000000000000/q");
}

TEST_F(WireRouter, RefusesUnknownOperationsInTheirProtocol) {
  const Received xml = send(query("Action=MakeCoffee"));
  EXPECT_EQ(xml.status, 400);
  EXPECT_THAT(xml.body, HasSubstr("<Code>InvalidAction</Code>"));
  EXPECT_THAT(xml.body, HasSubstr("MakeCoffee"));
  EXPECT_EQ(send(query("QueueName=q")).body, "<UnknownOperationException/>\n");
  EXPECT_EQ(send(signed_for("sqs", request("GET", "/000000000000/q"))).status, 404);
  EXPECT_THAT(send(query("Action=GetQueueUrl&QueueName=q&Version=1999-01-01")).body,
              HasSubstr("<Code>InvalidAction</Code>"));
  const Received text = send(json("MakeCoffee", "{}"));
  EXPECT_EQ(text.status, 404);
  EXPECT_THAT(text.body, HasSubstr("UnknownOperationException"));
}

TEST_F(WireRouter, NamesAServiceThatIsNotHere) {
  const Received received =
      send(signed_for("ec2", request("POST", "/", "Action=RunInstances",
                                     {{"Content-Type", "application/x-www-form-urlencoded"}})));
  EXPECT_EQ(received.status, 501);
  EXPECT_THAT(received.body, HasSubstr("<Code>NotImplemented</Code>"));
  EXPECT_THAT(received.body, HasSubstr("ec2"));
}

TEST_F(WireRouter, HidesWhatFailedInside) {
  for (const Sent& sent :
       {query("Action=GetQueueUrl&QueueName=broken"),
        signed_for("logs", request("POST", "/", R"({"logGroupName":"g"})",
                                   {{"Content-Type", "application/x-amz-json-1.1"},
                                    {"X-Amz-Target", "Logs_20140328.CreateLogGroup"}}))}) {
    const Received received = send(sent);
    EXPECT_EQ(received.status, 500);
    EXPECT_THAT(received.body, HasSubstr("InternalFailure"));
    EXPECT_THAT(received.body, Not(HasSubstr("secret")));
  }
}

TEST_F(WireRouter, NamesRestJsonErrorsInAHeader) {
  const Received received =
      send(signed_for("lambda", request("DELETE", "/2015-03-31/functions/f")));
  EXPECT_EQ(received.status, 404);
  EXPECT_EQ(received.header("x-amzn-ErrorType"), "ResourceNotFoundException");
  EXPECT_EQ(received.body, R"({"Type":"User","Message":"gone","message":"gone"})");
}

TEST_F(WireRouter, UnpacksCompressedBodiesWithinTheLimit) {
  const std::string plain = R"({"QueueName":"q"})" + std::string(100'000, ' ');
  const auto pack = [](const std::string& text) {
    z_stream stream{};
    deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    std::string out(compressBound(static_cast<uLong>(text.size())) + 64, '\0');
    std::string in = text;
    stream.next_in = reinterpret_cast<Bytef*>(in.data());
    stream.avail_in = static_cast<uInt>(in.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
  };
  const auto with_body = [&](const std::string& body) {
    return signed_for("sqs", request("POST", "/", body,
                                     {{"Content-Type", "application/x-amz-json-1.0"},
                                      {"Content-Encoding", "gzip"},
                                      {"X-Amz-Target", "AmazonSQS.GetQueueUrl"}}));
  };
  EXPECT_EQ(send(with_body(pack(plain))).status, 200);
  EXPECT_EQ(send(with_body(pack(std::string(4'000'000, ' ')))).status, 413);
  EXPECT_EQ(send(with_body(pack(plain).substr(0, 50))).status, 400);
  EXPECT_EQ(send(with_body("not gzip")).status, 400);
  EXPECT_EQ(send(with_body(pack(plain) + "x")).status, 400);
}

TEST_F(WireRouter, RefusesABodyOverTheServicesLimit) {
  const Received received = send(json("GetQueueUrl", std::string(1'600'000, ' ')));
  EXPECT_EQ(received.status, 413);
  EXPECT_THAT(received.body, HasSubstr("RequestEntityTooLarge"));
}

TEST_F(WireRouter, StreamsAnObjectByPathAndByHost) {
  const Received by_path = send(signed_for("s3", request("GET", "/pictures/a%20b.jpg")));
  EXPECT_EQ(by_path.status, 200);
  EXPECT_EQ(by_path.body, "pictures|a b.jpg");
  EXPECT_EQ(by_path.header("x-amz-request-id").size(), 16u);
  EXPECT_FALSE(by_path.header("x-amz-id-2").empty());
  for (const char* host : {"pictures.localhost:4566", "pictures.s3.localhost:4566",
                           "pictures.s3.us-east-1.amazonaws.com"}) {
    const Received by_host = send(signed_for("s3", request("GET", "/a/b.jpg", {}, {}, host)));
    EXPECT_EQ(by_host.body, "pictures|a/b.jpg") << host;
  }
}

TEST_F(WireRouter, LetsAnonymousCallersThroughToS3Only) {
  EXPECT_EQ(send(request("GET", "/pictures/k")).status, 200);
  EXPECT_EQ(context_.principal.kind, PrincipalKind::Anonymous);
  const Received form = send(request("POST", "/", "Action=GetQueueUrl&QueueName=q",
                                     {{"Content-Type", "application/x-www-form-urlencoded"}}));
  EXPECT_EQ(form.status, 403);
  EXPECT_THAT(form.body, HasSubstr("<Code>MissingAuthenticationToken<"));
  const Received target = send(request(
      "POST", "/", "{}",
      {{"X-Amz-Target", "AmazonSQS.GetQueueUrl"}, {"Content-Type", "application/x-amz-json-1.0"}}));
  EXPECT_EQ(target.status, 400);
  EXPECT_THAT(target.body, HasSubstr("MissingAuthenticationToken"));
}

TEST_F(WireRouter, UnsignedFormsAtABucketAreForS3) {
  for (const char* path :
       {"/pictures?x=y", "/pictures/?x=y", "/pictures/key", "/000000000000?x=y"}) {
    const Received received =
        send(request("POST", path, "a=b", {{"Content-Type", "application/x-www-form-urlencoded"}}));
    EXPECT_EQ(received.header("server"), "AmazonS3") << path;
  }
  const Received queue = send(request("POST", "/000000000000/q", "Action=SendMessage",
                                      {{"Content-Type", "application/x-www-form-urlencoded"}}));
  EXPECT_THAT(queue.body, HasSubstr("<Code>MissingAuthenticationToken<"));
}

TEST_F(WireRouter, AnswersHeadErrorsWithoutABody) {
  const Received received = send(signed_for("s3", request("HEAD", "/pictures/k")));
  EXPECT_EQ(received.status, 404);
  EXPECT_EQ(received.body, "");
}

TEST_F(WireRouter, AnswersNotModifiedWithHeadersAndNoBody) {
  const Received received = send(signed_for("s3", request("GET", "/pictures/unchanged")));
  EXPECT_EQ(received.status, 304);
  EXPECT_EQ(received.body, "");
  EXPECT_EQ(received.header("ETag"), "\"e\"");
  EXPECT_EQ(received.header("X-Evil"), "");
}

TEST_F(WireRouter, NamesTheSubResourceThatItRefuses) {
  const Received received = send(signed_for("s3", request("GET", "/pictures?abac")));
  EXPECT_EQ(received.status, 501);
  EXPECT_THAT(received.body, HasSubstr("<Code>NotImplemented</Code>"));
  const Received unknown = send(signed_for("s3", request("PUT", "/pictures?newThing")));
  EXPECT_THAT(unknown.body, HasSubstr("<QueryParameter>newThing</QueryParameter>"));
}

TEST_F(WireRouter, BrowsersAskBeforeARequestWithoutSigningTheQuestion) {
  // The URL is presigned for a PUT: its signature is none of the question's.
  const Received received =
      send(request("OPTIONS", "/pictures/k?X-Amz-Signature=00&X-Amz-Expires=1", {},
                   {{"Origin", "http://page"}}));
  EXPECT_EQ(received.status, 200);
  EXPECT_EQ(received.header("x-asked-by"), "http://page");
}

TEST_F(WireRouter, ServiceAddsToEveryAnswerAlsoToRefusals) {
  EXPECT_EQ(send(request("GET", "/k", {}, {}, "pictures.localhost:4566")).header("x-path"),
            "/pictures/k");
  Sent forged = signed_for("s3", request("GET", "/pictures/k"));
  forged.message.url.target = "/pictures/other";
  const Received refused = send(forged);
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.header("x-path"), "/pictures/other");
}

}  // namespace
}  // namespace terrarium::wire::testing
