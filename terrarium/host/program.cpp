#include "terrarium/host/program.h"

#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <fstream>
#include <sstream>

#include "lib/base/check.h"
#include "lib/base/digest.h"
#include "lib/base/encoding.h"
#include "lib/base/log.h"
#include "lib/runtime/event.h"
#include "lib/runtime/process.h"

namespace terrarium::host {
namespace {

using runtime::Task;
using namespace std::chrono_literals;

constexpr base::Duration kFirstPause = 200ms;
constexpr base::Duration kLongestPause = 5s;
// A program that ran this long was healthy: its next failure starts from the first pause again.
constexpr base::Duration kHealthyAfter = 30s;
// How often an adopted process, whose exit only a poll of /proc shows, is looked at.
constexpr base::Duration kAdoptedPoll = 100ms;
constexpr std::uintmax_t kLogBytesMax = 16 * 1024 * 1024;

std::string fingerprint(const ProgramSpec& spec) {
  std::string text;
  for (const std::string& word : spec.argv) text += word + '\0';
  for (const auto& [name, value] : spec.env) text += name + '=' + value + '\0';
  text += spec.working_directory + '\0' + spec.user + '\0' + std::to_string(spec.stop_signal);
  return base::hex_encode(base::digest(base::DigestKind::Sha256, text));
}

struct Identity {
  uid_t uid;
  gid_t gid;
};

base::Result<std::optional<Identity>> identity_of(const std::string& user) {
  if (user.empty() || ::geteuid() != 0) return std::optional<Identity>();
  passwd entry{};
  passwd* found = nullptr;
  char buffer[4096];
  ::getpwnam_r(user.c_str(), &entry, buffer, sizeof buffer, &found);
  if (found == nullptr) {
    return base::fail(base::ErrorKind::InvalidInput, "There is no user '" + user + "'.");
  }
  return std::optional<Identity>(Identity{found->pw_uid, found->pw_gid});
}

// A log past its bound becomes <name>.log.1; the one before that goes.
void rotate(const std::filesystem::path& log) {
  std::error_code ignored;
  if (std::filesystem::file_size(log, ignored) <= kLogBytesMax || ignored) return;
  std::filesystem::rename(log, log.string() + ".1", ignored);
}

struct RunRecord {
  int pid = 0;
  std::uint64_t start_ticks = 0;
  std::string fingerprint;
};

std::optional<RunRecord> read_record(const std::filesystem::path& file) {
  std::ifstream input(file);
  std::stringstream text;
  text << input.rdbuf();
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(text.str(), error);
  if (error || !value.is_object()) return std::nullopt;
  const auto& object = value.as_object();
  const auto* const pid = object.if_contains("pid");
  const auto* const ticks = object.if_contains("start_ticks");
  const auto* const print = object.if_contains("fingerprint");
  if (pid == nullptr || ticks == nullptr || print == nullptr || !pid->is_int64() ||
      !print->is_string()) {
    return std::nullopt;
  }
  const auto start = ticks->to_number<std::uint64_t>(error);
  if (error) return std::nullopt;
  return RunRecord{static_cast<int>(pid->as_int64()), start, std::string(print->as_string())};
}

void write_record(const std::filesystem::path& file, const RunRecord& record) {
  const boost::json::object object{{"pid", record.pid},
                                   {"start_ticks", record.start_ticks},
                                   {"fingerprint", record.fingerprint}};
  const std::string temporary = file.string() + ".new";
  std::ofstream(temporary) << boost::json::serialize(object) << '\n';
  std::error_code ignored;
  std::filesystem::rename(temporary, file, ignored);
}

std::string exit_text(const runtime::ExitStatus& status) {
  return status.signal != 0 ? "signal " + std::to_string(status.signal)
                            : "exit " + std::to_string(status.code);
}

}  // namespace

std::string_view to_string(ProgramState state) {
  switch (state) {
    case ProgramState::Starting: return "starting";
    case ProgramState::Running: return "running";
    case ProgramState::BackingOff: return "backing off";
    case ProgramState::Stopped: return "stopped";
  }
  return "unknown";
}

std::optional<std::uint64_t> process_start_ticks(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  if (!std::getline(file, text)) return std::nullopt;
  // The command name (field 2) may hold spaces and parentheses: fields count from its last ')'.
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(text.substr(name_end + 1));
  std::string field;
  for (int number = 3; number <= 22 && fields >> field; ++number) {
    if (number == 3 && (field == "Z" || field == "X")) return std::nullopt;
  }
  return std::strtoull(field.c_str(), nullptr, 10);
}

bool is_same_process(int pid, std::uint64_t start_ticks) {
  return process_start_ticks(pid) == start_ticks;
}

struct ProgramKeeper::Program {
  ProgramSpec spec;
  std::string print;
  ProgramStatus status;
  bool wanted = true;  // cleared by stop()
  bool ended = false;  // keep() has returned
  std::uint64_t start_ticks = 0;
  base::Duration pause = kFirstPause;
  std::unique_ptr<runtime::Process> process;  // null when adopted
  std::unique_ptr<runtime::Event> changed;    // wanted or ended changed
};

ProgramKeeper::ProgramKeeper(runtime::Executor executor, base::Clock& clock,
                             std::filesystem::path state)
    : executor_(executor), clock_(clock), state_(std::move(state)), tasks_(executor) {
  std::error_code ignored;
  std::filesystem::create_directories(state_ / "run", ignored);
  std::filesystem::create_directories(state_ / "logs", ignored);
}

ProgramKeeper::~ProgramKeeper() = default;

Task<base::Result<void>> ProgramKeeper::start(ProgramSpec spec) {
  const auto is_name = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  if (spec.name.empty() || spec.name.size() > 40 || !std::ranges::all_of(spec.name, is_name)) {
    co_return base::fail(base::ErrorKind::InvalidInput,
                         "A program's name has 1 to 40 of a-z, 0-9 and '-': '" + spec.name + "'.");
  }
  if (spec.argv.empty() || ::access(spec.argv[0].c_str(), X_OK) != 0) {
    co_return base::fail(base::ErrorKind::InvalidInput,
                         "Program '" + spec.name + "' names no executable file.");
  }
  CO_TRY_VOID(identity_of(spec.user));
  const std::string print = fingerprint(spec);
  if (const auto found = programs_.find(spec.name); found != programs_.end()) {
    if (found->second->print == print && found->second->wanted) co_return base::Result<void>();
    co_await stop(spec.name);
  }
  auto program = std::make_shared<Program>();
  program->status.name = spec.name;
  program->spec = std::move(spec);
  program->print = print;
  program->changed = std::make_unique<runtime::Event>(clock_);
  programs_[program->spec.name] = program;
  tasks_.spawn("keep " + program->spec.name, keep(program));
  co_return base::Result<void>();
}

// Signals what runs, waits for its end, kills what does not end.
Task<void> ProgramKeeper::stop(std::string name) {
  const auto found = programs_.find(name);
  if (found == programs_.end()) co_return;
  const std::shared_ptr<Program> program = found->second;
  program->wanted = false;
  program->changed->notify_all();
  const auto alive = [&] {
    return program->status.pid != 0 && is_same_process(program->status.pid, program->start_ticks);
  };
  if (alive()) ::kill(program->status.pid, program->spec.stop_signal);
  const base::Timestamp kill_at = clock_.now() + program->spec.stop_timeout;
  while (!program->ended) {
    co_await runtime::sleep_until(clock_, clock_.now() + 20ms);
    if (clock_.now() < kill_at || !alive()) continue;
    base::log::warning("programs", "{} did not stop in time and is killed", name);
    ::kill(-program->status.pid, SIGKILL);
    ::kill(program->status.pid, SIGKILL);
  }
  std::error_code ignored;
  std::filesystem::remove(state_ / "run" / (name + ".json"), ignored);
  const auto current = programs_.find(name);
  if (current != programs_.end() && current->second == program) programs_.erase(current);
}

Task<void> ProgramKeeper::stop_all() {
  while (!programs_.empty()) {
    const std::string name = programs_.begin()->first;
    co_await stop(name);
  }
  co_await tasks_.stop();
}

std::vector<ProgramStatus> ProgramKeeper::status() const {
  std::vector<ProgramStatus> all;
  for (const auto& [name, program] : programs_) all.push_back(program->status);
  return all;
}

Task<void> ProgramKeeper::keep(std::shared_ptr<Program> program) {
  while (program->wanted && !tasks_.stopping()) {
    const base::Timestamp began = clock_.now();
    co_await run_once(*program);
    if (!program->wanted) break;
    if (clock_.now() - began >= kHealthyAfter) program->pause = kFirstPause;
    program->status.state = ProgramState::BackingOff;
    program->status.pid = 0;
    ++program->status.restarts;
    base::log::warning("programs", "{} ended ({}); starting it again in {} ms", program->spec.name,
                       program->status.last_exit, program->pause.count() / 1000);
    co_await program->changed->wait_until(clock_.now() + program->pause);
    program->pause = std::min(program->pause * 2, kLongestPause);
  }
  program->status.state = ProgramState::Stopped;
  program->ended = true;
}

// From adoption or start to the end of one process.
Task<void> ProgramKeeper::run_once(Program& program) {
  const auto record_file = state_ / "run" / (program.spec.name + ".json");
  if (const auto record = read_record(record_file);
      record && is_same_process(record->pid, record->start_ticks)) {
    program.status.pid = record->pid;
    program.start_ticks = record->start_ticks;
    if (record->fingerprint != program.print) ::kill(record->pid, program.spec.stop_signal);
    base::log::info("programs", "{} adopted, pid {}", program.spec.name, record->pid);
    program.status.state = ProgramState::Running;
    while (!tasks_.stopping() && is_same_process(record->pid, record->start_ticks)) {
      co_await runtime::sleep_until(clock_, clock_.now() + kAdoptedPoll);
    }
    program.status.last_exit = "ended while adopted";
    co_return;
  }

  const auto log = state_ / "logs" / (program.spec.name + ".log");
  rotate(log);
  const int log_fd = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  const auto identity = identity_of(program.spec.user);
  runtime::SpawnOptions options;
  options.argv = program.spec.argv;
  options.env = program.spec.env;
  options.working_directory = program.spec.working_directory;
  options.stdout_fd = log_fd;
  options.stderr_fd = log_fd;
  if (identity && identity->has_value()) {
    options.uid = (*identity)->uid;
    options.gid = (*identity)->gid;
  }
  auto spawned = runtime::Process::spawn(executor_, std::move(options));
  if (log_fd >= 0) ::close(log_fd);
  if (!spawned) {
    program.status.last_exit = "could not start";
    base::log::error("programs", "{}: {}", program.spec.name, base::describe(spawned.error()));
    co_return;
  }
  program.process = *std::move(spawned);
  program.status.pid = program.process->pid();
  program.start_ticks = process_start_ticks(program.status.pid).value_or(0);
  program.status.state = ProgramState::Running;
  write_record(record_file, {program.status.pid, program.start_ticks, program.print});
  base::log::info("programs", "{} started, pid {}", program.spec.name, program.status.pid);
  while (!tasks_.stopping()) {
    const auto exit = co_await program.process->wait_until(clock_, clock_.now() + 200ms);
    if (!exit) continue;
    program.status.last_exit = exit_text(*exit);
    break;
  }
  program.process.reset();
}

void stop_recorded_programs(const std::filesystem::path& state) {
  std::error_code ignored;
  for (const auto& file : std::filesystem::directory_iterator(state / "run", ignored)) {
    if (file.path().extension() != ".json") continue;
    const auto record = read_record(file.path());
    // SIGINT: PostgreSQL's fast shutdown, and an end to every other program too.
    if (record && is_same_process(record->pid, record->start_ticks)) {
      ::kill(record->pid, SIGINT);
      for (int i = 0; i < 100 && is_same_process(record->pid, record->start_ticks); ++i) {
        ::usleep(100'000);
      }
      if (is_same_process(record->pid, record->start_ticks)) ::kill(-record->pid, SIGKILL);
    }
    std::filesystem::remove(file.path(), ignored);
  }
}

}  // namespace terrarium::host
