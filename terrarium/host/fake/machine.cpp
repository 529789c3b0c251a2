#include "terrarium/host/fake/machine.h"

#include <utility>

namespace terrarium::host {
namespace {

using runtime::Task;

constexpr std::size_t kConsoleBytes = 64 * 1024;

std::unexpected<base::Error> unknown(const std::string& name) {
  return base::fail(base::ErrorKind::NotFound, "there is no machine " + name);
}

}  // namespace

base::Result<void> FakeMachines::count_call() {
  if (fail_at_ != calls_++) return {};
  fail_at_.reset();
  return base::fail(base::ErrorKind::Unavailable, "the fake machines were told to fail");
}

base::Result<void> FakeMachines::allowed() const {
  if (refusal_.empty()) return {};
  return base::fail(base::ErrorKind::Unavailable, refusal_);
}

void FakeMachines::end(const std::string& name, std::string last_exit) {
  const auto machine = machines_.find(name);
  if (machine == machines_.end() || machine->second.status.state != MachineState::Running) return;
  machine->second.status.state = MachineState::Stopped;
  machine->second.status.pid = 0;
  machine->second.status.last_exit = std::move(last_exit);
  for (const auto& callback : on_ended_) callback(name);
}

void FakeMachines::write_console(const std::string& name, std::string_view text) {
  const auto machine = machines_.find(name);
  if (machine == machines_.end()) return;
  std::string& console = machine->second.console;
  console += text;
  if (console.size() > kConsoleBytes) console.erase(0, console.size() - kConsoleBytes);
}

void FakeMachines::set_usage(const std::string& name, MachineUsage usage) {
  const auto machine = machines_.find(name);
  if (machine != machines_.end()) machine->second.usage = usage;
}

const MachineSpec* FakeMachines::spec(const std::string& name) const {
  const auto machine = machines_.find(name);
  return machine == machines_.end() ? nullptr : &machine->second.spec;
}

Task<base::Result<void>> FakeMachines::start(MachineSpec spec) {
  CO_TRY_VOID(allowed());
  CO_TRY_VOID(count_call());
  for (const std::string& layer : spec.layers) {
    if (!images_.contains(layer)) {
      co_return base::fail(base::ErrorKind::NotFound, "there is no image layer " + layer);
    }
  }
  if (start_time_ > base::Duration::zero()) {
    co_await runtime::sleep_until(clock_, clock_.now() + start_time_);
  }
  Machine& machine = machines_[spec.name];
  if (machine.status.state == MachineState::Running) co_return base::Result<void>();
  machine.status = {.name = spec.name,
                    .state = MachineState::Running,
                    .pid = next_pid_++,
                    .started = clock_.now(),
                    .last_exit = {}};
  machine.spec = std::move(spec);
  co_return base::Result<void>();
}

Task<base::Result<void>> FakeMachines::stop(std::string name, base::Duration) {
  CO_TRY_VOID(count_call());
  const auto machine = machines_.find(name);
  if (machine == machines_.end()) co_return base::Result<void>();
  machine->second.status.state = MachineState::Stopped;
  machine->second.status.pid = 0;
  machine->second.status.last_exit.clear();
  co_return base::Result<void>();
}

Task<base::Result<void>> FakeMachines::remove(std::string name) {
  CO_TRY_VOID(count_call());
  machines_.erase(name);
  co_return base::Result<void>();
}

base::Result<std::vector<MachineStatus>> FakeMachines::list() const {
  std::vector<MachineStatus> all;
  for (const auto& [name, machine] : machines_) all.push_back(machine.status);
  return all;
}

base::Result<MachineUsage> FakeMachines::usage(const std::string& name) const {
  const auto machine = machines_.find(name);
  if (machine == machines_.end()) return unknown(name);
  return machine->second.usage;
}

base::Result<std::string> FakeMachines::console(const std::string& name) const {
  const auto machine = machines_.find(name);
  if (machine == machines_.end()) return unknown(name);
  return machine->second.console;
}

Task<base::Result<void>> FakeMachines::save_image(std::string name, std::string image_id) {
  CO_TRY_VOID(count_call());
  if (!machines_.contains(name)) co_return unknown(name);
  if (!images_.insert(image_id).second) {
    co_return base::fail(base::ErrorKind::Conflict, "there is an image " + image_id + " already");
  }
  co_return base::Result<void>();
}

Task<base::Result<void>> FakeMachines::remove_image(std::string image_id) {
  CO_TRY_VOID(count_call());
  for (const auto& [name, machine] : machines_) {
    for (const std::string& layer : machine.spec.layers) {
      if (layer == image_id) {
        co_return base::fail(base::ErrorKind::Conflict, "the image is the disk of " + name);
      }
    }
  }
  images_.erase(image_id);
  co_return base::Result<void>();
}

base::Result<std::vector<std::string>> FakeMachines::images() const {
  return std::vector<std::string>(images_.begin(), images_.end());
}

Task<base::Result<void>> FakeMachines::remove_all() {
  CO_TRY_VOID(count_call());
  machines_.clear();
  co_return base::Result<void>();
}

base::Result<std::string> FakeMachines::description() const {
  TRY_VOID(allowed());
  return "fake";
}

}  // namespace terrarium::host
