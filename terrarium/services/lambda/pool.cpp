#include <algorithm>
#include <boost/asio/cancellation_state.hpp>

#include "generated/lambda/errors.h"
#include "lib/base/check.h"
#include "terrarium/services/lambda/fleet.h"
#include "terrarium/services/lambda/limits.h"

namespace terrarium::lambda {
namespace {

constexpr base::Duration kInitEstimateFirst = 100ms;
constexpr base::Duration kInitEstimateMin = 20ms;
constexpr base::Duration kInitEstimateMax = 2s;
constexpr base::Duration kBusyPatience = 1s;
constexpr base::Duration kProvisionRetry = 1s;
constexpr base::Duration kProvisionRetryMax = 60s;
constexpr std::chrono::hours kCredentialsLifetime{12};
// New environments get credentials with at least so much time left.
constexpr std::chrono::hours kCredentialsSpare{6};

std::unexpected<base::Error> throttled(std::string_view reason) {
  auto failure = base::fail(errors::kTooManyRequestsException, "Rate Exceeded.");
  failure.error().fields.emplace_back("Reason", reason);
  return failure;
}

}  // namespace

FunctionPool::FunctionPool(Fleet& fleet, std::string region, std::shared_ptr<FunctionUse> use,
                           FunctionPtr record)
    : fleet_(fleet),
      region_(std::move(region)),
      use_(std::move(use)),
      record_(std::move(record)),
      init_estimate_(kInitEstimateFirst),
      changed_(fleet.parts_.environment.clock) {}

void FunctionPool::set_record(FunctionPtr record) {
  const bool is_other = record->build_id != record_->build_id;
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
  if (use_->reserved) return use_->in_use < static_cast<std::size_t>(*use_->reserved);
  const Fleet::Shared& shared = fleet_.shared_[region_];
  return shared.in_use < shared.max();
}

std::string_view FunctionPool::reason() const {
  return use_->reserved ? "ReservedFunctionConcurrentInvocationLimitExceeded"
                        : "ConcurrentInvocationLimitExceeded";
}

void FunctionPool::occupy() {
  ++in_use_;
  ++use_->in_use;
  if (!use_->reserved && !use_->gone) ++fleet_.shared_[region_].in_use;
}

runtime::Task<void> FunctionPool::wait_for_room(base::Timestamp deadline) {
  const auto self = shared_from_this();
  while (!closed_ && !(has_slot() && (!idle_.empty() || fleet_.has_room()))) {
    if (!co_await changed_.wait_until(deadline)) co_return;
  }
}

void FunctionPool::release() {
  CHECK(in_use_ > 0 && use_->in_use > 0, "as many releases as acquires");
  const bool was_full = !has_slot();
  --in_use_;
  --use_->in_use;
  if (!use_->reserved && !use_->gone) --fleet_.shared_[region_].in_use;
  changed_.notify_all();
  // Other versions of the function, or other functions, wait for what this one held.
  if (was_full) fleet_.wake_all();
}

void FunctionPool::put_back(const EnvironmentPtr& environment) {
  if (environment->state() == ExecutionEnvironment::State::Idle) became_idle(*environment);
  release();
}

void FunctionPool::count(const Outcome& outcome) {
  ++counts_.invocations;
  if (!outcome.function_error.empty()) ++counts_.errors;
  counts_.last_duration = outcome.duration;
}

runtime::Task<base::Result<EnvironmentPtr>> FunctionPool::acquire(Wait wait,
                                                                  base::Timestamp give_up) {
  const auto self = shared_from_this();
  while (!closed_ && !has_slot()) {
    if (wait == Wait::No) {
      ++counts_.throttles;
      co_return throttled(reason());
    }
    if (!co_await changed_.wait_until(give_up)) co_return throttled(reason());
  }
  occupy();
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

base::Duration FunctionPool::patience_now() const {
  const auto& is_busy = fleet_.limits_.is_machine_busy;
  // One more would only take from those that work; it is for who waits for something else.
  return is_busy && is_busy() ? std::max(kBusyPatience, init_estimate_) : init_estimate_;
}

runtime::Task<base::Result<EnvironmentPtr>> FunctionPool::take(base::Timestamp give_up) {
  base::Clock& clock = fleet_.parts_.environment.clock;
  const base::Timestamp began = clock.now();
  for (;;) {
    if (closed_) {
      co_return base::fail(errors::kResourceNotFoundException,
                           "Function not found: " + function_arn(place(), record_->name));
    }
    if (auto idle = take_idle()) co_return idle;
    const base::Timestamp patience = began + patience_now();
    const bool eager = live_.size() < fleet_.limits_.eager_environments && all_busy();
    if ((eager || clock.now() >= patience) && fleet_.reserve()) {
      co_return co_await start_one(Start::ForInvocation);
    }
    const bool is_patient = clock.now() < patience;
    const base::Timestamp until = is_patient ? std::min(patience, give_up) : give_up;
    co_await changed_.wait_until(until);
    // Not told by the clock: a timer and the time of day need not agree to the microsecond.
    const auto cancellation = co_await boost::asio::this_coro::cancellation_state;
    const bool cancelled = cancellation.cancelled() != boost::asio::cancellation_type::none;
    if (cancelled || clock.now() >= give_up) co_return throttled(reason());
  }
}

runtime::Task<base::Result<void>> FunctionPool::refresh_credentials() {
  const base::Timestamp now = fleet_.parts_.environment.clock.now();
  if (credentials_role_ == record_->role && now + kCredentialsSpare < credentials_end_) {
    co_return base::Result<void>();
  }
  const std::string role = record_->role;
  auto assumed = co_await fleet_.parts_.iam.assume(role, record_->name, kCredentialsLifetime);
  if (!assumed && assumed.error().kind == base::ErrorKind::NotFound) {
    co_return base::fail(errors::kAccessDeniedException,
                         "The role defined for the function cannot be assumed by Lambda.");
  }
  CO_TRY(const iam::TemporaryCredentials made, std::move(assumed));
  credentials_ = {{"AWS_ACCESS_KEY_ID", made.access_key_id},
                  {"AWS_SECRET_ACCESS_KEY", made.secret_access_key},
                  {"AWS_SESSION_TOKEN", made.session_token}};
  credentials_end_ = made.expiration;
  credentials_role_ = role;
  co_return base::Result<void>();
}

// Room in the fleet has been reserved.
runtime::Task<base::Result<EnvironmentPtr>> FunctionPool::start_one(Start start) {
  if (auto refreshed = co_await refresh_credentials(); !refreshed) {
    fleet_.release();
    co_return std::unexpected(base::wrap(std::move(refreshed).error(), "assume the role"));
  }
  using Phase = ExecutionEnvironment::Phase;
  EnvironmentPtr environment = make(Phase::Init, {}, start);
  co_await environment->start();
  if (environment->failed_to_start() && start == Start::ForInvocation && !closed_ &&
      fleet_.reserve()) {
    // As AWS does: once more, and that is a part of the invocation.
    environment = make(Phase::Invoke, environment->log_stream(), start);
    co_await environment->start();
  }
  if (const auto took = environment->init_duration()) {
    init_estimate_ = std::clamp(*took, kInitEstimateMin, kInitEstimateMax);
  }
  co_return environment;
}

EnvironmentPtr FunctionPool::make(ExecutionEnvironment::Phase phase, std::string log_stream,
                                  Start start) {
  const CodeStore& code = fleet_.parts_.code;
  const Runtimes& runtimes = fleet_.parts_.runtimes;
  const std::string visible = fleet_.parts_.environment.sandbox.runtime_path(runtimes.folder());
  auto environment = std::make_shared<ExecutionEnvironment>(
      fleet_.parts_.environment,
      ExecutionEnvironment::Spec{
          .function = record_,
          .place = place(),
          .phase = phase,
          .log_stream = std::move(log_stream),
          .initialization_type =
              start == Start::ForInvocation ? "on-demand" : "provisioned-concurrency",
          .code = code.files(record_->code_sha256_hex),
          .opt = record_->opt_sha256_hex.empty() ? std::filesystem::path()
                                                 : code.files(record_->opt_sha256_hex),
          .runtime = runtimes.folder(),
          .program = runtimes.program(record_->runtime, visible, record_->memory_mb),
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
  return environment;
}

void FunctionPool::became_idle(ExecutionEnvironment& environment) {
  const auto found = live_.find(&environment);
  if (found == live_.end()) return;
  const EnvironmentPtr held = found->second;
  if (closed_ || environment.function().build_id != record_->build_id) {
    held->end();
    return;
  }
  idle_.push_back({held, fleet_.parts_.environment.clock.now()});
  changed_.notify_all();
  // Where nothing else is left, another function may have its place.
  if (fleet_.live_ >= fleet_.limits_.environments_max) fleet_.wake_all();
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
  if (idle_.empty() || live_.size() <= provisioned_) return false;
  const EnvironmentPtr oldest = idle_.front().environment;
  idle_.pop_front();
  oldest->end();
  return true;
}

std::size_t FunctionPool::started() const {
  return static_cast<std::size_t>(std::ranges::count_if(live_, [](const auto& environment) {
    return environment.second->state() != ExecutionEnvironment::State::Starting;
  }));
}

void FunctionPool::provision(std::size_t environments) {
  provisioned_ = environments;
  if (provisioned_ <= live_.size() || std::exchange(provisioning_, true)) return;
  fleet_.parts_.environment.tasks.spawn("provision environments",
                                        keep_provisioned(shared_from_this()));
}

runtime::Task<void> FunctionPool::keep_provisioned(std::shared_ptr<FunctionPool> self) {
  base::Clock& clock = fleet_.parts_.environment.clock;
  const auto& tasks = fleet_.parts_.environment.tasks;
  base::Duration pause = kProvisionRetry;
  while (!closed_ && !tasks.stopping() && provisioned_ > 0) {
    if (live_.size() < provisioned_ && fleet_.reserve()) {
      const auto made = co_await start_one(Start::Beforehand);
      if (made && (*made)->state() == ExecutionEnvironment::State::Idle) {
        became_idle(**made);
        pause = kProvisionRetry;
        continue;
      }
      pause = std::min(2 * pause, kProvisionRetryMax);
    }
    co_await runtime::sleep_until(clock, clock.now() + pause);
  }
  provisioning_ = false;
}

runtime::Task<void> FunctionPool::retire_idle(std::shared_ptr<FunctionPool> self) {
  base::Clock& clock = fleet_.parts_.environment.clock;
  const auto& tasks = fleet_.parts_.environment.tasks;
  while (!idle_.empty() && !tasks.stopping()) {
    const base::Timestamp due = idle_.front().since + fleet_.limits_.idle_timeout;
    if (live_.size() <= provisioned_) {
      break;
    } else if (clock.now() >= due) {
      evict_oldest();
    } else {
      co_await runtime::sleep_until(clock, due);
    }
  }
  retiring_ = false;
}

}  // namespace terrarium::lambda
