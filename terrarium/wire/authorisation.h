// What a caller's policies must allow for each operation of a service: generated from
// operations.txt (generated/<service>/permissions.h), asked by the router before the service is
// called.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "terrarium/wire/service.h"

namespace terrarium::wire {

// `resource`: an ARN with {Member}, {Member=default}, {region} and {account} in it; it may begin
// with "kind(Member)", or "kind(Member|Other)", of which the service makes an ARN. "*" stands for
// no particular resource.
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

struct ServicePermissions {
  // In the order of the model's operations. None at all: each needs "service:Operation" on "*".
  std::span<const OperationPermissions> operations;
  // The ARN of what `name` names in a request, for "kind(Member)". On the connection's executor.
  std::function<std::string(const Context& context, std::string_view kind, std::string_view name)>
      resource_arn;
};

}  // namespace terrarium::wire
