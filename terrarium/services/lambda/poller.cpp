#include "terrarium/services/lambda/poller.h"

#include <algorithm>

#include "lib/base/log.h"
#include "terrarium/services/lambda/limits.h"

namespace terrarium::lambda {
namespace {

constexpr base::Duration kLongLook = 20s;
// While batches get ready, whether more has come that they will not take.
constexpr base::Duration kShortLook = 200ms;
constexpr base::Duration kBackoffMin = 1s;
constexpr base::Duration kBackoffMax = 30s;

}  // namespace

Poller::Poller(Parts parts, std::string region)
    : parts_(std::move(parts)),
      region_(std::move(region)),
      changed_(parts_.clock),
      scaling_(parts_.limits.eager_environments) {}

void Poller::set_record(MappingRecord record) {
  if (receiving_) parts_.tasks.spawn("stop receiving", finish(std::move(receiving_)));
  auto settings = std::make_shared<Settings>(Settings{.record = std::move(record)});
  for (const std::string& filter : settings->record.filters) {
    // Checked when it was put.
    if (auto pattern = EventPattern::parse(filter)) settings->filters.push_back(*pattern);
  }
  settings_ = std::move(settings);
  receiving_ = std::make_shared<runtime::TaskGroup>(parts_.executor);
  if (settings_->record.enabled && !stopping_) {
    receiving_->spawn("receive", receive_all(shared_from_this(), receiving_));
  }
  changed_.notify_all();
}

runtime::Task<void> Poller::finish(Group group) { co_await group->stop(); }

runtime::Task<void> Poller::stopped() {
  stopping_ = true;
  if (receiving_) co_await receiving_->stop();
}

runtime::Task<void> Poller::drained() {
  while (holding_ > 0 && !parts_.tasks.stopping()) co_await changed_.wait_until(kNever);
}

void Poller::problem(const std::string& what, const base::Error& error) {
  last_result_ = "PROBLEM: " + what;
  base::log::warning("lambda", "mapping {}: {}: {}", record().uuid, what, base::describe(error));
}

runtime::Task<void> Poller::receive_all(std::shared_ptr<Poller> self, Group group) {
  const SettingsPtr settings = settings_;
  const MappingRecord& record = settings->record;
  while (!group->stopping() && settings == settings_) {
    const auto route = parts_.fleet.route(region_, record.function_name, record.qualifier);
    if (!route) {
      last_result_ = "PROBLEM: Function not found";
      co_await parts_.fleet.functions_changed().wait_until(kNever);
      continue;
    }
    co_await wait_for_turn(group, settings);
    co_await route->pool->wait_for_room(kNever);
    if (look_again_ > parts_.clock.now()) {
      co_await runtime::sleep_until(parts_.clock, look_again_);
    }
    if (group->stopping() || !co_await look(settings)) continue;
    if (!group->stopping() && settings == settings_) start_batch(settings);
  }
}

// Until one more batch may be under way.
runtime::Task<void> Poller::wait_for_turn(Group group, SettingsPtr settings) {
  const auto max =
      static_cast<std::size_t>(settings->record.concurrency_max.value_or(kAccountConcurrency));
  while (!group->stopping()) {
    if (under_way_ == 0) scaling_.rest();
    if (under_way_ < std::min(max, scaling_.allowed())) co_return;
    // Who still waits for an environment would not have it sooner in company.
    const bool may_grow = under_way_ < max && acquiring_ == 0;
    const base::Timestamp now = parts_.clock.now();
    const base::Timestamp until = may_grow ? scaling_.full(now) : kNever;
    if (until > now) co_await changed_.wait_until(until);
    if (may_grow && parts_.clock.now() >= until) {
      const auto& is_busy = parts_.limits.is_machine_busy;
      scaling_.grow(parts_.clock.now(), is_busy && is_busy());
    }
  }
}

// Whether there are messages for one more batch.
runtime::Task<bool> Poller::look(SettingsPtr settings) {
  const MappingRecord& record = settings->record;
  const auto size = static_cast<std::size_t>(record.batch_size);
  if (acquiring_ > 0) co_return co_await look_past(settings, acquiring_ * size);
  auto seen = co_await parts_.queues.wait_visible(record.queue_arn, 1, parts_.clock.now());
  if (seen && *seen == 0) {
    scaling_.caught_up();
    seen = co_await parts_.queues.wait_visible(record.queue_arn, 1, parts_.clock.now() + kLongLook);
  }
  if (seen && *seen > 0 && record.window_s > 0) {
    const base::Timestamp end = parts_.clock.now() + std::chrono::seconds(record.window_s);
    seen = co_await parts_.queues.wait_visible(record.queue_arn, size, end);
  }
  if (!seen) {
    co_await back_off(seen.error());
    co_return false;
  }
  backoff_ = {};
  co_return *seen > 0;
}

// Whether there are more than those that the batches getting ready will take.
runtime::Task<bool> Poller::look_past(SettingsPtr settings, std::size_t taken) {
  const MappingRecord& record = settings->record;
  const std::size_t more = record.window_s > 0 ? static_cast<std::size_t>(record.batch_size) : 1;
  const auto seen =
      co_await parts_.queues.wait_visible(record.queue_arn, taken + more, parts_.clock.now());
  if (!seen) {
    co_await back_off(seen.error());
    co_return false;
  }
  if (*seen == taken + more) co_return true;
  co_await changed_.wait_until(parts_.clock.now() + kShortLook);
  co_return false;
}

runtime::Task<void> Poller::back_off(const base::Error& error) {
  problem("Receiving from the queue failed", error);
  backoff_ = std::clamp(backoff_ * 2, kBackoffMin, kBackoffMax);
  co_await runtime::sleep_until(parts_.clock, parts_.clock.now() + backoff_);
}

void Poller::start_batch(const SettingsPtr& settings) {
  ++under_way_;
  ++acquiring_;
  parts_.tasks.spawn("batch", run_batch(shared_from_this(), settings));
}

}  // namespace terrarium::lambda
