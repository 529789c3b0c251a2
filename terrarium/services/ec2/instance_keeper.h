// Makes machines what the records of instances say, and the records what became of the machines:
// woken by every change, by a machine that ended, and by a timer. Takes no arguments and may die
// anywhere: the next one looks at records and machines and goes on. On the control executor.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "lib/base/clock.h"
#include "lib/runtime/event.h"
#include "lib/runtime/task_group.h"
#include "terrarium/services/ec2/core.h"
#include "terrarium/services/ec2/instance_plan.h"

namespace terrarium::ec2 {

class InstanceKeeper {
 public:
  // `core` outlives the keeper, and calls it from its first change on.
  explicit InstanceKeeper(Core& core);

  // After the core has started.
  void start();
  runtime::Task<void> stop();
  // Whether machines and records agree, and nobody works on either.
  bool quiet() const;

 private:
  struct Work {
    std::string region;  // empty: the machine of an instance that has no record
    std::string id;
    InstanceStep step = InstanceStep::None;
  };
  struct Failures {
    int count = 0;
    base::Timestamp retry_at;
  };

  runtime::Task<void> keep();
  runtime::Task<void> sweep();
  // What is to be done; `whole`: the host is asked what its machines do.
  base::Result<std::vector<Work>> look(bool whole) const;
  // Of work that nobody wants any more.
  void forget_failures(const std::vector<Work>& wanted);
  // False when some must wait.
  bool begin(std::vector<Work> wanted);
  runtime::Task<void> work(Work work);
  runtime::Task<base::Result<void>> carry_out(Work work);
  runtime::Task<base::Result<void>> start_instance(std::string region, InstanceId id);
  runtime::Task<base::Result<void>> start_machine(std::string region, InstanceId id);
  runtime::Task<base::Result<void>> reboot_instance(std::string region, InstanceId id);
  runtime::Task<base::Result<void>> stop_machine(std::string region, InstanceId id);
  bool is_last_attempt(const std::string& id, const base::Error& error) const;
  const InstanceRecord* find(const std::string& region, const InstanceId& id) const;
  base::Timestamp next_look() const;

  Core& core_;
  runtime::TaskGroup tasks_;
  runtime::Event wake_;
  bool whole_wanted_ = true;
  std::uint64_t changes_ = 0;
  base::Timestamp next_whole_;
  std::set<std::string> busy_;  // ids that somebody works on
  std::map<std::string, Failures> failures_;
};

}  // namespace terrarium::ec2
