// A machine on the daemon's side: where its files are, what is kept of it, and what that says.
//
//   <state>/machines/NAME/lock         locked by its shim: it runs
//                         disk         its file system, sparse
//                         record.json  MachineRecord
//                         run          pids of shim and PID 1, loop device's number (by the shim)
//                         exit         how it ended (by the shim)
//                         asked        it is being stopped: its end is no surprise
//                         console      and console.1: what it wrote
//                         mnt/         where the shim mounts, in its own namespace
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "terrarium/host/machine.h"

namespace terrarium::host::linux_host {

// Ids of machines: one range a slot, none of which Debian or the functions' sandbox gives to
// anybody.
inline constexpr std::uint32_t kFirstMachineId = 1'744'830'464;
inline constexpr std::uint32_t kIdsPerMachine = 65'536;
inline constexpr std::uint32_t kSlots = 4'096;
std::uint32_t first_id_of(std::uint32_t slot);

// What belongs to the disk, and so stays as long as it.
struct MachineRecord {
  std::uint32_t slot = 0;
  std::vector<std::string> layers;  // folders, the base first
  std::optional<base::Timestamp> started;
  std::string last_exit;
  friend bool operator==(const MachineRecord&, const MachineRecord&) = default;
};

std::string encode(const MachineRecord& record);
std::optional<MachineRecord> decode_machine_record(std::string_view text);

struct RunningAs {
  int shim = 0;
  int init = 0;
  int loop = -1;
};

class MachineFiles {
 public:
  MachineFiles() = default;
  explicit MachineFiles(std::filesystem::path folder) : folder_(std::move(folder)) {}
  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path operator/(const char* name) const { return folder_ / name; }

  std::optional<MachineRecord> record() const;
  base::Result<void> write_record(const MachineRecord& record) const;
  std::optional<RunningAs> running_as() const;
  // Empty when it did not end, or nobody was there to see it.
  std::string exit() const;
  std::string console() const;
  // The lock, held as long as the descriptor (or a copy in another process) is open; nothing when a
  // shim holds it.
  std::optional<int> lock() const;

 private:
  std::filesystem::path folder_;
};

base::Result<void> check(const MachineSpec& spec);

}  // namespace terrarium::host::linux_host
