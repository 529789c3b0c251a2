// The PostgreSQL server as a machine in a VPC: an interface that the region owns, a name in the
// VPC's DNS, and a server that is started again when it ends. On the control executor.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/runtime/task_group.h"
#include "terrarium/host/postgres.h"
#include "terrarium/region/compute.h"
#include "terrarium/store/store.h"

namespace terrarium::region {

// Where somebody wants it.
struct DatabasePlacement {
  std::string region;
  std::string subnet_id;
  std::vector<std::string> security_group_ids;
};

class PrivateDatabase {
 public:
  // Everything outlives it.
  PrivateDatabase(store::Store& store, base::Clock& clock, runtime::Executor executor,
                  host::Postgres& postgres, Compute& compute, std::string account);

  // Puts the server there, moving it when it was elsewhere; returns the name by which the VPC's
  // interfaces reach it. Idempotent.
  runtime::Task<base::Result<std::string>> place(DatabasePlacement placement,
                                                 base::Timestamp deadline);
  // Takes up what an earlier daemon had placed, in the background. False: nothing was.
  base::Result<bool> resume();
  // Its machine has ended: starts it again.
  void machine_ended();
  runtime::Task<void> stop();

 private:
  struct Placed {
    DatabasePlacement placement;
    std::string interface_id;
    std::string address;
    std::string endpoint;
  };
  base::Result<std::optional<Placed>> read() const;
  runtime::Task<base::Result<void>> keep(Placed placed);
  runtime::Task<base::Result<Placed>> move(std::optional<Placed> old, DatabasePlacement wanted);
  runtime::Task<base::Result<void>> settle(Placed placed, base::Timestamp deadline);
  runtime::Task<void> start_again(Placed placed, base::Duration pause);

  store::Store& store_;
  base::Clock& clock_;
  host::Postgres& postgres_;
  Compute& compute_;
  std::string account_;
  runtime::TaskGroup tasks_;
};

}  // namespace terrarium::region
