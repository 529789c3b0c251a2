// Starting a machine, saving its disk: what blocks. Called on the blocking pool.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>

#include "lib/base/random.h"
#include "lib/base/result.h"
#include "terrarium/host/linux/launch_plan.h"
#include "terrarium/host/linux/machine_cgroup.h"
#include "terrarium/host/linux/machine_record.h"

namespace terrarium::host::linux_host {

// What every start needs. Shared by threads.
struct MachineHost {
  std::filesystem::path state;
  std::filesystem::path ca_certificate;
  std::filesystem::path shim;
  MachineCgroups cgroups;
  base::Random& random;
  std::string filter;
  std::function<bool(std::string_view step)> dies_at;  // for tests
  std::mutex making_base;
  std::mutex making_disk;

  std::filesystem::path images() const { return state / "images"; }
  MachineFiles files(const std::string& name) const {
    return MachineFiles(state / "machines" / name);
  }
};

// Pure: what the machine is told. `first` holds its new identity.
LaunchPlan make_plan(const MachineSpec& spec, const MachineRecord& record,
                     const std::filesystem::path& folder, std::vector<PlannedFile> first);

// The machine runs when this returns. `record` in: slot; and, of a disk that is there, all of it.
// Out: as written.
base::Result<RunningAs> launch(MachineHost& host, const MachineSpec& spec, MachineRecord& record);
// Ends and removes what a failed launch left; the disk too when it was new.
void undo_launch(MachineHost& host, const std::string& name, bool is_new);

// Copies the disk into the image's folder. `shim`: of a machine that runs and stands still, or 0.
base::Result<void> save_layer(MachineHost& host, const std::string& name,
                              const MachineRecord& record, int shim, const std::string& image_id);

}  // namespace terrarium::host::linux_host
