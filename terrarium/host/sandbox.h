// Where functions run: a program unpacked in a folder, started as somebody with no rights, with a
// view of the machine, /tmp and limits of its own, that dies with the daemon.
//
// Used on the control executor, whose thread lives as long as the daemon: the kernel ends a sandbox
// when the thread that started it ends.
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
#include "lib/runtime/process.h"
#include "lib/runtime/task.h"

namespace terrarium::host {

struct SandboxSpec {
  std::string name;                        // [a-z0-9]{1,64}, unique among those that run
  std::filesystem::path code;              // absolute; seen read-only at code_path()
  std::string program;                     // relative to `code`: "bootstrap"
  std::vector<std::string> arguments;      // not empty: the command instead of `program`
  std::filesystem::path opt;               // seen read-only at opt_path(); empty: nothing there
  std::filesystem::path runtime;           // the same at runtime_path()
  std::map<std::string, std::string> env;  // the whole environment
  // A file that names the network namespace to run in; empty: the host's network and resolver.
  std::filesystem::path network_namespace;
  std::string nameserver;  // in that namespace; empty: none
  std::uint64_t memory_bytes_max = 0;
  std::uint64_t scratch_bytes_max = 0;  // a file in its /tmp grows no larger
  std::uint64_t processes_max = 1024;
  std::uint64_t descriptors_max = 1024;
};

class SandboxProcess {
 public:
  // close() first; a process still running is killed.
  virtual ~SandboxProcess() = default;
  // Resumes when the program has ended, or with nothing at the deadline. One waiter at a time.
  virtual runtime::Task<std::optional<runtime::ExitStatus>> wait_until(
      base::Timestamp deadline) = 0;
  // The next bytes of its standard output and error as they come, interleaved; empty when both have
  // ended. One reader at a time; kill() ends the read.
  virtual runtime::Task<std::string> read_output() = 0;
  // What is there to be read now, without waiting: what a program wrote before it spoke to somebody
  // else is there when that somebody hears of it.
  virtual std::string take_output() = 0;
  // Ends every process in it, at once.
  virtual void kill() = 0;
  // The most memory that its processes held together, as far as the kernel tells.
  virtual std::uint64_t memory_peak_bytes() const = 0;
  // The kernel ended a process in it because of memory_bytes_max.
  virtual bool memory_exceeded() const = 0;
  // kill(), then removes what belonged to it: /tmp, control group, user id.
  virtual runtime::Task<void> close() = 0;
};

class Sandbox {
 public:
  virtual ~Sandbox() = default;
  // Returns when the program runs.
  virtual base::Result<std::unique_ptr<SandboxProcess>> start(SandboxSpec spec) = 0;
  // Where a program in `code` sees its own folder.
  virtual std::string code_path(const std::filesystem::path& code) const = 0;
  virtual std::string opt_path(const std::filesystem::path& opt) const = 0;
  virtual std::string runtime_path(const std::filesystem::path& runtime) const = 0;
  // What this machine allowed, on one line, for the log: "own user, own /tmp, cgroup v1 memory".
  virtual std::string description() const = 0;
};

}  // namespace terrarium::host
