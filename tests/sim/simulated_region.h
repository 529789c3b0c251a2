// A region in one test's hands: S3, SQS, Lambda and Logs as they are, on one manual clock, over a
// store that fails on demand; functions are coroutines in a fake sandbox. A crash takes everything
// that was in memory, and what the store had not synced.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "lib/base/clock.h"
#include "lib/base/random.h"
#include "lib/runtime/runtime.h"
#include "lib/runtime/task_group.h"
#include "terrarium/host/fake/sandbox.h"
#include "terrarium/services/lambda/service.h"
#include "terrarium/services/lambda/testing_neighbours.h"
#include "terrarium/services/logs/service.h"
#include "terrarium/services/s3/service.h"
#include "terrarium/services/sqs/service.h"
#include "terrarium/store/faulty.h"

namespace sim {

using namespace terrarium;

// What one daemon holds in memory. Made anew after each crash.
struct Daemon {
  Daemon(store::Store& store, base::ManualClock& clock, base::Random& random,
         const std::filesystem::path& folder);

  std::unique_ptr<runtime::Runtime> runtime = runtime::Runtime::manual();
  runtime::TaskGroup calls;
  host::FakeSandbox sandbox;
  lambda::FakeFrontend frontend;
  lambda::FakeRoles roles;
  logs::Service logs;
  sqs::Service sqs;
  s3::Service s3;
  lambda::Service lambda;
};

class SimulatedRegion {
 public:
  // What a function does with an event; nullopt: its process dies.
  using Function =
      std::function<runtime::Task<std::optional<std::string>>(Daemon& daemon, std::string event)>;

  SimulatedRegion(std::uint64_t seed, Function function);
  ~SimulatedRegion();
  SimulatedRegion(const SimulatedRegion&) = delete;
  SimulatedRegion& operator=(const SimulatedRegion&) = delete;

  // The power goes, with all but the first `kept` of the writes that had not been synced, and comes
  // back: the region starts again.
  void crash(std::size_t kept);
  void advance(base::Duration by);
  // Runs until nothing is left to do now.
  void settle() { advance({}); }

  // Runs `call` to its end, which must come without the clock moving.
  template <class T>
  base::Result<T> ask(runtime::Task<base::Result<T>> call);
  // Puts an object; `acknowledged` is called when S3 has said so.
  void put_later(std::string bucket, std::string key, std::string bytes,
                 std::function<void()> acknowledged);

  wire::Context context() const;
  Daemon& daemon() { return *daemon_; }

  base::ManualClock clock;
  store::FaultyStore store;
  base::SeededRandom random;

 private:
  void start();
  void stop();

  Function function_;
  std::filesystem::path folder_;
  std::unique_ptr<Daemon> daemon_;
};

template <class T>
runtime::Task<void> keep(runtime::Task<base::Result<T>> call,
                         std::shared_ptr<std::optional<base::Result<T>>> answer) {
  answer->emplace(co_await std::move(call));
}

template <class T>
base::Result<T> SimulatedRegion::ask(runtime::Task<base::Result<T>> call) {
  const auto answer = std::make_shared<std::optional<base::Result<T>>>();
  daemon_->calls.spawn("call", keep(std::move(call), answer));
  settle();
  if (*answer) return **std::move(answer);
  return base::fail(base::ErrorKind::Timeout, "the call still waits");
}

}  // namespace sim
