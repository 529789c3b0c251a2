#include "terrarium/services/imds/service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "lib/runtime/runtime.h"
#include "lib/runtime/task_group.h"
#include "terrarium/services/imds/testing_instance.h"

namespace terrarium::imds {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

using Headers = std::vector<std::pair<std::string, std::string>>;

constexpr const char* kMetadata = "/latest/meta-data/";
constexpr const char* kCredentials = "/latest/meta-data/iam/security-credentials/web";

class Metadata : public ::testing::Test {
 protected:
  Metadata() {
    table_.instances[{"vpc-1", "10.0.1.23"}] = testing::an_instance();
    table_.instances[{"vpc-2", "10.0.1.23"}] = testing::an_instance("i-2");
  }

  InstanceFacts& instance() { return table_.instances[{"vpc-1", "10.0.1.23"}]; }

  http::Response ask(std::string method, std::string path, const Headers& headers = {},
                     std::string vpc = "vpc-1", std::string address = "10.0.1.23") {
    http::Response response;
    const http::Peer peer{std::move(address), 1234, false};
    http::Request request;
    request.method = method;
    request.path = path;
    request.target = path;
    for (const auto& [name, value] : headers) request.headers.add(name, value);
    request.peer = &peer;
    runtime::TaskGroup tasks(runtime_->control());
    tasks.spawn("ask", answer(std::move(vpc), request, response));
    runtime_->run_until_idle();
    return response;
  }

  runtime::Task<void> answer(std::string vpc, http::Request& request, http::Response& response) {
    response = co_await service_.handle(std::move(vpc), request);
  }

  http::Response get(std::string path) { return ask("GET", std::move(path)); }
  http::Response get_with(const std::string& token, std::string vpc = "vpc-1") {
    return ask("GET", kMetadata + std::string("instance-id"), {{"X-aws-ec2-metadata-token", token}},
               std::move(vpc));
  }
  http::Response put_token(const std::string& life) {
    return ask("PUT", "/latest/api/token", {{"X-aws-ec2-metadata-token-ttl-seconds", life}});
  }

  std::unique_ptr<runtime::Runtime> runtime_ = runtime::Runtime::manual();
  base::ManualClock clock_;
  testing::InstanceTable table_;
  testing::CountingIam iam_{clock_};
  Service service_{{table_, iam_, iam_, clock_, runtime_->control()}, "secret"};
};

TEST_F(Metadata, ListingsEndDirectoriesWithASlash) {
  EXPECT_THAT(get("/").body, HasSubstr("2021-07-15\n"));
  EXPECT_EQ(get("/latest").body, "dynamic\nmeta-data");
  const std::string listing = get("/latest/meta-data").body;
  EXPECT_EQ(listing, get("/latest/meta-data/").body);
  EXPECT_THAT(listing, HasSubstr("ami-id\n"));
  EXPECT_THAT(listing, HasSubstr("\niam/\n"));
  EXPECT_THAT(listing, HasSubstr("\nplacement/\n"));
  EXPECT_FALSE(listing.ends_with('\n'));
  EXPECT_EQ(get("/latest/meta-data/public-keys/").body, "0=board");
  EXPECT_EQ(get("/latest/meta-data/public-keys/0/").body, "openssh-key");
  EXPECT_EQ(get("/latest/meta-data/iam/").body, "info\nsecurity-credentials/");
  EXPECT_EQ(get("/latest/meta-data/iam/security-credentials/").body, "web");
}

TEST_F(Metadata, EachFactStandsAtItsPath) {
  const std::pair<std::string, std::string> facts[] = {
      {"instance-id", "i-1"},
      {"instance-id/", "i-1"},
      {"ami-id", "ami-1"},
      {"instance-type", "t2.nano"},
      {"local-ipv4", "10.0.1.23"},
      {"placement/availability-zone", "us-east-1a"},
      {"placement/region", "us-east-1"},
      {"security-groups", "http\nssh"},
      {"public-keys/0/openssh-key", "ssh-ed25519 AAAA board\n"},
      {"network/interfaces/macs/", "02:00:0a:00:01:17/"},
      {"network/interfaces/macs/02:00:0a:00:01:17/subnet-id", "subnet-1"},
      {"network/interfaces/macs/02:00:0a:00:01:17/security-group-ids", "sg-1\nsg-2"},
      {"services/domain", "amazonaws.com"}};
  for (const auto& [path, value] : facts) {
    const http::Response response = get(kMetadata + path);
    EXPECT_EQ(response.status, 200) << path;
    EXPECT_EQ(response.body, value) << path;
    EXPECT_EQ(response.headers.find("Content-Type"), "text/plain");
    EXPECT_EQ(response.headers.find("Server"), "EC2ws");
  }
  EXPECT_EQ(get("/2021-07-15/meta-data/instance-id").body, "i-1");
  EXPECT_EQ(get("/2021-07-16/meta-data/instance-id").status, 404);
}

TEST_F(Metadata, WhatIsNotThereIsNotFoundAsAWSSaysIt) {
  for (const char* const path :
       {"public-ipv4", "public-hostname", "nothing", "instance-id/more", "tags/instance/Name"}) {
    const http::Response response = get(kMetadata + std::string(path));
    EXPECT_EQ(response.status, 404) << path;
    EXPECT_EQ(response.headers.find("Content-Type"), "text/html");
    EXPECT_THAT(response.body, HasSubstr("<title>404 - Not Found</title>"));
  }
  EXPECT_EQ(get("/latest/user-data").status, 404);
  EXPECT_EQ(get("/latest/meta-data/%zz").status, 400);
  EXPECT_EQ(ask("POST", "/latest/meta-data/").status, 405);
  EXPECT_EQ(get("/latest/api/token").status, 405);
}

TEST_F(Metadata, PublicAddressesAreToldWhenThereAreSome) {
  instance().public_ipv4 = "203.0.113.7";
  instance().public_hostname = "ec2-203-0-113-7.compute-1.amazonaws.com";
  instance().interfaces[0].public_ipv4s = {{"203.0.113.7", "10.0.1.23"}};
  EXPECT_EQ(get("/latest/meta-data/public-ipv4").body, "203.0.113.7");
  EXPECT_EQ(get("/latest/meta-data/network/interfaces/macs/02:00:0a:00:01:17/ipv4-associations/"
                "203.0.113.7")
                .body,
            "10.0.1.23");
}

TEST_F(Metadata, UserDataComesAsItsBytes) {
  instance().user_data = std::string("#!/bin/sh\n\0x", 12);
  const http::Response response = get("/latest/user-data");
  EXPECT_EQ(response.body, *instance().user_data);
  EXPECT_EQ(response.headers.find("Content-Type"), "application/octet-stream");
  EXPECT_EQ(get("/latest/").body, "dynamic\nmeta-data\nuser-data");
}

TEST_F(Metadata, TagsAreShownOnlyWhenEnabled) {
  instance().tags = {{"Name", "web"}, {"a b", "c"}};
  EXPECT_EQ(get("/latest/meta-data/tags/instance/Name").status, 404);
  instance().options.tags_enabled = true;
  EXPECT_EQ(get("/latest/meta-data/tags/instance/").body, "Name\na b");
  EXPECT_EQ(get("/latest/meta-data/tags/instance/a%20b").body, "c");
}

TEST_F(Metadata, TheIdentityDocumentIsJsonWithoutASignature) {
  const http::Response response = get("/latest/dynamic/instance-identity/document");
  const auto document = boost::json::parse(response.body).as_object();
  EXPECT_EQ(document.at("instanceId"), "i-1");
  EXPECT_EQ(document.at("accountId"), "000000000000");
  EXPECT_EQ(document.at("pendingTime"), "2023-11-14T22:13:20Z");
  EXPECT_TRUE(document.at("kernelId").is_null());
  EXPECT_EQ(get("/latest/dynamic/instance-identity/pkcs7").status, 404);
  EXPECT_EQ(get("/latest/dynamic/instance-identity/signature").status, 404);
}

TEST_F(Metadata, ATokenWorksUntilItsEnd) {
  const http::Response token = put_token("60");
  ASSERT_EQ(token.status, 200);
  EXPECT_EQ(token.body.size(), 56U);
  EXPECT_EQ(token.headers.find("X-Aws-Ec2-Metadata-Token-Ttl-Seconds"), "60");
  clock_.advance_to(clock_.now() + 59s, [] {});
  const http::Response last = get_with(token.body);
  EXPECT_EQ(last.body, "i-1");
  EXPECT_EQ(last.headers.find("X-Aws-Ec2-Metadata-Token-Ttl-Seconds"), "1");
  clock_.advance_to(clock_.now() + 1s, [] {});
  EXPECT_EQ(get_with(token.body).status, 401);
}

TEST_F(Metadata, ATokenIsWorthNothingToAnotherInstance) {
  const std::string token = put_token("60").body;
  EXPECT_EQ(get_with(token).status, 200);
  EXPECT_EQ(get_with(token, "vpc-2").status, 401);
}

TEST_F(Metadata, ATokenThatWasChangedIsRefused) {
  std::string token = put_token("60").body;
  token[3] = token[3] == 'A' ? 'B' : 'A';
  EXPECT_EQ(get_with(token).status, 401);
  EXPECT_EQ(get_with("x").status, 401);
}

TEST_F(Metadata, TheLifeOfATokenIsOneSecondToSixHours) {
  for (const char* const life : {"1", "21600"}) EXPECT_EQ(put_token(life).status, 200) << life;
  for (const char* const life : {"", "0", "21601", "-1", "60s", "99999999999"}) {
    EXPECT_EQ(put_token(life).status, 400) << life;
  }
  EXPECT_EQ(ask("PUT", "/latest/api/token").status, 400);
}

TEST_F(Metadata, AForwardedRequestGetsNoToken) {
  EXPECT_EQ(ask("PUT", "/latest/api/token",
                {{"X-aws-ec2-metadata-token-ttl-seconds", "60"}, {"X-Forwarded-For", "10.0.1.1"}})
                .status,
            403);
}

TEST_F(Metadata, VersionOneEndsWhereTokensAreRequired) {
  EXPECT_EQ(get("/latest/meta-data/instance-id").status, 200);
  instance().options.tokens_required = true;
  EXPECT_EQ(get("/latest/meta-data/instance-id").status, 401);
  EXPECT_EQ(get(kCredentials).status, 401);
  EXPECT_EQ(get_with(put_token("60").body).status, 200);
}

TEST_F(Metadata, AnEndpointThatIsOffRefusesEverything) {
  instance().options.endpoint_enabled = false;
  EXPECT_EQ(get("/latest/meta-data/").status, 403);
  EXPECT_EQ(put_token("60").status, 403);
}

TEST_F(Metadata, WhoIsNoInstanceFindsNothing) {
  EXPECT_EQ(ask("GET", "/latest/meta-data/", {}, "vpc-1", "10.0.1.24").status, 404);
  EXPECT_EQ(ask("GET", "/latest/meta-data/", {}, "vpc-3").status, 404);
}

TEST_F(Metadata, TheSameAddressInTwoNetworksIsTwoInstances) {
  EXPECT_EQ(ask("GET", "/latest/meta-data/instance-id", {}, "vpc-1").body, "i-1");
  EXPECT_EQ(ask("GET", "/latest/meta-data/instance-id", {}, "vpc-2").body, "i-2");
}

TEST_F(Metadata, RoleCredentialsAreMadeOnceAndRotateBeforeTheyExpire) {
  const auto first = boost::json::parse(get(kCredentials).body).as_object();
  EXPECT_EQ(first.at("Code"), "Success");
  EXPECT_EQ(first.at("AccessKeyId"), "ASIA1");
  EXPECT_EQ(first.at("Token"), "i-1@arn:aws:iam::000000000000:role/service/web");
  EXPECT_EQ(first.at("Expiration"), "2023-11-15T04:13:20Z");
  clock_.advance_to(clock_.now() + 4h + 59min, [] {});
  EXPECT_EQ(boost::json::parse(get(kCredentials).body).at("AccessKeyId"), "ASIA1");
  clock_.advance_to(clock_.now() + 1min, [] {});
  EXPECT_EQ(boost::json::parse(get(kCredentials).body).at("AccessKeyId"), "ASIA2");
  EXPECT_EQ(iam_.made, 2);
}

TEST_F(Metadata, ANewRoleOfTheProfileGetsItsOwnCredentials) {
  get(kCredentials);
  instance().profile->role_arn = "arn:aws:iam::000000000000:role/other";
  EXPECT_EQ(get(kCredentials).status, 404);
  const std::string body = get("/latest/meta-data/iam/security-credentials/other").body;
  EXPECT_EQ(boost::json::parse(body).at("AccessKeyId"), "ASIA2");
}

TEST_F(Metadata, ARoleThatDoesNotTrustInstancesSaysSo) {
  iam_.trusted = false;
  const http::Response response = get(kCredentials);
  EXPECT_EQ(response.status, 200);
  const auto document = boost::json::parse(response.body).as_object();
  EXPECT_EQ(document.at("Code"), "AssumeRoleUnauthorizedAccess");
  EXPECT_FALSE(document.contains("AccessKeyId"));
}

TEST_F(Metadata, AnInstanceWithoutAProfileHasNoIam) {
  instance().profile.reset();
  EXPECT_EQ(get("/latest/meta-data/iam/").status, 404);
  EXPECT_EQ(get(kCredentials).status, 404);
}

}  // namespace
}  // namespace terrarium::imds
