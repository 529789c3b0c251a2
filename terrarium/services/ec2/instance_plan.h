// What must be done about an instance, and the machine that it must be. Pure.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "terrarium/host/machine.h"
#include "terrarium/services/ec2/core.h"
#include "terrarium/services/ec2/state.h"

namespace terrarium::ec2 {

enum class InstanceStep : std::uint8_t {
  None,
  Start,       // its machine, and the instance runs
  Stop,        // the machine, and the instance is stopped
  Remove,      // the machine with its disk, and the instance is terminated
  Reboot,      // stop and start the machine
  NoteEnd,     // the machine ended by itself
  NoteReboot,  // the same, to start again
  StartAgain,  // the machine was taken from under a running instance
};

// `machine`: as the host tells; null when there is none.
InstanceStep next_step(const InstanceRecord& instance, const host::MachineStatus* machine);
// What the host would tell if nothing had happened behind our back.
host::MachineStatus expected_machine(const InstanceRecord& instance);

host::MachineSpec machine_spec(const State& state, const std::string& region,
                               const InstanceRecord& instance, const Config& config,
                               std::filesystem::path network_namespace);

}  // namespace terrarium::ec2
