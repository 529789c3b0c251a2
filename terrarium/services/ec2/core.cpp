#include "terrarium/services/ec2/core.h"

#include "generated/ec2/errors.h"
#include "terrarium/services/ec2/regions.h"
#include "terrarium/services/ec2/seed.h"

namespace terrarium::ec2 {
namespace {

// A kernel that does not take a rule in this time is reported by the keeper's log; the answer to
// the client does not wait any longer.
constexpr base::Duration kApplyWaitMax = std::chrono::seconds(5);
constexpr std::string_view kKeyPrefix = "ec2/";

}  // namespace

Core::Core(Parts parts, Config config)
    : parts_(parts),
      config_(std::move(config)),
      networks_(states_, parts_.network, parts_.clock, parts_.executor) {}

base::Result<void> Core::start() {
  // One seek a region: its name ends before the second '/'.
  std::string next(kKeyPrefix);
  const std::string end = store::prefix_end(kKeyPrefix);
  for (;;) {
    const auto cursor = parts_.store.scan(store::Table::Control, next, end);
    if (!cursor->valid()) {
      TRY_VOID(cursor->status());
      break;
    }
    const std::string_view rest = cursor->key().substr(kKeyPrefix.size());
    const std::string region(rest.substr(0, rest.find('/')));
    TRY(State state, State::load(parts_.store, region));
    states_.emplace(region, std::move(state));
    next = store::prefix_end(std::string(kKeyPrefix) + region + "/");
  }
  networks_.start();
  return {};
}

runtime::Task<void> Core::stop() { co_await networks_.stop(); }

base::Result<State*> Core::records(const std::string& region) {
  const auto found = states_.find(region);
  if (found != states_.end()) return &found->second;
  if (find_region(region) == nullptr) {
    return base::fail(errors::kInvalidParameterValue, "The region '" + region + "' does not exist");
  }
  State& state = states_[region];
  Transaction transaction(state, own_scene(region));
  seed_region(transaction);
  TRY_VOID(write(transaction));
  return &state;
}

Scene Core::scene_of(const wire::Context& context) const {
  return {context.region, config_.account, context.principal.arn, context.now,
          &parts_.random, &states_,        context.dry_run};
}

Scene Core::own_scene(const std::string& region) const {
  return {region,
          config_.account,
          "arn:aws:iam::" + config_.account + ":root",
          parts_.clock.now(),
          &parts_.random,
          &states_};
}

base::Result<void> Core::write(Transaction& transaction) {
  if (transaction.empty()) return {};
  // What the store refused is undone here too: the records in memory are those that it has.
  TRY_VOID(parts_.store.write(transaction.batch()));
  transaction.take();
  return {};
}

runtime::Task<base::Result<void>> Core::finish(Effect effect) {
  CO_TRY_VOID(co_await parts_.store.sync());
  networks_.wake();
  for (const auto& callback : changed_) callback();
  if (effect == Effect::Applied) {
    co_await networks_.settled(parts_.clock.now() + kApplyWaitMax);
  }
  co_return base::Result<void>();
}

}  // namespace terrarium::ec2
