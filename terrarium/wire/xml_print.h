// Structures as XML, by their descriptors: answers of the query protocol and of REST-XML. Pure.
#pragma once

#include <string>
#include <string_view>

#include "terrarium/wire/model.h"
#include "terrarium/wire/scalar.h"

namespace terrarium::wire {

inline constexpr std::string_view kXmlDeclaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

// Text between tags, or with `attribute` between quotes. Characters that XML 1.0 cannot hold come
// as references (&#x1;), as S3 sends them.
void append_xml_text(std::string& out, std::string_view text, bool attribute = false);

// "<name>text</name>"
void append_xml_element(std::string& out, std::string_view name, std::string_view text);

// The structure's members that belong into a body, without an element round them.
void print_xml_members(std::string& out, const Shape& structure, const void* value,
                       const TextStyle& style);

// One value as element `name` (a flattened list: several); `xml_namespace` may be empty.
void print_xml(std::string& out, std::string_view name, std::string_view xml_namespace,
               const Shape& shape, TimestampFormat format, const void* value,
               const TextStyle& style);

}  // namespace terrarium::wire
