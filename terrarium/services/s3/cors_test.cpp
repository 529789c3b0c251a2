#include <gtest/gtest.h>

#include "generated/s3/errors.h"
#include "terrarium/services/s3/testing_region.h"

namespace terrarium::s3 {
namespace {

CORSRule rule(std::vector<std::string> methods, std::vector<std::string> origins) {
  CORSRule rule;
  rule.allowed_methods = std::move(methods);
  rule.allowed_origins = std::move(origins);
  return rule;
}

class CorsRegion : public S3Region {
 public:
  CorsRegion() { EXPECT_TRUE(create_bucket("pages").has_value()); }

  base::Result<wire::Empty> put_rules(std::vector<CORSRule> rules) {
    PutBucketCorsRequest request;
    request.bucket = "pages";
    request.cors_configuration.cors_rules = std::move(rules);
    return wait(s3().put_bucket_cors(root(), request));
  }
  base::Result<OptionsOutput> ask(std::string origin, std::optional<std::string> method,
                                  std::optional<std::string> headers = {}) {
    OptionsRequest request;
    request.bucket = "pages";
    request.key = "k";
    if (!origin.empty()) request.origin = std::move(origin);
    request.access_control_request_method = std::move(method);
    request.access_control_request_headers = std::move(headers);
    return wait(s3().options_object(anonymous(), request));
  }
  static std::string header(const base::Result<OptionsOutput>& answer, const std::string& name) {
    if (!answer.has_value()) return code_of(answer);
    const auto found = answer->headers->find(name);
    return found == answer->headers->end() ? "absent" : found->second;
  }
};

TEST(S3Cors, PreflightIsAnsweredByTheFirstRuleThatFits) {
  CorsRegion region;
  CORSRule own = rule({"GET", "PUT"}, {"https://*.example.org"});
  own.allowed_headers = {"x-AMZ-*"};
  own.expose_headers = {"ETag", "x-amz-id-2"};
  own.max_age_seconds = 0;
  ASSERT_TRUE(region.put_rules({own, rule({"GET"}, {"*"})}).has_value());

  const auto answer = region.ask("https://a.example.org", "PUT", "X-Amz-Acl, x-amz-tagging");
  EXPECT_EQ(CorsRegion::header(answer, "Access-Control-Allow-Origin"), "https://a.example.org");
  EXPECT_EQ(CorsRegion::header(answer, "Access-Control-Allow-Methods"), "GET, PUT");
  EXPECT_EQ(CorsRegion::header(answer, "Access-Control-Allow-Headers"), "x-amz-acl, x-amz-tagging");
  EXPECT_EQ(CorsRegion::header(answer, "Access-Control-Expose-Headers"), "ETag, x-amz-id-2");
  EXPECT_EQ(CorsRegion::header(answer, "Access-Control-Max-Age"), "0");
  EXPECT_EQ(CorsRegion::header(answer, "Access-Control-Allow-Credentials"), "true");
  EXPECT_EQ(CorsRegion::header(answer, "Vary"),
            "Origin, Access-Control-Request-Headers, Access-Control-Request-Method");

  const auto other = region.ask("http://elsewhere", "GET");
  EXPECT_EQ(CorsRegion::header(other, "Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(CorsRegion::header(other, "Access-Control-Allow-Credentials"), "absent");
}

TEST(S3Cors, PreflightThatNoRuleFitsIsForbiddenWithItsReason) {
  CorsRegion region;
  const auto without_rules = region.ask("http://a", "PUT");
  EXPECT_EQ(S3Region::code_of(without_rules), "AccessForbidden");
  EXPECT_EQ(without_rules.error().message, "CORSResponse: CORS is not enabled for this bucket.");
  EXPECT_EQ(field_of(without_rules.error(), "ResourceType"), "BUCKET");

  ASSERT_TRUE(region.put_rules({rule({"GET"}, {"http://a"})}).has_value());
  EXPECT_EQ(S3Region::code_of(region.ask("", "GET")), "BadRequest");
  EXPECT_EQ(S3Region::code_of(region.ask("http://a", std::nullopt)), "BadRequest");
  const auto wrong = region.ask("http://a", "PUT");
  EXPECT_EQ(S3Region::code_of(wrong), "AccessForbidden");
  EXPECT_EQ(field_of(wrong.error(), "Method"), "PUT");
  EXPECT_EQ(field_of(wrong.error(), "ResourceType"), "OBJECT");
  EXPECT_EQ(S3Region::code_of(region.ask("http://a", "GET", "x-amz-acl")), "AccessForbidden");
  EXPECT_EQ(S3Region::code_of(region.ask("http://ab", "GET")), "AccessForbidden");
}

TEST(S3Cors, RulesThatAwsRefusesAreRefusedWithItsWords) {
  CorsRegion region;
  EXPECT_EQ(S3Region::code_of(region.put_rules({})), "MalformedXML");
  const auto method = region.put_rules({rule({"GET", "PATCH"}, {"*"})});
  EXPECT_EQ(method.error().message,
            "Found unsupported HTTP method in CORS config. Unsupported method is PATCH");
  const auto origin = region.put_rules({rule({"GET"}, {"http://*.a.*"})});
  EXPECT_EQ(origin.error().message,
            "AllowedOrigin \"http://*.a.*\" can not have more than one wildcard.");
  CORSRule exposed = rule({"GET"}, {"*"});
  exposed.expose_headers = {"x-*"};
  EXPECT_EQ(S3Region::code_of(region.put_rules({exposed})), "InvalidRequest");
  EXPECT_EQ(
      S3Region::code_of(region.put_rules(std::vector<CORSRule>(101, rule({"GET"}, {"http://a"})))),
      "InvalidRequest");
}

TEST(S3Cors, RulesComeBackAsTheyWerePutAndGoWithTheirBucket) {
  CorsRegion region;
  CORSRule full = rule({"GET"}, {""});
  full.id = "first";
  full.allowed_headers = {"*"};
  full.max_age_seconds = 3000;
  ASSERT_TRUE(region.put_rules({full, rule({"HEAD"}, {"http://b"})}).has_value());
  region.stop();
  region.start();
  GetBucketCorsRequest get;
  get.bucket = "pages";
  const auto rules = region.wait(region.s3().get_bucket_cors(region.root(), get));
  ASSERT_TRUE(rules.has_value());
  ASSERT_EQ(rules->cors_rules->size(), 2u);
  EXPECT_EQ(rules->cors_rules->front().id, "first");
  EXPECT_EQ(rules->cors_rules->front().allowed_origins, std::vector<std::string>{""});
  EXPECT_EQ(rules->cors_rules->front().max_age_seconds, 3000);
  EXPECT_FALSE(rules->cors_rules->back().max_age_seconds.has_value());

  DeleteBucketRequest drop;
  drop.bucket = "pages";
  ASSERT_TRUE(region.wait(region.s3().delete_bucket(region.root(), drop)).has_value());
  ASSERT_TRUE(region.create_bucket("pages").has_value());
  EXPECT_EQ(S3Region::code_of(region.wait(region.s3().get_bucket_cors(region.root(), get))),
            "NoSuchCORSConfiguration");
}

TEST(S3Cors, AnswersToPagesOfOtherOriginsCarryTheHeaders) {
  CorsRegion region;
  ASSERT_TRUE(region.put_rules({rule({"GET"}, {"http://a"})}).has_value());
  http::Request request;
  request.method = "GET";
  request.headers.add("Origin", "http://a");
  wire::Context context = region.anonymous();
  context.request = &request;
  http::Response response;
  region.s3().finish_answer(context, "/pages/k", response);
  EXPECT_EQ(response.headers.find("Access-Control-Allow-Origin"), "http://a");
  http::Response other;
  request.method = "PUT";
  region.s3().finish_answer(context, "/pages/k", other);
  region.s3().finish_answer(context, "/%zz", other);
  region.s3().finish_answer(context, "/", other);
  EXPECT_TRUE(other.headers.empty());
  // A request that names a method as a preflight does is answered for that one.
  request.headers.add("Access-Control-Request-Method", "GET");
  region.s3().finish_answer(context, "/pages/k", other);
  EXPECT_EQ(other.headers.find("Access-Control-Allow-Methods"), "GET");
}

}  // namespace
}  // namespace terrarium::s3
