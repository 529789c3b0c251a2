#include "terrarium/services/ec2/service_interfaces.h"

#include "generated/ec2/errors.h"
#include "terrarium/services/ec2/address_pool.h"
#include "terrarium/services/ec2/launch_choices.h"
#include "terrarium/services/ec2/select.h"

namespace terrarium::ec2 {
namespace {

std::vector<std::string> own_group(const State& state, const VpcId& vpc) {
  std::vector<std::string> ids;
  for (const SecurityGroupRecord& group : state.all<SecurityGroupRecord>()) {
    if (group.vpc == vpc && group.name == "default") ids.push_back(group.id.value);
  }
  return ids;
}

}  // namespace

base::Result<ServiceInterface> create_service_interface(Transaction& transaction,
                                                        const ServiceInterfaceOrder& order) {
  const State& state = transaction.state();
  TRY(const SubnetRecord* const subnet, require<SubnetRecord>(state, order.subnet_id));
  const auto wanted =
      order.security_group_ids.empty() ? own_group(state, subnet->vpc) : order.security_group_ids;
  NetworkInterfaceRecord made{.id = new_id<NetworkInterfaceId>(transaction.random()),
                              .vpc = subnet->vpc,
                              .subnet = subnet->id,
                              .mac = new_mac_address(transaction.random()),
                              .description = order.description,
                              .requester = order.requester,
                              .dns_names = order.dns_names};
  TRY(made.groups, choose_groups(state, subnet->vpc, order.subnet_id, wanted));
  TRY(made.address, free_private_address(transaction, *subnet));
  made.attachment =
      NetworkInterfaceAttachmentRecord{.id = new_id<AttachmentId>(transaction.random()),
                                       .instance_owner = order.requester,
                                       .device_index = 1,
                                       .delete_on_termination = false,
                                       .time = transaction.now()};
  ServiceInterface answer{made.id.value, made.address, made.vpc.value, subnet->zone};
  transaction.put(std::move(made));
  return answer;
}

base::Result<void> delete_service_interface(Transaction& transaction, const std::string& id) {
  const auto* const found = transaction.find<NetworkInterfaceRecord>(NetworkInterfaceId(id));
  if (found == nullptr) return {};
  if (found->requester.empty()) {
    return base::fail(errors::kOperationNotPermitted,
                      "The network interface '" + id + "' belongs to no service.");
  }
  transaction.erase<NetworkInterfaceRecord>(found->id);
  return {};
}

}  // namespace terrarium::ec2
