#include <algorithm>

#include "lib/base/encoding.h"
#include "terrarium/wire/errors.h"
#include "terrarium/wire/json_print.h"
#include "terrarium/wire/rest.h"
#include "terrarium/wire/xml_print.h"

namespace terrarium::wire {
namespace {

constexpr TextStyle kBodyStyle{TimestampFormat::Iso8601, 3};
constexpr TextStyle kHeaderStyle{TimestampFormat::HttpDate, 0};

bool is_header_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").contains(c);
  });
}

// Values can be a client's (response-content-type of a presigned URL): one with a line break in it
// must not become a header of its own.
base::Result<void> add_header(http::Response& response, std::string name, std::string value) {
  if (!is_header_name(name) || !is_header_value(value)) {
    return base::fail(errors::kInvalidArgument,
                      "A header of the answer would hold characters that HTTP does not allow.");
  }
  response.headers.add(std::move(name), std::move(value));
  return {};
}

base::Result<void> add_prefixed(http::Response& response, const Member& member, const void* value) {
  struct Visit {
    http::Response& response;
    std::string_view prefix;
    base::Result<void> result;
  } visit{response, member.wire_name, {}};
  member.shape->for_each(value, &visit, [](void* context, std::string_view key, const void* inner) {
    Visit& at = *static_cast<Visit*>(context);
    if (!at.result) return;
    at.result = add_header(at.response, std::string(at.prefix) + std::string(key),
                           *static_cast<const std::string*>(inner));
  });
  return visit.result;
}

void set_content_type(http::Response& response, std::string_view type) {
  if (!response.headers.find("Content-Type")) {
    response.headers.add("Content-Type", std::string(type));
  }
}

void encode_payload(const ServiceModel& service, Protocol protocol, const Shape& shape,
                    const Member& member, void* value, http::Response& response) {
  switch (member.shape->kind) {
    case Kind::Body: response.stream = std::move(static_cast<Body*>(value)->source); return;
    case Kind::Blob:
    case Kind::String:
      response.body = *static_cast<const std::string*>(value);
      set_content_type(response, "application/json");
      return;
    default: break;
  }
  if (protocol == Protocol::RestJson) {
    print_json(response.body, *member.shape, value, JsonNames::Wire);
    set_content_type(response, "application/json");
    return;
  }
  response.body = kXmlDeclaration;
  const std::string_view space =
      shape.xml_namespace.empty() ? service.xml_namespace : shape.xml_namespace;
  print_xml(response.body, shape.xml_root, space, *member.shape, TimestampFormat::Iso8601, value,
            kBodyStyle);
  set_content_type(response, "application/xml");
}

void encode_body(const ServiceModel& service, Protocol protocol, const Shape& shape,
                 const void* output, http::Response& response) {
  if (protocol == Protocol::RestJson) {
    print_json(response.body, shape, output, JsonNames::Wire);
    set_content_type(response, "application/json");
    return;
  }
  response.body = kXmlDeclaration;
  const Member& first = shape.members.front();
  const std::string_view root = shape.unwrapped ? first.wire_name : shape.xml_root;
  const void* only = shape.unwrapped ? first.get(output) : nullptr;
  if (only != nullptr) {
    print_xml(response.body, root, service.xml_namespace, *first.shape,
              format_of(first, kBodyStyle), only, kBodyStyle);
  } else if (shape.unwrapped) {
    const std::string nothing;
    static constexpr Shape kText{.name = "Text", .kind = Kind::String};
    print_xml(response.body, root, service.xml_namespace, kText, TimestampFormat::Default, &nothing,
              kBodyStyle);
  } else {
    print_xml(response.body, root, service.xml_namespace, shape, TimestampFormat::Iso8601, output,
              kBodyStyle);
  }
  set_content_type(response, "application/xml");
}

}  // namespace

base::Result<http::Response> encode_rest(const ServiceModel& service, Protocol protocol,
                                         const OperationModel& operation, void* output) {
  http::Response response;
  response.status = operation.http_status;
  if (operation.output == nullptr || output == nullptr) return response;
  const Shape& shape = *operation.output;
  bool in_body = false;
  const Member* payload = nullptr;
  for (const Member& member : shape.members) {
    in_body = in_body || member.location == Location::Body;
    if (member.location == Location::Payload) payload = &member;
    const void* value = member.get(output);
    if (value == nullptr) continue;
    if (member.location == Location::StatusCode) {
      response.status = *static_cast<const std::int32_t*>(value);
    } else if (member.location == Location::Header) {
      TRY_VOID(add_header(response, std::string(member.wire_name),
                          print_scalar(*member.shape, format_of(member, kHeaderStyle), 0, value)));
    } else if (member.location == Location::Headers) {
      TRY_VOID(add_prefixed(response, member, value));
    }
  }
  if (payload != nullptr) {
    if (payload->get(output) != nullptr) {
      encode_payload(service, protocol, shape, *payload, payload->ensure(output), response);
    }
  } else if (in_body) {
    encode_body(service, protocol, shape, output, response);
  }
  return response;
}

}  // namespace terrarium::wire
