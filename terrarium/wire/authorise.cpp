// Asks a caller's policies for what operations.txt says that an operation needs.
#include <algorithm>
#include <optional>

#include "lib/base/encoding.h"
#include "terrarium/wire/errors.h"
#include "terrarium/wire/exchange.h"
#include "terrarium/wire/permissions.h"

namespace terrarium::wire {
namespace {

const Member* find_member(const Shape* shape, std::string_view name) {
  if (shape == nullptr) return nullptr;
  const auto found = std::ranges::find(shape->members, name, &Member::name);
  return found == shape->members.end() ? nullptr : &*found;
}

// Empty: not given.
std::string text_of(const Shape* shape, const void* input, std::string_view name) {
  const Member* const member = find_member(shape, name);
  const void* const value = member == nullptr ? nullptr : member->get(input);
  if (value == nullptr) return {};
  switch (member->shape->kind) {
    case Kind::String: return *static_cast<const std::string*>(value);
    case Kind::Integer: return std::to_string(*static_cast<const std::int32_t*>(value));
    case Kind::Long: return std::to_string(*static_cast<const std::int64_t*>(value));
    default: return {};
  }
}

struct Resource {
  std::string arn;
  bool given = true;  // every member that the template names
};

// "kind(Member|Other)" and what follows it.
struct Named {
  std::string_view kind;
  std::string_view members;
  std::string_view rest;
};

std::optional<Named> named_part(std::string_view form) {
  const std::size_t open = form.find('(');
  const std::size_t close = form.find(')');
  if (open == form.npos || close == form.npos) return std::nullopt;
  return Named{form.substr(0, open), form.substr(open + 1, close - open - 1),
               form.substr(close + 1)};
}

Resource named_resource(const Exchange& exchange, const Named& named, const void* input) {
  std::string name;
  for (std::string_view rest = named.members; name.empty() && !rest.empty();) {
    const std::size_t bar = std::min(rest.find('|'), rest.size());
    name = text_of(exchange.operation->model->input, input, rest.substr(0, bar));
    rest.remove_prefix(std::min(bar + 1, rest.size()));
  }
  return {exchange.selection.service->permissions.resource_arn(exchange.context, named.kind, name),
          !name.empty()};
}

Resource resource_of(const Exchange& exchange, std::string_view form, const void* input) {
  Resource made;
  if (const auto named = named_part(form)) {
    made = named_resource(exchange, *named, input);
    form = named->rest;
  }
  for (std::size_t at = 0; at < form.size(); ++at) {
    const std::size_t end = form.find('}', at);
    if (form[at] != '{' || end == form.npos) {
      made.arn += form[at];
      continue;
    }
    const std::string_view field = form.substr(at + 1, end - at - 1);
    at = end;
    if (field == "region") {
      made.arn += exchange.context.region;
    } else if (field == "account") {
      made.arn += exchange.context.account;
    } else {
      const std::size_t equals = std::min(field.find('='), field.size());
      std::string value = text_of(exchange.operation->model->input, input, field.substr(0, equals));
      if (value.empty()) value = field.substr(std::min(equals + 1, field.size()));
      made.given = made.given && !value.empty();
      made.arn += value;
    }
  }
  if (made.arn.empty()) made.arn = "*";
  return made;
}

void add_tag(ConditionContext& context, std::string_view key, std::string_view value) {
  context["aws:requesttag/" + base::to_lower(key)] = {std::string(value)};
  context["aws:tagkeys"].emplace_back(key);
}

// The tags that a request would put on a resource: a map, or a list of keys and values.
void add_tags(ConditionContext& context, const Shape* input_shape, const void* input) {
  for (const std::string_view name : {"Tags", "tags"}) {
    const Member* const member = find_member(input_shape, name);
    const void* const tags = member == nullptr ? nullptr : member->get(input);
    if (tags == nullptr) continue;
    const Shape& shape = *member->shape;
    if (shape.kind == Kind::Map && shape.element->kind == Kind::String) {
      shape.for_each(tags, &context, [](void* to, std::string_view key, const void* value) {
        add_tag(*static_cast<ConditionContext*>(to), key, *static_cast<const std::string*>(value));
      });
    } else if (shape.kind == Kind::List && shape.element->kind == Kind::Structure) {
      for (std::size_t i = 0; i < shape.size(tags); ++i) {
        const void* const tag = shape.at(tags, i);
        add_tag(context, text_of(shape.element, tag, "Key"), text_of(shape.element, tag, "Value"));
      }
    }
  }
}

base::Result<void> ask(const Exchange& exchange, const Permissions& own,
                       const Permission& permission, const void* input) {
  Resource resource = resource_of(exchange, permission.resource, input);
  if (permission.when_given && !resource.given) return {};
  PolicyRequest request =
      policy_request(exchange.context, std::string(permission.action), std::move(resource.arn));
  const Shape* const shape = exchange.operation->model->input;
  if (shape != nullptr) add_tags(request.context, shape, input);
  if (permission.action == "iam:PassRole") {
    const std::string service(exchange.model().signing_name);
    request.context["iam:passedtoservice"] = {service + ".amazonaws.com"};
  }
  auto allowed = authorise(own, request, nullptr);
  // EC2 tells nothing of what was missing.
  if (!allowed && exchange.selection.protocol == Protocol::Ec2) {
    return base::fail(errors::kUnauthorizedOperation,
                      "You are not authorized to perform this operation.");
  }
  return allowed;
}

}  // namespace

base::Result<void> authorise(const Exchange& exchange, const void* input) {
  TRY(const PermissionsPtr own, permissions_of(exchange.context));
  if (own == nullptr) return {};
  const RoutedService& service = *exchange.selection.service;
  const OperationHandler& handler = *exchange.operation;
  if (service.permissions.operations.empty()) {
    const std::string action =
        std::string(service.entry.model->signing_name) + ":" + std::string(handler.model->name);
    return ask(exchange, *own, Permission{action}, input);
  }
  const auto index = static_cast<std::size_t>(&handler - service.entry.operations.data());
  for (const Permission& permission : service.permissions.operations[index].needed) {
    TRY_VOID(ask(exchange, *own, permission, input));
  }
  return {};
}

}  // namespace terrarium::wire
