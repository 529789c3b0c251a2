// One instance and an IAM that gives credentials, for the tests of this folder.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "terrarium/services/iam/api.h"
#include "terrarium/services/iam/roles.h"
#include "terrarium/services/imds/instances.h"

namespace terrarium::imds::testing {

inline InstanceFacts an_instance(const std::string& id = "i-1") {
  InstanceFacts made;
  made.account = "000000000000";
  made.region = "us-east-1";
  made.availability_zone = "us-east-1a";
  made.availability_zone_id = "use1-az1";
  made.instance_id = id;
  made.reservation_id = "r-1";
  made.image_id = "ami-1";
  made.instance_type = "t2.nano";
  made.root_device_name = "/dev/xvda";
  made.pending_time = base::Timestamp(std::chrono::seconds(1'700'000'000));
  made.local_hostname = "ip-10-0-1-23.ec2.internal";
  made.local_ipv4 = "10.0.1.23";
  made.mac = "02:00:0a:00:01:17";
  made.security_groups = {"http", "ssh"};
  made.key_name = "board";
  made.public_key = "ssh-ed25519 AAAA board\n";
  made.profile = ProfileFacts{"arn:aws:iam::000000000000:instance-profile/web", "AIPA1",
                              "arn:aws:iam::000000000000:role/service/web"};
  InterfaceFacts interface;
  interface.mac = made.mac;
  interface.interface_id = "eni-1";
  interface.local_hostname = made.local_hostname;
  interface.local_ipv4s = {made.local_ipv4};
  interface.owner_id = made.account;
  interface.security_groups = made.security_groups;
  interface.security_group_ids = {"sg-1", "sg-2"};
  interface.subnet_id = "subnet-1";
  interface.subnet_cidr = "10.0.1.0/24";
  interface.vpc_id = "vpc-1";
  interface.vpc_cidrs = {"10.0.0.0/16"};
  made.interfaces = {interface};
  return made;
}

class InstanceTable final : public Instances {
 public:
  std::optional<InstanceFacts> find(const std::string& vpc_id,
                                    const std::string& source_address) const override {
    const auto found = instances.find({vpc_id, source_address});
    return found == instances.end() ? std::nullopt : std::optional(found->second);
  }
  std::map<std::pair<std::string, std::string>, InstanceFacts> instances;
};

// Credentials that tell whose they are and how many were made before.
class CountingIam final : public iam::Api, public iam::Roles {
 public:
  explicit CountingIam(base::Clock& clock) : clock_(clock) {}
  runtime::Task<base::Result<iam::TemporaryCredentials>> assume(
      std::string role_arn, std::string session_name, std::chrono::seconds lifetime) override {
    ++made;
    co_return iam::TemporaryCredentials{
        "ASIA" + std::to_string(made), "secret",           session_name + "@" + role_arn,
        clock_.now() + lifetime,       "arn:assumed-role", "AROA1:" + session_name};
  }
  base::Result<bool> trusts(const std::string&, std::string_view service) const override {
    return trusted && service == "ec2.amazonaws.com";
  }
  base::Result<bool> role_may(const std::string&, std::string_view, const std::string&,
                              const std::string&) const override {
    return false;
  }
  int made = 0;
  bool trusted = true;

 private:
  base::Clock& clock_;
};

}  // namespace terrarium::imds::testing
