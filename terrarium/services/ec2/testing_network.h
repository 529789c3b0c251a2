// For tests of network nouns: a VPC 10.0.0.0/16 with two subnets, besides the region's default one.
#pragma once

#include <string>

#include "terrarium/services/ec2/address_rules.h"
#include "terrarium/services/ec2/gateway_rules.h"
#include "terrarium/services/ec2/interface_rules.h"
#include "terrarium/services/ec2/subnet_rules.h"
#include "terrarium/services/ec2/testing_records.h"
#include "terrarium/services/ec2/vpc_rules.h"

namespace terrarium::ec2 {

// "" or the AWS code of a refusal.
template <class T>
std::string code_of(const base::Result<T>& result) {
  return result.has_value() ? std::string() : std::string(result.error().row->code);
}

class TestingNetwork {
 public:
  TestingNetwork() {
    vpc = *call(create_vpc, CreateVpcRequest{.cidr_block = "10.0.0.0/16"})->vpc->vpc_id;
    subnet = make_subnet("10.0.1.0/24", "us-east-1a");
    other_subnet = make_subnet("10.0.2.0/24", "us-east-1b");
  }

  // A rule that changes: what it did stays when it succeeds.
  template <class Output, class Request>
  base::Result<Output> call(base::Result<Output> (*rule)(Transaction&, const Request&),
                            const std::type_identity_t<Request>& request) {
    return records.change([&](Transaction& transaction) { return rule(transaction, request); });
  }
  const State& state() const { return records.state(); }
  Scene scene() { return records.scene(); }

  std::string make_subnet(const std::string& cidr, const std::string& zone) {
    return *call(create_subnet, {.availability_zone = zone, .cidr_block = cidr, .vpc_id = vpc})
                ->subnet->subnet_id;
  }
  // An internet gateway of the VPC.
  std::string make_gateway() {
    const std::string id =
        *call(create_internet_gateway, {})->internet_gateway->internet_gateway_id;
    call(attach_internet_gateway, {.internet_gateway_id = id, .vpc_id = vpc}).value();
    return id;
  }
  std::string make_address() { return *call(allocate_address, {})->allocation_id; }
  std::string make_interface() {
    return *call(create_network_interface, {.subnet_id = subnet})
                ->network_interface->network_interface_id;
  }
  // An instance in `state` behind a new interface, without all that launching makes besides.
  std::string make_instance(InstanceStateName state) {
    NetworkInterfaceRecord record =
        *this->state().find<NetworkInterfaceRecord>(NetworkInterfaceId(make_interface()));
    return *records.change([&](Transaction& transaction) -> base::Result<std::string> {
      InstanceRecord instance{.id = new_id<InstanceId>(transaction.random()),
                              .state = state,
                              .vpc = record.vpc,
                              .subnet = record.subnet,
                              .network_interfaces = {record.id}};
      record.attachment = NetworkInterfaceAttachmentRecord{
          .id = new_id<AttachmentId>(transaction.random()), .instance = instance.id};
      transaction.put(record);
      transaction.put(instance);
      return instance.id.value;
    });
  }

  TestingRecords records;
  std::string vpc;
  std::string subnet;
  std::string other_subnet;
};

}  // namespace terrarium::ec2
