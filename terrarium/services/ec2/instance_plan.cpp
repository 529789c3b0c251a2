#include "terrarium/services/ec2/instance_plan.h"

#include "terrarium/services/ec2/cidr.h"
#include "terrarium/services/ec2/instance_types.h"
#include "terrarium/services/ec2/regions.h"

namespace terrarium::ec2 {
namespace {

constexpr std::uint64_t kMib = 1ULL << 20;
constexpr std::uint64_t kGib = 1ULL << 30;
// AWS's resolver: the VPC's first address plus two.
constexpr std::uint32_t kResolverOffset = 2;

host::MachineLimits limits_of(const State& state, const InstanceRecord& instance,
                              const Config& config) {
  host::MachineLimits limits;
  if (const InstanceType* const type = find_instance_type(instance.type)) {
    limits.vcpus = static_cast<std::uint32_t>(type->vcpus);
    limits.cpu_millis = limits.vcpus * config.cpu_millis_per_vcpu;
    limits.memory_bytes = static_cast<std::uint64_t>(type->memory_mib) * kMib;
  }
  if (const VolumeRecord* const volume = state.find<VolumeRecord>(instance.volume)) {
    limits.disk_bytes = static_cast<std::uint64_t>(volume->gib) * kGib;
  }
  return limits;
}

std::string resolver_of(const State& state, const VpcId& id) {
  const VpcRecord* const vpc = state.find<VpcRecord>(id);
  if (vpc == nullptr || !vpc->dns_support) return "";
  return ipv4_text(Cidr::parse(vpc->cidr())->first() + kResolverOffset);
}

InstanceStep step_of_running(const InstanceRecord& instance, const host::MachineStatus* machine) {
  if (instance.reboot_wanted) return InstanceStep::Reboot;
  if (machine == nullptr) return InstanceStep::StartAgain;
  if (machine->state == host::MachineState::Running) return InstanceStep::None;
  if (machine->last_exit.empty()) return InstanceStep::StartAgain;
  return machine->last_exit == host::kRebootExit ? InstanceStep::NoteReboot : InstanceStep::NoteEnd;
}

}  // namespace

InstanceStep next_step(const InstanceRecord& instance, const host::MachineStatus* machine) {
  switch (instance.state) {
    case InstanceStateName::Pending: return InstanceStep::Start;
    case InstanceStateName::Running: return step_of_running(instance, machine);
    case InstanceStateName::Stopping: return InstanceStep::Stop;
    case InstanceStateName::ShuttingDown: return InstanceStep::Remove;
    case InstanceStateName::Stopped: {
      const bool runs = machine != nullptr && machine->state == host::MachineState::Running;
      return runs ? InstanceStep::Stop : InstanceStep::None;
    }
    case InstanceStateName::Terminated:
      return machine != nullptr ? InstanceStep::Remove : InstanceStep::None;
  }
  return InstanceStep::None;
}

host::MachineStatus expected_machine(const InstanceRecord& instance) {
  const bool runs = instance.state == InstanceStateName::Running;
  return {.name = instance.id.value,
          .state = runs ? host::MachineState::Running : host::MachineState::Stopped};
}

host::MachineSpec machine_spec(const State& state, const std::string& region,
                               const InstanceRecord& instance, const Config& config,
                               std::filesystem::path network_namespace) {
  host::MachineSpec spec{.name = instance.id.value,
                         .layers = instance.layers,
                         .network_namespace = std::move(network_namespace),
                         .hostname = private_host(instance.private_address),
                         .domain = private_domain(region),
                         .nameserver = resolver_of(state, instance.vpc),
                         .limits = limits_of(state, instance, config),
                         .env = {{"AWS_DEFAULT_REGION", region}, {"AWS_REGION", region}},
                         .boot = host::BootSpec{.user_data = instance.user_data}};
  if (!instance.public_key.empty()) spec.boot->authorized_keys = {instance.public_key};
  return spec;
}

}  // namespace terrarium::ec2
