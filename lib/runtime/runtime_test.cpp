#include "lib/runtime/runtime.h"

#include <gtest/gtest.h>

#include <boost/asio/detached.hpp>

#include "lib/runtime/event.h"
#include "lib/runtime/task_group.h"

namespace runtime {
namespace {

using namespace std::chrono_literals;

Task<void> wait_and_note(Event& event, base::Timestamp deadline, std::optional<bool>& outcome) {
  outcome = co_await event.wait_until(deadline);
}

struct ManualRun {
  std::unique_ptr<Runtime> runtime = Runtime::manual();
  base::ManualClock clock;
  TaskGroup group{runtime->control()};

  void advance(base::Duration by) {
    clock.advance_to(clock.now() + by, [this] { runtime->run_until_idle(); });
  }
  void stop() {
    asio::co_spawn(runtime->control(), group.stop(), asio::detached);
    runtime->run_until_idle();
  }
};

TEST(RuntimeEvent, NotifyEndsAWaitBeforeItsDeadline) {
  ManualRun run;
  Event event(run.clock);
  std::optional<bool> outcome;
  run.group.spawn("waiter", wait_and_note(event, run.clock.now() + 10s, outcome));
  run.advance(1s);
  EXPECT_FALSE(outcome.has_value());
  event.notify_all();
  run.advance(0s);
  EXPECT_EQ(outcome, true);
}

TEST(RuntimeEvent, WaitEndsAtItsDeadline) {
  ManualRun run;
  Event event(run.clock);
  std::optional<bool> outcome;
  run.group.spawn("waiter", wait_and_note(event, run.clock.now() + 10s, outcome));
  run.advance(9s);
  EXPECT_FALSE(outcome.has_value());
  run.advance(1s);
  EXPECT_EQ(outcome, false);
}

TEST(RuntimeEvent, NotifyOneWakesTheOneThatWaitedLongest) {
  ManualRun run;
  Event event(run.clock);
  std::optional<bool> first;
  std::optional<bool> second;
  run.group.spawn("first", wait_and_note(event, run.clock.now() + 10s, first));
  run.group.spawn("second", wait_and_note(event, run.clock.now() + 10s, second));
  run.advance(0s);
  event.notify_one();
  event.notify_one();
  run.advance(0s);
  EXPECT_EQ(first, true);
  EXPECT_EQ(second, true);
}

TEST(RuntimeTaskGroup, StopCancelsWaitsAndRefusesNewTasks) {
  ManualRun run;
  Event event(run.clock);
  std::optional<bool> outcome;
  run.group.spawn("waiter", wait_and_note(event, run.clock.now() + 10s, outcome));
  run.advance(0s);
  EXPECT_EQ(run.group.size(), 1U);
  run.stop();
  EXPECT_EQ(outcome, false);
  EXPECT_EQ(run.group.size(), 0U);
  run.group.spawn("late", wait_and_note(event, run.clock.now() + 10s, outcome));
  EXPECT_EQ(run.group.size(), 0U);
}

Task<void> wait_twice(Event& event, base::Timestamp deadline, int& waits) {
  for (; waits < 2; ++waits) co_await event.wait_until(deadline);
}

TEST(RuntimeTaskGroup, ACancelledTaskMayGoOnAwaiting) {
  ManualRun run;
  Event event(run.clock);
  int waits = 0;
  run.group.spawn("waiter", wait_twice(event, run.clock.now() + 10s, waits));
  run.advance(0s);
  run.stop();
  EXPECT_EQ(waits, 2);
  EXPECT_EQ(run.group.size(), 0U);
}

Task<int> thread_marker() { co_return 7; }

Task<void> hop_and_block(Runtime& runtime, base::Clock& clock, int& result) {
  result = co_await run_on(runtime.control(), thread_marker());
  result += co_await runtime.blocking().run([] { return 35; });
  co_await sleep_until(clock, clock.now() + 1ms);
}

TEST(Runtime, TasksReachOtherThreadsAndComeBack) {
  Runtime runtime(2, 2);
  base::SystemClock clock;
  runtime.start();
  int result = 0;
  block_on(hop_and_block(runtime, clock, result));
  EXPECT_EQ(result, 42);
  runtime.stop();
}

}  // namespace
}  // namespace runtime
