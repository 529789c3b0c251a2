// api.h over the records.
#pragma once

#include "terrarium/services/ec2/api.h"
#include "terrarium/services/ec2/core.h"
#include "terrarium/services/ec2/instance_profiles.h"

namespace terrarium::ec2 {

class RegionApi final : public Api {
 public:
  // Both outlive it.
  RegionApi(Core& core, const InstanceProfiles& profiles) : core_(core), profiles_(profiles) {}

  runtime::Task<base::Result<std::vector<std::string>>> launch(std::string region,
                                                               LaunchOrder order) override;
  runtime::Task<base::Result<void>> terminate(std::string region, std::string instance_id) override;
  base::Result<std::optional<InstanceSummary>> find_instance(
      const std::string& region, const std::string& instance_id) override;
  runtime::Task<base::Result<ServiceInterface>> create_service_interface(
      std::string region, ServiceInterfaceOrder order) override;
  runtime::Task<base::Result<void>> delete_service_interface(std::string region,
                                                             std::string id) override;
  runtime::Task<bool> interface_ready(std::string region, std::string id,
                                      base::Timestamp deadline) override;
  void on_change(std::function<void()> callback) override { core_.on_change(std::move(callback)); }

 private:
  Core& core_;
  const InstanceProfiles& profiles_;
};

}  // namespace terrarium::ec2
