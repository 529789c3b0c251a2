// Network namespaces that last: each is held by a file in /run/netns, as `ip netns` shows them,
// and outlives the daemon. Files of one region begin with its tag.
//
// Blocks; any thread. A thread that enters a namespace is back in its own when the call returns.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "lib/base/result.h"

namespace terrarium::host::linux_host {

class NetworkNamespaces {
 public:
  explicit NetworkNamespaces(std::string tag) : tag_(std::move(tag)) {}

  // "/run/netns/TAG-ID".
  std::filesystem::path path(const std::string& id) const;
  bool exists(const std::string& id) const;
  // Makes it and runs `set_up` inside, on this thread; one that is there is entered only.
  base::Result<void> ensure(const std::string& id,
                            const std::function<base::Result<void>()>& set_up) const;
  // Runs `work` inside.
  base::Result<void> enter(const std::string& id,
                           const std::function<base::Result<void>()>& work) const;
  // The file goes; the namespace itself when nothing lives in it any more. Idempotent.
  base::Result<void> remove(const std::string& id) const;
  // Ids of all that there are.
  std::vector<std::string> list() const;
  // Kills what still runs inside a namespace of this region.
  void kill_inside(const std::string& id) const;

 private:
  std::string tag_;
};

// Writes /proc/sys/net/`name` of the namespace that the thread is in.
base::Result<void> set_sysctl(const std::string& name, const std::string& value);

}  // namespace terrarium::host::linux_host
