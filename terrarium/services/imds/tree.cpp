#include "terrarium/services/imds/tree.h"

#include <algorithm>
#include <boost/json.hpp>
#include <map>
#include <utility>

#include "lib/base/encoding.h"

namespace terrarium::imds {
namespace {

constexpr std::string_view kVersions[] = {
    "1.0",        "2007-01-19", "2007-03-01", "2007-08-29", "2007-10-10", "2007-12-15",
    "2008-02-01", "2008-09-01", "2009-04-04", "2011-01-01", "2011-05-01", "2012-01-12",
    "2014-02-25", "2014-11-05", "2015-10-20", "2016-04-19", "2016-06-30", "2016-09-02",
    "2018-03-28", "2018-08-17", "2018-09-24", "2019-10-01", "2020-10-27", "2021-01-03",
    "2021-03-23", "2021-07-15", "2022-09-24", "latest"};

struct Node {
  std::map<std::string, Node> children;
  std::optional<Leaf> leaf;  // nothing: a directory
  std::string label;         // how a listing shows it, when not by its name

  Node& directory(const std::string& name) { return children[name]; }
  void add(const std::string& name, std::string text, Form form = Form::Text) {
    children[name].leaf = Leaf{std::move(text), form};
  }
  // What is not there has no entry.
  void add_known(const std::string& name, const std::string& text) {
    if (!text.empty()) add(name, text);
  }
};

std::string lines(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) {
    if (!out.empty()) out += '\n';
    out += text;
  }
  return out;
}

std::string listing(const Node& node) {
  std::vector<std::string> names;
  for (const auto& [name, child] : node.children) {
    if (!child.label.empty()) {
      names.push_back(child.label);
    } else {
      names.push_back(child.leaf ? name : name + "/");
    }
  }
  return lines(names);
}

std::string quoted(const std::string& text) {
  return boost::json::serialize(boost::json::value(text));
}

// As AWS prints its documents: one member a line, " : " between; values as JSON.
std::string document(const std::vector<std::pair<std::string, std::string>>& members) {
  std::string out = "{\n";
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto& [name, value] = members[i];
    out += "  \"" + name + "\" : " + value;
    out += i + 1 < members.size() ? ",\n" : "\n";
  }
  return out + "}";
}

void add_interfaces(Node& metadata, const InstanceFacts& instance) {
  Node& macs = metadata.directory("network").directory("interfaces").directory("macs");
  for (const InterfaceFacts& interface : instance.interfaces) {
    Node& node = macs.directory(interface.mac);
    node.add("device-number", std::to_string(interface.device_number));
    node.add("interface-id", interface.interface_id);
    node.add("local-hostname", interface.local_hostname);
    node.add("local-ipv4s", lines(interface.local_ipv4s));
    node.add("mac", interface.mac);
    node.add("owner-id", interface.owner_id);
    node.add("security-group-ids", lines(interface.security_group_ids));
    node.add("security-groups", lines(interface.security_groups));
    node.add("subnet-id", interface.subnet_id);
    node.add("subnet-ipv4-cidr-block", interface.subnet_cidr);
    node.add("vpc-id", interface.vpc_id);
    node.add("vpc-ipv4-cidr-block",
             interface.vpc_cidrs.empty() ? std::string() : interface.vpc_cidrs.front());
    node.add("vpc-ipv4-cidr-blocks", lines(interface.vpc_cidrs));
    if (interface.public_ipv4s.empty()) continue;
    node.add("public-hostname", interface.public_hostname);
    std::vector<std::string> addresses;
    for (const auto& [address, local] : interface.public_ipv4s) {
      node.directory("ipv4-associations").add(address, local);
      addresses.push_back(address);
    }
    node.add("public-ipv4s", lines(addresses));
  }
}

void add_profile(Node& metadata, const InstanceFacts& instance) {
  if (!instance.profile) return;
  Node& iam = metadata.directory("iam");
  iam.add("info",
          document({{"Code", quoted("Success")},
                    {"LastUpdated", quoted(base::iso8601(instance.pending_time, 0))},
                    {"InstanceProfileArn", quoted(instance.profile->arn)},
                    {"InstanceProfileId", quoted(instance.profile->id)}}),
          Form::Json);
  Node& credentials = iam.directory("security-credentials");
  if (const std::string role = role_name(instance); !role.empty()) credentials.add(role, "");
}

void add_key(Node& metadata, const InstanceFacts& instance) {
  if (instance.key_name.empty()) return;
  Node& key = metadata.directory("public-keys").directory("0");
  key.label = "0=" + instance.key_name;
  key.add("openssh-key", instance.public_key);
}

Node metadata_of(const InstanceFacts& instance) {
  Node node;
  node.add("ami-id", instance.image_id);
  node.add("ami-launch-index", std::to_string(instance.launch_index));
  node.add("ami-manifest-path", "(unknown)");
  node.add("hostname", instance.local_hostname);
  node.add("instance-action", "none");
  node.add("instance-id", instance.instance_id);
  node.add("instance-life-cycle", "on-demand");
  node.add("instance-type", instance.instance_type);
  node.add("local-hostname", instance.local_hostname);
  node.add("local-ipv4", instance.local_ipv4);
  node.add("mac", instance.mac);
  node.add("profile", "default-hvm");
  node.add_known("public-hostname", instance.public_hostname);
  node.add_known("public-ipv4", instance.public_ipv4);
  node.add("reservation-id", instance.reservation_id);
  node.add("security-groups", lines(instance.security_groups));
  Node& placement = node.directory("placement");
  placement.add("availability-zone", instance.availability_zone);
  placement.add_known("availability-zone-id", instance.availability_zone_id);
  placement.add("region", instance.region);
  Node& services = node.directory("services");
  services.add("domain", "amazonaws.com");
  services.add("partition", "aws");
  Node& maintenance = node.directory("events").directory("maintenance");
  maintenance.add("history", "[]", Form::Json);
  maintenance.add("scheduled", "[]", Form::Json);
  if (!instance.root_device_name.empty()) {
    Node& devices = node.directory("block-device-mapping");
    devices.add("ami", instance.root_device_name);
    devices.add("root", instance.root_device_name);
  }
  if (!instance.target_lifecycle_state.empty()) {
    node.directory("autoscaling").add("target-lifecycle-state", instance.target_lifecycle_state);
  }
  if (instance.options.tags_enabled) {
    Node& tags = node.directory("tags").directory("instance");
    for (const auto& [key, value] : instance.tags) tags.add(key, value);
  }
  add_interfaces(node, instance);
  add_profile(node, instance);
  add_key(node, instance);
  return node;
}

// Nobody here can sign as AWS does: the signed forms of the document do not exist.
Node dynamic_of(const InstanceFacts& instance) {
  Node node;
  node.directory("fws").add("instance-monitoring",
                            instance.detailed_monitoring ? "enabled" : "disabled");
  node.directory("instance-identity")
      .add("document",
           document({{"accountId", quoted(instance.account)},
                     {"architecture", quoted(instance.architecture)},
                     {"availabilityZone", quoted(instance.availability_zone)},
                     {"billingProducts", "null"},
                     {"devpayProductCodes", "null"},
                     {"marketplaceProductCodes", "null"},
                     {"imageId", quoted(instance.image_id)},
                     {"instanceId", quoted(instance.instance_id)},
                     {"instanceType", quoted(instance.instance_type)},
                     {"kernelId", "null"},
                     {"pendingTime", quoted(base::iso8601(instance.pending_time, 0))},
                     {"privateIp", quoted(instance.local_ipv4)},
                     {"ramdiskId", "null"},
                     {"region", quoted(instance.region)},
                     {"version", quoted("2017-09-30")}}),
           Form::Json);
  return node;
}

Node root_of(const InstanceFacts& instance) {
  Node node;
  node.children["dynamic"] = dynamic_of(instance);
  node.children["dynamic"].label = "dynamic";
  node.children["meta-data"] = metadata_of(instance);
  node.children["meta-data"].label = "meta-data";
  if (instance.user_data) node.add("user-data", *instance.user_data, Form::Bytes);
  return node;
}

}  // namespace

std::span<const std::string_view> versions() { return kVersions; }

bool is_version(std::string_view name) {
  return std::ranges::find(kVersions, name) != std::end(kVersions);
}

std::string role_name(const InstanceFacts& instance) {
  if (!instance.profile) return {};
  const std::string& arn = instance.profile->role_arn;
  return arn.empty() ? std::string() : arn.substr(arn.rfind('/') + 1);
}

std::optional<Leaf> find(const InstanceFacts& instance, std::span<const std::string> path) {
  const Node root = root_of(instance);
  const Node* node = &root;
  for (const std::string& segment : path) {
    const auto found = node->children.find(segment);
    if (found == node->children.end()) return std::nullopt;
    node = &found->second;
  }
  if (node->leaf) return node->leaf;
  return Leaf{listing(*node), Form::Text};
}

}  // namespace terrarium::imds
