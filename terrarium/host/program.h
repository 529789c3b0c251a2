// Programs under the region's care: PostgreSQL, the board. Each is kept running - restarted with a
// growing pause when it ends - and outlives the daemon: a new daemon adopts what still runs (by pid
// and start time, written to <state>/run) instead of starting it twice.
//
// Used on one executor. Log output goes to <state>/logs/<name>.log.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/runtime/task.h"
#include "lib/runtime/task_group.h"

namespace terrarium::host {

struct ProgramSpec {
  std::string name;  // [a-z0-9-]{1,40}: names its files
  std::vector<std::string> argv;
  std::map<std::string, std::string> env;
  std::string working_directory = "/";
  // Who runs it when the daemon is root; empty, or a daemon that is not root: the daemon's user.
  std::string user;
  int stop_signal = 15;  // sent by stop(); SIGKILL follows after stop_timeout
  base::Duration stop_timeout = std::chrono::seconds(10);
};

enum class ProgramState : std::uint8_t { Starting, Running, BackingOff, Stopped };
std::string_view to_string(ProgramState state);

struct ProgramStatus {
  std::string name;
  ProgramState state = ProgramState::Starting;
  int pid = 0;
  std::uint64_t restarts = 0;
  std::string last_exit;  // "exit 1", "signal 9"; empty when it never ended
};

class ProgramKeeper {
 public:
  // `clock` outlives the keeper.
  ProgramKeeper(runtime::Executor executor, base::Clock& clock, std::filesystem::path state);
  ~ProgramKeeper();

  // From now on the program runs as `spec` says. One already running with an equal spec is left
  // alone (also one of an earlier daemon); with another spec it is stopped first.
  runtime::Task<base::Result<void>> start(ProgramSpec spec);
  // Stops it and forgets it; nothing when unknown.
  runtime::Task<void> stop(std::string name);
  runtime::Task<void> stop_all();
  std::vector<ProgramStatus> status() const;

 private:
  struct Program;
  runtime::Task<void> keep(std::shared_ptr<Program> program);
  runtime::Task<void> run_once(Program& program);

  runtime::Executor executor_;
  base::Clock& clock_;
  std::filesystem::path state_;
  runtime::TaskGroup tasks_;
  std::map<std::string, std::shared_ptr<Program>> programs_;
};

// Ends what an earlier daemon left running (`terrarium down` without a daemon). Blocks.
void stop_recorded_programs(const std::filesystem::path& state);

// Whether `pid` is alive and started at `start_ticks` (field 22 of /proc/PID/stat): pids are
// reused, this pair is not.
bool is_same_process(int pid, std::uint64_t start_ticks);
// Field 22 of /proc/PID/stat; nothing when there is no such process (or only its zombie).
std::optional<std::uint64_t> process_start_ticks(int pid);

}  // namespace terrarium::host
