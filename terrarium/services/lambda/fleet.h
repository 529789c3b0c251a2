// Execution environments, by function version: who may run, on what, and for how long idle ones are
// kept. A version has its own FunctionPool; what is counted over all versions of a function, its
// concurrency, is in their common FunctionUse.
//
// Two limits hold. AWS's: a function's reserved concurrency, and for all others together what the
// account has left; going past it is a throttle. The machine's: how many environments fit; past
// that callers wait, and idle environments of other functions go. Control executor.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "lib/runtime/event.h"
#include "lib/runtime/runtime.h"
#include "terrarium/services/iam/api.h"
#include "terrarium/services/lambda/catalog.h"
#include "terrarium/services/lambda/code_store.h"
#include "terrarium/services/lambda/environment.h"
#include "terrarium/services/lambda/runtimes.h"

namespace terrarium::lambda {

using EnvironmentPtr = std::shared_ptr<ExecutionEnvironment>;

struct FleetLimits {
  std::size_t environments_max = 16;
  // Up to so many environments a function gets without a thought. Past that, one more is started
  // only when waiting for a free one has taken as long as a start would.
  std::size_t eager_environments = 2;
  base::Duration idle_timeout = std::chrono::minutes(5);
  // Whether its cores have nothing left to give: queues then get no more environments than there
  // are cores. Not set: never.
  std::function<bool()> is_machine_busy;
};

class FunctionPool;

// Of one version, since this daemon started.
struct InvocationCounts {
  std::uint64_t invocations = 0;
  std::uint64_t errors = 0;
  std::uint64_t throttles = 0;
  base::Duration last_duration{};

  InvocationCounts& operator+=(const InvocationCounts& other) {
    invocations += other.invocations;
    errors += other.errors;
    throttles += other.throttles;
    if (other.invocations > 0) last_duration = other.last_duration;
    return *this;
  }
};

// A function over all its versions.
struct FunctionUse {
  std::optional<std::int32_t> reserved;
  std::size_t in_use = 0;
  bool gone = false;
  std::map<std::string, std::shared_ptr<FunctionPool>> pools;  // by version
};

// What one invocation runs.
struct Route {
  std::shared_ptr<FunctionPool> pool;  // of the version that was chosen
  std::string invoked_arn;             // as it was named: unqualified, or with its qualifier
};

class Fleet {
 public:
  // All outlive it.
  struct Parts {
    ExecutionEnvironment::Parts environment;
    iam::Api& iam;
    const CodeStore& code;
    const Runtimes& runtimes;
    const Catalog& catalog;
    std::string endpoint_url;
    std::string account;
  };
  Fleet(Parts parts, FleetLimits limits);

  // From now on invocations of the record's version run `record`. Environments of an earlier build
  // finish what they do and end.
  void set_function(const std::string& region, FunctionPtr record);
  // Its environments end; who waits for one is told that there is no such function.
  void remove_function(const std::string& region, const std::string& name);
  void remove_version(const std::string& region, const std::string& name,
                      const std::string& version);
  // Null when there is no such version.
  std::shared_ptr<FunctionPool> find(const std::string& region, const std::string& name,
                                     std::string_view version = kLatest) const;
  // Where an invocation of "name" with a qualifier (empty: none) goes; an alias chooses anew each
  // time. Nothing when there is no such function, version or alias.
  std::optional<Route> route(const std::string& region, const std::string& name,
                             const std::string& qualifier) const;
  Route route(const std::string& region, const Resolved& resolved) const;
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
  void evict_one();
  // Whether reserve() would succeed.
  bool has_room() const;
  // What functions without a reservation share in a region.
  struct Shared {
    std::int32_t reserved = 0;  // taken out of it
    std::int32_t in_use = 0;
    std::int32_t max() const;
  };
  void recount(const std::string& region);
  // Who waits for room of any kind looks again.
  void wake_all();

  Parts parts_;
  FleetLimits limits_;
  std::map<Key, std::shared_ptr<FunctionUse>> functions_;
  std::map<std::string, Shared> shared_;  // by region
  std::list<std::weak_ptr<ExecutionEnvironment>>
      environments_;  // those that have ended last the longest
  std::size_t live_ = 0;
  runtime::Event functions_changed_;
};

class FunctionPool : public std::enable_shared_from_this<FunctionPool> {
 public:
  enum class Wait : std::uint8_t { No, Yes };

  FunctionPool(Fleet& fleet, std::string region, std::shared_ptr<FunctionUse> use,
               FunctionPtr record);

  const FunctionRecord& function() const { return *record_; }
  Place place() const { return {region_, fleet_.parts_.account}; }
  // An environment to invoke, idle or failed at its start; it counts as in use until release().
  // Throttled: past a limit, at once (Wait::No: past AWS's limit) or at `give_up`. NotFound: the
  // function has gone.
  runtime::Task<base::Result<EnvironmentPtr>> acquire(Wait wait, base::Timestamp give_up);
  // After the invocation's outcome is there.
  void release();
  // Instead of an invocation and release(): what was acquired is not needed.
  void put_back(const EnvironmentPtr& environment);
  void count(const Outcome& outcome);
  const InvocationCounts& counts() const { return counts_; }
  // Until an acquire would be granted soon, the deadline, or the function's end.
  runtime::Task<void> wait_for_room(base::Timestamp deadline);
  std::size_t in_use() const { return in_use_; }
  // Environments, whatever they do.
  std::size_t environments() const { return live_.size(); }
  // Of them, those that have started.
  std::size_t started() const;
  // Keeps so many, started before anybody asks for them.
  void provision(std::size_t environments);

 private:
  friend class Fleet;
  struct Idle {
    EnvironmentPtr environment;
    base::Timestamp since;
  };

  bool has_slot() const;
  // Why a caller is throttled, as AWS says it.
  std::string_view reason() const;
  void occupy();
  runtime::Task<base::Result<EnvironmentPtr>> take(base::Timestamp give_up);
  enum class Start : std::uint8_t { ForInvocation, Beforehand };
  runtime::Task<base::Result<EnvironmentPtr>> start_one(Start start);
  EnvironmentPtr make(ExecutionEnvironment::Phase phase, std::string log_stream, Start start);
  runtime::Task<base::Result<void>> refresh_credentials();
  EnvironmentPtr take_idle();
  // How long a caller waits for a busy environment before one more is started.
  base::Duration patience_now() const;
  bool all_busy() const;
  void became_idle(ExecutionEnvironment& environment);
  void ended(ExecutionEnvironment& environment);
  bool evict_oldest();
  runtime::Task<void> keep_provisioned(std::shared_ptr<FunctionPool> self);
  void set_record(FunctionPtr record);
  void close();
  runtime::Task<void> retire_idle(std::shared_ptr<FunctionPool> self);

  Fleet& fleet_;
  std::string region_;
  std::shared_ptr<FunctionUse> use_;
  FunctionPtr record_;
  std::list<Idle> idle_;  // the one used last at the back
  std::map<ExecutionEnvironment*, EnvironmentPtr> live_;
  std::size_t in_use_ = 0;
  InvocationCounts counts_;
  base::Duration init_estimate_;
  std::map<std::string, std::string> credentials_;
  base::Timestamp credentials_end_;
  std::string credentials_role_;
  runtime::Event changed_;  // a slot or an environment is free, or the function changed
  std::size_t provisioned_ = 0;
  bool provisioning_ = false;
  bool retiring_ = false;
  bool closed_ = false;
};

}  // namespace terrarium::lambda
