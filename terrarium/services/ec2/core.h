// What all of EC2's operations stand on: the records of each AWS region, the one way to change
// them, and the keepers that make them true. On the control executor.
#pragma once

#include <functional>
#include <string>
#include <type_traits>
#include <utility>

#include "lib/base/clock.h"
#include "lib/base/random.h"
#include "lib/base/result.h"
#include "lib/runtime/task.h"
#include "terrarium/host/machine.h"
#include "terrarium/host/network.h"
#include "terrarium/services/ec2/network_keeper.h"
#include "terrarium/services/ec2/state.h"
#include "terrarium/store/store.h"
#include "terrarium/wire/service.h"

namespace terrarium::ec2 {

struct Config {
  std::string account = "000000000000";
  // Thousandths of a core that a vCPU is worth.
  std::uint32_t cpu_millis_per_vcpu = 1000;
};

// What must be true when a change is answered.
enum class Effect : std::uint8_t {
  Recorded,  // it is on disk; the keepers are at it
  Applied,   // the kernel's networks have it too (a rule that was revoked lets nothing through)
};

class Core {
 public:
  struct Parts {
    store::Store& store;
    base::Clock& clock;
    base::Random& random;
    runtime::Executor executor;
    host::Network& network;
    host::Machines& machines;
  };
  Core(Parts parts, Config config);

  // Reads every region that the store knows. Before requests come.
  base::Result<void> start();
  runtime::Task<void> stop();

  // The records of a region, made (default VPC, base image) when it is used for the first time.
  base::Result<State*> records(const std::string& region);
  Scene scene_of(const wire::Context& context) const;
  // A change that nobody asked for over the wire: a keeper's.
  Scene own_scene(const std::string& region) const;

  // Runs a rule, Result<Output>(Transaction&), and answers when its changes are durable, and
  // effective as `effect` says.
  template <class Rule>
  runtime::Task<std::invoke_result_t<Rule&, Transaction&>> change(const wire::Context& context,
                                                                  Effect effect, Rule rule) {
    CO_TRY(State* const state, records(context.region));
    auto answer = decide(*state, scene_of(context), rule);
    if (answer.has_value() && !context.dry_run) CO_TRY_VOID(co_await finish(effect));
    co_return answer;
  }
  // The same for a keeper.
  template <class Rule>
  runtime::Task<std::invoke_result_t<Rule&, Transaction&>> change_own(std::string region,
                                                                      Rule rule) {
    CO_TRY(State* const state, records(region));
    auto answer = decide(*state, own_scene(region), rule);
    if (answer.has_value()) CO_TRY_VOID(co_await finish(Effect::Recorded));
    co_return answer;
  }

  const Config& config() const { return config_; }
  const States& states() const { return states_; }
  base::Clock& clock() { return parts_.clock; }
  base::Random& random() { return parts_.random; }
  runtime::Executor executor() const { return parts_.executor; }
  host::Network& network() { return parts_.network; }
  host::Machines& machines() { return parts_.machines; }
  NetworkKeeper& networks() { return networks_; }
  // Called after every durable change.
  void on_change(std::function<void()> callback) { changed_.push_back(std::move(callback)); }

 private:
  // No await between the rule and the write: what it decided is what is stored.
  template <class Rule>
  std::invoke_result_t<Rule&, Transaction&> decide(State& state, Scene scene, Rule& rule) {
    Transaction transaction(state, std::move(scene));
    auto answer = rule(transaction);
    if (answer.has_value() && !transaction.scene().dry_run) TRY_VOID(write(transaction));
    return answer;
  }
  base::Result<void> write(Transaction& transaction);
  runtime::Task<base::Result<void>> finish(Effect effect);

  Parts parts_;
  Config config_;
  States states_;
  NetworkKeeper networks_;
  std::vector<std::function<void()>> changed_;
};

}  // namespace terrarium::ec2
