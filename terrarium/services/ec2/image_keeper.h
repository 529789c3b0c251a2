// Saves the disks of pending images as layers, and removes layers that nothing lies on: woken by
// every change, and by a timer. Takes no arguments and may die anywhere: the next one looks at
// records and layers and goes on. On the control executor.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "lib/base/clock.h"
#include "lib/runtime/event.h"
#include "lib/runtime/task_group.h"
#include "terrarium/services/ec2/core.h"

namespace terrarium::ec2 {

class ImageKeeper {
 public:
  // `core` outlives the keeper, and calls it from its first change on.
  explicit ImageKeeper(Core& core);

  // After the core has started.
  void start();
  runtime::Task<void> stop();
  // No image waits to be saved.
  bool quiet() const;

 private:
  struct Pending {
    std::string region;
    ImageId id;
  };
  struct Failures {
    int count = 0;
    base::Timestamp retry_at;
  };

  runtime::Task<void> keep();
  std::vector<Pending> pending() const;
  runtime::Task<void> save(Pending image);
  runtime::Task<base::Result<void>> save_layer(Pending image);
  runtime::Task<base::Result<void>> note_failure(Pending image, base::Error error);
  runtime::Task<base::Result<void>> remove_unused();
  base::Timestamp next_look() const;

  Core& core_;
  runtime::TaskGroup tasks_;
  runtime::Event wake_;
  std::uint64_t changes_ = 0;
  std::map<std::string, Failures> failures_;  // by image
};

}  // namespace terrarium::ec2
