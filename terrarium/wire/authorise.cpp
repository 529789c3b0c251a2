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

std::string text_of_value(const Shape& shape, const void* value) {
  switch (shape.kind) {
    case Kind::String: return *static_cast<const std::string*>(value);
    case Kind::Integer: return std::to_string(*static_cast<const std::int32_t*>(value));
    case Kind::Long: return std::to_string(*static_cast<const std::int64_t*>(value));
    default: return {};
  }
}

// Empty: not given.
std::string text_of(const Shape* shape, const void* input, std::string_view name) {
  const Member* const member = find_member(shape, name);
  const void* const value = member == nullptr ? nullptr : member->get(input);
  return value == nullptr ? std::string() : text_of_value(*member->shape, value);
}

// A list's elements, or the one text.
std::vector<std::string> texts_of(const Shape* shape, const void* input, std::string_view name) {
  const Member* const member = find_member(shape, name);
  const void* const value = member == nullptr ? nullptr : member->get(input);
  if (value == nullptr || member->shape->kind != Kind::List) {
    std::string text = text_of(shape, input, name);
    return text.empty() ? std::vector<std::string>{} : std::vector{std::move(text)};
  }
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < member->shape->size(value); ++i) {
    texts.push_back(text_of_value(*member->shape->element, member->shape->at(value, i)));
  }
  return texts;
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

std::vector<Resource> named_resources(const Exchange& exchange, const Named& named,
                                      const void* input) {
  std::vector<std::string> names;
  for (std::string_view rest = named.members; names.empty() && !rest.empty();) {
    const std::size_t bar = std::min(rest.find('|'), rest.size());
    names = texts_of(exchange.operation->model->input, input, rest.substr(0, bar));
    rest.remove_prefix(std::min(bar + 1, rest.size()));
  }
  const bool given = !names.empty();
  if (!given) names.emplace_back();
  std::vector<Resource> made;
  for (const std::string& name : names) {
    made.push_back(
        {exchange.selection.service->permissions.resource_arn(exchange.context, named.kind, name),
         given});
  }
  return made;
}

// What follows the part that names the resource, or all of it.
Resource filled_in(const Exchange& exchange, Resource made, std::string_view form,
                   const void* input) {
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

std::vector<Resource> resources_of(const Exchange& exchange, std::string_view form,
                                   const void* input) {
  const auto named = named_part(form);
  if (!named.has_value()) return {filled_in(exchange, {}, form, input)};
  std::vector<Resource> made = named_resources(exchange, *named, input);
  for (Resource& one : made) one = filled_in(exchange, std::move(one), named->rest, input);
  return made;
}

void add_tag(ConditionContext& context, std::string_view key, std::string_view value) {
  context["aws:requesttag/" + base::to_lower(key)] = {std::string(value)};
  context["aws:tagkeys"].emplace_back(key);
}

// A list of keys and values.
void add_listed_tags(ConditionContext& context, const Shape& shape, const void* tags) {
  if (shape.kind != Kind::List || shape.element->kind != Kind::Structure) return;
  for (std::size_t i = 0; i < shape.size(tags); ++i) {
    const void* const tag = shape.at(tags, i);
    add_tag(context, text_of(shape.element, tag, "Key"), text_of(shape.element, tag, "Value"));
  }
}

// EC2's tags say on what kind of resource they are to be put: of those that a call makes, each is
// asked for with its own.
void add_specified_tags(ConditionContext& context, const Shape* input_shape, const void* input,
                        std::string_view arn) {
  const Member* const member = find_member(input_shape, "TagSpecifications");
  const void* const list = member == nullptr ? nullptr : member->get(input);
  if (list == nullptr || member->shape->kind != Kind::List) return;
  const Shape& one = *member->shape->element;
  for (std::size_t i = 0; i < member->shape->size(list); ++i) {
    const void* const specification = member->shape->at(list, i);
    const std::string type = text_of(&one, specification, "ResourceType");
    const Member* const tags = find_member(&one, "Tags");
    const void* const given = tags == nullptr ? nullptr : tags->get(specification);
    if (given == nullptr || !arn.contains(":" + type + "/")) continue;
    add_listed_tags(context, *tags->shape, given);
  }
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
    } else {
      add_listed_tags(context, shape, tags);
    }
  }
}

base::Result<void> ask_for(const Exchange& exchange, const Permissions& own,
                           const Permission& permission, Resource resource, const void* input) {
  if (permission.when_given && !resource.given) return {};
  PolicyRequest request =
      policy_request(exchange.context, std::string(permission.action), std::move(resource.arn));
  const Shape* const shape = exchange.operation->model->input;
  if (shape != nullptr) {
    add_tags(request.context, shape, input);
    add_specified_tags(request.context, shape, input, request.resource);
  }
  if (const auto& add = exchange.selection.service->permissions.add_conditions) {
    add(
        exchange.context, [&](std::string_view member) { return text_of(shape, input, member); },
        request);
  }
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

base::Result<void> ask(const Exchange& exchange, const Permissions& own,
                       const Permission& permission, const void* input) {
  for (Resource& resource : resources_of(exchange, permission.resource, input)) {
    TRY_VOID(ask_for(exchange, own, permission, std::move(resource), input));
  }
  return {};
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
