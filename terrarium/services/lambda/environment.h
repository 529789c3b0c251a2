// One execution environment: a sandbox with a function's runtime in it, its Runtime API, its log
// stream. Handles one invocation after another until it ends; an environment that has ended still
// answers the invocation it was asked for - with the reason.
//
//   Starting -> Idle -> Busy -> Finishing -> Idle ... ; Ended from anywhere
//
// Finishing: it has answered and has not asked for the next event yet. As on AWS that counts as a
// part of the invocation: past its deadline the environment ends. Control executor.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "lib/base/random.h"
#include "lib/runtime/event.h"
#include "lib/runtime/task_group.h"
#include "terrarium/host/sandbox.h"
#include "terrarium/services/lambda/function_networks.h"
#include "terrarium/services/lambda/names.h"
#include "terrarium/services/lambda/records.h"
#include "terrarium/services/lambda/runtime_session.h"
#include "terrarium/services/lambda/runtimes.h"
#include "terrarium/services/logs/api.h"

namespace terrarium::lambda {

// How an invocation ended.
struct Outcome {
  std::string payload;
  std::string function_error;  // empty: success; else X-Amz-Function-Error
  std::string log_tail;        // the last 4 KB of what the invocation logged
  // The function got the event. Not so when its environment ended before: nobody has worked on it.
  bool delivered = false;
  base::Duration duration{};
};

class ExecutionEnvironment final : public RuntimeSession,
                                   public std::enable_shared_from_this<ExecutionEnvironment> {
 public:
  enum class State : std::uint8_t { Starting, Idle, Busy, Finishing, Ended };

  // All outlive it.
  struct Parts {
    base::Clock& clock;
    base::Random& random;
    host::Sandbox& sandbox;
    RuntimeFrontend& frontend;
    FunctionNetworks& networks;
    logs::Api& logs;
    runtime::TaskGroup& tasks;
  };
  // When it is started: before the first invocation, or, since that failed, as a part of it.
  enum class Phase : std::uint8_t { Init, Invoke };
  struct Spec {
    std::shared_ptr<const FunctionRecord> function;
    Place place;
    Phase phase = Phase::Init;
    std::string log_stream;  // of the start that failed; empty: its own
    std::string initialization_type = "on-demand";
    std::filesystem::path code;
    std::filesystem::path opt;      // its layers; empty: none
    std::filesystem::path runtime;  // our runtime clients
    RuntimeProgram program;
    std::map<std::string, std::string> credentials;  // AWS_ACCESS_KEY_ID and so on
    base::Timestamp good_until;                      // then its credentials end
    std::string endpoint_url;
  };

  ExecutionEnvironment(Parts parts, Spec spec);
  // Set before start(): called when it may take another invocation after the first, and once when
  // it has ended (its processes are still being cleared away).
  std::function<void(ExecutionEnvironment&)> on_idle;
  std::function<void(ExecutionEnvironment&)> on_ended;

  // Returns when the runtime asks for its first event, or when it is clear that it won't.
  runtime::Task<void> start();
  // When an invocation that is about to be handed to it has begun: with its start, when that is a
  // part of the invocation.
  base::Timestamp begins(base::Timestamp now) const;
  // Idle, or Ended. Never fails: what goes wrong is the outcome.
  runtime::Task<Outcome> invoke(Invocation invocation);
  // Ends it now.
  void end();
  // Until everything of it is cleared away, or the deadline.
  runtime::Task<void> wait_cleared(base::Timestamp deadline);

  State state() const { return state_; }
  // It never asked for an event.
  bool failed_to_start() const { return state_ == State::Ended && !init_duration_; }
  const std::string& log_stream() const { return log_stream_; }
  const FunctionRecord& function() const { return *spec_.function; }
  bool good_at(base::Timestamp time) const { return time < spec_.good_until; }
  std::optional<base::Duration> init_duration() const { return init_duration_; }

  runtime::Task<base::Result<Invocation>> next() override;
  base::Result<void> respond(const std::string& request_id, std::string payload) override;
  base::Result<void> fail(const std::string& request_id, std::string error_type,
                          std::string payload) override;
  base::Result<void> fail_init(std::string error_type, std::string payload) override;

 private:
  // Why it can't answer.
  struct Failure {
    std::string type;
    std::string text;     // after "RequestId: ... Error: "
    std::string payload;  // what the runtime itself reported; else made of type and text
    bool timed_out = false;
  };
  struct Answer {
    std::string payload;
    bool is_error = false;
    std::string error_type;
  };

  runtime::Task<base::Result<void>> launch();
  std::optional<host::SandboxSpec> command() const;
  void report_failed_start();
  std::map<std::string, std::string> variables() const;
  runtime::Task<void> watch(std::shared_ptr<ExecutionEnvironment> self);
  runtime::Task<void> pump(std::shared_ptr<ExecutionEnvironment> self);
  runtime::Task<void> limit_finishing(std::shared_ptr<ExecutionEnvironment> self,
                                      base::Timestamp deadline);
  base::Result<void> check_request(const std::string& request_id) const;
  void become_ended(std::optional<Failure> why);
  void take(std::string_view output);
  void log(std::string message);
  void sample_memory();
  Outcome conclude(base::Timestamp started);

  Parts parts_;
  Spec spec_;
  std::string log_group_;
  std::string log_stream_;
  State state_ = State::Starting;
  runtime::Event changed_;  // state, answer
  runtime::Event wake_;     // for the runtime that waits for an event
  FunctionNetworks::Place network_;
  std::unique_ptr<RuntimeEndpoint> endpoint_;
  std::unique_ptr<host::SandboxProcess> process_;
  base::Timestamp started_;
  std::optional<base::Duration> init_duration_;
  bool init_reported_ = false;
  bool cleared_ = false;
  std::optional<Failure> failure_;

  std::uint64_t turn_ = 0;  // of the runtime's calls of next(): the latest waits
  std::optional<Invocation> current_;
  bool delivered_ = false;
  std::optional<Answer> answer_;
  std::string unfinished_line_;
  std::string tail_;
  std::uint64_t memory_peak_bytes_ = 0;
};

}  // namespace terrarium::lambda
