#include "terrarium/services/lambda/machine_load.h"

#include <fstream>
#include <string>
#include <thread>

namespace terrarium::lambda {
namespace {

constexpr std::uint64_t kTicksASecond = 100;
constexpr int kIdleField = 3;  // of user, nice, system, idle, iowait, irq, softirq, steal
constexpr int kWaitField = 4;
constexpr int kFields = 8;
// A processor that is idle for less than a tenth is busy.
constexpr std::uint64_t kBusyShare = 10;

}  // namespace

bool MachineLoad::is_busy() {
  std::ifstream file("/proc/stat");
  std::string name;
  file >> name;
  std::uint64_t total = 0;
  std::uint64_t idle = 0;
  for (int i = 0; i < kFields; ++i) {
    std::uint64_t ticks = 0;
    file >> ticks;
    total += ticks;
    if (i == kIdleField || i == kWaitField) idle += ticks;
  }
  if (!file) return false;
  const std::uint64_t cores = std::max(1U, std::thread::hardware_concurrency());
  const std::uint64_t passed = total - total_ticks_;
  if (passed < kTicksASecond / 5 * cores) return busy_;
  busy_ = (idle - idle_ticks_) * kBusyShare < passed;
  total_ticks_ = total;
  idle_ticks_ = idle;
  return busy_;
}

}  // namespace terrarium::lambda
