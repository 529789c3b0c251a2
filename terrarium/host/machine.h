// Machines: isolated Linux systems with their own disk, limits and network interface. EC2's
// instances and the region's database servers are machines.
//
// A machine outlives the daemon: its own small parent process (the shim) keeps its exit status and
// its console, and a new daemon finds it again. Its disk lies over the layers of its image; saving
// that disk makes the next layer.
//
// On the control executor; what blocks runs elsewhere. Calls for one machine are carried out one
// after another.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/runtime/task.h"

namespace terrarium::host {

// Limits that the kernel enforces.
struct MachineLimits {
  std::uint32_t cpu_millis = 1000;  // thousandths of a core's time
  std::uint32_t vcpus = 1;          // what nproc says, where the kernel can be made to say it
  std::uint64_t memory_bytes = 512ULL << 20;
  std::uint64_t disk_bytes = 8ULL << 30;
  std::uint32_t processes_max = 4096;
  friend bool operator==(const MachineLimits&, const MachineLimits&) = default;
};

// A file put on the disk before the first start.
struct MachineFile {
  std::string path;  // absolute
  std::string content;
  std::uint32_t mode = 0644;
  friend bool operator==(const MachineFile&, const MachineFile&) = default;
};

// A folder of the host seen inside: owners on it are ids as the machine counts, and a writable
// folder itself is given to `owner_id`. Nobody but root may reach it on the host.
struct MachineFolder {
  std::filesystem::path host;
  std::string path;
  bool writable = false;
  std::uint32_t owner_id = 0;
  friend bool operator==(const MachineFolder&, const MachineFolder&) = default;
};

// What a system that boots (an EC2 instance) is given; a machine that only runs a command has none.
struct BootSpec {
  std::string login_user = "ec2-user";       // with sudo; no password
  std::vector<std::string> authorized_keys;  // OpenSSH lines
  std::string user_data;                     // decoded; run once, at the first boot of this name
  friend bool operator==(const BootSpec&, const BootSpec&) = default;
};

struct MachineSpec {
  std::string name;                 // [a-z0-9-]{1,63}, unique: "i-0123..."
  std::vector<std::string> layers;  // ids of saved images over the base, lowest first
  std::filesystem::path network_namespace;
  std::string hostname;    // "ip-10-0-1-23"
  std::string domain;      // "ec2.internal": the resolver's search list
  std::string nameserver;  // "10.0.0.2"; empty: none
  MachineLimits limits;
  std::vector<MachineFile> files;
  std::vector<MachineFolder> folders;
  std::map<std::string, std::string> env;  // of the command; of every login and of user data
  std::optional<BootSpec> boot;
  // PID 1's child when there is no `boot`; run as this user of the image.
  std::vector<std::string> command;
  std::string command_user = "root";
  int stop_signal = 15;  // what stop() sends the command; a system that boots shuts down by itself
  friend bool operator==(const MachineSpec&, const MachineSpec&) = default;
};

enum class MachineState : std::uint8_t {
  Stopped,  // it has a disk and no process
  Running,
};

inline constexpr std::string_view kRebootExit = "reboot";

struct MachineStatus {
  std::string name;
  MachineState state = MachineState::Stopped;
  int pid = 0;                             // its PID 1, as the host counts; 0: none
  std::optional<base::Timestamp> started;  // of the run under way, or the last
  // How the last run ended, when nobody asked for it: "exit 0" (also `poweroff` typed inside),
  // kRebootExit (typed inside: whoever keeps the machine starts it again), "signal 9", "out of
  // memory".
  std::string last_exit;
};

struct MachineUsage {
  base::Duration cpu{};  // since it started
  std::uint64_t memory_bytes = 0;
  std::uint64_t memory_peak_bytes = 0;
  std::uint64_t disk_read_bytes = 0;
  std::uint64_t disk_written_bytes = 0;
  std::uint32_t processes = 0;
};

class Machines {
 public:
  virtual ~Machines() = default;

  // Called, on the control executor, whenever a machine has ended by itself; like every callback
  // given before.
  virtual void on_ended(std::function<void(std::string name)> callback) = 0;

  // Makes the disk when there is none, and starts PID 1. A machine that runs is left as it is. Of a
  // disk that is there, layers and size stay as they are; the rest is as this spec says.
  virtual runtime::Task<base::Result<void>> start(MachineSpec spec) = 0;
  // Asks PID 1 to shut down, kills what is left after `grace`; the disk stays. Idempotent.
  virtual runtime::Task<base::Result<void>> stop(std::string name, base::Duration grace) = 0;
  // Ends it at once, and removes the disk. Idempotent.
  virtual runtime::Task<base::Result<void>> remove(std::string name) = 0;
  // All of this region, also those of an earlier daemon.
  virtual base::Result<std::vector<MachineStatus>> list() const = 0;
  virtual base::Result<MachineUsage> usage(const std::string& name) const = 0;
  // The last 64 KiB that the machine wrote to its console, over all its runs; empty when nothing
  // was written.
  virtual base::Result<std::string> console(const std::string& name) const = 0;

  // Keeps the disk of a machine as the layer `image_id`. A running machine is held still meanwhile.
  virtual runtime::Task<base::Result<void>> save_image(std::string name, std::string image_id) = 0;
  virtual runtime::Task<base::Result<void>> remove_image(std::string image_id) = 0;
  virtual base::Result<std::vector<std::string>> images() const = 0;

  // Ends and removes every machine of this region; images stay.
  virtual runtime::Task<base::Result<void>> remove_all() = 0;
  // What this machine allows, on one line, for the log; or why no machine can run here (no root, no
  // user namespaces): what RunInstances then answers.
  virtual base::Result<std::string> description() const = 0;
};

}  // namespace terrarium::host
