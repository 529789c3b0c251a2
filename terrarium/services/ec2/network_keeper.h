// Makes the kernel's networks what the records say, and goes on until they are: woken by every
// change, and by a timer after a failure. On the control executor.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "lib/base/clock.h"
#include "lib/runtime/event.h"
#include "lib/runtime/task_group.h"
#include "terrarium/host/network.h"
#include "terrarium/services/ec2/state.h"

namespace terrarium::ec2 {

// By region name.
using States = std::map<std::string, State, std::less<>>;

// Told of networks that came and went: metadata listens inside each.
class NetworkObserver {
 public:
  virtual ~NetworkObserver() = default;
  virtual void network_up(const std::string& region, const std::string& vpc_id) = 0;
  // Before it goes.
  virtual void network_down(const std::string& vpc_id) = 0;
};

class NetworkKeeper {
 public:
  // Everything outlives the keeper.
  NetworkKeeper(const States& states, host::Network& network, base::Clock& clock,
                runtime::Executor executor);

  void observe(NetworkObserver* observer) { observer_ = observer; }
  void start();
  runtime::Task<void> stop();
  // The records have changed.
  void wake();
  // Returns when the networks are what the records said at the call, or at the deadline: false
  // then, or when the last try for some VPC failed.
  runtime::Task<bool> settled(base::Timestamp deadline);
  // Whether the kernel has what the records of this VPC say now.
  bool is_applied(const std::string& region, const VpcId& vpc) const;
  // Whether the kernel has this interface: a machine can join its namespace.
  bool has_interface(const VpcId& vpc, const NetworkInterfaceId& id) const;

 private:
  runtime::Task<void> keep();
  runtime::Task<void> make_all_true();
  runtime::Task<void> apply(std::string region, host::VpcSpec spec);
  runtime::Task<void> remove_others(std::set<std::string> wanted);

  const States& states_;
  host::Network& network_;
  base::Clock& clock_;
  runtime::TaskGroup tasks_;
  runtime::Event wanted_changed_;
  runtime::Event done_changed_;
  NetworkObserver* observer_ = nullptr;
  std::uint64_t wanted_ = 1;
  std::uint64_t done_ = 0;
  std::map<std::string, host::VpcSpec> applied_;  // by VPC: what the kernel has for certain
  std::set<std::string> up_;                      // VPCs that the observer was told of
  bool all_true_ = false;                         // the last pass failed nowhere
};

}  // namespace terrarium::ec2
