// Real clients against a real listener on loopback: lib/aws's own, and Debian's botocore.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdio>
#include <memory>

#include "lib/aws/instance_metadata.h"
#include "lib/http/server.h"
#include "lib/runtime/runtime.h"
#include "terrarium/services/imds/service.h"
#include "terrarium/services/imds/testing_instance.h"

namespace terrarium::imds {
namespace {

using namespace std::chrono_literals;

class MetadataClients : public ::testing::Test {
 protected:
  MetadataClients() {
    table_.instances[{"vpc-1", "127.0.0.1"}] = testing::an_instance();
    auto opened = http::Server::open(runtime_, clock_, {}, [this](http::Request& request) {
      return service_.handle("vpc-1", request);
    });
    server_ = *std::move(opened);
    runtime_.start();
    port_ = server_->listen({}).value();
    endpoint_ = "http://127.0.0.1:" + std::to_string(port_);
  }
  ~MetadataClients() override {
    runtime::run_and_wait(runtime_.control(), server_->drain(clock_.now() + 1s));
    runtime_.stop();
  }

  base::SystemClock clock_;
  runtime::Runtime runtime_{1, 1};
  testing::InstanceTable table_;
  testing::CountingIam iam_{clock_};
  Service service_{{table_, iam_, iam_, clock_, runtime_.control()}, "secret"};
  std::unique_ptr<http::Server> server_;
  std::uint16_t port_ = 0;
  std::string endpoint_;
};

runtime::Task<void> read_id(aws::InstanceMetadata& client, std::string& id, std::string& zone) {
  id = (co_await client.instance_id()).value_or("failed");
  zone = (co_await client.availability_zone()).value_or("failed");
}

TEST_F(MetadataClients, OurOwnClientReadsFacts) {
  table_.instances[{"vpc-1", "127.0.0.1"}].options.tokens_required = true;
  ::setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", endpoint_.c_str(), 1);
  std::string id;
  std::string zone;
  const auto client = http::Client::open(runtime_.io(0), clock_);
  aws::InstanceMetadata metadata(*client, clock_);
  runtime::run_and_wait(runtime_.io(0), read_id(metadata, id, zone));
  ::unsetenv("AWS_EC2_METADATA_SERVICE_ENDPOINT");
  EXPECT_EQ(id, "i-1");
  EXPECT_EQ(zone, "us-east-1a");
}

TEST_F(MetadataClients, BotocoreFindsTheRolesCredentials) {
  const std::string program =
      "from botocore.utils import InstanceMetadataFetcher as F, InstanceMetadataRegionFetcher as R;"
      "c = F(base_url='" +
      endpoint_ +
      "/').retrieve_iam_role_credentials();"
      "r = R(base_url='" +
      endpoint_ +
      "/').retrieve_region();"
      "print(c['role_name'], c['access_key'], c['token'], r)";
  const std::string command = "/usr/bin/python3 -c \"" + program + "\" 2>&1";
  std::string output;
  FILE* const pipe = ::popen(command.c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  char buffer[512];
  while (std::fgets(buffer, sizeof buffer, pipe) != nullptr) output += buffer;
  EXPECT_EQ(::pclose(pipe), 0);
  EXPECT_EQ(output, "web ASIA1 i-1@arn:aws:iam::000000000000:role/service/web us-east-1\n");
}

}  // namespace
}  // namespace terrarium::imds
