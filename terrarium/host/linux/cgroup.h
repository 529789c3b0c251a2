// Control groups for sandboxes: a limit on memory, what was used of it, and the certain end of
// every process inside. Works on v1 and hybrid hosts (the memory hierarchy) and on pure v2 hosts.
//
// All groups of one daemon lie under one folder named for its state folder, so that a daemon
// started later finds what a killed one left, and two daemons never touch each other's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "lib/base/result.h"

namespace terrarium::host::linux_host {

class Cgroup {
 public:
  // Makes the group, or takes over one of that name.
  static base::Result<std::unique_ptr<Cgroup>> make(std::string folder, bool v2,
                                                    std::uint64_t memory_bytes_max);
  // One that an earlier daemon made, as it is.
  static std::unique_ptr<Cgroup> existing(std::string folder, bool v2);
  // Where a process writes its pid to join.
  std::string procs_file() const { return folder_ + "/cgroup.procs"; }
  // Ends every process inside; those that ended may still wait to be reaped.
  void kill() const;
  // The same, and waits for their end: a second at most for each.
  void kill_and_wait() const;
  // The most memory held by processes, page cache not counted; 0 when the kernel does not tell.
  std::uint64_t memory_peak_bytes() const;
  bool memory_exceeded() const;
  // False while processes are in it.
  bool remove() const;

 private:
  Cgroup(std::string folder, bool v2) : folder_(std::move(folder)), v2_(v2) {}
  std::string folder_;
  bool v2_;
};

class CgroupRoot {
 public:
  // The folder of the daemon with this tag, made where this machine allows it; nothing when no
  // memory hierarchy is there to be written.
  static std::optional<CgroupRoot> find(const std::string& tag);
  base::Result<std::unique_ptr<Cgroup>> make(const std::string& name,
                                             std::uint64_t memory_bytes_max) const;
  // Ends and removes whatever is left from an earlier daemon.
  void clear() const;
  // Also the folder itself.
  void remove() const;
  std::string_view version() const { return v2_ ? "cgroup v2" : "cgroup v1"; }

 private:
  CgroupRoot(std::string folder, bool v2) : folder_(std::move(folder)), v2_(v2) {}
  std::string folder_;
  bool v2_;
};

}  // namespace terrarium::host::linux_host
