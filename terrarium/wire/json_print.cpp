#include "terrarium/wire/json_print.h"

#include <fmt/format.h>

#include <iterator>

#include "terrarium/wire/scalar.h"

namespace terrarium::wire {
namespace {

constexpr TextStyle kStyle{TimestampFormat::UnixSeconds, 3};

void print_list(std::string& out, const Shape& shape, TimestampFormat format, const void* value,
                JsonNames names) {
  out += '[';
  for (std::size_t i = 0; i < shape.size(value); ++i) {
    if (i > 0) out += ',';
    print_json_value(out, *shape.element, format, shape.at(value, i), names);
  }
  out += ']';
}

void print_map(std::string& out, const Shape& shape, TimestampFormat format, const void* value,
               JsonNames names) {
  struct Visit {
    std::string& out;
    const Shape& shape;
    TimestampFormat format;
    JsonNames names;
    bool first;
  } visit{out, shape, format, names, true};
  out += '{';
  shape.for_each(value, &visit, [](void* context, std::string_view key, const void* inner) {
    Visit& at = *static_cast<Visit*>(context);
    if (!at.first) at.out += ',';
    at.first = false;
    append_json_string(at.out, key);
    at.out += ':';
    print_json_value(at.out, *at.shape.element, at.format, inner, at.names);
  });
  out += '}';
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
          fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

void print_json(std::string& out, const Shape& structure, const void* value, JsonNames names) {
  out += '{';
  bool first = true;
  for (const Member& member : structure.members) {
    if (member.location != Location::Body) continue;
    const void* inner = member.get(value);
    if (inner == nullptr) continue;
    if (!first) out += ',';
    first = false;
    append_json_string(out, names == JsonNames::Model ? member.name : member.wire_name);
    out += ':';
    print_json_value(out, *member.shape, format_of(member, kStyle), inner, names);
  }
  out += '}';
}

void print_json_value(std::string& out, const Shape& shape, TimestampFormat format,
                      const void* value, JsonNames names) {
  switch (shape.kind) {
    case Kind::Structure: return print_json(out, shape, value, names);
    case Kind::List: return print_list(out, shape, format, value, names);
    case Kind::Map: return print_map(out, shape, format, value, names);
    case Kind::String: return append_json_string(out, *static_cast<const std::string*>(value));
    case Kind::Timestamp:
      if (format != TimestampFormat::UnixSeconds) {
        return append_json_string(out, print_scalar(shape, format, kStyle.fraction_digits, value));
      }
      break;
    case Kind::Blob:
      out += '"';
      out += print_scalar(shape, format, 0, value);
      out += '"';
      return;
    case Kind::Body:
    case Kind::Integer:
    case Kind::Long:
    case Kind::Double:
    case Kind::Boolean: break;
  }
  out += print_scalar(shape, format, kStyle.fraction_digits, value);
}

}  // namespace terrarium::wire
