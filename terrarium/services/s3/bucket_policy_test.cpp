#include "terrarium/services/s3/bucket_policy.h"

#include <gtest/gtest.h>

#include <string>

#include "terrarium/services/s3/testing_region.h"

namespace terrarium::s3 {
namespace {

constexpr std::string_view kPrincipal = R"("Principal":"*")";

// "" when the policy of the bucket "box" may have such a statement, else the refusal.
std::string refusal(const std::string& actions, const std::string& resources,
                    std::string_view principal = kPrincipal) {
  const std::string text = R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow",)" +
                           std::string(principal) + R"(,"Action":)" + actions + R"(,"Resource":)" +
                           resources + "}]}";
  const auto policy = parse_bucket_policy(text, "box");
  if (policy.has_value()) return "";
  EXPECT_TRUE(policy.error().is(errors::kMalformedPolicy));
  return policy.error().message;
}

const std::string kBox = R"("arn:aws:s3:::box")";
const std::string kInBox = R"("arn:aws:s3:::box/*")";
const std::string kBoth = "[" + kBox + "," + kInBox + "]";

TEST(S3BucketPolicy, ActionsMustBeOnesThatS3Has) {
  for (const char* action : {R"("s3:Nonsense")", R"("s3:GetObjectx*")", R"("sqs:SendMessage")",
                             R"("GetObject")", R"(["s3:GetObject","s3:ListObjects"])"}) {
    EXPECT_EQ(refusal(action, kBoth), "Policy has invalid action") << action;
  }
  for (const char* action : {R"("*")", R"("s3:*")", R"("S3:getobject")", R"("s3:Get*")",
                             R"(["s3:GetBucketCORS","s3:PutObjectTagging"])"}) {
    EXPECT_EQ(refusal(action, kBoth), "") << action;
  }
}

TEST(S3BucketPolicy, EachActionMustApplyToAResourceOfItsStatement) {
  const std::string no_use = "Action does not apply to any resource(s) in statement";
  EXPECT_EQ(refusal(R"("s3:GetObject")", kBox), no_use);
  EXPECT_EQ(refusal(R"("s3:ListBucket")", kInBox), no_use);
  EXPECT_EQ(refusal(R"(["s3:GetObject","s3:ListBucket"])", kInBox), no_use);
  EXPECT_EQ(refusal(R"("s3:ListAllMyBuckets")", kBoth), no_use);
  EXPECT_EQ(refusal(R"(["s3:GetObject","s3:ListBucket"])", kBoth), "");
  EXPECT_EQ(refusal(R"("s3:GetObject")", R"("arn:aws:s3:::*")"), "");
  EXPECT_EQ(refusal(R"("s3:GetObject")", R"("arn:aws:s3:::bo*")"), "");
  EXPECT_EQ(refusal(R"("s3:ListBucket")", R"("*")"), "");
  EXPECT_EQ(refusal(R"("s3:Get*")", kBox), "");
}

TEST(S3BucketPolicy, ResourcesMustBeOfTheBucket) {
  EXPECT_EQ(refusal(R"("s3:GetObject")", R"("arn:aws:s3:::other/*")"),
            "Policy has invalid resource");
  EXPECT_EQ(refusal(R"("s3:GetObject")", R"("box/*")"), "Policy has invalid resource");
  EXPECT_EQ(refusal(R"("s3:GetObject")", "[" + kInBox + R"(,"arn:aws:s3:::boxes/*"])"),
            "Policy has invalid resource");
}

TEST(S3BucketPolicy, PrincipalsMustBeSomebody) {
  for (const char* principal :
       {R"("Principal":"somebody")", R"("Principal":{"AWS":"somebody"})",
        R"("Principal":{"Nobody":"x"})", R"("Principal":{})", R"("Principal":{"Service":"sqs"})"}) {
    EXPECT_EQ(refusal(R"("s3:GetObject")", kInBox, principal), "Invalid principal in policy")
        << principal;
  }
  const auto named = parse_bucket_policy(
      R"({"Statement":{"Effect":"Allow","Principal":{"AWS":"me"},"Action":"s3:*","Resource":"*"}})",
      "box");
  EXPECT_EQ(field_of(named.error(), "Detail"), R"("AWS" : "me")");
}

// Requests against the policy of a bucket that holds "key" with the tag security=public.
class S3PolicyConditions : public testing::Test {
 protected:
  S3PolicyConditions() {
    EXPECT_TRUE(region.create_bucket("box").has_value());
    EXPECT_TRUE(region.put("box", "key", "body").has_value());
    PutObjectTaggingRequest tags;
    tags.bucket = "box";
    tags.key = "key";
    tags.tagging.tag_set = {{"security", "public"}};
    EXPECT_TRUE(region.wait(region.s3().put_object_tagging(region.root(), tags)).has_value());
  }
  // Nobody may do that, unless `condition` fails.
  void deny(const std::string& action, const std::string& condition) {
    PutBucketPolicyRequest request;
    request.bucket = "box";
    request.policy =
        R"({"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":")" +
        action + R"(","Resource":"arn:aws:s3:::box/*","Condition":)" + condition + "}]}";
    const auto put = region.wait(region.s3().put_bucket_policy(region.root(), request));
    EXPECT_TRUE(put.has_value()) << put.error().message;
  }
  std::string get(const std::string& key) {
    return region.code_of(
        region.wait(region.s3().get_object(region.root(), region.get_request("box", key))));
  }
  // A PUT of "new" with this header.
  std::string put_with(std::string_view name, std::string_view value) {
    http::Request request;
    if (!name.empty()) request.headers.add(name, value);
    wire::Context context = region.root();
    context.request = &request;
    return region.code_of(region.put_as(context, "box", "new", "x"));
  }

  S3Region region;
};

TEST_F(S3PolicyConditions, SeeTheHeadersOfTheRequest) {
  deny("s3:PutObject", R"({"StringNotEquals":{"s3:x-amz-acl":"bucket-owner-full-control"}})");
  EXPECT_EQ(put_with("x-amz-acl", "bucket-owner-full-control"), "no error");
  EXPECT_EQ(put_with("x-amz-acl", "private"), "AccessDenied");
  deny("s3:PutObject", R"({"Null":{"s3:x-amz-server-side-encryption":"true"}})");
  EXPECT_EQ(put_with("", ""), "AccessDenied");
  EXPECT_EQ(put_with("x-amz-server-side-encryption", "AES256"), "no error");
}

TEST_F(S3PolicyConditions, SeeTheTagsThatARequestGives) {
  deny("s3:PutObject", R"({"StringEquals":{"s3:RequestObjectTag/security":"secret"}})");
  EXPECT_EQ(put_with("x-amz-tagging", "security=secret"), "AccessDenied");
  EXPECT_EQ(put_with("x-amz-tagging", "security=public&a=b"), "no error");
  EXPECT_EQ(put_with("", ""), "no error");
}

TEST_F(S3PolicyConditions, SeeTheTagsThatTheObjectHas) {
  deny("s3:GetObject", R"({"StringNotEquals":{"s3:ExistingObjectTag/security":"public"}})");
  EXPECT_EQ(get("key"), "no error");
  ASSERT_TRUE(region.put("box", "plain", "body").has_value());
  EXPECT_EQ(get("plain"), "AccessDenied");
}

}  // namespace
}  // namespace terrarium::s3
