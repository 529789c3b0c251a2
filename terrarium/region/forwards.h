// Forwards: ports of the machine's own loopback that lead to interfaces inside a VPC, so that a
// browser reaches what an instance serves. A forward is a small load balancer: HAProxy on a network
// interface of its own, whose security groups it passes like anything else in the VPC; only its
// listening socket was opened outside. On the control executor.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/runtime/task_group.h"
#include "terrarium/host/program.h"
#include "terrarium/region/compute.h"
#include "terrarium/store/store.h"

namespace terrarium::region {

struct Forward {
  std::string name;               // [a-z0-9-]{1,30}
  std::uint16_t listen_port = 0;  // on 127.0.0.1
  std::string region;
  std::string subnet_id;
  std::vector<std::string> security_group_ids;
  std::vector<std::string> targets;  // "10.0.1.23:80"
};

// InvalidInput: what is wrong with it.
base::Result<Forward> parse_forward(std::string name, std::string_view json);

class Forwards {
 public:
  // Everything outlives it.
  Forwards(store::Store& store, base::Clock& clock, runtime::Executor executor,
           host::ProgramKeeper& programs, Compute& compute, std::filesystem::path state);

  // From now on the port leads there. Idempotent; what was before under that name is replaced.
  runtime::Task<base::Result<void>> set(Forward forward);
  runtime::Task<base::Result<void>> remove(std::string name);
  // Takes up what an earlier daemon had: in the background.
  base::Result<void> resume();
  runtime::Task<void> stop();

 private:
  struct Kept {
    Forward forward;
    std::string interface_id;
    std::string address;
  };
  base::Result<std::optional<Kept>> read(const std::string& name) const;
  base::Result<Kept> parse_kept(std::string name, std::string_view text) const;
  runtime::Task<base::Result<void>> start(Kept kept, base::Timestamp deadline);
  runtime::Task<void> start_again(Kept kept);

  store::Store& store_;
  base::Clock& clock_;
  host::ProgramKeeper& programs_;
  Compute& compute_;
  std::filesystem::path folder_;
  runtime::TaskGroup tasks_;
};

}  // namespace terrarium::region
