#include "terrarium/services/ec2/network_interfaces.h"

#include "terrarium/services/ec2/interface_rules.h"

namespace terrarium::ec2 {

using base::Result;
using runtime::Task;

Task<Result<CreateNetworkInterfaceResult>> NetworkInterfaces::create_network_interface(
    const wire::Context& context, CreateNetworkInterfaceRequest request) {
  return core_.change(context, Effect::Recorded,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::create_network_interface(transaction, request);
                      });
}

Task<Result<DescribeNetworkInterfacesResult>> NetworkInterfaces::describe_network_interfaces(
    const wire::Context& context, DescribeNetworkInterfacesRequest request) {
  CO_TRY(const State* const state, core_.records(context.region));
  co_return ec2::describe_network_interfaces(*state, core_.scene_of(context), request);
}

Task<Result<DescribeNetworkInterfaceAttributeResult>>
NetworkInterfaces::describe_network_interface_attribute(
    const wire::Context& context, DescribeNetworkInterfaceAttributeRequest request) {
  CO_TRY(const State* const state, core_.records(context.region));
  co_return ec2::describe_network_interface_attribute(*state, request);
}

Task<Result<wire::Empty>> NetworkInterfaces::modify_network_interface_attribute(
    const wire::Context& context, ModifyNetworkInterfaceAttributeRequest request) {
  return core_.change(context, Effect::Applied,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::modify_network_interface_attribute(transaction, request);
                      });
}

Task<Result<AttachNetworkInterfaceResult>> NetworkInterfaces::attach_network_interface(
    const wire::Context& context, AttachNetworkInterfaceRequest request) {
  CO_TRY(const State* const state, core_.records(context.region));
  co_return ec2::attach_network_interface(*state, request);
}

Task<Result<wire::Empty>> NetworkInterfaces::detach_network_interface(
    const wire::Context& context, DetachNetworkInterfaceRequest request) {
  CO_TRY(const State* const state, core_.records(context.region));
  co_return ec2::detach_network_interface(*state, request);
}

Task<Result<wire::Empty>> NetworkInterfaces::delete_network_interface(
    const wire::Context& context, DeleteNetworkInterfaceRequest request) {
  return core_.change(context, Effect::Recorded,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::delete_network_interface(transaction, request);
                      });
}

Task<Result<AssignPrivateIpAddressesResult>> NetworkInterfaces::assign_private_ip_addresses(
    const wire::Context& context, AssignPrivateIpAddressesRequest request) {
  return core_.change(context, Effect::Applied,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::assign_private_ip_addresses(transaction, request);
                      });
}

Task<Result<wire::Empty>> NetworkInterfaces::unassign_private_ip_addresses(
    const wire::Context& context, UnassignPrivateIpAddressesRequest request) {
  return core_.change(context, Effect::Applied,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::unassign_private_ip_addresses(transaction, request);
                      });
}

}  // namespace terrarium::ec2
