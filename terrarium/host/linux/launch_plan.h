// What the daemon tells a machine's shim, and the shim its PID 1: everything, decided beforehand.
// Passed as bytes in an anonymous file; both ends come from one build. Pure, and of the standard
// library alone: the shim is a small static program.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace terrarium::host::linux_host {

// Descriptors that the programs are started with.
inline constexpr int kPlanFd = 3;    // the LaunchPlan
inline constexpr int kReportFd = 4;  // shim to daemon: what failed, nothing when PID 1 runs; PID 1
                                     // to shim: how it ended
inline constexpr int kLockFd = 5;    // held by the shim as long as it lives
// Where PID 1's program lies inside a machine.
inline constexpr const char* kInitPath = "/usr/sbin/terrarium-init";

struct PlannedFile {
  std::string path;
  std::string content;
  std::uint32_t mode = 0644;
  friend bool operator==(const PlannedFile&, const PlannedFile&) = default;
};

struct PlannedFolder {
  std::string host;
  std::string path;
  bool writable = false;
  friend bool operator==(const PlannedFolder&, const PlannedFolder&) = default;
};

struct LaunchPlan {
  std::string name;
  std::string folder;               // the machine's own, on the host
  std::vector<std::string> layers;  // folders with root/ and usr/, the base first
  std::uint32_t first_id = 0;       // the host's id of the machine's root
  std::string network_namespace;    // empty: one of its own with nothing but loopback
  std::string hostname;
  std::vector<std::string> cgroups;  // cgroup.procs files to join
  std::vector<PlannedFolder> folders;
  std::uint32_t first_cpu = 0;  // the processors it may use, counted on from this one
  std::uint32_t cpus = 1;
  std::string filter;  // the seccomp program

  std::vector<PlannedFile> files;  // written at every start, as root of the machine
  std::vector<std::string> env;    // "NAME=value"
  bool boot = false;
  std::string login_user;
  // Once for this name:
  std::vector<PlannedFile> first_files;
  std::string authorized_keys;
  std::vector<std::string> scripts;  // user data, in order
  std::vector<std::string> notices;  // lines for the console
  // Without boot:
  std::vector<std::string> command;
  std::string command_user;
  int stop_signal = 15;

  friend bool operator==(const LaunchPlan&, const LaunchPlan&) = default;
};

std::string encode(const LaunchPlan& plan);
// Nothing when the bytes are not a plan.
std::optional<LaunchPlan> decode_launch_plan(std::string_view bytes);

}  // namespace terrarium::host::linux_host
