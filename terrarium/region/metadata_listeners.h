// The metadata service's listeners: one inside each VPC's network, for as long as it is there. The
// listener tells which VPC asks, the peer's address which instance. On the control executor.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "lib/base/clock.h"
#include "lib/http/server.h"
#include "lib/runtime/runtime.h"
#include "lib/runtime/task_group.h"
#include "terrarium/host/network.h"
#include "terrarium/services/ec2/network_keeper.h"
#include "terrarium/services/imds/service.h"

namespace terrarium::region {

class MetadataListeners final : public ec2::NetworkObserver {
 public:
  // Everything outlives it.
  MetadataListeners(runtime::Runtime& runtime, base::Clock& clock, host::Network& network,
                    imds::Service& service);

  void network_up(const std::string& region, const std::string& vpc_id) override;
  void network_down(const std::string& vpc_id) override;
  runtime::Task<void> stop();

 private:
  runtime::Task<void> close(std::shared_ptr<http::Server> server);

  runtime::Runtime& runtime_;
  base::Clock& clock_;
  host::Network& network_;
  imds::Service& service_;
  runtime::TaskGroup tasks_;
  std::map<std::string, std::shared_ptr<http::Server>> servers_;  // by VPC
};

}  // namespace terrarium::region
