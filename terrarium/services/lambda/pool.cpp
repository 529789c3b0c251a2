#include <algorithm>

#include "generated/lambda/errors.h"
#include "lib/base/check.h"
#include "terrarium/services/lambda/fleet.h"
#include "terrarium/services/lambda/limits.h"

namespace terrarium::lambda {
namespace {

constexpr base::Duration kInitEstimateFirst = 100ms;
constexpr base::Duration kInitEstimateMin = 20ms;
constexpr base::Duration kInitEstimateMax = 2s;
constexpr std::chrono::hours kCredentialsLifetime{12};
// New environments get credentials with at least so much time left.
constexpr std::chrono::hours kCredentialsSpare{6};

std::unexpected<base::Error> throttled() {
  return base::fail(errors::kTooManyRequestsException, "Rate Exceeded.");
}

}  // namespace

FunctionPool::FunctionPool(Fleet& fleet, std::string region,
                           std::shared_ptr<const FunctionRecord> record)
    : fleet_(fleet),
      region_(std::move(region)),
      record_(std::move(record)),
      init_estimate_(kInitEstimateFirst),
      changed_(fleet.parts_.environment.clock) {}

void FunctionPool::set_record(std::shared_ptr<const FunctionRecord> record) {
  const bool is_other = record->revision_id != record_->revision_id;
  record_ = std::move(record);
  // What runs the code or configuration before is of no use any more.
  if (is_other) {
    for (const Idle& idle : std::exchange(idle_, {})) idle.environment->end();
  }
  changed_.notify_all();
}

void FunctionPool::close() {
  closed_ = true;
  for (const Idle& idle : std::exchange(idle_, {})) idle.environment->end();
  changed_.notify_all();
}

bool FunctionPool::has_slot() const {
  if (const auto reserved = record_->reserved_concurrency) {
    return in_use_ < static_cast<std::size_t>(*reserved);
  }
  return fleet_.unreserved_in_use(region_) <
         kAccountConcurrency - fleet_.reserved_sum(region_, record_->name);
}

runtime::Task<void> FunctionPool::wait_for_room(base::Timestamp deadline) {
  const auto self = shared_from_this();
  while (!closed_ && !(has_slot() && (!idle_.empty() || fleet_.has_room()))) {
    if (!co_await changed_.wait_until(deadline)) co_return;
  }
}

void FunctionPool::release() {
  CHECK(in_use_ > 0, "as many releases as acquires");
  --in_use_;
  changed_.notify_all();
  if (record_->reserved_concurrency) return;
  for (const auto& [key, pool] : fleet_.pools_) {
    if (key.first == region_ && pool.get() != this) pool->changed_.notify_all();
  }
}

runtime::Task<base::Result<EnvironmentPtr>> FunctionPool::acquire(Wait wait,
                                                                  base::Timestamp give_up) {
  const auto self = shared_from_this();
  while (!closed_ && !has_slot()) {
    if (wait == Wait::No) co_return throttled();
    if (!co_await changed_.wait_until(give_up)) co_return throttled();
  }
  ++in_use_;
  auto environment = co_await take(give_up);
  if (!environment) release();
  co_return environment;
}

EnvironmentPtr FunctionPool::take_idle() {
  const base::Timestamp needed =
      fleet_.parts_.environment.clock.now() + std::chrono::seconds(record_->timeout_s);
  while (!idle_.empty()) {
    EnvironmentPtr environment = std::move(idle_.back().environment);
    idle_.pop_back();
    if (environment->good_at(needed)) return environment;
    environment->end();
  }
  return nullptr;
}

bool FunctionPool::all_busy() const {
  return std::ranges::none_of(live_, [](const auto& environment) {
    return environment.second->state() == ExecutionEnvironment::State::Finishing;
  });
}

runtime::Task<base::Result<EnvironmentPtr>> FunctionPool::take(base::Timestamp give_up) {
  base::Clock& clock = fleet_.parts_.environment.clock;
  const base::Timestamp patience = clock.now() + init_estimate_;
  for (;;) {
    if (closed_) {
      co_return base::fail(errors::kResourceNotFoundException,
                           "Function not found: " + function_arn(place(), record_->name));
    }
    if (auto idle = take_idle()) co_return idle;
    const bool eager = live_.size() < fleet_.limits_.eager_environments && all_busy();
    if ((eager || clock.now() >= patience) && fleet_.reserve()) co_return co_await start_one();
    const bool is_patient = clock.now() < patience;
    const base::Timestamp until = is_patient ? std::min(patience, give_up) : give_up;
    const bool woken = co_await changed_.wait_until(until);
    const bool cancelled = !woken && clock.now() < until;
    if (cancelled || clock.now() >= give_up) co_return throttled();
  }
}

runtime::Task<base::Result<void>> FunctionPool::refresh_credentials() {
  const base::Timestamp now = fleet_.parts_.environment.clock.now();
  if (credentials_role_ == record_->role && now + kCredentialsSpare < credentials_end_) {
    co_return base::Result<void>();
  }
  const std::string role = record_->role;
  CO_TRY(const iam::TemporaryCredentials made,
         co_await fleet_.parts_.iam.assume(role, record_->name, kCredentialsLifetime));
  credentials_ = {{"AWS_ACCESS_KEY_ID", made.access_key_id},
                  {"AWS_SECRET_ACCESS_KEY", made.secret_access_key},
                  {"AWS_SESSION_TOKEN", made.session_token}};
  credentials_end_ = made.expiration;
  credentials_role_ = role;
  co_return base::Result<void>();
}

// Room in the fleet has been reserved.
runtime::Task<base::Result<EnvironmentPtr>> FunctionPool::start_one() {
  if (auto refreshed = co_await refresh_credentials(); !refreshed) {
    fleet_.release();
    co_return std::unexpected(base::wrap(std::move(refreshed).error(), "assume the role"));
  }
  auto environment = std::make_shared<ExecutionEnvironment>(
      fleet_.parts_.environment,
      ExecutionEnvironment::Spec{.function = record_,
                                 .place = place(),
                                 .code = fleet_.parts_.code.files(record_->code_sha256_hex),
                                 .credentials = credentials_,
                                 .good_until = credentials_end_,
                                 .endpoint_url = fleet_.parts_.endpoint_url});
  live_.emplace(environment.get(), environment);
  std::erase_if(fleet_.environments_, [](const auto& gone) { return gone.expired(); });
  fleet_.environments_.push_back(environment);
  const std::weak_ptr<FunctionPool> weak = weak_from_this();
  environment->on_idle = [weak](ExecutionEnvironment& idle) {
    if (const auto pool = weak.lock()) pool->became_idle(idle);
  };
  environment->on_ended = [weak, &fleet = fleet_](ExecutionEnvironment& gone) {
    if (const auto pool = weak.lock()) pool->ended(gone);
    fleet.release();
  };
  co_await environment->start();
  if (const auto took = environment->init_duration()) {
    init_estimate_ = std::clamp(*took, kInitEstimateMin, kInitEstimateMax);
  }
  co_return environment;
}

void FunctionPool::became_idle(ExecutionEnvironment& environment) {
  const auto found = live_.find(&environment);
  if (found == live_.end()) return;
  const EnvironmentPtr held = found->second;
  if (closed_ || environment.function().revision_id != record_->revision_id) {
    held->end();
    return;
  }
  idle_.push_back({held, fleet_.parts_.environment.clock.now()});
  changed_.notify_all();
  if (!std::exchange(retiring_, true)) {
    fleet_.parts_.environment.tasks.spawn("retire idle environments",
                                          retire_idle(shared_from_this()));
  }
}

void FunctionPool::ended(ExecutionEnvironment& environment) {
  std::erase_if(
      idle_, [&environment](const Idle& idle) { return idle.environment.get() == &environment; });
  live_.erase(&environment);
}

bool FunctionPool::evict_oldest() {
  if (idle_.empty()) return false;
  const EnvironmentPtr oldest = idle_.front().environment;
  idle_.pop_front();
  oldest->end();
  return true;
}

runtime::Task<void> FunctionPool::retire_idle(std::shared_ptr<FunctionPool> self) {
  base::Clock& clock = fleet_.parts_.environment.clock;
  const auto& tasks = fleet_.parts_.environment.tasks;
  while (!idle_.empty() && !tasks.stopping()) {
    const base::Timestamp due = idle_.front().since + fleet_.limits_.idle_timeout;
    if (clock.now() >= due) {
      evict_oldest();
    } else {
      co_await runtime::sleep_until(clock, due);
    }
  }
  retiring_ = false;
}

}  // namespace terrarium::lambda
