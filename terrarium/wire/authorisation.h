// What a caller's policies must allow for each operation of a service: generated from
// operations.txt (generated/<service>/permissions.h), asked by the router before the service is
// called.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "terrarium/wire/policy.h"
#include "terrarium/wire/service.h"

namespace terrarium::wire {

// `resource`: an ARN with {Member}, {Member=default}, {region} and {account} in it; it may begin
// with "kind(Member)", or "kind(Member|Other)", of which the service makes an ARN: one for each
// element of a member that is a list, and all of them are asked for. "*" stands for no particular
// resource.
struct Permission {
  std::string_view action;  // "sqs:CreateQueue"
  std::string_view resource = "*";
  bool when_given = false;  // asked only of requests that have the member
};

struct OperationPermissions {
  std::string_view operation;
  // Empty: the service asks for itself, because the resource has a policy too, or nothing is asked.
  std::span<const Permission> needed;
};

using MemberText = std::function<std::string(std::string_view member)>;

struct ServicePermissions {
  // In the order of the model's operations. None at all: each needs "service:Operation" on "*".
  std::span<const OperationPermissions> operations;
  // The ARN of what `name` names in a request, for "kind(Member)". On the connection's executor,
  // or, of a service with add_conditions, on the service's.
  std::function<std::string(const Context& context, std::string_view kind, std::string_view name)>
      resource_arn;
  // Adds the service's own condition keys to what is asked: `member` is a text of the request, or
  // empty. On the service's executor.
  std::function<void(const Context& context, const MemberText& member, PolicyRequest& asked)>
      add_conditions;
};

}  // namespace terrarium::wire
