// XML from outside into structures, by their descriptors: request bodies of REST-XML. Elements that
// the model does not know are refused, as S3 validates against its schema; so are document types
// (and with them entities), invalid UTF-8 and deep nesting. Pure.
#pragma once

#include <string_view>

#include "lib/base/result.h"
#include "terrarium/wire/model.h"
#include "terrarium/wire/scalar.h"
#include "terrarium/wire/validate.h"

namespace terrarium::wire {

// `root`: what the document's element must be called, whatever its namespace.
base::Result<void> parse_xml(std::string_view text, std::string_view root, const Shape& shape,
                             const TextStyle& style, void* into, const Path& path,
                             DecodeReport& report);

}  // namespace terrarium::wire
