#include "terrarium/services/iam/policy_rules.h"

#include <gtest/gtest.h>

#include "generated/iam/errors.h"

namespace terrarium::iam {
namespace {

std::string refusal(const base::Result<void>& checked) {
  if (checked.has_value()) return "";
  EXPECT_TRUE(checked.error().is(errors::kMalformedPolicyDocumentException));
  return checked.error().message;
}

std::string identity(const std::string& document) {
  return refusal(check_identity_policy(document));
}

// A policy of one statement that has these elements.
std::string of(const std::string& elements) {
  return identity(R"({"Version":"2012-10-17","Statement":{)" + elements + "}}");
}

constexpr const char* kSyntax = "Syntax errors in policy.";
constexpr const char* kLegacy = "The policy failed legacy parsing";
const std::string kGood = R"("Effect":"Allow","Action":"s3:ListBucket","Resource":"*")";

TEST(IamPolicy, WellFormedDocumentsAreTaken) {
  for (const char* elements :
       {R"("Effect":"Allow","Action":"s3:ListBucket","Resource":["arn:aws:s3:::b","*"])",
        R"("Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b")",
        R"("Effect":"Allow","Action":"iam: asdf safdsf af ","Resource":"arn:aws:iam:::user/x")",
        R"("Effect":"Deny","NotAction":"s3:*","NotResource":"*")",
        R"("Effect":"Allow","Action":"s3.s:List","Resource":"arn:aws:fdsasf")",
        R"("Sid":"a1","Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{})",
        R"("Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"x":{},"y":{}})",
        R"("Effect":"Allow","Action":"s3:*","Resource":"*",)"
        R"("Condition":{"ForAnyValue:StringEqualsIfExists":{"a":["b","c"]}})",
        R"("Effect":"Allow","Action":"s3:*","Resource":"*",)"
        R"("Condition":{"DateGreaterThan":{"a":"01T"},"DateLessThan":{"a":"-292275054"}})",
        R"("Effect":"Allow","Action":"s3:*","Resource":"*",)"
        R"("Condition":{"DateLessThanEquals":{"a":"2016-12-13t2:00:00.593194+23"}})"}) {
    EXPECT_EQ(of(elements), "") << elements;
  }
}

TEST(IamPolicy, WrongSyntaxIsRefusedFirst) {
  for (const std::string& document :
       {std::string("no json"), std::string("[]"), std::string(R"({"Version":"2012-10-17"})"),
        std::string(R"({"Version":"2013-10-17","Statement":{)") + kGood + "}}",
        std::string(R"({"Version":"2012-10-17","Statement":[]})"),
        std::string(R"({"Version":"2012-10-17","Id":{},"Statement":{)") + kGood + "}}"}) {
    EXPECT_EQ(identity(document), kSyntax) << document;
  }
  for (const std::string& elements :
       {kGood + R"(,"Extra":"x")", kGood + R"(,"NotResource":[])", kGood + R"(,"Sid":[])",
        kGood + R"(,"Condition":[])", kGood + R"(,"Condition":{"a":"b"})",
        kGood + R"(,"Condition":{"x":{"a":"1"}})",
        kGood + R"(,"Condition":{"ForAnyValue::StringEquals":{"a":"1"}})",
        kGood + R"(,"Condition":{"DateGreaterThan":{"a":{}}})",
        std::string(R"("Action":"s3:*","Resource":"*")"),
        std::string(R"("Effect":"Maybe","Action":"s3:*","Resource":"*")"),
        std::string(R"("Effect":"Allow","Action":[[]],"Resource":"*")"),
        std::string(R"("Effect":"Allow","Action":"s3:*","Resource":{"a":"b"})")}) {
    EXPECT_EQ(of(elements), kSyntax) << elements;
  }
}

TEST(IamPolicy, VersionThenLegacyParsing) {
  EXPECT_EQ(identity("{\"Statement\":{" + kGood + "}}"),
            "Policy document must be version 2012-10-17 or greater.");
  EXPECT_EQ(identity(R"({"Version":"2008-10-17","Statement":{)" + kGood + "}}"),
            "Policy document must be version 2012-10-17 or greater.");
  for (const std::string& elements :
       {std::string(R"("Effect":"allow","Resource":"arn:aws:s3:us-east-1::b")"),
        kGood + R"(,"Condition":{"DateGreaterThan":{"a":"sdfdsf"}})",
        kGood + R"(,"Condition":{"DateLessThan":{"a":"234-13"}})",
        kGood + R"(,"Condition":{"DateLessThan":{"a":"9223372036854775808"}})",
        kGood + R"(,"Condition":{"DateLessThan":{"a":"2016-12-13t2:00:00.593194+1"}})",
        kGood + R"(,"Condition":{"DateLessThan":{"a":"2016-12-13t2:00:00.1999999999+10:59"}})",
        std::string(R"("Effect":"Allow","Action":"s3:*","Resource":"arn:aws::::b")"),
        std::string(R"("Effect":"Allow","Resource":"arn:aws:s3::b")"),
        std::string(R"("Effect":"Allow","Action":"s3:*","NotResource":"arn:aws:s3::b")")}) {
    EXPECT_EQ(of(elements), kLegacy) << elements;
  }
}

TEST(IamPolicy, ResourcesAndActionsAreRefusedInAwssWords) {
  const auto resource = [](const std::string& text) {
    return of(R"("Effect":"Allow","Action":"s3:ListBucket","Resource":")" + text + "\"");
  };
  EXPECT_EQ(resource("invalid"), "Resource invalid must be in ARN format or \"*\".");
  EXPECT_EQ(resource(""), "Resource  must be in ARN format or \"*\".");
  EXPECT_EQ(resource("a:b:c"), "Partition \"b\" is not valid for resource \"arn:b:c:*:*:*\".");
  EXPECT_EQ(resource("aws:s3:::b"), "Partition \"s3\" is not valid for resource \"arn:s3:::b:*\".");
  EXPECT_EQ(resource("arn:aws"),
            "Resource vendor must be fully qualified and cannot contain regexes.");
  EXPECT_EQ(resource("arn:aws:s3:us-east-1::b"),
            "Resource arn:aws:s3:us-east-1::b can not contain region information.");
  EXPECT_EQ(resource("arn:aws:iam:us-east-1::b"),
            "IAM resource arn:aws:iam:us-east-1::b cannot contain region information.");
  EXPECT_TRUE(
      resource("arn:aws:iam:::b").starts_with("IAM resource path must either be \"*\" or "));
  const auto action = [](const std::string& text) {
    return of(R"("Effect":"Allow","Action":")" + text + R"(","Resource":"*")");
  };
  EXPECT_EQ(action("invalid"),
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.");
  EXPECT_EQ(action("a a:List"), "Vendor a a is not valid");
  EXPECT_EQ(action("s3:List:Bucket"), "Actions/Condition can contain only one colon.");
  EXPECT_EQ(of(R"("Effect":"Allow","Action":"s3:*")"), "Policy statement must contain resources.");
  EXPECT_EQ(of(R"("Effect":"Allow","Resource":"*")"), "Policy statement must contain actions.");
  EXPECT_EQ(of(R"("Effect":"Allow","Action":"invalid")"),
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.");
  EXPECT_EQ(of(R"("Effect":"Allow","Action":"s:3:x","Resource":"sdf")"),
            "Resource sdf must be in ARN format or \"*\".");
  EXPECT_EQ(of(kGood + R"(,"Principal":"*")"), "Policy document should not specify a principal.");
  EXPECT_EQ(identity(R"({"Version":"2012-10-17","Statement":[{"Sid":"a",)" + kGood +
                     R"(},{"Sid":"a","Effect":"Allow"}]})"),
            "Statement IDs (SID) in a single policy must be unique.");
}

TEST(IamPolicy, TrustPoliciesNamePrincipalsAndAssumeRoles) {
  const auto trust = [](const std::string& elements) {
    return refusal(
        check_trust_policy(R"({"Version":"2012-10-17","Statement":[{)" + elements + "}]}"));
  };
  EXPECT_EQ(trust(R"("Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession"],)"
                  R"("Principal":{"AWS":"123456789012","Service":["ec2.amazonaws.com"]})"),
            "");
  EXPECT_EQ(refusal(check_trust_policy("no json")), "This policy contains invalid Json");
  EXPECT_EQ(trust(R"("Effect":"Allow","Action":"s3:Get","Principal":"*")"),
            "AssumeRole policy may only specify STS AssumeRole actions.");
  EXPECT_EQ(trust(R"("Effect":"Allow","Action":"sts:AssumeRole","Principal":"*","Resource":"*")"),
            "Has prohibited field Resource");
  EXPECT_EQ(trust(R"("Effect":"Allow","Action":"sts:AssumeRole")"),
            "Missing required field Principal");
  EXPECT_EQ(trust(R"("Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"nobody"})"),
            "Invalid principal in policy: \"AWS\":\"nobody\"");
}

TEST(IamPolicy, WhiteSpaceDoesNotCount) { EXPECT_EQ(policy_bytes("{ \"a\" :\n\t1 }"), 7U); }

}  // namespace
}  // namespace terrarium::iam
