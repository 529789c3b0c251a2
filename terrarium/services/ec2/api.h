// What the rest of the region asks of EC2: Auto Scaling its instances, load balancers and databases
// their network interfaces. On the control executor.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/runtime/task.h"

namespace terrarium::ec2 {

// One launch on behalf of `requester`: by launch template, or by the fields that a launch
// configuration has. What is empty is the template's, or EC2's default.
struct LaunchOrder {
  std::string requester;  // "autoscaling.amazonaws.com"
  std::string client_token;
  std::int32_t count = 1;
  std::string launch_template_id;
  std::string launch_template_version;  // a number, "$Latest", "$Default"
  std::string subnet_id;
  std::string image_id;
  std::string instance_type;
  std::string key_name;
  std::string instance_profile;  // name or ARN
  std::string user_data;         // base64
  std::vector<std::string> security_group_ids;
  std::optional<bool> public_address;
  std::optional<bool> detailed_monitoring;
  std::map<std::string, std::string> tags;  // those of AWS ("aws:autoscaling:groupName") too
};

struct InstanceSummary {
  std::string id;
  std::string state;  // "running"
  std::string state_reason;
  std::string type;
  std::string image_id;
  std::string zone;
  std::string subnet_id;
  std::string vpc_id;
  std::string private_address;
  std::string network_interface_id;
  std::vector<std::string> security_group_ids;
  std::string launch_template_id;
  std::string launch_template_version;
  base::Timestamp launched;
  bool detailed_monitoring = false;
};

// A network interface that a service owns: AWS's users see it and can't take it.
struct ServiceInterfaceOrder {
  std::string subnet_id;
  std::vector<std::string> security_group_ids;  // none: the VPC's own
  std::string description;
  std::string requester;               // "amazon-rds", "amazon-elb"
  std::vector<std::string> dns_names;  // in the VPC's DNS, besides its own
};

struct ServiceInterface {
  std::string id;  // names its namespace: host::Network::namespace_path
  std::string address;
  std::string vpc_id;
  std::string zone;
};

class Api {
 public:
  virtual ~Api() = default;

  // The ids of the instances, which are recorded and about to start.
  virtual runtime::Task<base::Result<std::vector<std::string>>> launch(std::string region,
                                                                       LaunchOrder order) = 0;
  // Also what is protected against users' calls. One that is terminated or unknown is no error.
  virtual runtime::Task<base::Result<void>> terminate(std::string region,
                                                      std::string instance_id) = 0;
  // Nothing when there is none, or when it was swept.
  virtual base::Result<std::optional<InstanceSummary>> find_instance(
      const std::string& region, const std::string& instance_id) = 0;

  virtual runtime::Task<base::Result<ServiceInterface>> create_service_interface(
      std::string region, ServiceInterfaceOrder order) = 0;
  // Idempotent. Refused for an interface that no service owns.
  virtual runtime::Task<base::Result<void>> delete_service_interface(std::string region,
                                                                     std::string id) = 0;
  // True when the kernel has the interface; false at the deadline, or when it can't be made.
  virtual runtime::Task<bool> interface_ready(std::string region, std::string id,
                                              base::Timestamp deadline) = 0;

  // Called after every durable change of any instance or network.
  virtual void on_change(std::function<void()> callback) = 0;
};

}  // namespace terrarium::ec2
