#include "terrarium/services/ec2/authorised_resources.h"

#include <algorithm>
#include <optional>

#include "lib/base/encoding.h"
#include "terrarium/services/ec2/security_group_permissions.h"
#include "terrarium/services/ec2/tag_rules.h"

namespace terrarium::ec2 {
namespace {

std::string arn_of(const wire::Context& context, std::string_view type, std::string_view id) {
  // Images and snapshots are shared between accounts: their ARNs name none.
  const bool shared = type == "image" || type == "snapshot";
  return "arn:aws:ec2:" + context.region + ":" + (shared ? "" : context.account) + ":" +
         std::string(type) + "/" + std::string(id);
}

template <class T>
std::string id_of_name(const State& state, std::string_view name) {
  const auto all = state.all<T>();
  const auto found = std::ranges::find_if(all, [name](const T& one) { return one.name == name; });
  return found == all.end() ? std::string() : (*found).id.value;
}

// Empty: nothing has that name.
std::string id_named(const State& state, std::string_view kind, std::string_view name) {
  if (kind == "security-group") {
    const auto group = group_by_name(state, std::string(name));
    return group.has_value() ? (*group)->id.value : std::string();
  }
  if (kind == "launch-template") return id_of_name<LaunchTemplateRecord>(state, name);
  return {};
}

// A key pair's ARN has its name, an id of any other kind stands for itself.
std::string by_id(const State& state, const wire::Context& context, const std::string& id) {
  const std::string_view type = resource_type_of(id);
  if (type.empty()) return "*";
  const auto* const pair = state.find<KeyPairRecord>(KeyPairId(id));
  return arn_of(context, type, pair == nullptr ? id : pair->name);
}

void add_tags(const Tags& tags, wire::ConditionContext& to) {
  for (const auto& [key, value] : tags) {
    to["ec2:resourcetag/" + base::to_lower(key)] = {value};
    to["aws:resourcetag/" + base::to_lower(key)] = {value};
  }
}

template <class T>
void add_vpc_of(const State& state, const wire::Context& context, const std::string& id,
                wire::ConditionContext& to) {
  const T* const record = state.find<T>(typename T::Id(id));
  if (record != nullptr) to["ec2:vpc"] = {arn_of(context, "vpc", record->vpc.value)};
}

void add_place(const State& state, const wire::Context& context, const std::string& id,
               wire::ConditionContext& to) {
  add_vpc_of<SubnetRecord>(state, context, id, to);
  add_vpc_of<RouteTableRecord>(state, context, id, to);
  add_vpc_of<NetworkAclRecord>(state, context, id, to);
  add_vpc_of<SecurityGroupRecord>(state, context, id, to);
  add_vpc_of<NetworkInterfaceRecord>(state, context, id, to);
  if (const auto* const subnet = state.find<SubnetRecord>(SubnetId(id))) {
    to["ec2:availabilityzone"] = {subnet->zone};
  }
  if (const auto* const volume = state.find<VolumeRecord>(VolumeId(id))) {
    to["ec2:availabilityzone"] = {volume->zone};
  }
  if (const auto* const instance = state.find<InstanceRecord>(InstanceId(id))) {
    to["ec2:availabilityzone"] = {instance->zone};
    to["ec2:instancetype"] = {instance->type};
  }
}

}  // namespace

std::string resource_arn(const State& state, const wire::Context& context, std::string_view kind,
                         std::string_view name) {
  const std::string id(name);
  if (kind == "key-pair" && !is_id_text(id, KeyPairIdTag::kPrefix)) {
    return arn_of(context, kind, id.empty() ? "*" : id);
  }
  if (!resource_type_of(id).empty()) return by_id(state, context, id);
  if (kind == "resource") return "*";
  const std::string named = id_named(state, kind, name);
  return arn_of(context, kind, named.empty() ? "*" : named);
}

void add_conditions(const State& state, const wire::Context& context,
                    const wire::MemberText& member, wire::PolicyRequest& asked) {
  asked.context["ec2:region"] = {context.region};
  const std::size_t slash = asked.resource.find('/');
  if (slash == std::string::npos) return;
  const std::string id = asked.resource.substr(slash + 1);
  if (asked.resource.ends_with(":instance/*")) {
    const std::string type = member("InstanceType");
    if (!type.empty()) asked.context["ec2:instancetype"] = {type};
  }
  const bool is_pair = asked.resource.contains(":key-pair/");
  const Tags* const tags = tags_of(state, is_pair ? id_of_name<KeyPairRecord>(state, id) : id);
  if (tags != nullptr) add_tags(*tags, asked.context);
  add_place(state, context, id, asked.context);
}

}  // namespace terrarium::ec2
