#include "terrarium/services/ec2/network_keeper.h"

#include <algorithm>

#include "lib/base/log.h"
#include "terrarium/services/ec2/network_plan.h"

namespace terrarium::ec2 {
namespace {

constexpr base::Duration kRetryAfter = std::chrono::seconds(2);
// What changes the kernel behind our back is put right this often.
constexpr base::Duration kIdle = std::chrono::minutes(5);

}  // namespace

NetworkKeeper::NetworkKeeper(const States& states, host::Network& network, base::Clock& clock,
                             runtime::Executor executor)
    : states_(states),
      network_(network),
      clock_(clock),
      tasks_(executor),
      wanted_changed_(clock),
      done_changed_(clock) {}

void NetworkKeeper::start() { tasks_.spawn("networks", keep()); }

runtime::Task<void> NetworkKeeper::stop() { co_await tasks_.stop(); }

void NetworkKeeper::wake() {
  ++wanted_;
  wanted_changed_.notify_all();
}

runtime::Task<bool> NetworkKeeper::settled(base::Timestamp deadline) {
  const std::uint64_t wanted = wanted_;
  while (done_ < wanted) {
    if (!co_await done_changed_.wait_until(deadline)) co_return false;
  }
  co_return all_true_;
}

bool NetworkKeeper::is_applied(const std::string& region, const VpcId& vpc) const {
  const auto state = states_.find(region);
  const auto applied = applied_.find(vpc.value);
  if (state == states_.end() || applied == applied_.end()) return false;
  const VpcRecord* const record = state->second.find<VpcRecord>(vpc);
  return record != nullptr && applied->second == desired_network(state->second, region, *record);
}

bool NetworkKeeper::has_interface(const VpcId& vpc, const NetworkInterfaceId& id) const {
  const auto applied = applied_.find(vpc.value);
  return applied != applied_.end() &&
         std::ranges::find(applied->second.interfaces, id.value, &host::InterfaceSpec::id) !=
             applied->second.interfaces.end();
}

runtime::Task<void> NetworkKeeper::keep() {
  while (!tasks_.stopping()) {
    const std::uint64_t wanted = wanted_;
    all_true_ = true;
    co_await make_all_true();
    done_ = wanted;
    done_changed_.notify_all();
    if (wanted_ != wanted) continue;
    co_await wanted_changed_.wait_until(clock_.now() + (all_true_ ? kIdle : kRetryAfter));
  }
}

runtime::Task<void> NetworkKeeper::make_all_true() {
  // Described before the first await: the records may change during the calls, and then another
  // pass follows.
  std::vector<std::pair<std::string, host::VpcSpec>> wanted;
  std::set<std::string> ids;
  for (const auto& [region, state] : states_) {
    for (const VpcRecord& vpc : state.all<VpcRecord>()) {
      if (!needs_network(state, vpc.id)) continue;
      wanted.emplace_back(region, desired_network(state, region, vpc));
      ids.insert(vpc.id.value);
    }
  }
  for (auto& [region, spec] : wanted) {
    if (tasks_.stopping()) co_return;
    const auto applied = applied_.find(spec.id);
    if (applied == applied_.end() || !(applied->second == spec)) {
      co_await apply(std::move(region), std::move(spec));
    }
  }
  co_await remove_others(std::move(ids));
}

runtime::Task<void> NetworkKeeper::apply(std::string region, host::VpcSpec spec) {
  const std::string id = spec.id;
  const auto made = co_await network_.set_vpc(spec);
  if (!made.has_value()) {
    all_true_ = false;
    applied_.erase(id);
    base::log::warning("ec2", "network of {}: {}", id, base::describe(made.error()));
    co_return;
  }
  applied_.insert_or_assign(id, std::move(spec));
  if (up_.insert(id).second && observer_ != nullptr) observer_->network_up(region, id);
}

runtime::Task<void> NetworkKeeper::remove_others(std::set<std::string> wanted) {
  const auto there = network_.vpcs();
  if (!there.has_value()) {
    all_true_ = false;
    co_return;
  }
  for (const std::string& id : *there) {
    if (wanted.contains(id)) continue;
    if (up_.erase(id) != 0 && observer_ != nullptr) observer_->network_down(id);
    const auto removed = co_await network_.remove_vpc(id);
    applied_.erase(id);
    if (!removed.has_value()) {
      all_true_ = false;
      base::log::warning("ec2", "network of {}: {}", id, base::describe(removed.error()));
    }
  }
}

}  // namespace terrarium::ec2
