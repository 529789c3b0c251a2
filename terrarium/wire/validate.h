// What AWS checks from its model before a service sees a request: members that must be there,
// lengths, ranges and enumerations. Decoders note what is missing; validate() finds the rest and
// makes the one error that AWS answers. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "terrarium/wire/model.h"

namespace terrarium::wire {

// Where in the input something is; lives on the stack of whoever walks it.
struct Path {
  const Path* parent = nullptr;
  std::string_view name;  // a member's name; empty for an element of a list or map
  std::size_t index = 0;  // of a list's element, from 1
};

// "Entries.1.Id"
std::string parameter_name(const Path& path);
// "entries.1.member.id", as AWS names members in validation errors.
std::string constraint_name(const Path& path);

// What a decoder found missing while it read.
struct Missing {
  std::string parameter;   // "Entries.1.Id"
  std::string constraint;  // "entries.1.member.id"
};

class DecodeReport {
 public:
  void missing(const Path& path);
  const std::vector<Missing>& all() const { return missing_; }

 private:
  std::vector<Missing> missing_;
};

// Fails when something is missing, or, for a service with a validation_code, when a value violates
// its constraint: "2 validation errors detected: Value 'x' at 'y' failed to satisfy ...; ...".
base::Result<void> validate(const ServiceModel& service, Protocol protocol, const Shape& input,
                            const void* value, const DecodeReport& report);

}  // namespace terrarium::wire
