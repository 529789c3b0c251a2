#include "terrarium/host/fake/machine.h"

#include <gtest/gtest.h>

#include <boost/asio/detached.hpp>

#include "lib/runtime/runtime.h"

namespace terrarium::host {
namespace {

using namespace std::chrono_literals;

runtime::Task<void> keep(runtime::Task<base::Result<void>> call,
                         std::optional<base::Result<void>>& result) {
  result = co_await std::move(call);
}

class FakeMachine : public testing::Test {
 protected:
  std::optional<base::Result<void>> run(runtime::Task<base::Result<void>> call) {
    std::optional<base::Result<void>> result;
    runtime::asio::co_spawn(runtime_->control(), keep(std::move(call), result),
                            runtime::asio::detached);
    runtime_->run_until_idle();
    return result;
  }
  static MachineSpec named(std::string name) {
    MachineSpec spec;
    spec.name = std::move(name);
    return spec;
  }

  base::ManualClock clock_;
  std::unique_ptr<runtime::Runtime> runtime_ = runtime::Runtime::manual();
  FakeMachines machines_{clock_};
};

TEST_F(FakeMachine, RunsWhenItsStartTimeIsOver) {
  machines_.set_start_time(3s);
  std::optional<base::Result<void>> result;
  runtime::asio::co_spawn(runtime_->control(), keep(machines_.start(named("i-1")), result),
                          runtime::asio::detached);
  runtime_->run_until_idle();
  EXPECT_FALSE(result.has_value());
  clock_.advance_to(clock_.now() + 3s, [this] { runtime_->run_until_idle(); });
  ASSERT_TRUE(result.has_value());
  EXPECT_TRUE(result->has_value());
  EXPECT_EQ(machines_.list()->at(0).state, MachineState::Running);
}

TEST_F(FakeMachine, TheChosenCallFailsAndNoOther) {
  machines_.fail_call(1);
  EXPECT_TRUE(run(machines_.start(named("i-1")))->has_value());
  EXPECT_FALSE(run(machines_.start(named("i-2")))->has_value());
  EXPECT_TRUE(run(machines_.start(named("i-2")))->has_value());
  EXPECT_EQ(machines_.calls(), 3U);
}

TEST_F(FakeMachine, TellsOfAnEndThatNobodyAskedFor) {
  std::vector<std::string> ended;
  machines_.on_ended([&ended](std::string name) { ended.push_back(std::move(name)); });
  ASSERT_TRUE(run(machines_.start(named("i-1")))->has_value());
  ASSERT_TRUE(run(machines_.start(named("i-2")))->has_value());
  machines_.end("i-1", "out of memory");
  ASSERT_TRUE(run(machines_.stop("i-2", 1s))->has_value());
  EXPECT_EQ(ended, std::vector<std::string>{"i-1"});
  EXPECT_EQ(machines_.list()->at(0).last_exit, "out of memory");
}

TEST_F(FakeMachine, AnImageInUseStays) {
  ASSERT_TRUE(run(machines_.start(named("i-1")))->has_value());
  ASSERT_TRUE(run(machines_.save_image("i-1", "ami-1"))->has_value());
  MachineSpec spec = named("i-2");
  spec.layers = {"ami-1"};
  ASSERT_TRUE(run(machines_.start(spec))->has_value());
  EXPECT_FALSE(run(machines_.remove_image("ami-1"))->has_value());
  ASSERT_TRUE(run(machines_.remove("i-2"))->has_value());
  EXPECT_TRUE(run(machines_.remove_image("ami-1"))->has_value());
  EXPECT_FALSE(run(machines_.start(spec))->has_value());
}

}  // namespace
}  // namespace terrarium::host
