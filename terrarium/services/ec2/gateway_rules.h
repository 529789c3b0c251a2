// The rules of internet gateways and NAT gateways. Pure.
// Source: "Internet gateways", "NAT gateways", Amazon VPC User Guide.
#pragma once

#include <functional>

#include "generated/ec2/model.h"
#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "terrarium/services/ec2/state.h"

namespace terrarium::ec2 {

// As on AWS, a deleted NAT gateway is described for about an hour.
inline constexpr base::Duration kDeletedNatGatewayKept = std::chrono::hours(1);

base::Result<CreateInternetGatewayResult> create_internet_gateway(
    Transaction& transaction, const CreateInternetGatewayRequest& request);
base::Result<wire::Empty> attach_internet_gateway(Transaction& transaction,
                                                  const AttachInternetGatewayRequest& request);
base::Result<DescribeInternetGatewaysResult> describe_internet_gateways(
    const State& state, const Scene& scene, const DescribeInternetGatewaysRequest& request);
// DependencyViolation while the VPC has a public address mapped.
base::Result<wire::Empty> detach_internet_gateway(Transaction& transaction,
                                                  const DetachInternetGatewayRequest& request);
base::Result<wire::Empty> delete_internet_gateway(Transaction& transaction,
                                                  const DeleteInternetGatewayRequest& request);

// A gateway that could never work is refused at once with the code and sentence that AWS shows as
// the failure of one that was made: no internet gateway in the VPC, an address in use.
base::Result<CreateNatGatewayResult> create_nat_gateway(Transaction& transaction,
                                                        const CreateNatGatewayRequest& request);
base::Result<DescribeNatGatewaysResult> describe_nat_gateways(
    const State& state, const DescribeNatGatewaysRequest& request);
// Its interface goes and its address is free at once; the record stays for a while.
base::Result<DeleteNatGatewayResult> delete_nat_gateway(Transaction& transaction,
                                                        const DeleteNatGatewayRequest& request);

// Whether the kernel has what the records of a VPC say.
using IsApplied = std::function<bool(const VpcId&)>;
// Whether settle_nat_gateways() would change anything.
bool nat_gateways_move(const State& state, base::Timestamp now, const IsApplied& is_applied);
// What is pending becomes available, and what is deleting deleted, when the kernel has it; what was
// deleted long ago is forgotten.
base::Result<wire::Empty> settle_nat_gateways(Transaction& transaction,
                                              const IsApplied& is_applied);

// Gateway.NotAttached "Network vpc-1 is not attached to any internet gateway".
base::Result<void> check_internet_access(const State& state, const VpcId& vpc);

}  // namespace terrarium::ec2
