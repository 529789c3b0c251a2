// The network namespaces that functions run in, one an environment: each reaches the APIs and
// public addresses, and is reached by nobody, so that no function meets another's Runtime API. What
// an environment has left is used again by a later one. Control executor.
#pragma once

#include <set>
#include <string>

#include "lib/runtime/task.h"
#include "terrarium/host/network.h"

namespace terrarium::lambda {

class FunctionNetworks {
 public:
  // Null: there are none, and functions run in the host's network.
  explicit FunctionNetworks(host::Network* network) : network_(network) {}

  struct Place {
    std::string id;  // empty: the host's network
    std::filesystem::path path;
    int listening_fd = -1;  // a socket for the Runtime API inside; the caller's
  };
  // One that nobody is in, until give_back().
  runtime::Task<base::Result<Place>> take();
  void give_back(const std::string& id);
  // Nobody is in any of them.
  runtime::Task<void> remove_all();

 private:
  host::Network* network_;
  // By number, so that a daemon finds those of one that was killed.
  std::set<std::size_t> used_;
  std::size_t made_ = 0;
};

}  // namespace terrarium::lambda
