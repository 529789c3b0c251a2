#include "terrarium/wire/authenticate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "generated/lambda/model.h"
#include "generated/logs/model.h"
#include "generated/s3/model.h"
#include "generated/sqs/model.h"
#include "generated/sts/model.h"
#include "terrarium/wire/identity_policy.h"
#include "terrarium/wire/router_fixture.h"

namespace terrarium::wire::testing {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

class WireAuthentication : public RouterTest {
 protected:
  WireAuthentication() {
    router_.add(
        EntryBuilder(sts::kModel)
            .on<sts::GetCallerIdentityRequest, sts::GetCallerIdentityResponse>(
                "GetCallerIdentity",
                [](const Context& context, sts::GetCallerIdentityRequest) {
                  return base::Result<sts::GetCallerIdentityResponse>(
                      sts::GetCallerIdentityResponse{
                          context.principal.id, context.principal.account, context.principal.arn});
                })
            .on<sts::AssumeRoleWithWebIdentityRequest, sts::AssumeRoleWithWebIdentityResponse>(
                "AssumeRoleWithWebIdentity",
                [](const Context& context, sts::AssumeRoleWithWebIdentityRequest request) {
                  sts::AssumeRoleWithWebIdentityResponse response;
                  if (context.principal.kind == PrincipalKind::Anonymous) {
                    response.provider = request.web_identity_token;
                  }
                  return base::Result<sts::AssumeRoleWithWebIdentityResponse>(response);
                })
            .build());
    router_.add(EntryBuilder(logs::kModel)
                    .on<logs::DescribeLogGroupsRequest, logs::DescribeLogGroupsResponse>(
                        "DescribeLogGroups",
                        [](const Context&, logs::DescribeLogGroupsRequest) {
                          return base::Result<logs::DescribeLogGroupsResponse>(
                              logs::DescribeLogGroupsResponse{});
                        })
                    .build());
    router_.add(EntryBuilder(lambda::kModel)
                    .on<lambda::ListFunctionsRequest, lambda::ListFunctionsResponse>(
                        "ListFunctions",
                        [](const Context&, lambda::ListFunctionsRequest) {
                          return base::Result<lambda::ListFunctionsResponse>(
                              lambda::ListFunctionsResponse{});
                        })
                    .build());
    router_.add(EntryBuilder(s3::kModel)
                    .on<s3::ListBucketsRequest, s3::ListBucketsOutput>(
                        "ListBuckets",
                        [](const Context&, s3::ListBucketsRequest) {
                          return base::Result<s3::ListBucketsOutput>(s3::ListBucketsOutput{});
                        })
                    .build());
  }

  static Sent sts_call() {
    return request("POST", "/", "Action=GetCallerIdentity&Version=2011-06-15",
                   {{"Content-Type", "application/x-www-form-urlencoded"}});
  }
  static Sent logs_call() {
    return request("POST", "/", "{}",
                   {{"Content-Type", "application/x-amz-json-1.1"},
                    {"X-Amz-Target", "Logs_20140328.DescribeLogGroups"}});
  }
  static Sent lambda_call() { return request("GET", "/2015-03-31/functions/"); }
  static Sent s3_call() { return request("GET", "/"); }

  // The four protocols' answers to one kind of wrong request.
  void expect_codes(const std::string& query, const std::string& json, const std::string& rest_json,
                    const std::string& s3) {
    EXPECT_THAT(send(signed_for("sts", sts_call())).body, HasSubstr("<Code>" + query + "<"));
    EXPECT_THAT(send(signed_for("logs", logs_call())).body, HasSubstr("\"" + json + "\""));
    EXPECT_EQ(send(signed_for("lambda", lambda_call())).header("x-amzn-ErrorType"), rest_json);
    EXPECT_THAT(send(signed_for("s3", s3_call())).body, HasSubstr("<Code>" + s3 + "<"));
  }
};

TEST_F(WireAuthentication, TakesRightSignaturesOfEveryProtocol) {
  EXPECT_THAT(send(signed_for("sts", sts_call())).body,
              HasSubstr("<Arn>arn:aws:iam::000000000000:root</Arn>"));
  EXPECT_EQ(send(signed_for("logs", logs_call())).status, 200);
  EXPECT_EQ(send(signed_for("lambda", lambda_call())).status, 200);
  EXPECT_EQ(send(signed_for("s3", s3_call())).status, 200);
}

TEST_F(WireAuthentication, ATokenNeedsNoSignature) {
  const std::string call =
      "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn:aws:iam::000000000000:"
      "role/r&RoleSessionName=ss&WebIdentityToken=token";
  const std::vector<std::pair<std::string, std::string>> form = {
      {"Content-Type", "application/x-www-form-urlencoded"}};
  EXPECT_THAT(send(request("POST", "/", call, form)).body, HasSubstr("<Provider>token<"));
  EXPECT_THAT(send(request("GET", "/?" + call)).body, HasSubstr("<Provider>token<"));
  EXPECT_THAT(send(sts_call()).body, HasSubstr("<Code>MissingAuthenticationToken<"));
  credentials_.secret_access_key = "wrong";
  EXPECT_THAT(send(signed_for("sts", request("POST", "/", call, form))).body,
              HasSubstr("<Code>SignatureDoesNotMatch<"));
}

TEST_F(WireAuthentication, RefusesUnknownKeys) {
  credentials_.access_key_id = "AKIANOBODY";
  expect_codes("InvalidClientTokenId", "UnrecognizedClientException", "UnrecognizedClientException",
               "InvalidAccessKeyId");
}

TEST_F(WireAuthentication, RefusesWrongSecrets) {
  credentials_.secret_access_key = "wrong";
  expect_codes("SignatureDoesNotMatch", "InvalidSignatureException", "InvalidSignatureException",
               "SignatureDoesNotMatch");
}

TEST_F(WireAuthentication, ShowsS3ClientsWhatWasSigned) {
  credentials_.secret_access_key = "wrong";
  const Received received = send(signed_for("s3", s3_call()));
  EXPECT_EQ(received.status, 403);
  for (const char* element :
       {"<AWSAccessKeyId>AKID<", "<StringToSign>AWS4-HMAC-SHA256", "<SignatureProvided>",
        "<CanonicalRequest>GET", "<StringToSignBytes>", "<CanonicalRequestBytes>", "<HostId>"}) {
    EXPECT_THAT(received.body, HasSubstr(element));
  }
}

TEST_F(WireAuthentication, RefusesStaleAndFutureDates) {
  for (const auto shift : {16min, -16min}) {
    Sent sts = signed_for("sts", sts_call());
    Sent s3 = signed_for("s3", s3_call());
    const base::Timestamp now = clock_.now();
    base::ManualClock other(now + shift);
    Router router(other, random_, keys_, {});
    aws::sign(sts.message, credentials_, region_, "sts", sha256_hex(sts.body), now + shift);
    aws::sign(s3.message, credentials_, region_, "s3", sha256_hex({}), now + shift);
    const Received query = send(sts);
    EXPECT_EQ(query.status, 403);
    EXPECT_THAT(query.body, HasSubstr("<Code>SignatureDoesNotMatch<"));
    EXPECT_THAT(query.body, HasSubstr(shift < 0min ? "Signature expired: " : "not yet current"));
    EXPECT_THAT(send(s3).body, HasSubstr("<Code>RequestTimeTooSkewed<"));
  }
}

TEST_F(WireAuthentication, RefusesChangedBodies) {
  Sent sts = signed_for("sts", sts_call());
  sts.body += "&Extra=1";
  EXPECT_THAT(send(sts).body, HasSubstr("<Code>SignatureDoesNotMatch<"));
  Sent s3 = signed_for("s3", request("PUT", "/b", "<CreateBucketConfiguration/>"));
  s3.body += " ";
  EXPECT_THAT(send(s3).body, HasSubstr("<Code>XAmzContentSHA256Mismatch<"));
}

TEST_F(WireAuthentication, RefusesChangedTargets) {
  Sent s3 = signed_for("s3", s3_call());
  s3.message.url.target = "/?prefix=x";
  EXPECT_THAT(send(s3).body, HasSubstr("<Code>SignatureDoesNotMatch<"));
}

TEST_F(WireAuthentication, RefusesIncompleteAuthorization) {
  Sent sts = sts_call();
  sts.message.headers.add("Authorization",
                          "AWS4-HMAC-SHA256 Credential=AKID/20231114/us-east-1/"
                          "sts/aws4_request");
  EXPECT_THAT(send(sts).body, HasSubstr("<Code>IncompleteSignature<"));
  Sent logs = logs_call();
  logs.message.headers.add("Authorization",
                           "AWS4-HMAC-SHA256 Credential=AKID/1/us-east-1/logs/"
                           "aws4_request");
  EXPECT_THAT(send(logs).body, HasSubstr("IncompleteSignatureException"));
  Sent s3 = s3_call();
  s3.message.headers.add("Authorization",
                         "AWS4-HMAC-SHA256 Credential=AKID/20231114/us-east-1/s3/"
                         "aws4_request");
  EXPECT_THAT(send(s3).body, HasSubstr("<Code>AuthorizationHeaderMalformed<"));
}

TEST_F(WireAuthentication, RefusesRegionsThatAreNone) {
  for (const char* region : {"nowhere", "US-EAST-1", "us_east_1", "us-east-1-", "x"}) {
    region_ = region;
    EXPECT_THAT(send(signed_for("s3", s3_call())).body,
                HasSubstr("<Code>AuthorizationHeaderMalformed<"))
        << region;
    EXPECT_THAT(send(signed_for("sts", sts_call())).body, HasSubstr("<Code>SignatureDoesNotMatch<"))
        << region;
  }
}

PermissionsPtr everything() {
  auto policy = parse_identity_policy(R"({"Version": "2012-10-17", "Statement": [
      {"Effect": "Allow", "Action": "*", "Resource": "*"}]})");
  EXPECT_TRUE(policy.has_value());
  return std::make_shared<const Permissions>(Permissions{.identity = {*std::move(policy)}});
}

TEST_F(WireAuthentication, ChecksTheTokenOfTemporaryKeys) {
  Key temporary = keys_.keys["AKID"];
  temporary.session_token = "token";
  temporary.expiration = clock_.now() + 10min;
  temporary.principal.kind = PrincipalKind::AssumedRole;
  keys_.keys["ASIA1"] = temporary;
  authoriser_.permissions[temporary.principal.arn] = everything();
  credentials_.access_key_id = "ASIA1";
  expect_codes("InvalidClientTokenId", "UnrecognizedClientException", "UnrecognizedClientException",
               "InvalidToken");
  credentials_.session_token = "token";
  EXPECT_EQ(send(signed_for("s3", s3_call())).status, 200);
  EXPECT_EQ(send(signed_for("logs", logs_call())).status, 200);
  keys_.keys["ASIA1"].expiration = clock_.now();
  expect_codes("ExpiredToken", "ExpiredTokenException", "ExpiredTokenException", "ExpiredToken");
}

TEST_F(WireAuthentication, TakesPresignedUrlsUntilTheyExpire) {
  Sent sent = s3_call();
  sent.message.url.target =
      aws::presign("GET", sent.message.url, credentials_, region_, "s3", clock_.now(), 60s);
  EXPECT_EQ(send(sent).status, 200);
  clock_.advance_to(clock_.now() + 61s, [] {});
  const Received late = send(sent);
  EXPECT_EQ(late.status, 403);
  EXPECT_THAT(late.body, HasSubstr("Request has expired"));
}

TEST_F(WireAuthentication, RefusesAHeaderInAPresignedUrlThatTheOperationDoesNotTake) {
  Sent sent = s3_call();
  sent.message.url.target = "/?x-amz-new-feature=1&x-amz-sdk-checksum-algorithm=CRC32";
  sent.message.url.target =
      aws::presign("GET", sent.message.url, credentials_, region_, "s3", clock_.now(), 60s);
  EXPECT_THAT(send(sent).body, HasSubstr("<Header>x-amz-new-feature</Header>"));
}

TEST_F(WireAuthentication, RefusesAPresignedUrlWhoseKeyIsUnknown) {
  Sent sent = s3_call();
  aws::Credentials other = credentials_;
  other.access_key_id = "AKIANOBODY";
  sent.message.url.target =
      aws::presign("GET", sent.message.url, other, region_, "s3", clock_.now(), 60s);
  EXPECT_THAT(send(sent).body, HasSubstr("<Code>InvalidAccessKeyId<"));
}

TEST_F(WireAuthentication, ChecksPresignedUrlsOfVersion2) {
  const std::string expires = std::to_string(
      std::chrono::floor<std::chrono::seconds>(clock_.now() + 60s).time_since_epoch().count());
  const std::string rest = "&Signature=AAAAAAAAAAAAAAAAAAAAAAAAAAA%3D&Expires=" + expires;
  EXPECT_THAT(send(request("GET", "/?AWSAccessKeyId=NOBODY" + rest)).body,
              HasSubstr("<Code>InvalidAccessKeyId<"));
  EXPECT_THAT(send(request("GET", "/?AWSAccessKeyId=AKID" + rest)).body,
              HasSubstr("<Code>SignatureDoesNotMatch<"));
}

TEST(SigningKeyCache, GivesTheKeyOfEachScopeAndStaysBounded) {
  SigningKeys keys;
  for (int i = 0; i < 5000; ++i) {
    const aws::Scope scope{"20230429", "us-east-1", "s" + std::to_string(i)};
    if (i % 1000 == 0) {
      EXPECT_EQ(keys.get("secret", scope), aws::signing_key("secret", scope));
      EXPECT_EQ(keys.get("secret", scope), aws::signing_key("secret", scope));
      EXPECT_NE(keys.get("other", scope), aws::signing_key("secret", scope));
    } else {
      keys.get("secret", scope);
    }
  }
  EXPECT_LE(keys.size(), SigningKeys::kMax);
}

}  // namespace
}  // namespace terrarium::wire::testing
