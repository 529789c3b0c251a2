// EC2 and what it stands on, put together: the kernel's networks, machines, instance metadata, and
// the public face at which everything inside a VPC reaches the AWS APIs under AWS's own names.
#pragma once

#include <boost/json.hpp>

#include <memory>
#include <string>

#include "lib/base/clock.h"
#include "lib/base/random.h"
#include "lib/base/result.h"
#include "lib/http/server.h"
#include "lib/runtime/runtime.h"
#include "terrarium/host/program.h"
#include "terrarium/region/certificates.h"
#include "terrarium/region/metadata_listeners.h"
#include "terrarium/region/region.h"
#include "terrarium/services/ec2/image_keeper.h"
#include "terrarium/services/ec2/imds_instances.h"
#include "terrarium/services/ec2/instance_keeper.h"
#include "terrarium/services/ec2/region_api.h"
#include "terrarium/services/ec2/service.h"
#include "terrarium/services/iam/directory.h"
#include "terrarium/services/iam/roles.h"
#include "terrarium/services/iam/service.h"
#include "terrarium/services/imds/service.h"

namespace terrarium::region {

// IAM's instance profiles, as EC2 asks for them.
class ProfileDirectory final : public ec2::InstanceProfiles {
 public:
  // `store` outlives it.
  ProfileDirectory(const store::Store& store, const std::string& account)
      : directory_(store, account) {}
  base::Result<std::optional<ec2::InstanceProfileFacts>> find(
      const std::string& name) const override;

 private:
  iam::Directory directory_;
};

// What the region has of the machine under it: programs, networks, machines; and the certificates
// by which what runs there knows it.
struct Ground {
  // A daemon that is not root has no networks and no machines: EC2 keeps records, and says so to
  // whoever starts an instance. Blocks.
  static base::Result<std::unique_ptr<Ground>> open(const RegionConfig& config,
                                                    runtime::Runtime& runtime, base::Clock& clock,
                                                    base::Random& random);

  host::ProgramKeeper programs;
  std::unique_ptr<host::Network> network;
  bool has_network = false;  // functions run in networks of their own then
  std::unique_ptr<host::Machines> machines;
  Certificates certificates;
};

// Shuts down every machine and removes every network: disks stay.
runtime::Task<void> end_all(Ground& ground, runtime::Executor control, base::Clock& clock);

// end_all() for what a daemon left that was killed. No daemon may run on that state folder. Blocks.
base::Result<void> end_remains(const RegionConfig& config);

class Compute {
 public:
  // Everything outlives it.
  struct Parts {
    const RegionConfig& config;
    Ground& ground;
    store::Store& store;
    runtime::Runtime& runtime;
    base::Clock& clock;
    base::Random& random;
    iam::Service& iam;
    const iam::Roles& roles;
  };
  explicit Compute(Parts parts);

  // On the control executor, all of these.
  base::Result<void> start();
  // Opens the public face on `server`, which answers for the whole region.
  base::Result<void> listen(http::Server& server);
  // Ends everything that runs: records and disks stay.
  runtime::Task<void> stop();

  ec2::Service& ec2() { return service_; }
  ec2::Core& ec2_core() { return core_; }
  ec2::Api& api() { return api_; }
  host::Machines& machines() { return *parts_.ground.machines; }
  host::Network& network() { return *parts_.ground.network; }
  // For `terrarium status`: "vpcs" (network_tree.h), "machines" and where the internet side is.
  void add_status(boost::json::object& status) const;

 private:
  Parts parts_;
  ProfileDirectory profiles_;
  ec2::Core core_;
  ec2::Service service_;
  ec2::RegionApi api_;
  ec2::InstanceKeeper instances_;
  ec2::ImageKeeper images_;
  ec2::ImdsInstances imds_instances_;
  imds::Service imds_;
  MetadataListeners metadata_;
};

}  // namespace terrarium::region
