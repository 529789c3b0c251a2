#include "terrarium/services/lambda/fleet.h"

#include <algorithm>

#include "generated/lambda/errors.h"
#include "lib/base/check.h"
#include "terrarium/services/lambda/limits.h"

namespace terrarium::lambda {

Fleet::Fleet(Parts parts, FleetLimits limits)
    : parts_(std::move(parts)), limits_(limits), functions_changed_(parts_.environment.clock) {
  CHECK(limits_.environments_max > 0, "functions need room to run");
}

void Fleet::set_function(const std::string& region, std::shared_ptr<const FunctionRecord> record) {
  auto& pool = pools_[{region, record->name}];
  if (pool) {
    pool->set_record(std::move(record));
  } else {
    pool = std::make_shared<FunctionPool>(*this, region, std::move(record));
  }
  functions_changed_.notify_all();
}

void Fleet::remove_function(const std::string& region, const std::string& name) {
  const auto found = pools_.find({region, name});
  if (found == pools_.end()) return;
  const auto pool = found->second;
  pools_.erase(found);
  pool->close();
  functions_changed_.notify_all();
}

std::shared_ptr<FunctionPool> Fleet::find(const std::string& region,
                                          const std::string& name) const {
  const auto found = pools_.find({region, name});
  return found == pools_.end() ? nullptr : found->second;
}

std::int32_t Fleet::reserved_sum(const std::string& region, std::string_view except) const {
  std::int32_t sum = 0;
  for (const auto& [key, pool] : pools_) {
    if (key.first != region || key.second == except) continue;
    sum += pool->function().reserved_concurrency.value_or(0);
  }
  return sum;
}

std::int32_t Fleet::unreserved_in_use(const std::string& region) const {
  std::size_t sum = 0;
  for (const auto& [key, pool] : pools_) {
    const bool counts = key.first == region && !pool->function().reserved_concurrency;
    if (counts) sum += pool->in_use();
  }
  return static_cast<std::int32_t>(sum);
}

bool Fleet::has_room() const {
  return live_ < limits_.environments_max ||
         std::ranges::any_of(pools_, [](const auto& pool) { return !pool.second->idle_.empty(); });
}

runtime::Task<void> Fleet::wait_unused(std::string sha256_hex) {
  // Copied: what it names may change while this waits.
  const auto environments = environments_;
  for (const auto& weak : environments) {
    const EnvironmentPtr environment = weak.lock();
    if (!environment || environment->function().code_sha256_hex != sha256_hex) continue;
    co_await environment->wait_cleared(kNever);
  }
}

bool Fleet::reserve() {
  if (live_ < limits_.environments_max) {
    ++live_;
    return true;
  }
  for (const auto& [key, pool] : pools_) {
    if (pool->evict_oldest()) break;
  }
  // The one sent away has made room by now, if there was one.
  if (live_ == limits_.environments_max) return false;
  ++live_;
  return true;
}

void Fleet::release() {
  CHECK(live_ > 0, "as many end as were started");
  --live_;
  for (const auto& [key, pool] : pools_) pool->changed_.notify_all();
}

runtime::Task<void> Fleet::stop(base::Timestamp deadline) {
  const auto pools = std::exchange(pools_, {});
  for (const auto& [key, pool] : pools) pool->close();
  const auto environments = environments_;
  for (const auto& weak : environments) {
    if (const EnvironmentPtr environment = weak.lock()) environment->end();
  }
  for (const auto& weak : environments) {
    if (const EnvironmentPtr environment = weak.lock()) {
      co_await environment->wait_cleared(deadline);
    }
  }
}

}  // namespace terrarium::lambda
