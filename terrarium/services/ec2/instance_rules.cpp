#include "terrarium/services/ec2/instance_rules.h"

#include <algorithm>
#include <array>

#include "generated/ec2/errors.h"
#include "lib/base/encoding.h"
#include "terrarium/services/ec2/address_pool.h"
#include "terrarium/services/ec2/network_plan.h"
#include "terrarium/services/ec2/refuse.h"
#include "terrarium/services/ec2/regions.h"
#include "terrarium/services/ec2/select.h"

namespace terrarium::ec2 {
namespace {

// An instance with its status, which depends on the time: what status filters look at.
struct StatusRow {
  const InstanceRecord* instance;
  std::string status;
};
using StatusField = FilterField<StatusRow>;

FilterValues status_value(const State&, const StatusRow& row) { return {row.status}; }
FilterValues reachability_value(const State&, const StatusRow& row) {
  return {row.status == "ok" ? "passed" : row.status};
}
FilterValues no_events(const State&, const StatusRow&) { return {}; }

constexpr std::array kStatusFilters{
    StatusField{
        "availability-zone",
        [](const State&, const StatusRow& row) { return FilterValues{row.instance->zone}; }},
    StatusField{"instance-state-name",
                [](const State&, const StatusRow& row) {
                  return FilterValues{*state_view(row.instance->state).name};
                }},
    StatusField{"instance-state-code",
                [](const State&, const StatusRow& row) {
                  return FilterValues{std::to_string(*state_view(row.instance->state).code)};
                }},
    StatusField{"instance-status.status", status_value},
    StatusField{"system-status.status", status_value},
    StatusField{"instance-status.reachability", reachability_value},
    StatusField{"system-status.reachability", reachability_value},
    StatusField{"event.code", no_events},
    StatusField{"event.description", no_events},
    StatusField{"event.instance-event-id", no_events},
    StatusField{"event.not-after", no_events},
    StatusField{"event.not-before", no_events},
};

std::string status_of(const InstanceRecord& instance, base::Timestamp now) {
  if (instance.state != InstanceStateName::Running) return "not-applicable";
  const bool settled = now - instance.state_changed.value_or(now) >= kStatusChecksAfter;
  return settled ? "ok" : "initializing";
}

InstanceStatus status_view(const StatusRow& row) {
  InstanceStatusSummary summary{.status = row.status};
  if (row.status != "not-applicable") {
    const std::string detail = row.status == "ok" ? "passed" : "initializing";
    summary.details =
        std::vector<InstanceStatusDetails>{{.name = "reachability", .status = detail}};
  }
  return {.availability_zone = row.instance->zone,
          .availability_zone_id = zone_id(region_of(*row.instance), row.instance->zone),
          .instance_id = row.instance->id.value,
          .instance_state = state_view(row.instance->state),
          .instance_status = summary,
          .system_status = summary};
}

base::Result<void> check_page_of_ids(const std::optional<std::vector<std::string>>& ids,
                                     const std::optional<std::int32_t>& max_results) {
  if (ids.has_value() && !ids->empty() && max_results.has_value()) {
    return base::fail(errors::kInvalidParameterCombination,
                      "The parameter instancesSet cannot be used with the parameter maxResults");
  }
  return {};
}

// The records that a request names, each once.
base::Result<std::vector<InstanceRecord>> named(const State& state,
                                                const std::vector<std::string>& ids) {
  if (ids.empty()) return std::unexpected(missing("InstanceId"));
  TRY(const auto records, require_all<InstanceRecord>(state, ids));
  std::vector<InstanceRecord> found;
  for (const InstanceRecord* record : records) found.push_back(*record);
  return found;
}

base::Error wrong_state(const InstanceRecord& instance, std::string_view what) {
  return base::fail(errors::kIncorrectInstanceState,
                    "The instance '" + instance.id.value +
                        "' is not in a state from which it can be " + std::string(what) + ".")
      .error();
}

base::Error is_protected(const InstanceRecord& instance, std::string_view what,
                         std::string_view attribute) {
  return base::fail(errors::kOperationNotPermitted, "The instance '" + instance.id.value +
                                                        "' may not be " + std::string(what) +
                                                        ". Modify its '" + std::string(attribute) +
                                                        "' instance attribute and try again.")
      .error();
}

// "User initiated (2023-04-29 16:46:54 GMT)"
std::string user_initiated(base::Timestamp now) {
  std::string time = base::iso8601(now, 0);
  std::ranges::replace(time, 'T', ' ');
  time.pop_back();
  return "User initiated (" + time + " GMT)";
}

void by_user(InstanceRecord& instance, base::Timestamp now) {
  instance.state_reason = {"Client.UserInitiatedShutdown",
                           "Client.UserInitiatedShutdown: User initiated shutdown"};
  instance.state_transition_reason = user_initiated(now);
}

void enter(InstanceRecord& instance, InstanceStateName state, base::Timestamp now) {
  instance.state = state;
  instance.state_changed = now;
}

// Puts the record; says how it changed.
InstanceStateChange change(Transaction& transaction, InstanceRecord instance,
                           InstanceStateName state) {
  InstanceStateChange out{.current_state = state_view(state),
                          .instance_id = instance.id.value,
                          .previous_state = state_view(instance.state)};
  enter(instance, state, transaction.now());
  transaction.put(std::move(instance));
  return out;
}
InstanceStateChange no_change(const InstanceRecord& instance) {
  return {.current_state = state_view(instance.state),
          .instance_id = instance.id.value,
          .previous_state = state_view(instance.state)};
}

// A public address for as long as it runs; an elastic one takes its place.
base::Result<void> lend_address(Transaction& transaction, const InstanceRecord& instance) {
  const auto* const primary = primary_interface(transaction.state(), instance);
  if (!instance.lends_public_address || primary == nullptr) return {};
  if (!public_address_of(transaction.state(), *primary).empty()) return {};
  NetworkInterfaceRecord lent = *primary;
  TRY(lent.lent_public_address, free_public_address(transaction));
  transaction.put(std::move(lent));
  return {};
}

void take_address_back(Transaction& transaction, const NetworkInterfaceId& id) {
  const auto* const found = transaction.find<NetworkInterfaceRecord>(id);
  if (found == nullptr || found->lent_public_address.empty()) return;
  NetworkInterfaceRecord record = *found;
  record.lent_public_address.clear();
  transaction.put(std::move(record));
}

void disassociate_addresses(Transaction& transaction, const NetworkInterfaceId& id) {
  std::vector<AddressRecord> bound;
  for (const AddressRecord& address : transaction.state().all<AddressRecord>()) {
    if (address.network_interface == id) bound.push_back(address);
  }
  for (AddressRecord& address : bound) {
    address.network_interface.reset();
    address.association.reset();
    address.private_address.clear();
    transaction.put(std::move(address));
  }
}

void release_interface(Transaction& transaction, const NetworkInterfaceId& id) {
  const auto* const found = transaction.find<NetworkInterfaceRecord>(id);
  if (found == nullptr) return;
  if (found->attachment.has_value() && found->attachment->delete_on_termination) {
    disassociate_addresses(transaction, id);
    transaction.erase<NetworkInterfaceRecord>(id);
    return;
  }
  NetworkInterfaceRecord kept = *found;
  kept.attachment.reset();
  kept.lent_public_address.clear();
  transaction.put(std::move(kept));
}

}  // namespace

base::Result<DescribeInstancesResult> describe_instances(const State& state, const Place& place,
                                                         const DescribeInstancesRequest& request) {
  TRY_VOID(check_page_of_ids(request.instance_ids, request.max_results));
  // No instance here is managed by another service: IncludeManagedResources changes nothing.
  const std::array shared{SharedValue{"owner-id", place.account},
                          SharedValue{"network-interface.owner-id", place.account}};
  TRY(const auto page,
      select_shared<InstanceRecord>(state, shared, request.instance_ids, request.filters,
                                    instance_filters(), {request.max_results, request.next_token}));
  return DescribeInstancesResult{.reservations = reservation_views(state, page.records, place),
                                 .next_token = page.next_token};
}

base::Result<DescribeInstanceStatusResult> describe_instance_status(
    const State& state, base::Timestamp now, const DescribeInstanceStatusRequest& request) {
  TRY_VOID(check_page_of_ids(request.instance_ids, request.max_results));
  TRY(const FilterSet filters, FilterSet::of(request.filters));
  const std::span<const StatusField> fields(kStatusFilters);
  TRY_VOID(filters.check(fields));
  TRY(auto page, select<InstanceRecord>(state, request.instance_ids, {}, instance_filters()));
  const bool all = request.include_all_instances.value_or(false);
  std::erase_if(page.records, [&](const InstanceRecord* one) {
    const StatusRow row{one, status_of(*one, now)};
    return (!all && one->state != InstanceStateName::Running) ||
           !filters.match(state, row, one->tags, fields);
  });
  TRY(page, paginate(std::move(page.records), {request.max_results, request.next_token}));
  DescribeInstanceStatusResult result{.instance_statuses = std::vector<InstanceStatus>{},
                                      .next_token = page.next_token};
  for (const InstanceRecord* one : page.records) {
    result.instance_statuses->push_back(status_view({one, status_of(*one, now)}));
  }
  return result;
}

base::Result<StartInstancesResult> start_instances(Transaction& transaction,
                                                   const StartInstancesRequest& request) {
  TRY_VOID(refuse({{"AdditionalInfo", request.additional_info.has_value()}}));
  TRY(std::vector<InstanceRecord> instances, named(transaction.state(), request.instance_ids));
  std::vector<InstanceStateChange> changes;
  for (InstanceRecord& instance : instances) {
    if (instance.state == InstanceStateName::Running ||
        instance.state == InstanceStateName::Pending) {
      changes.push_back(no_change(instance));
      continue;
    }
    if (instance.state != InstanceStateName::Stopped)
      return std::unexpected(wrong_state(instance, "started"));
    TRY_VOID(lend_address(transaction, instance));
    instance.launched = transaction.now();
    instance.state_reason.reset();
    instance.state_transition_reason.clear();
    changes.push_back(change(transaction, std::move(instance), InstanceStateName::Pending));
  }
  return StartInstancesResult{std::move(changes)};
}

base::Result<StopInstancesResult> stop_instances(Transaction& transaction,
                                                 const StopInstancesRequest& request) {
  TRY_VOID(refuse({{"Hibernate", request.hibernate.value_or(false)}}));
  TRY(std::vector<InstanceRecord> instances, named(transaction.state(), request.instance_ids));
  std::vector<InstanceStateChange> changes;
  for (InstanceRecord& instance : instances) {
    if (instance.state == InstanceStateName::Stopped ||
        instance.state == InstanceStateName::Stopping) {
      changes.push_back(no_change(instance));
      continue;
    }
    if (instance.state != InstanceStateName::Running)
      return std::unexpected(wrong_state(instance, "stopped"));
    if (instance.disable_api_stop) {
      return std::unexpected(is_protected(instance, "stopped", "disableApiStop"));
    }
    by_user(instance, transaction.now());
    instance.reboot_wanted = false;
    instance.stop_at_once =
        request.force.value_or(false) || request.skip_os_shutdown.value_or(false);
    changes.push_back(change(transaction, std::move(instance), InstanceStateName::Stopping));
  }
  return StopInstancesResult{std::move(changes)};
}

base::Result<wire::Empty> reboot_instances(Transaction& transaction,
                                           const RebootInstancesRequest& request) {
  TRY(std::vector<InstanceRecord> instances, named(transaction.state(), request.instance_ids));
  for (InstanceRecord& instance : instances) {
    if (instance.state != InstanceStateName::Running) {
      return std::unexpected(wrong_state(instance, "rebooted"));
    }
    instance.reboot_wanted = true;
    transaction.put(std::move(instance));
  }
  return wire::Empty{};
}

base::Result<TerminateInstancesResult> terminate_instances(Transaction& transaction,
                                                           const TerminateInstancesRequest& request,
                                                           Protection protection) {
  TRY(std::vector<InstanceRecord> instances, named(transaction.state(), request.instance_ids));
  std::vector<InstanceStateChange> changes;
  for (InstanceRecord& instance : instances) {
    if (instance.state == InstanceStateName::Terminated ||
        instance.state == InstanceStateName::ShuttingDown) {
      changes.push_back(no_change(instance));
      continue;
    }
    if (instance.disable_api_termination && protection == Protection::Honoured) {
      return std::unexpected(is_protected(instance, "terminated", "disableApiTermination"));
    }
    by_user(instance, transaction.now());
    instance.reboot_wanted = false;
    instance.stop_at_once =
        request.force.value_or(false) || request.skip_os_shutdown.value_or(false);
    changes.push_back(change(transaction, std::move(instance), InstanceStateName::ShuttingDown));
  }
  return TerminateInstancesResult{std::move(changes)};
}

base::Result<void> instance_started(Transaction& transaction, const InstanceId& id) {
  const auto* const found = transaction.find<InstanceRecord>(id);
  if (found == nullptr || found->state != InstanceStateName::Pending) return {};
  InstanceRecord instance = *found;
  instance.has_run = true;
  instance.reboot_wanted = false;
  instance.stop_at_once = false;
  enter(instance, InstanceStateName::Running, transaction.now());
  transaction.put(std::move(instance));
  return {};
}

base::Result<void> instance_stopped(Transaction& transaction, const InstanceId& id) {
  const auto* const found = transaction.find<InstanceRecord>(id);
  if (found == nullptr || found->state != InstanceStateName::Stopping) return {};
  InstanceRecord instance = *found;
  for (const NetworkInterfaceId& one : instance.network_interfaces) {
    take_address_back(transaction, one);
  }
  enter(instance, InstanceStateName::Stopped, transaction.now());
  transaction.put(std::move(instance));
  return {};
}

base::Result<void> instance_removed(Transaction& transaction, const InstanceId& id) {
  const auto* const found = transaction.find<InstanceRecord>(id);
  if (found == nullptr || found->state != InstanceStateName::ShuttingDown) return {};
  InstanceRecord instance = *found;
  for (const NetworkInterfaceId& one : instance.network_interfaces) {
    release_interface(transaction, one);
  }
  instance.network_interfaces.clear();
  if (transaction.find<VolumeRecord>(instance.volume) != nullptr) {
    transaction.erase<VolumeRecord>(instance.volume);
  }
  enter(instance, InstanceStateName::Terminated, transaction.now());
  transaction.put(std::move(instance));
  return {};
}

base::Result<void> instance_rebooted(Transaction& transaction, const InstanceId& id) {
  const auto* const found = transaction.find<InstanceRecord>(id);
  if (found == nullptr || !found->reboot_wanted) return {};
  InstanceRecord instance = *found;
  instance.reboot_wanted = false;
  transaction.put(std::move(instance));
  return {};
}

base::Result<void> instance_reboots(Transaction& transaction, const InstanceId& id) {
  const auto* const found = transaction.find<InstanceRecord>(id);
  if (found == nullptr || found->state != InstanceStateName::Running) return {};
  InstanceRecord instance = *found;
  instance.reboot_wanted = true;
  transaction.put(std::move(instance));
  return {};
}

base::Result<void> instance_ended(Transaction& transaction, const InstanceId& id) {
  const auto* const found = transaction.find<InstanceRecord>(id);
  if (found == nullptr || found->state != InstanceStateName::Running) return {};
  InstanceRecord instance = *found;
  instance.state_reason = {"Client.InstanceInitiatedShutdown",
                           "Client.InstanceInitiatedShutdown: Instance initiated shutdown"};
  instance.state_transition_reason.clear();
  instance.reboot_wanted = false;
  enter(instance,
        instance.terminate_on_shutdown ? InstanceStateName::ShuttingDown
                                       : InstanceStateName::Stopping,
        transaction.now());
  transaction.put(std::move(instance));
  return {};
}

base::Result<void> instance_failed(Transaction& transaction, const InstanceId& id) {
  const auto* const found = transaction.find<InstanceRecord>(id);
  if (found == nullptr || found->state != InstanceStateName::Pending) return {};
  InstanceRecord instance = *found;
  instance.state_reason = {"Server.InternalError",
                           "Server.InternalError: Internal error on launch"};
  instance.state_transition_reason = "Server.InternalError";
  enter(instance, instance.has_run ? InstanceStateName::Stopping : InstanceStateName::ShuttingDown,
        transaction.now());
  transaction.put(std::move(instance));
  return {};
}

base::Result<void> instance_lost(Transaction& transaction, const InstanceId& id) {
  const auto* const found = transaction.find<InstanceRecord>(id);
  if (found == nullptr || found->state != InstanceStateName::Running) return {};
  InstanceRecord instance = *found;
  enter(instance, InstanceStateName::Pending, transaction.now());
  transaction.put(std::move(instance));
  return {};
}

base::Result<void> sweep_terminated(Transaction& transaction) {
  std::vector<InstanceId> old;
  for (const InstanceRecord& instance : transaction.state().all<InstanceRecord>()) {
    const base::Timestamp since = instance.state_changed.value_or(instance.launched);
    if (instance.state == InstanceStateName::Terminated &&
        transaction.now() - since >= kTerminatedKept) {
      old.push_back(instance.id);
    }
  }
  for (const InstanceId& id : old) transaction.erase<InstanceRecord>(id);
  return {};
}

}  // namespace terrarium::ec2
