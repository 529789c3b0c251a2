// Execution environments, by function: who may run, on what, and for how long idle ones are kept.
//
// Two limits hold. AWS's: a function's reserved concurrency, and for all others together what the
// account has left; going past it is a throttle. The machine's: how many environments fit; past
// that callers wait, and idle environments of other functions go. Control executor.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "lib/runtime/event.h"
#include "lib/runtime/runtime.h"
#include "terrarium/services/iam/api.h"
#include "terrarium/services/lambda/code_store.h"
#include "terrarium/services/lambda/environment.h"

namespace terrarium::lambda {

using EnvironmentPtr = std::shared_ptr<ExecutionEnvironment>;

struct FleetLimits {
  std::size_t environments_max = 16;
  // Up to so many environments a function gets without a thought. Past that, one more is started
  // only when waiting for a free one has taken as long as a start would.
  std::size_t eager_environments = 2;
  base::Duration idle_timeout = std::chrono::minutes(5);
};

class FunctionPool;

class Fleet {
 public:
  // All outlive it.
  struct Parts {
    ExecutionEnvironment::Parts environment;
    iam::Api& iam;
    const CodeStore& code;
    std::string endpoint_url;
    std::string account;
  };
  Fleet(Parts parts, FleetLimits limits);

  // From now on invocations of the function run `record`. Environments of an earlier record finish
  // what they do and end.
  void set_function(const std::string& region, std::shared_ptr<const FunctionRecord> record);
  // Its environments end; who waits for one is told that there is no such function.
  void remove_function(const std::string& region, const std::string& name);
  // Null when there is no such function.
  std::shared_ptr<FunctionPool> find(const std::string& region, const std::string& name) const;
  // Reserved by all functions of a region but `except`.
  std::int32_t reserved_sum(const std::string& region, std::string_view except) const;
  // Woken when functions come, change or go.
  runtime::Event& functions_changed() { return functions_changed_; }

  // Until no environment has this code any more.
  runtime::Task<void> wait_unused(std::string sha256_hex);
  // Ends every environment and waits until they are cleared away, or the deadline.
  runtime::Task<void> stop(base::Timestamp deadline);

 private:
  friend class FunctionPool;
  using Key = std::pair<std::string, std::string>;  // {region, name}

  // Room for one more environment. When there is none, an idle one is sent away.
  bool reserve();
  void release();
  // Whether reserve() would succeed.
  bool has_room() const;
  std::int32_t unreserved_in_use(const std::string& region) const;

  Parts parts_;
  FleetLimits limits_;
  std::map<Key, std::shared_ptr<FunctionPool>> pools_;
  std::list<std::weak_ptr<ExecutionEnvironment>>
      environments_;  // those that have ended last the longest
  std::size_t live_ = 0;
  runtime::Event functions_changed_;
};

class FunctionPool : public std::enable_shared_from_this<FunctionPool> {
 public:
  enum class Wait : std::uint8_t { No, Yes };

  FunctionPool(Fleet& fleet, std::string region, std::shared_ptr<const FunctionRecord> record);

  const FunctionRecord& function() const { return *record_; }
  Place place() const { return {region_, fleet_.parts_.account}; }
  // An environment to invoke, idle or failed at its start; it counts as in use until release().
  // Throttled: past a limit, at once (Wait::No: past AWS's limit) or at `give_up`. NotFound: the
  // function has gone.
  runtime::Task<base::Result<EnvironmentPtr>> acquire(Wait wait, base::Timestamp give_up);
  // After the invocation's outcome is there.
  void release();
  // Until an acquire would be granted soon, the deadline, or the function's end.
  runtime::Task<void> wait_for_room(base::Timestamp deadline);
  std::size_t in_use() const { return in_use_; }

 private:
  friend class Fleet;
  struct Idle {
    EnvironmentPtr environment;
    base::Timestamp since;
  };

  bool has_slot() const;
  runtime::Task<base::Result<EnvironmentPtr>> take(base::Timestamp give_up);
  runtime::Task<base::Result<EnvironmentPtr>> start_one();
  runtime::Task<base::Result<void>> refresh_credentials();
  EnvironmentPtr take_idle();
  bool all_busy() const;
  void became_idle(ExecutionEnvironment& environment);
  void ended(ExecutionEnvironment& environment);
  bool evict_oldest();
  void set_record(std::shared_ptr<const FunctionRecord> record);
  void close();
  runtime::Task<void> retire_idle(std::shared_ptr<FunctionPool> self);

  Fleet& fleet_;
  std::string region_;
  std::shared_ptr<const FunctionRecord> record_;
  std::list<Idle> idle_;  // the one used last at the back
  std::map<ExecutionEnvironment*, EnvironmentPtr> live_;
  std::size_t in_use_ = 0;
  base::Duration init_estimate_;
  std::map<std::string, std::string> credentials_;
  base::Timestamp credentials_end_;
  std::string credentials_role_;
  runtime::Event changed_;  // a slot or an environment is free, or the function changed
  bool retiring_ = false;
  bool closed_ = false;
};

}  // namespace terrarium::lambda
