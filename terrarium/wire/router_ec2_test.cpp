// EC2's protocol through the router: how its calls are known, refused and answered.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "generated/ec2/errors.h"
#include "generated/ec2/model.h"
#include "generated/iam/model.h"
#include "terrarium/wire/errors.h"
#include "terrarium/wire/router_fixture.h"

namespace terrarium::wire::testing {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kHost = "ec2.us-east-1.amazonaws.com";

class Ec2Router : public RouterTest {
 protected:
  Ec2Router() {
    router_.add(EntryBuilder(iam::kModel).build());
    router_.add(EntryBuilder(ec2::kModel)
                    .on<ec2::DeleteVpcRequest, Empty>(
                        "DeleteVpc",
                        [this](const Context& context, const ec2::DeleteVpcRequest& input) {
                          return delete_vpc(context, input);
                        })
                    .build());
  }

  base::Result<Empty> delete_vpc(const Context& context, const ec2::DeleteVpcRequest& input) {
    if (!context.dry_run) deleted_.push_back(input.vpc_id);
    if (input.vpc_id == "vpc-0") {
      return base::fail(ec2::errors::kInvalidVpcIDNotFound, "The vpc ID 'vpc-0' does not exist");
    }
    if (input.vpc_id == "broken") return base::fail(base::ErrorKind::Internal, "a secret detail");
    if (input.vpc_id == "busy") return base::fail(base::ErrorKind::Throttled, "Request limit.");
    return Empty{};
  }

  static Sent form(const std::string& parameters, const std::string& version = "2016-11-15") {
    return request("POST", "/", parameters + "&Version=" + version,
                   {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}},
                   std::string(kHost));
  }
  Received call(const std::string& parameters) { return send(signed_for("ec2", form(parameters))); }

  static std::string error_body(std::string_view code, std::string_view message) {
    return "<Response><Errors><Error><Code>" + std::string(code) + "</Code><Message>" +
           std::string(message) + "</Message></Error></Errors><RequestID>";
  }

  std::vector<std::string> deleted_;
};

TEST_F(Ec2Router, AnswersPostAndGet) {
  const Received posted = call("Action=DeleteVpc&VpcId=vpc-1");
  EXPECT_EQ(posted.status, 200);
  EXPECT_EQ(posted.header("Content-Type"), "text/xml;charset=UTF-8");
  EXPECT_THAT(posted.body, HasSubstr("<requestId>" + posted.header("x-amzn-RequestId") +
                                     "</requestId><return>true</return></DeleteVpcResponse>"));
  const Received got =
      send(signed_for("ec2", request("GET", "/?Action=DeleteVpc&Version=2016-11-15&VpcId=vpc-2", {},
                                     {}, std::string(kHost))));
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(deleted_, (std::vector<std::string>{"vpc-1", "vpc-2"}));
}

TEST_F(Ec2Router, RefusesInItsOwnForm) {
  const Received received = call("Action=DeleteVpc&VpcId=vpc-0");
  EXPECT_EQ(received.status, 400);
  EXPECT_EQ(received.header("Content-Type"), "text/xml;charset=UTF-8");
  EXPECT_EQ(received.body,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" +
                error_body("InvalidVpcID.NotFound", "The vpc ID 'vpc-0' does not exist") +
                received.header("x-amzn-RequestId") + "</RequestID></Response>");
}

TEST_F(Ec2Router, NamesFailuresAsEc2Does) {
  const Received broken = call("Action=DeleteVpc&VpcId=broken");
  EXPECT_EQ(broken.status, 500);
  EXPECT_THAT(broken.body, HasSubstr("<Code>InternalError</Code>"));
  EXPECT_EQ(broken.body.find("secret"), std::string::npos);
  const Received busy = call("Action=DeleteVpc&VpcId=busy");
  EXPECT_EQ(busy.status, 503);
  EXPECT_THAT(busy.body, HasSubstr("<Code>RequestLimitExceeded</Code>"));
}

TEST_F(Ec2Router, ADryRunIsCheckedByTheServiceAndChangesNothing) {
  const Received dry = call("Action=DeleteVpc&VpcId=vpc-1&DryRun=true");
  EXPECT_EQ(dry.status, 412);
  EXPECT_THAT(dry.body,
              HasSubstr(error_body("DryRunOperation",
                                   "Request would have succeeded, but DryRun flag is set.")));
  EXPECT_THAT(
      call("Action=DeleteVpc&DryRun=true").body,
      HasSubstr(error_body("MissingParameter", "The request must contain the parameter VpcId")));
  EXPECT_THAT(call("Action=DeleteVpc&VpcId=vpc-0&DryRun=true").body,
              HasSubstr(error_body("InvalidVpcID.NotFound", "The vpc ID 'vpc-0' does not exist")));
  EXPECT_TRUE(deleted_.empty());
  EXPECT_EQ(call("Action=DeleteVpc&VpcId=vpc-1&DryRun=false").status, 200);
  EXPECT_EQ(deleted_.size(), 1u);
}

TEST_F(Ec2Router, RefusesActionsAndVersionsThatItDoesNotServe) {
  EXPECT_THAT(call("Action=FlyToTheMoon").body,
              HasSubstr(error_body("InvalidAction",
                                   "The action FlyToTheMoon is not valid for this web service.")));
  const Received old = send(signed_for("ec2", form("Action=DeleteVpc&VpcId=vpc-1", "2014-10-01")));
  EXPECT_EQ(old.status, 400);
  EXPECT_THAT(old.body, HasSubstr("<Code>NoSuchVersion</Code><Message>The requested version "
                                  "(2014-10-01) of service AmazonEC2 is not served here"));
  Sent none = request("POST", "/", "Action=DeleteVpc&VpcId=vpc-1",
                      {{"Content-Type", "application/x-www-form-urlencoded"}}, std::string(kHost));
  EXPECT_THAT(send(signed_for("ec2", std::move(none))).body,
              HasSubstr("The request must contain the parameter Version"));
  EXPECT_TRUE(deleted_.empty());
}

TEST_F(Ec2Router, DoesNotSayWhatIsWrongWithCredentials) {
  const std::string refusal =
      error_body("AuthFailure", "AWS was not able to validate the provided access credentials");
  Sent changed = signed_for("ec2", form("Action=DeleteVpc&VpcId=vpc-1"));
  changed.body += "&DryRun=false";
  credentials_.access_key_id = "AKNOBODY";
  for (const Sent& sent : {changed, signed_for("ec2", form("Action=DeleteVpc&VpcId=vpc-1"))}) {
    const Received received = send(sent);
    EXPECT_EQ(received.status, 401);
    EXPECT_THAT(received.body, HasSubstr(refusal));
  }
  EXPECT_TRUE(deleted_.empty());
}

TEST_F(Ec2Router, KnowsUnsignedCallsByHostOrVersion) {
  const std::string missing = "<Response><Errors><Error><Code>MissingAuthenticationToken</Code>";
  const Received by_host = send(form("Action=DeleteVpc&VpcId=vpc-1"));
  EXPECT_EQ(by_host.status, 403);
  EXPECT_THAT(by_host.body, HasSubstr(missing));
  EXPECT_THAT(send(request("GET", "/?Action=DeleteVpc&Version=2016-11-15")).body,
              HasSubstr(missing));
  EXPECT_THAT(send(request("GET", "/?Action=ListUsers&Version=2010-05-08")).body,
              HasSubstr("<ErrorResponse "));
}

class RegionWithoutEc2 : public RouterTest {};

TEST_F(RegionWithoutEc2, RefusesInEc2sForm) {
  const Received received =
      send(signed_for("ec2", request("POST", "/", "Action=DescribeVpcs&Version=2016-11-15")));
  EXPECT_EQ(received.status, 501);
  EXPECT_THAT(received.body, HasSubstr("<Response><Errors><Error><Code>NotImplemented</Code>"));
}

}  // namespace
}  // namespace terrarium::wire::testing
