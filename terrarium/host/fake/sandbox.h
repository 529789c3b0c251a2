// host::Sandbox for tests: programs are coroutines on the test's own executor, with output, exit
// status, memory and time under the test's control.
//
// A killed program goes on running as a coroutine until it next looks: lives_until() and the
// environment that it talks to tell it. What it does then no longer counts.
#pragma once

#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <string>

#include "lib/base/clock.h"
#include "lib/runtime/event.h"
#include "lib/runtime/task_group.h"
#include "terrarium/host/sandbox.h"

namespace terrarium::host {

// What a fake program sees, and what the test reads about it.
class FakeProcess {
 public:
  FakeProcess(SandboxSpec made, base::Clock& clock)
      : spec(std::move(made)), changed_(clock), output_(clock), killed_(clock) {}

  const SandboxSpec spec;
  std::uint64_t memory_peak_bytes = 20 << 20;
  bool memory_exceeded = false;

  void write(std::string text);
  // False when it was killed meanwhile.
  runtime::Task<bool> lives_until(base::Timestamp when);
  bool killed() const { return exit_.has_value(); }
  const std::optional<runtime::ExitStatus>& exited() const { return exit_; }
  // Ends it as if the kernel did.
  void end(runtime::ExitStatus status);

 private:
  friend class FakeSandboxProcess;
  runtime::Event changed_;
  runtime::Event output_;
  runtime::Event killed_;
  std::deque<std::string> text_;
  std::optional<runtime::ExitStatus> exit_;
};

using FakeProgram =
    std::function<runtime::Task<runtime::ExitStatus>(std::shared_ptr<FakeProcess> process)>;

class FakeSandbox final : public Sandbox {
 public:
  FakeSandbox(runtime::Executor executor, base::Clock& clock);
  ~FakeSandbox() override;

  // What every process started from now on runs.
  void set_program(FakeProgram program) { program_ = std::move(program); }
  // The next start fails.
  void fail_next_start() { fail_next_ = true; }
  const std::vector<std::shared_ptr<FakeProcess>>& started() const { return started_; }
  std::size_t running() const;
  runtime::Task<void> stop();

  base::Result<std::unique_ptr<SandboxProcess>> start(SandboxSpec spec) override;
  std::string code_path(const std::filesystem::path&) const override { return "/var/task"; }
  std::string opt_path(const std::filesystem::path&) const override { return "/opt"; }
  std::string runtime_path(const std::filesystem::path&) const override { return "/var/runtime"; }
  std::string description() const override { return "fake"; }

 private:
  runtime::Task<void> run(FakeProgram program, std::shared_ptr<FakeProcess> process);

  base::Clock& clock_;
  runtime::TaskGroup tasks_;
  FakeProgram program_;
  bool fail_next_ = false;
  std::vector<std::shared_ptr<FakeProcess>> started_;
};

}  // namespace terrarium::host
