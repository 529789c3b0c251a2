// The control groups of machines: limits on processor time, memory and processes, what was used of
// them, stillness, and the certain end of everything inside. On v1 and hybrid hosts one folder a
// hierarchy (a hybrid's unified tree knows how to kill and to freeze), on pure v2 hosts one folder.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lib/base/result.h"
#include "terrarium/host/machine.h"

namespace terrarium::host::linux_host {

class MachineCgroups {
 public:
  // Those of the region with this tag; or why machines cannot be limited here.
  static base::Result<MachineCgroups> find(const std::string& tag);

  base::Result<void> make(const std::string& name, const MachineLimits& limits) const;
  // The files to which a process writes "0" to join.
  std::vector<std::string> procs_files(const std::string& name) const;
  void kill(const std::string& name) const;
  // True when the machine stands still (or moves again), waiting a moment for it.
  bool set_frozen(const std::string& name, bool frozen) const;
  bool ran_out_of_memory(const std::string& name) const;
  // All but the disk's part.
  MachineUsage usage(const std::string& name) const;
  // False while processes are in it.
  bool remove(const std::string& name) const;
  std::vector<std::string> names() const;
  // Removes the region's own folders, when no machine is left.
  void remove_folders() const;
  std::string_view version() const { return v2_ ? "cgroup v2" : "cgroup v1"; }

 private:
  std::string at(const std::string& controller, const std::string& name) const;

  bool v2_ = false;
  // The region's folder in each hierarchy.
  std::map<std::string, std::string> v1_;  // by controller
  std::string unified_;
};

}  // namespace terrarium::host::linux_host
