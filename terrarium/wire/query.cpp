#include "terrarium/wire/query.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <memory>

#include "terrarium/wire/errors.h"
#include "terrarium/wire/scalar.h"
#include "terrarium/wire/xml_print.h"

namespace terrarium::wire {
namespace {

// " (text)", or nothing of what a message cannot repeat.
std::string shown(std::string_view text) {
  constexpr std::size_t kBytesMax = 256;
  std::string_view begin = text.substr(0, kBytesMax);
  // The cut may have gone through a character.
  for (int i = 0; i < 3 && text.size() > kBytesMax && !is_utf8(begin); ++i) begin.remove_suffix(1);
  return is_utf8(begin) ? fmt::format(" ({})", begin) : "";
}

constexpr std::size_t kPartsMax = 24;  // of one dotted name
constexpr TextStyle kStyle{TimestampFormat::Iso8601, 0};
constexpr TextStyle kEc2Style{TimestampFormat::Iso8601, 3};

// The dotted names as a tree: "Attribute.1.Name" is three steps.
struct Node {
  std::optional<std::string_view> value;
  std::map<std::string_view, std::unique_ptr<Node>> children;
  mutable bool used = false;

  const Node* find(std::string_view name) const {
    const auto child = children.find(name);
    return child == children.end() ? nullptr : child->second.get();
  }
};

std::unexpected<base::Error> unknown_parameter(std::string_view name) {
  return base::fail(errors::kUnknownParameter,
                    fmt::format("The parameter {} is not recognized", name));
}

// Names of the protocol itself and of signatures, older ones too.
bool belongs_to_protocol(std::string_view name) {
  static constexpr std::string_view kNames[] = {
      "Action", "Version", "SecurityToken", "SignatureMethod", "SignatureVersion", "Timestamp"};
  return std::ranges::find(kNames, name) != std::end(kNames) || is_signature_parameter(name);
}

base::Result<void> insert(Node& root, const Parameters::Pair& pair) {
  Node* node = &root;
  std::string_view rest = pair.first;
  for (std::size_t parts = 0;; ++parts) {
    if (parts == kPartsMax) return unknown_parameter(pair.first);
    const std::size_t dot = std::min(rest.find('.'), rest.size());
    std::unique_ptr<Node>& child = node->children[rest.substr(0, dot)];
    if (child == nullptr) child = std::make_unique<Node>();
    node = child.get();
    if (dot == rest.size()) break;
    rest.remove_prefix(dot + 1);
  }
  if (node->value) {
    return base::fail(errors::kMalformedQueryString,
                      fmt::format("The parameter {} is there twice", pair.first));
  }
  node->value = pair.second;
  return {};
}

// The name of some parameter that nobody read.
std::optional<std::string> find_unused(const Node& node, const std::string& name) {
  if (node.value && !node.used) return name;
  for (const auto& [part, child] : node.children) {
    const std::string inner = name.empty() ? std::string(part) : fmt::format("{}.{}", name, part);
    if (auto found = find_unused(*child, inner)) return found;
  }
  return std::nullopt;
}

class Decoder {
 public:
  Decoder(Protocol protocol, DecodeReport& report)
      : ec2_(protocol == Protocol::Ec2), report_(report) {}

  base::Result<void> structure(const Node& node, const Shape& shape, void* into, const Path& path) {
    for (const Member& member : shape.members) {
      const Path at{&path, ec2_ ? member.ec2_name : member.name, 0};
      const Node* child = node.find(ec2_ ? member.ec2_name : member.wire_name);
      if (child == nullptr && !ec2_ && member.shape->kind == Kind::List) {
        // An empty list comes as the member's own name with nothing after it.
        child = node.find(member.name);
        if (child != nullptr && !child->children.empty()) child = nullptr;
      }
      if (child == nullptr) {
        if (member.required) report_.missing(at);
        continue;
      }
      const TimestampFormat format = format_of(member, kStyle);
      TRY_VOID(value(*child, *member.shape, format, member.ensure(into), at));
    }
    return {};
  }

 private:
  base::Result<void> value(const Node& node, const Shape& shape, TimestampFormat format, void* into,
                           const Path& path) {
    switch (shape.kind) {
      case Kind::Structure: return structure(node, shape, into, path);
      case Kind::List: return list(node, shape, format, into, path);
      case Kind::Map: return map(node, shape, format, into, path);
      case Kind::String:
      case Kind::Blob:
      case Kind::Body:
      case Kind::Integer:
      case Kind::Long:
      case Kind::Double:
      case Kind::Boolean:
      case Kind::Timestamp: break;
    }
    if (!node.value) return {};  // what stands below it stays unused and is reported
    node.used = true;
    const auto read = parse_scalar(shape, format, *node.value, into);
    if (read) return {};
    return base::fail(errors::kInvalidParameterValue,
                      fmt::format("Value{} for parameter {} is invalid. Reason: {}.",
                                  shown(*node.value), parameter_name(path), read.error().message));
  }

  // Children "1", "2", ... in numeric order; others stay unused.
  static std::vector<std::pair<std::uint32_t, const Node*>> numbered(const Node& node) {
    std::vector<std::pair<std::uint32_t, const Node*>> result;
    for (const auto& [part, child] : node.children) {
      std::uint32_t number = 0;
      const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), number);
      const bool whole = error == std::errc() && end == part.data() + part.size();
      if (whole && number > 0 && part[0] != '0') result.emplace_back(number, child.get());
    }
    std::ranges::sort(result);
    return result;
  }

  base::Result<void> list(const Node& node, const Shape& shape, TimestampFormat format, void* into,
                          const Path& path) {
    if (node.value && node.value->empty()) node.used = true;
    const Node* items = ec2_ || shape.flattened ? &node : node.find(shape.element_name);
    if (items == nullptr) return {};
    for (const auto& [number, child] : numbered(*items)) {
      const Path at{&path, {}, number};
      TRY_VOID(value(*child, *shape.element, format, shape.append(into), at));
    }
    return {};
  }

  base::Result<void> map(const Node& node, const Shape& shape, TimestampFormat format, void* into,
                         const Path& path) {
    const Node* entries = shape.flattened ? &node : node.find("entry");
    if (entries == nullptr) return {};
    for (const auto& [number, child] : numbered(*entries)) {
      const Path at{&path, {}, number};
      const Node* key = child->find(shape.key_name);
      const Node* inner = child->find(shape.element_name);
      if (key == nullptr || !key->value) {
        report_.missing(Path{&at, shape.key_name, 0});
        continue;
      }
      if (inner == nullptr) {
        report_.missing(Path{&at, shape.element_name, 0});
        continue;
      }
      std::string name;
      TRY_VOID(value(*key, *shape.key, format, &name, Path{&at, shape.key_name, 0}));
      TRY_VOID(value(*inner, *shape.element, format, shape.insert(into, std::move(name)),
                     Path{&at, shape.element_name, 0}));
    }
    return {};
  }

  const bool ec2_;
  DecodeReport& report_;
};

}  // namespace

base::Result<void> decode_query(Protocol protocol, const OperationModel& operation,
                                const Parameters& parameters, void* input, DecodeReport& report) {
  Node root;
  for (const Parameters::Pair& pair : parameters) {
    if (!belongs_to_protocol(pair.first)) TRY_VOID(insert(root, pair));
  }
  if (operation.input != nullptr) {
    TRY_VOID(Decoder(protocol, report).structure(root, *operation.input, input, Path{}));
  }
  if (const auto name = find_unused(root, {})) return unknown_parameter(*name);
  return {};
}

std::string encode_query(const ServiceModel& service, const OperationModel& operation,
                         const void* output, std::string_view request_id) {
  std::string xml = fmt::format("<?xml version=\"1.0\"?><{}Response xmlns=\"", operation.name);
  append_xml_text(xml, service.xml_namespace, true);
  xml += "\">";
  if (operation.output != nullptr && output != nullptr) {
    const std::string wrapper(operation.result_wrapper);
    if (!wrapper.empty()) xml += fmt::format("<{}>", wrapper);
    print_xml_members(xml, *operation.output, output, kStyle);
    if (!wrapper.empty()) xml += fmt::format("</{}>", wrapper);
  }
  xml += "<ResponseMetadata>";
  append_xml_element(xml, "RequestId", request_id);
  xml += fmt::format("</ResponseMetadata></{}Response>", operation.name);
  return xml;
}

std::string encode_ec2(const ServiceModel& service, const OperationModel& operation,
                       const void* output, std::string_view request_id) {
  std::string xml = fmt::format("{}<{}Response xmlns=\"", kXmlDeclaration, operation.name);
  append_xml_text(xml, service.xml_namespace, true);
  xml += "\">";
  append_xml_element(xml, "requestId", request_id);
  if (operation.output == nullptr) {
    append_xml_element(xml, "return", "true");
  } else {
    print_xml_members(xml, *operation.output, output, kEc2Style);
  }
  return xml + fmt::format("</{}Response>", operation.name);
}

}  // namespace terrarium::wire
