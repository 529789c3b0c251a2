#include "terrarium/wire/xml_print.h"

#include <fmt/format.h>

#include <iterator>

namespace terrarium::wire {
namespace {

void open_element(std::string& out, std::string_view name) {
  out += '<';
  out += name;
  out += '>';
}

void close_element(std::string& out, std::string_view name) {
  out += "</";
  out += name;
  out += '>';
}

void print_attributes(std::string& out, const Shape& structure, const void* value,
                      const TextStyle& style) {
  for (const Member& member : structure.members) {
    const void* inner = member.xml_attribute ? member.get(value) : nullptr;
    if (inner == nullptr) continue;
    std::string name(member.wire_name);
    if (!member.xml_namespace_prefix.empty()) {
      out += fmt::format(" xmlns:{}=\"{}\"", member.xml_namespace_prefix, member.xml_namespace_uri);
      name = fmt::format("{}:{}", member.xml_namespace_prefix, name);
    }
    out += fmt::format(" {}=\"", name);
    append_xml_text(
        out, print_scalar(*member.shape, format_of(member, style), style.fraction_digits, inner),
        true);
    out += '"';
  }
}

void print_list(std::string& out, std::string_view name, const Shape& shape, TimestampFormat format,
                const void* value, const TextStyle& style) {
  const std::string_view element = shape.flattened ? name : shape.element_name;
  if (!shape.flattened) open_element(out, name);
  for (std::size_t i = 0; i < shape.size(value); ++i) {
    print_xml(out, element, {}, *shape.element, format, shape.at(value, i), style);
  }
  if (!shape.flattened) close_element(out, name);
}

void print_map(std::string& out, std::string_view name, const Shape& shape, TimestampFormat format,
               const void* value, const TextStyle& style) {
  struct Visit {
    std::string& out;
    std::string_view entry;
    const Shape& shape;
    TimestampFormat format;
    const TextStyle& style;
  } visit{out, shape.flattened ? name : "entry", shape, format, style};
  if (!shape.flattened) open_element(out, name);
  shape.for_each(value, &visit, [](void* context, std::string_view key, const void* inner) {
    const Visit& at = *static_cast<const Visit*>(context);
    open_element(at.out, at.entry);
    append_xml_element(at.out, at.shape.key_name, key);
    print_xml(at.out, at.shape.element_name, {}, *at.shape.element, at.format, inner, at.style);
    close_element(at.out, at.entry);
  });
  if (!shape.flattened) close_element(out, name);
}

}  // namespace

void append_xml_text(std::string& out, std::string_view text, bool attribute) {
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      // A parser would read a bare carriage return as a line feed.
      case '\r': out += "&#xD;"; break;
      case '\n':
      case '\t':
        if (!attribute) {
          out += c;
          break;
        }
        [[fallthrough]];
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          fmt::format_to(std::back_inserter(out), "&#x{:X};", static_cast<unsigned>(c));
        } else {
          out += c;
        }
    }
  }
}

void append_xml_element(std::string& out, std::string_view name, std::string_view text) {
  open_element(out, name);
  append_xml_text(out, text);
  close_element(out, name);
}

void print_xml_members(std::string& out, const Shape& structure, const void* value,
                       const TextStyle& style) {
  for (const Member& member : structure.members) {
    if (member.location != Location::Body || member.xml_attribute) continue;
    if (const void* inner = member.get(value)) {
      print_xml(out, member.wire_name, {}, *member.shape, format_of(member, style), inner, style);
    }
  }
}

void print_xml(std::string& out, std::string_view name, std::string_view xml_namespace,
               const Shape& shape, TimestampFormat format, const void* value,
               const TextStyle& style) {
  if (shape.kind == Kind::List) return print_list(out, name, shape, format, value, style);
  if (shape.kind == Kind::Map) return print_map(out, name, shape, format, value, style);
  out += '<';
  out += name;
  if (!xml_namespace.empty()) {
    out += " xmlns=\"";
    append_xml_text(out, xml_namespace, true);
    out += '"';
  }
  if (shape.kind == Kind::Structure) print_attributes(out, shape, value, style);
  out += '>';
  if (shape.kind == Kind::Structure) {
    print_xml_members(out, shape, value, style);
  } else {
    append_xml_text(out, print_scalar(shape, format, style.fraction_digits, value));
  }
  close_element(out, name);
}

}  // namespace terrarium::wire
