#include "terrarium/wire/xml_parse.h"

#include <fmt/format.h>

#include <algorithm>
#include <pugixml.hpp>

#include "terrarium/wire/errors.h"

namespace terrarium::wire {
namespace {

constexpr std::size_t kDepthMax = 32;
constexpr unsigned kParseFlags = pugi::parse_cdata | pugi::parse_escapes | pugi::parse_eol |
                                 pugi::parse_wconv_attribute | pugi::parse_doctype |
                                 pugi::parse_ws_pcdata_single;

// AWS says no more than this; what it was is for the log.
std::unexpected<base::Error> malformed(std::string detail) {
  auto failure = base::fail(errors::kMalformedXml,
                            "The XML you provided was not well-formed or did not validate against "
                            "our published schema");
  failure.error().detail = std::move(detail);
  return failure;
}

std::string_view local_name(std::string_view name) {
  const std::size_t colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

const Member* find_element(const Shape& structure, std::string_view name) {
  for (const Member& member : structure.members) {
    const bool in_body = member.location == Location::Body && !member.xml_attribute;
    if (in_body && member.wire_name == name) return &member;
  }
  return nullptr;
}

class Reader {
 public:
  Reader(const TextStyle& style, DecodeReport& report) : style_(style), report_(report) {}

  base::Result<void> value(const pugi::xml_node& node, const Shape& shape, TimestampFormat format,
                           void* into, const Path& path, std::size_t depth) {
    if (depth > kDepthMax) return malformed("it is nested too deeply");
    switch (shape.kind) {
      case Kind::Structure: return structure(node, shape, into, path, depth);
      case Kind::List: return list(node, shape, format, into, path, depth);
      case Kind::Map: return map(node, shape, format, into, path, depth);
      case Kind::String:
      case Kind::Blob:
      case Kind::Body:
      case Kind::Integer:
      case Kind::Long:
      case Kind::Double:
      case Kind::Boolean:
      case Kind::Timestamp: break;
    }
    TRY(const std::string text, text_of(node));
    const auto read = parse_scalar(shape, format, text, into);
    if (read) return {};
    return malformed(parameter_name(path) + " " + read.error().message);
  }

 private:
  // The text of an element that holds nothing else.
  static base::Result<std::string> text_of(const pugi::xml_node& node) {
    std::string text;
    for (const pugi::xml_node& child : node.children()) {
      const pugi::xml_node_type type = child.type();
      if (type != pugi::node_pcdata && type != pugi::node_cdata) {
        return malformed(fmt::format("element {} must hold text only", node.name()));
      }
      text += child.value();
    }
    return text;
  }

  base::Result<void> structure(const pugi::xml_node& node, const Shape& shape, void* into,
                               const Path& path, std::size_t depth) {
    std::vector<const Member*> seen;
    TRY_VOID(attributes(node, shape, into, path, seen));
    for (const pugi::xml_node& child : node.children()) {
      if (child.type() != pugi::node_element) {
        return malformed(fmt::format("element {} must hold no text", node.name()));
      }
      const Member* member = find_element(shape, local_name(child.name()));
      if (member == nullptr) {
        return malformed(fmt::format("element {} is not known in {}", child.name(), node.name()));
      }
      const bool repeats = member->shape->flattened &&
                           (member->shape->kind == Kind::List || member->shape->kind == Kind::Map);
      if (std::ranges::find(seen, member) == seen.end()) {
        seen.push_back(member);
      } else if (!repeats) {
        return malformed(fmt::format("element {} is there twice", child.name()));
      }
      TRY_VOID(value(child, *member->shape, format_of(*member, style_), member->ensure(into),
                     Path{&path, member->name, 0}, depth + 1));
    }
    for (const Member& member : shape.members) {
      if (!member.required || std::ranges::find(seen, &member) != seen.end()) continue;
      if (member.location == Location::Body) report_.missing(Path{&path, member.name, 0});
    }
    return {};
  }

  base::Result<void> attributes(const pugi::xml_node& node, const Shape& shape, void* into,
                                const Path& path, std::vector<const Member*>& seen) {
    for (const Member& member : shape.members) {
      if (!member.xml_attribute) continue;
      for (const pugi::xml_attribute& attribute : node.attributes()) {
        if (local_name(attribute.name()) != member.wire_name) continue;
        const auto read = parse_scalar(*member.shape, format_of(member, style_), attribute.value(),
                                       member.ensure(into));
        if (!read) {
          return malformed(parameter_name(Path{&path, member.name, 0}) + " " +
                           read.error().message);
        }
        seen.push_back(&member);
        break;
      }
    }
    return {};
  }

  base::Result<void> list(const pugi::xml_node& node, const Shape& shape, TimestampFormat format,
                          void* into, const Path& path, std::size_t depth) {
    if (shape.flattened) {
      const Path at{&path, {}, shape.size(into) + 1};
      return value(node, *shape.element, format, shape.append(into), at, depth + 1);
    }
    for (const pugi::xml_node& child : node.children()) {
      if (child.type() != pugi::node_element || local_name(child.name()) != shape.element_name) {
        return malformed(
            fmt::format("element {} may hold {} only", node.name(), shape.element_name));
      }
      const Path at{&path, {}, shape.size(into) + 1};
      TRY_VOID(value(child, *shape.element, format, shape.append(into), at, depth + 1));
    }
    return {};
  }

  base::Result<void> map(const pugi::xml_node& node, const Shape& shape, TimestampFormat format,
                         void* into, const Path& path, std::size_t depth) {
    if (shape.flattened) return entry(node, shape, format, into, path, depth);
    for (const pugi::xml_node& child : node.children()) {
      TRY_VOID(entry(child, shape, format, into, path, depth));
    }
    return {};
  }

  base::Result<void> entry(const pugi::xml_node& node, const Shape& shape, TimestampFormat format,
                           void* into, const Path& path, std::size_t depth) {
    pugi::xml_node key;
    pugi::xml_node inner;
    for (const pugi::xml_node& child : node.children()) {
      if (local_name(child.name()) == shape.key_name) key = child;
      if (local_name(child.name()) == shape.element_name) inner = child;
    }
    if (!key || !inner) {
      return malformed(
          fmt::format("{} needs {} and {}", node.name(), shape.key_name, shape.element_name));
    }
    TRY(std::string name, text_of(key));
    const Path at{&path, inner.name(), 0};
    return value(inner, *shape.element, format, shape.insert(into, std::move(name)), at, depth + 1);
  }

  const TextStyle& style_;
  DecodeReport& report_;
};

}  // namespace

base::Result<void> parse_xml(std::string_view text, std::string_view root, const Shape& shape,
                             const TextStyle& style, void* into, const Path& path,
                             DecodeReport& report) {
  if (text.find('\0') != std::string_view::npos) return malformed("it holds a NUL");
  if (!is_utf8(text)) return malformed("it is not valid UTF-8");
  pugi::xml_document document;
  const pugi::xml_parse_result parsed =
      document.load_buffer(text.data(), text.size(), kParseFlags, pugi::encoding_utf8);
  if (!parsed) {
    return malformed(fmt::format("{} at byte {}", parsed.description(), parsed.offset));
  }
  const pugi::xml_node element = document.document_element();
  for (const pugi::xml_node& child : document.children()) {
    if (child.type() == pugi::node_doctype) return malformed("document types are not allowed");
    if (child != element) return malformed("something stands beside the root element");
  }
  if (local_name(element.name()) != root) {
    return malformed(fmt::format("the root element must be {}", root));
  }
  return Reader(style, report).value(element, shape, TimestampFormat::Iso8601, into, path, 0);
}

}  // namespace terrarium::wire
