#include "terrarium/services/lambda/environment.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "lib/base/check.h"
#include "lib/base/encoding.h"
#include "lib/base/log.h"
#include "terrarium/services/lambda/function_rules.h"
#include "terrarium/services/lambda/limits.h"
#include "terrarium/services/lambda/log_text.h"

namespace terrarium::lambda {
namespace {

constexpr std::size_t kLineBytesMax = 256 * 1024 - 64;
constexpr std::uint64_t kMebibyte = 1 << 20;
constexpr const char* kBootstrap = "bootstrap";
// How AWS's runtimes start the program that AWS_LAMBDA_EXEC_WRAPPER names, their own command
// behind.
constexpr const char* kWrapper =
    R"(if [ ! -f "$0" ]; then echo "$0: does not exist"; exit 127; fi
if [ ! -x "$0" ]; then echo "$0: is not an executable"; exit 126; fi
exec "$0" "$@")";

// Custom runtimes have no wrapper, as on AWS.
std::vector<std::string> wrapped(std::vector<std::string> command, const FunctionRecord& function) {
  const auto wrapper = function.variables.find("AWS_LAMBDA_EXEC_WRAPPER");
  if (wrapper == function.variables.end() || wrapper->second.empty()) return command;
  command.insert(command.begin(), {"/bin/sh", "-c", kWrapper, wrapper->second});
  return command;
}

}  // namespace

ExecutionEnvironment::ExecutionEnvironment(Parts parts, Spec spec)
    : parts_(parts),
      spec_(std::move(spec)),
      log_group_(log_group_of(*spec_.function)),
      log_stream_(spec_.log_stream.empty()
                      ? log_stream_name(parts.clock.now(), spec_.function->version, parts.random)
                      : spec_.log_stream),
      changed_(parts.clock),
      wake_(parts.clock),
      started_(parts.clock.now()) {}

std::map<std::string, std::string> ExecutionEnvironment::variables() const {
  const FunctionRecord& function = *spec_.function;
  const std::string root = parts_.sandbox.code_path(spec_.code);
  const std::string opt = parts_.sandbox.opt_path(spec_.opt);
  std::map<std::string, std::string> variables = spec_.credentials;
  variables.insert({
      {"AWS_DEFAULT_REGION", spec_.place.region},
      {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", std::to_string(function.memory_mb)},
      {"AWS_LAMBDA_FUNCTION_NAME", function.name},
      {"AWS_LAMBDA_FUNCTION_VERSION", function.version},
      {"AWS_LAMBDA_INITIALIZATION_TYPE", spec_.initialization_type},
      {"AWS_LAMBDA_LOG_GROUP_NAME", log_group_},
      {"AWS_LAMBDA_LOG_STREAM_NAME", log_stream_},
      {"AWS_LAMBDA_RUNTIME_API", endpoint_->address()},
      {"AWS_REGION", spec_.place.region},
      {"LAMBDA_RUNTIME_DIR", parts_.sandbox.runtime_path(spec_.runtime)},
      {"LAMBDA_TASK_ROOT", root},
      {"LANG", "en_US.UTF-8"},
      {"LD_LIBRARY_PATH", "/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:" + root + ":" + root +
                              "/lib:" + opt + "/lib"},
      {"PATH", "/usr/local/bin:/usr/bin/:/bin:" + opt + "/bin"},
      {"TZ", ":UTC"},
      {"_HANDLER", function.handler},
  });
  // A custom runtime has none, as on AWS.
  if (!spec_.program.arguments.empty()) {
    variables.emplace("AWS_EXECUTION_ENV", "AWS_Lambda_" + function.runtime);
  }
  if (is_python(function.runtime)) {
    variables.emplace("PYTHONPATH", parts_.sandbox.runtime_path(spec_.runtime));
  }
  if (is_nodejs(function.runtime)) {
    const std::string major = function.runtime.substr(std::string_view("nodejs").size(), 2);
    variables.emplace("NODE_PATH", opt + "/nodejs/node" + major + "/node_modules:" + opt +
                                       "/nodejs/node_modules:" + root);
  }
  if (opt != "/opt") variables.emplace("TERRARIUM_LAYERS_ROOT", opt);
  // The daemon's own listener is not there in a network of its own; the region's APIs are.
  const std::string endpoint =
      network_.id.empty() ? spec_.endpoint_url : "http://" + std::string(host::kApiAddress);
  if (!endpoint.empty()) variables.emplace("AWS_ENDPOINT_URL", endpoint);
  // Reserved names were refused; PATH and its like are the function's to change.
  for (const auto& [name, value] : function.variables) variables[name] = value;
  return variables;
}

// What to run; nothing when the code brings no program.
std::optional<host::SandboxSpec> ExecutionEnvironment::command() const {
  const FunctionRecord& function = *spec_.function;
  host::SandboxSpec sandbox{
      .code = spec_.code,
      .program = kBootstrap,
      .arguments = spec_.program.arguments,
      .opt = spec_.opt,
      .runtime = spec_.program.arguments.empty() ? std::filesystem::path() : spec_.runtime,
      .memory_bytes_max = static_cast<std::uint64_t>(function.memory_mb) * kMebibyte,
      .scratch_bytes_max = static_cast<std::uint64_t>(function.ephemeral_mb) * kMebibyte,
  };
  if (!sandbox.arguments.empty()) {
    sandbox.arguments = wrapped(std::move(sandbox.arguments), function);
    return sandbox;
  }
  const auto exists = [](const std::filesystem::path& path) {
    return ::access(path.c_str(), F_OK) == 0;
  };
  if (exists(spec_.code / kBootstrap)) return sandbox;
  // A custom runtime may come in a layer.
  if (spec_.opt.empty() || !exists(spec_.opt / kBootstrap)) return std::nullopt;
  sandbox.arguments = {parts_.sandbox.opt_path(spec_.opt) + "/" + kBootstrap};
  return sandbox;
}

runtime::Task<base::Result<void>> ExecutionEnvironment::launch() {
  auto sandbox = command();
  if (!sandbox) {
    become_ended(Failure{.type = "Runtime.InvalidEntrypoint",
                         .text = "Couldn't find valid bootstrap(s): [/var/task/bootstrap "
                                 "/opt/bootstrap]"});
    co_return base::Result<void>();
  }
  CO_TRY(network_, co_await parts_.networks.take());
  CO_TRY(endpoint_, parts_.frontend.open(*this, network_.listening_fd));
  // It may have been told to end meanwhile.
  if (state_ == State::Ended) co_return base::Result<void>();
  // A retried start shares its log stream with the one that failed, not its sandbox.
  sandbox->name = parts_.random.hex(16);
  sandbox->env = variables();
  if (!network_.id.empty()) {
    sandbox->network_namespace = network_.path;
    // The region's, which leads AWS's own names here.
    sandbox->nameserver = host::kApiAddress;
  }
  CO_TRY(process_, parts_.sandbox.start(*std::move(sandbox)));
  co_return base::Result<void>();
}

base::Timestamp ExecutionEnvironment::begins(base::Timestamp now) const {
  return spec_.phase == Phase::Invoke && !init_reported_ ? started_ : now;
}

runtime::Task<void> ExecutionEnvironment::start() {
  if (spec_.phase == Phase::Init) {
    log(init_start_line(spec_.program.shown, spec_.function->runtime, spec_.place.region));
  }
  if (const auto launched = co_await launch(); !launched) {
    base::log::warning("lambda", "{}: {}", spec_.function->name, base::describe(launched.error()));
    become_ended(Failure{
        .type = "Runtime.InvalidEntrypoint",
        .text = "fork/exec /var/task/bootstrap: " + base::to_lower(launched.error().detail)});
  }
  if (process_) parts_.tasks.spawn("function output", pump(shared_from_this()));
  parts_.tasks.spawn("environment", watch(shared_from_this()));
  const base::Duration timeout = std::chrono::seconds(spec_.function->timeout_s);
  const base::Duration limit = spec_.phase == Phase::Init ? kInitTimeout : timeout;
  const base::Timestamp deadline = started_ + limit;
  while (state_ == State::Starting && parts_.clock.now() < deadline && !parts_.tasks.stopping()) {
    co_await changed_.wait_until(deadline);
  }
  if (state_ == State::Starting) {
    become_ended(
        Failure{.type = "Sandbox.Timedout", .text = timed_out_text(limit), .timed_out = true});
  }
  if (failed_to_start()) report_failed_start();
}

void ExecutionEnvironment::report_failed_start() {
  if (process_) take(process_->take_output());
  if (!unfinished_line_.empty()) log(std::exchange(unfinished_line_, {}) + "\n");
  log(init_report_line(
      parts_.clock.now() - started_, spec_.phase == Phase::Init ? "init" : "invoke",
      failure_->timed_out ? "timeout" : "error", failure_->timed_out ? "" : failure_->type));
}

void ExecutionEnvironment::become_ended(std::optional<Failure> why) {
  if (state_ == State::Ended) return;
  state_ = State::Ended;
  failure_ = std::move(why);
  if (process_) process_->kill();
  changed_.notify_all();
  wake_.notify_all();
  if (on_ended) on_ended(*this);
}

void ExecutionEnvironment::end() {
  become_ended(Failure{.type = "Runtime.ExitError", .text = "Runtime was stopped"});
}

// Waits for the program's end and clears everything away; the last to hold the environment.
runtime::Task<void> ExecutionEnvironment::watch(std::shared_ptr<ExecutionEnvironment> self) {
  std::optional<runtime::ExitStatus> status;
  while (process_ && !status && !parts_.tasks.stopping()) {
    status = co_await process_->wait_until(kNever);
  }
  if (status && process_->memory_exceeded()) {
    memory_peak_bytes_ = static_cast<std::uint64_t>(spec_.function->memory_mb) * kMebibyte;
  }
  if (process_) take(process_->take_output());
  become_ended(Failure{.type = "Runtime.ExitError",
                       .text = exit_text(status.value_or(runtime::ExitStatus{}))});
  if (endpoint_) co_await endpoint_->close();
  if (process_) co_await process_->close();
  parts_.networks.give_back(network_.id);
  cleared_ = true;
  changed_.notify_all();
}

runtime::Task<void> ExecutionEnvironment::wait_cleared(base::Timestamp deadline) {
  while (!cleared_ && parts_.clock.now() < deadline && !parts_.tasks.stopping()) {
    co_await changed_.wait_until(deadline);
  }
}

runtime::Task<void> ExecutionEnvironment::pump(std::shared_ptr<ExecutionEnvironment> self) {
  for (;;) {
    const std::string output = co_await process_->read_output();
    if (output.empty()) break;
    take(output);
  }
}

void ExecutionEnvironment::take(std::string_view output) {
  unfinished_line_ += output;
  std::string_view rest = unfinished_line_;
  for (;;) {
    const std::size_t newline = rest.substr(0, kLineBytesMax).find('\n');
    std::size_t bytes = newline + 1;
    if (newline == std::string_view::npos) {
      if (rest.size() < kLineBytesMax) break;
      bytes = kLineBytesMax;
    }
    std::string line(rest.substr(0, bytes));
    // Our runtime client marks breaks inside a record.
    if (!spec_.program.arguments.empty()) std::ranges::replace(line, '\r', '\n');
    log(std::move(line));
    rest.remove_prefix(bytes);
  }
  unfinished_line_ = std::string(rest);
}

void ExecutionEnvironment::log(std::string message) {
  tail_ += message;
  if (tail_.size() > kLogTailBytes) tail_.erase(0, tail_.size() - kLogTailBytes);
  parts_.logs.append({.region = spec_.place.region,
                      .group = log_group_,
                      .stream = log_stream_,
                      .time = parts_.clock.now(),
                      .message = std::move(message)});
}

runtime::Task<base::Result<Invocation>> ExecutionEnvironment::next() {
  const auto gone = [] {
    return base::fail(base::ErrorKind::Cancelled, "The execution environment has ended");
  };
  const auto self = shared_from_this();
  if (state_ == State::Ended) co_return gone();
  if (state_ == State::Busy && delivered_) {
    co_return base::fail(base::ErrorKind::Conflict,
                         "Transition from Running to Ready is not allowed: the invocation under "
                         "way has not been answered");
  }
  const std::uint64_t turn = ++turn_;
  wake_.notify_all();
  if (state_ == State::Starting) {
    init_duration_ = parts_.clock.now() - started_;
    state_ = State::Idle;
    changed_.notify_all();
  } else if (state_ == State::Finishing) {
    state_ = State::Idle;
    changed_.notify_all();
    if (on_idle) on_idle(*this);
  }
  while (turn == turn_ && state_ != State::Ended && !(state_ == State::Busy && !delivered_)) {
    // Not woken means cancelled: the runtime's connection is gone.
    if (!co_await wake_.wait_until(kNever)) co_return gone();
  }
  if (turn != turn_) {
    co_return base::fail(base::ErrorKind::Cancelled, "Another call waits for the next event");
  }
  if (state_ == State::Ended) co_return gone();
  delivered_ = true;
  co_return *current_;
}

base::Result<void> ExecutionEnvironment::check_request(const std::string& request_id) const {
  if (state_ == State::Busy && delivered_ && current_->request_id == request_id) return {};
  return base::fail(base::ErrorKind::InvalidInput, "Invalid request ID");
}

base::Result<void> ExecutionEnvironment::respond(const std::string& request_id,
                                                 std::string payload) {
  TRY_VOID(check_request(request_id));
  answer_ = Answer{.payload = std::move(payload)};
  state_ = State::Finishing;
  changed_.notify_all();
  return {};
}

base::Result<void> ExecutionEnvironment::fail(const std::string& request_id, std::string error_type,
                                              std::string payload) {
  TRY_VOID(check_request(request_id));
  answer_ =
      Answer{.payload = std::move(payload), .is_error = true, .error_type = std::move(error_type)};
  state_ = State::Finishing;
  changed_.notify_all();
  return {};
}

base::Result<void> ExecutionEnvironment::fail_init(std::string error_type, std::string payload) {
  if (state_ != State::Starting) {
    return base::fail(base::ErrorKind::Conflict,
                      "Transition from Ready to InitError is not allowed");
  }
  become_ended(Failure{.type = std::move(error_type),
                       .text = "Runtime reported an initialisation error",
                       .payload = std::move(payload)});
  return {};
}

runtime::Task<Outcome> ExecutionEnvironment::invoke(Invocation invocation) {
  CHECK(state_ == State::Idle || state_ == State::Ended, "one invocation at a time");
  const auto self = shared_from_this();
  const base::Timestamp started = begins(parts_.clock.now());
  const base::Timestamp deadline = invocation.deadline;
  current_ = std::move(invocation);
  answer_.reset();
  delivered_ = false;
  tail_.clear();
  log(start_line(current_->request_id, spec_.function->version));
  if (state_ == State::Idle) {
    state_ = State::Busy;
    wake_.notify_all();
  }
  while (state_ == State::Busy && parts_.clock.now() < deadline && !parts_.tasks.stopping()) {
    co_await changed_.wait_until(deadline);
  }
  if (state_ == State::Busy) {
    const base::Duration timeout = std::chrono::seconds(spec_.function->timeout_s);
    sample_memory();
    become_ended(
        Failure{.type = "Sandbox.Timedout", .text = timed_out_text(timeout), .timed_out = true});
  }
  if (state_ == State::Finishing) {
    parts_.tasks.spawn("limit what follows an answer", limit_finishing(self, deadline));
  }
  co_return conclude(started);
}

runtime::Task<void> ExecutionEnvironment::limit_finishing(
    std::shared_ptr<ExecutionEnvironment> self, base::Timestamp deadline) {
  const std::uint64_t turn = turn_;
  const auto is_over = [this, turn] { return turn != turn_ || state_ != State::Finishing; };
  while (!is_over() && parts_.clock.now() < deadline && !parts_.tasks.stopping()) {
    co_await changed_.wait_until(deadline);
  }
  if (!is_over()) end();
}

void ExecutionEnvironment::sample_memory() {
  if (!process_) return;
  const auto limit = static_cast<std::uint64_t>(spec_.function->memory_mb) * kMebibyte;
  // Each process's own peak, added up, may come to more than they ever held at once.
  const std::uint64_t held = std::min(process_->memory_peak_bytes(), limit);
  memory_peak_bytes_ = std::max(memory_peak_bytes_, held);
}

Outcome ExecutionEnvironment::conclude(base::Timestamp started) {
  const base::Timestamp now = parts_.clock.now();
  if (process_) take(process_->take_output());
  sample_memory();
  if (!unfinished_line_.empty()) log(std::exchange(unfinished_line_, {}));
  const std::string& id = current_->request_id;
  Outcome outcome;
  outcome.delivered = delivered_;
  outcome.duration = now - started;
  Report report{.request_id = id,
                .duration = now - started,
                .memory_mb = spec_.function->memory_mb,
                .memory_peak_bytes = memory_peak_bytes_};
  if (!std::exchange(init_reported_, true) && spec_.phase == Phase::Init) {
    report.init_duration = init_duration_;
  }
  if (answer_) {
    outcome.payload = std::move(answer_->payload);
    if (answer_->is_error) outcome.function_error = "Unhandled";
  } else {
    CHECK(failure_, "an environment that did not answer knows why");
    outcome.function_error = "Unhandled";
    outcome.payload = failure_->payload.empty() ? error_payload(id, failure_->type, failure_->text)
                                                : failure_->payload;
    report.status = failure_->timed_out ? "timeout" : "error";
    if (failure_->timed_out) {
      log(timeout_line(now, id, std::chrono::seconds(spec_.function->timeout_s)));
    } else {
      report.error_type = failure_->type;
      // What the runtime reported it has logged as it likes.
      if (failure_->payload.empty())
        log("RequestId: " + id + " Error: " + failure_->text + "\n" + failure_->type + "\n");
    }
  }
  log(end_line(id));
  log(report_line(report));
  outcome.log_tail = tail_;
  return outcome;
}

}  // namespace terrarium::lambda
