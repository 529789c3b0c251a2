// Whether the processor has nothing left to give, as the kernel counts it (/proc/stat). One thread.
#pragma once

#include <cstdint>

namespace terrarium::lambda {

class MachineLoad {
 public:
  // Over the time since it was last measured, a fifth of a second at least.
  bool is_busy();

 private:
  std::uint64_t total_ticks_ = 0;
  std::uint64_t idle_ticks_ = 0;
  bool busy_ = false;
};

}  // namespace terrarium::lambda
