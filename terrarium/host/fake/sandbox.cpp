#include "terrarium/host/fake/sandbox.h"

#include <algorithm>
#include <csignal>

namespace terrarium::host {
namespace {

// Far away, and yet nothing that a clock's arithmetic overflows on.
constexpr base::Timestamp kNever{std::chrono::seconds(7'000'000'000)};

}  // namespace

void FakeProcess::write(std::string text) {
  if (exit_ || text.empty()) return;
  text_.push_back(std::move(text));
  output_.notify_all();
}

runtime::Task<bool> FakeProcess::lives_until(base::Timestamp when) {
  if (!exit_) co_await killed_.wait_until(when);
  co_return !exit_;
}

void FakeProcess::end(runtime::ExitStatus status) {
  if (exit_) return;
  exit_ = status;
  changed_.notify_all();
  output_.notify_all();
  killed_.notify_all();
}

class FakeSandboxProcess final : public SandboxProcess {
 public:
  explicit FakeSandboxProcess(std::shared_ptr<FakeProcess> process)
      : process_(std::move(process)) {}
  ~FakeSandboxProcess() override { process_->end({0, SIGKILL}); }

  runtime::Task<std::optional<runtime::ExitStatus>> wait_until(base::Timestamp deadline) override {
    const auto process = process_;
    if (!process->exit_) co_await process->changed_.wait_until(deadline);
    co_return process->exit_;
  }
  runtime::Task<std::string> read_output() override {
    const auto process = process_;
    while (process->text_.empty()) {
      if (process->exit_) co_return std::string();
      // Woken or cancelled: nothing came in the second case.
      if (!co_await process->output_.wait_until(kNever)) co_return std::string();
    }
    std::string text = std::move(process->text_.front());
    process->text_.pop_front();
    co_return text;
  }
  std::string take_output() override {
    std::string text;
    for (const std::string& piece : process_->text_) text += piece;
    process_->text_.clear();
    return text;
  }
  void kill() override { process_->end({0, SIGKILL}); }
  std::uint64_t memory_peak_bytes() const override { return process_->memory_peak_bytes; }
  bool memory_exceeded() const override { return process_->memory_exceeded; }
  runtime::Task<void> close() override {
    kill();
    co_return;
  }

 private:
  std::shared_ptr<FakeProcess> process_;
};

FakeSandbox::FakeSandbox(runtime::Executor executor, base::Clock& clock)
    : clock_(clock), tasks_(executor) {}

FakeSandbox::~FakeSandbox() = default;

std::size_t FakeSandbox::running() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      started_, [](const auto& process) { return !process->exited().has_value(); }));
}

runtime::Task<void> FakeSandbox::stop() {
  for (const auto& process : started_) process->end({0, SIGKILL});
  co_await tasks_.stop();
}

base::Result<std::unique_ptr<SandboxProcess>> FakeSandbox::start(SandboxSpec spec) {
  if (std::exchange(fail_next_, false)) {
    return base::fail(base::ErrorKind::Unavailable, "the fake sandbox was told to fail");
  }
  auto process = std::make_shared<FakeProcess>(std::move(spec), clock_);
  started_.push_back(process);
  tasks_.spawn("fake program", run(program_, process));
  return std::make_unique<FakeSandboxProcess>(std::move(process));
}

runtime::Task<void> FakeSandbox::run(FakeProgram program, std::shared_ptr<FakeProcess> process) {
  const runtime::ExitStatus status = co_await program(process);
  process->end(status);
}

}  // namespace terrarium::host
