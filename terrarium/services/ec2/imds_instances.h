// Who speaks to the metadata service: its interface over EC2's records.
#pragma once

#include "terrarium/services/ec2/core.h"
#include "terrarium/services/ec2/instance_profiles.h"
#include "terrarium/services/imds/instances.h"

namespace terrarium::ec2 {

class ImdsInstances final : public imds::Instances {
 public:
  // Both outlive it.
  ImdsInstances(const Core& core, const InstanceProfiles& profiles)
      : core_(core), profiles_(profiles) {}

  std::optional<imds::InstanceFacts> find(const std::string& vpc_id,
                                          const std::string& source_address) const override;

 private:
  const Core& core_;
  const InstanceProfiles& profiles_;
};

}  // namespace terrarium::ec2
