// Structures as JSON, by their descriptors. Pure.
#pragma once

#include <string>
#include <string_view>

#include "terrarium/wire/model.h"

namespace terrarium::wire {

// Which of a member's names is its key: JSON 1.0 and 1.1 use the model's, REST-JSON locationName.
enum class JsonNames : std::uint8_t { Model, Wire };

void append_json_string(std::string& out, std::string_view text);

// The structure's members that belong into a body, as an object.
void print_json(std::string& out, const Shape& structure, const void* value, JsonNames names);

// A value that is the whole body (REST-JSON payload).
void print_json_value(std::string& out, const Shape& shape, TimestampFormat format,
                      const void* value, JsonNames names);

}  // namespace terrarium::wire
