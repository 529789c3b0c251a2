#include "terrarium/services/ec2/run_rules.h"

#include <algorithm>

#include "generated/ec2/errors.h"
#include "terrarium/services/ec2/address_pool.h"
#include "terrarium/services/ec2/instance_view.h"
#include "terrarium/services/ec2/launch_choices.h"

namespace terrarium::ec2 {
namespace {

Place place_of(const Transaction& transaction) {
  return {transaction.scene().region, transaction.scene().account};
}

// What an earlier request with this token made; nothing when there was none.
base::Result<std::vector<const InstanceRecord*>> launched_before(const State& state,
                                                                 const std::string& token,
                                                                 const std::string& digest) {
  std::vector<const InstanceRecord*> found;
  if (token.empty()) return found;
  for (const InstanceRecord& instance : state.all<InstanceRecord>()) {
    if (instance.client_token != token) continue;
    if (instance.request_digest != digest) {
      return base::fail(errors::kIdempotentParameterMismatch,
                        "Arguments on this idempotent request are inconsistent with arguments "
                        "used in previous request(s).");
    }
    found.push_back(&instance);
  }
  return found;
}

base::Result<void> check_room(const State& state, const Launch& launch) {
  const auto all = state.all<InstanceRecord>();
  const auto alive = static_cast<std::size_t>(std::ranges::count_if(
      all, [](const auto& one) { return one.state != InstanceStateName::Terminated; }));
  if (alive + static_cast<std::size_t>(launch.count_max) > kInstancesMax) {
    return base::fail(errors::kInstanceLimitExceeded,
                      "You have requested more instances (" +
                          std::to_string(alive + static_cast<std::size_t>(launch.count_max)) +
                          ") than your current instance limit of " + std::to_string(kInstancesMax) +
                          " allows for the specified instance type.");
  }
  return {};
}

NetworkInterfaceAttachmentRecord attachment_of(const Transaction& transaction,
                                               const InstanceId& instance, const Launch& launch) {
  return {.id = new_id<AttachmentId>(transaction.random()),
          .instance = instance,
          .instance_owner = transaction.scene().account,
          .device_index = 0,
          .delete_on_termination = launch.delete_interface,
          .time = transaction.now()};
}

base::Result<NetworkInterfaceRecord> interface_for(const Transaction& transaction,
                                                   const InstanceId& instance,
                                                   const Launch& launch) {
  NetworkInterfaceRecord made = launch.network_interface;
  made.attachment = attachment_of(transaction, instance, launch);
  if (launch.existing_interface.has_value()) return made;
  made.id = new_id<NetworkInterfaceId>(transaction.random());
  made.mac = new_mac_address(transaction.random());
  if (launch.private_address.empty()) {
    TRY(made.address, free_private_address(transaction, launch.subnet));
  } else {
    TRY_VOID(check_private_address(transaction.state(), launch.subnet, launch.private_address));
    made.address = launch.private_address;
  }
  if (launch.public_address) {
    TRY(made.lent_public_address, free_public_address(transaction));
  }
  return made;
}

// An instance with what belongs to it. `pattern`: what all of the reservation have in common.
base::Result<InstanceId> make_instance(Transaction& transaction, const InstanceRecord& pattern,
                                       const Launch& launch, int index) {
  InstanceRecord instance = pattern;
  instance.id = new_id<InstanceId>(transaction.random());
  instance.launch_index = index;
  TRY(NetworkInterfaceRecord network_interface, interface_for(transaction, instance.id, launch));
  instance.network_interfaces = {network_interface.id};
  instance.private_address = network_interface.address;
  instance.lends_public_address = launch.public_address;
  VolumeRecord volume = launch.volume;
  volume.id = new_id<VolumeId>(transaction.random());
  volume.instance = instance.id;
  volume.created = transaction.now();
  instance.volume = volume.id;
  instance.volume_attachment = new_id<AttachmentId>(transaction.random());
  if (instance.profile.has_value()) {
    instance.profile->id = new_id<ProfileAssociationId>(transaction.random());
    instance.profile->time = transaction.now();
  }
  const InstanceId id = instance.id;
  transaction.put(std::move(network_interface));
  transaction.put(std::move(volume));
  transaction.put(std::move(instance));
  return id;
}

void add_system_tags(const Launcher& launcher, InstanceRecord& pattern) {
  for (const auto& [key, value] : launcher.system_tags) {
    pattern.tags.insert_or_assign(key, value);
  }
  if (!pattern.launch_template.has_value()) return;
  pattern.tags.insert_or_assign("aws:ec2launchtemplate:id", pattern.launch_template->value);
  pattern.tags.insert_or_assign("aws:ec2launchtemplate:version",
                                std::to_string(pattern.launch_template_version));
}

}  // namespace

base::Result<Reservation> run_instances(Transaction& transaction,
                                        const RunInstancesRequest& request,
                                        const InstanceProfiles& profiles,
                                        const Launcher& launcher) {
  const State& state = transaction.state();
  const std::string token = request.client_token.value_or("");
  if (token.size() > kClientTokenCharactersMax) {
    return base::fail(errors::kInvalidParameterValue,
                      "The client token may not be longer than 64 characters.");
  }
  const std::string digest = digest_of(request);
  TRY(std::vector<const InstanceRecord*> instances, launched_before(state, token, digest));
  if (!instances.empty()) {
    return std::move(reservation_views(state, instances, place_of(transaction)).front());
  }
  TRY(const LaunchRequest wanted, with_launch_template(state, request));
  TRY(const Launch launch, choose_launch(state, transaction.scene().region, wanted, profiles));
  TRY_VOID(check_room(state, launch));
  InstanceRecord pattern = launch.instance;
  pattern.reservation = new_id<ReservationId>(transaction.random());
  pattern.client_token = token;
  pattern.request_digest = digest;
  pattern.requester = launcher.requester;
  pattern.launched = transaction.now();
  if (wanted.launch_template.has_value()) {
    pattern.launch_template = wanted.launch_template->id;
    pattern.launch_template_version = wanted.launch_template->version;
  }
  add_system_tags(launcher, pattern);
  std::vector<InstanceId> ids;
  for (int index = 0; index < launch.count_max; ++index) {
    auto made = make_instance(transaction, pattern, launch, index);
    if (!made.has_value() && index >= launch.count_min) break;
    TRY(const InstanceId id, std::move(made));
    ids.push_back(id);
  }
  for (const InstanceId& id : ids) instances.push_back(state.find<InstanceRecord>(id));
  return std::move(reservation_views(state, instances, place_of(transaction)).front());
}

}  // namespace terrarium::ec2
