#include "terrarium/services/ec2/instance_keeper.h"

#include <algorithm>

#include "lib/base/log.h"
#include "terrarium/services/ec2/instance_rules.h"

namespace terrarium::ec2 {
namespace {

// Machines that start or stop at a time: more would only slow each other down.
constexpr std::size_t kConcurrentMax = 8;
constexpr int kAttemptsMax = 5;
constexpr base::Duration kFirstRetryAfter = std::chrono::milliseconds(500);
constexpr base::Duration kRetryAfterMax = std::chrono::seconds(30);
// The host is asked about all of its machines this often, whatever it told before.
constexpr base::Duration kWholeEvery = std::chrono::minutes(1);
constexpr base::Duration kNetworkWaitMax = std::chrono::seconds(10);
// A system gets this long to shut down.
constexpr base::Duration kShutdownGrace = std::chrono::seconds(20);

bool is_instance_name(const std::string& name) { return name.starts_with(InstanceIdTag::kPrefix); }

// Trying again can't help.
bool is_final(base::ErrorKind kind) {
  return kind == base::ErrorKind::InvalidInput || kind == base::ErrorKind::NotFound ||
         kind == base::ErrorKind::Denied || kind == base::ErrorKind::NotImplemented;
}

}  // namespace

InstanceKeeper::InstanceKeeper(Core& core)
    : core_(core), tasks_(core.executor()), wake_(core.clock()) {}

void InstanceKeeper::start() {
  core_.on_change([this] {
    ++changes_;
    wake_.notify_all();
  });
  core_.machines().on_ended([this](const std::string& name) {
    if (!is_instance_name(name)) return;
    whole_wanted_ = true;
    ++changes_;
    wake_.notify_all();
  });
  tasks_.spawn("instances", keep());
}

runtime::Task<void> InstanceKeeper::stop() { co_await tasks_.stop(); }

bool InstanceKeeper::quiet() const {
  const auto left = look(true);
  return busy_.empty() && failures_.empty() && left.has_value() && left->empty();
}

runtime::Task<void> InstanceKeeper::keep() {
  while (!tasks_.stopping()) {
    const std::uint64_t seen = changes_;
    co_await sweep();
    if (core_.clock().now() >= next_whole_) whole_wanted_ = true;
    const bool whole = std::exchange(whole_wanted_, false);
    auto wanted = look(whole);
    if (whole) next_whole_ = core_.clock().now() + kWholeEvery;
    if (wanted.has_value()) {
      if (whole) forget_failures(*wanted);
      // What must wait is found again only by asking again.
      if (!begin(*std::move(wanted)) && whole) whole_wanted_ = true;
    } else {
      base::log::warning("ec2", "machines: {}", base::describe(wanted.error()));
    }
    if (changes_ == seen) co_await wake_.wait_until(next_look());
  }
}

runtime::Task<void> InstanceKeeper::sweep() {
  const base::Timestamp old = core_.clock().now() - kTerminatedKept;
  std::vector<std::string> regions;
  for (const auto& [region, state] : core_.states()) {
    const auto all = state.all<InstanceRecord>();
    if (std::ranges::any_of(all, [&](const InstanceRecord& one) {
          return one.state == InstanceStateName::Terminated &&
                 one.state_changed.value_or(one.launched) <= old;
        })) {
      regions.push_back(region);
    }
  }
  for (const std::string& region : regions) {
    const auto swept = co_await core_.change_own(region, sweep_terminated);
    if (!swept.has_value()) {
      base::log::warning("ec2", "terminated instances: {}", base::describe(swept.error()));
    }
  }
}

base::Result<std::vector<InstanceKeeper::Work>> InstanceKeeper::look(bool whole) const {
  std::map<std::string, host::MachineStatus> machines;
  if (whole) {
    TRY(auto list, core_.machines().list());
    for (host::MachineStatus& one : list) machines.emplace(one.name, std::move(one));
  }
  std::vector<Work> wanted;
  for (const auto& [region, state] : core_.states()) {
    for (const InstanceRecord& instance : state.all<InstanceRecord>()) {
      const auto found = machines.find(instance.id.value);
      const host::MachineStatus* machine = found == machines.end() ? nullptr : &found->second;
      const host::MachineStatus expected = expected_machine(instance);
      const bool gone = instance.state == InstanceStateName::Terminated;
      if (!whole && !gone) machine = &expected;
      const InstanceStep step = next_step(instance, machine);
      if (step != InstanceStep::None) wanted.push_back({region, instance.id.value, step});
      if (found != machines.end()) machines.erase(found);
    }
  }
  // What a daemon started that died before its record was on disk, or whose record was swept.
  for (const auto& [name, machine] : machines) {
    if (is_instance_name(name)) wanted.push_back({"", name, InstanceStep::Remove});
  }
  return wanted;
}

void InstanceKeeper::forget_failures(const std::vector<Work>& wanted) {
  std::erase_if(failures_, [&](const auto& failed) {
    return !busy_.contains(failed.first) &&
           std::ranges::find(wanted, failed.first, &Work::id) == wanted.end();
  });
}

bool InstanceKeeper::begin(std::vector<Work> wanted) {
  bool all = true;
  for (Work& one : wanted) {
    const auto failed = failures_.find(one.id);
    const bool waits = failed != failures_.end() && core_.clock().now() < failed->second.retry_at;
    if (waits || busy_.contains(one.id) || busy_.size() >= kConcurrentMax) {
      all = false;
      continue;
    }
    busy_.insert(one.id);
    tasks_.spawn("instance", work(std::move(one)));
  }
  return all;
}

runtime::Task<void> InstanceKeeper::work(Work work) {
  const auto done = co_await carry_out(work);
  if (done.has_value()) {
    failures_.erase(work.id);
  } else {
    Failures& failures = failures_[work.id];
    const base::Duration pause = kFirstRetryAfter * (1 << std::min(failures.count, 6));
    ++failures.count;
    failures.retry_at = core_.clock().now() + std::min(pause, kRetryAfterMax);
    whole_wanted_ = true;
    base::log::warning("ec2", "instance {}: {}", work.id, base::describe(done.error()));
  }
  busy_.erase(work.id);
  ++changes_;
  wake_.notify_all();
}

runtime::Task<base::Result<void>> InstanceKeeper::carry_out(Work work) {
  const InstanceId id(work.id);
  switch (work.step) {
    case InstanceStep::None: break;
    case InstanceStep::Start: co_return co_await start_instance(work.region, id);
    case InstanceStep::Stop:
      CO_TRY_VOID(co_await stop_machine(work.region, id));
      co_return co_await core_.change_own(work.region, [id](Transaction& transaction) {
        return instance_stopped(transaction, id);
      });
    case InstanceStep::Remove:
      CO_TRY_VOID(co_await core_.machines().remove(work.id));
      if (work.region.empty()) break;
      co_return co_await core_.change_own(work.region, [id](Transaction& transaction) {
        return instance_removed(transaction, id);
      });
    case InstanceStep::Reboot: co_return co_await reboot_instance(work.region, id);
    case InstanceStep::NoteEnd:
      co_return co_await core_.change_own(
          work.region, [id](Transaction& transaction) { return instance_ended(transaction, id); });
    case InstanceStep::NoteReboot:
      co_return co_await core_.change_own(work.region, [id](Transaction& transaction) {
        return instance_reboots(transaction, id);
      });
    case InstanceStep::StartAgain:
      co_return co_await core_.change_own(
          work.region, [id](Transaction& transaction) { return instance_lost(transaction, id); });
  }
  co_return base::Result<void>();
}

runtime::Task<base::Result<void>> InstanceKeeper::start_instance(std::string region,
                                                                 InstanceId id) {
  auto started = co_await start_machine(region, id);
  if (started.has_value()) {
    co_return co_await core_.change_own(
        region, [id](Transaction& transaction) { return instance_started(transaction, id); });
  }
  if (!is_last_attempt(id.value, started.error())) co_return started;
  base::log::warning("ec2", "instance {} can't be started: {}", id.value,
                     base::describe(started.error()));
  co_return co_await core_.change_own(
      region, [id](Transaction& transaction) { return instance_failed(transaction, id); });
}

bool InstanceKeeper::is_last_attempt(const std::string& id, const base::Error& error) const {
  const auto failed = failures_.find(id);
  const int before = failed == failures_.end() ? 0 : failed->second.count;
  return is_final(error.kind) || before + 1 >= kAttemptsMax;
}

runtime::Task<base::Result<void>> InstanceKeeper::start_machine(std::string region, InstanceId id) {
  const InstanceRecord* instance = find(region, id);
  if (instance == nullptr || instance->network_interfaces.empty()) co_return base::Result<void>();
  const VpcId vpc = instance->vpc;
  const NetworkInterfaceId primary = instance->network_interfaces.front();
  if (!core_.networks().has_interface(vpc, primary)) {
    co_await core_.networks().settled(core_.clock().now() + kNetworkWaitMax);
  }
  if (!core_.networks().has_interface(vpc, primary)) {
    co_return base::fail(base::ErrorKind::Unavailable,
                         "the network interface " + primary.value + " is not there");
  }
  // It may have been terminated meanwhile.
  instance = find(region, id);
  if (instance == nullptr || (instance->state != InstanceStateName::Pending &&
                              instance->state != InstanceStateName::Running)) {
    co_return base::Result<void>();
  }
  co_return co_await core_.machines().start(
      machine_spec(core_.states().at(region), region, *instance, core_.config(),
                   core_.network().namespace_path(primary.value)));
}

runtime::Task<base::Result<void>> InstanceKeeper::reboot_instance(std::string region,
                                                                  InstanceId id) {
  CO_TRY_VOID(co_await stop_machine(region, id));
  const InstanceRecord* const instance = find(region, id);
  if (instance == nullptr || !instance->reboot_wanted) co_return base::Result<void>();
  CO_TRY_VOID(co_await start_machine(region, id));
  co_return co_await core_.change_own(
      region, [id](Transaction& transaction) { return instance_rebooted(transaction, id); });
}

runtime::Task<base::Result<void>> InstanceKeeper::stop_machine(std::string region, InstanceId id) {
  const InstanceRecord* const instance = find(region, id);
  const bool at_once = instance != nullptr && instance->stop_at_once;
  co_return co_await core_.machines().stop(id.value, at_once ? base::Duration{} : kShutdownGrace);
}

const InstanceRecord* InstanceKeeper::find(const std::string& region, const InstanceId& id) const {
  const auto state = core_.states().find(region);
  return state == core_.states().end() ? nullptr : state->second.find<InstanceRecord>(id);
}

base::Timestamp InstanceKeeper::next_look() const {
  // One whose time has come already is begun, or nobody wants it any more.
  const base::Timestamp now = core_.clock().now();
  base::Timestamp next = next_whole_;
  for (const auto& [id, failures] : failures_) {
    if (failures.retry_at > now) next = std::min(next, failures.retry_at);
  }
  return next;
}

}  // namespace terrarium::ec2
