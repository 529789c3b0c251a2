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

std::int32_t Fleet::Shared::max() const { return kAccountConcurrency - reserved; }

void Fleet::set_function(const std::string& region, FunctionPtr record) {
  auto& use = functions_[{region, record->name}];
  if (!use) use = std::make_shared<FunctionUse>();
  if (record->version == kLatest && use->reserved != record->reserved_concurrency) {
    use->reserved = record->reserved_concurrency;
    recount(region);
  }
  auto& pool = use->pools[record->version];
  if (pool) {
    pool->set_record(std::move(record));
  } else {
    pool = std::make_shared<FunctionPool>(*this, region, use, std::move(record));
  }
  functions_changed_.notify_all();
}

void Fleet::remove_function(const std::string& region, const std::string& name) {
  const auto found = functions_.find({region, name});
  if (found == functions_.end()) return;
  const auto use = found->second;
  functions_.erase(found);
  use->gone = true;
  for (const auto& [version, pool] : std::exchange(use->pools, {})) pool->close();
  recount(region);
  functions_changed_.notify_all();
}

void Fleet::remove_version(const std::string& region, const std::string& name,
                           const std::string& version) {
  const auto found = functions_.find({region, name});
  if (found == functions_.end()) return;
  const auto node = found->second->pools.extract(version);
  if (node) node.mapped()->close();
  functions_changed_.notify_all();
}

std::shared_ptr<FunctionPool> Fleet::find(const std::string& region, const std::string& name,
                                          std::string_view version) const {
  const auto found = functions_.find({region, name});
  if (found == functions_.end()) return nullptr;
  const auto pool = found->second->pools.find(std::string(version));
  return pool == found->second->pools.end() ? nullptr : pool->second;
}

std::optional<Route> Fleet::route(const std::string& region, const std::string& name,
                                  const std::string& qualifier) const {
  const auto resolved =
      parts_.catalog.resolve({region, parts_.account}, FunctionName{name, qualifier});
  if (!resolved) return std::nullopt;
  Route found = route(region, *resolved);
  if (!found.pool) return std::nullopt;
  return found;
}

Route Fleet::route(const std::string& region, const Resolved& resolved) const {
  const FunctionPtr version = parts_.catalog.choose(region, resolved, parts_.environment.random);
  return {.pool = find(region, version->name, version->version), .invoked_arn = resolved.arn};
}

std::int32_t Fleet::reserved_sum(const std::string& region, std::string_view except) const {
  std::int32_t sum = 0;
  for (const auto& [key, use] : functions_) {
    if (key.first == region && key.second != except) sum += use->reserved.value_or(0);
  }
  return sum;
}

void Fleet::recount(const std::string& region) {
  Shared& shared = shared_[region];
  shared = {};
  for (const auto& [key, use] : functions_) {
    if (key.first != region) continue;
    shared.reserved += use->reserved.value_or(0);
    if (!use->reserved) shared.in_use += static_cast<std::int32_t>(use->in_use);
  }
  wake_all();
}

void Fleet::wake_all() {
  for (const auto& [key, use] : functions_) {
    for (const auto& [version, pool] : use->pools) pool->changed_.notify_all();
  }
}

bool Fleet::has_room() const {
  if (live_ < limits_.environments_max) return true;
  return std::ranges::any_of(functions_, [](const auto& function) {
    return std::ranges::any_of(function.second->pools,
                               [](const auto& pool) { return !pool.second->idle_.empty(); });
  });
}

runtime::Task<void> Fleet::wait_unused(std::string sha256_hex) {
  // Copied: what it names may change while this waits.
  const auto environments = environments_;
  for (const auto& weak : environments) {
    const EnvironmentPtr environment = weak.lock();
    if (!environment) continue;
    const FunctionRecord& function = environment->function();
    if (function.code_sha256_hex != sha256_hex && function.opt_sha256_hex != sha256_hex) continue;
    co_await environment->wait_cleared(kNever);
  }
}

void Fleet::evict_one() {
  for (const auto& [key, use] : functions_) {
    for (const auto& [version, pool] : use->pools) {
      if (pool->evict_oldest()) return;
    }
  }
}

bool Fleet::reserve() {
  if (live_ < limits_.environments_max) {
    ++live_;
    return true;
  }
  evict_one();
  // The one sent away has made room by now, if there was one.
  if (live_ == limits_.environments_max) return false;
  ++live_;
  return true;
}

void Fleet::release() {
  CHECK(live_ > 0, "as many end as were started");
  --live_;
  wake_all();
}

runtime::Task<void> Fleet::stop(base::Timestamp deadline) {
  const auto functions = std::exchange(functions_, {});
  for (const auto& [key, use] : functions) {
    // Pools and what counts over them hold each other.
    for (const auto& [version, pool] : std::exchange(use->pools, {})) pool->close();
  }
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
