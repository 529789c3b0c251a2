// CHECK(condition, "why it must hold"): for our own bugs only, never for input from outside. On in
// release builds too: a region that has lost its invariants must stop, restart and reconcile from
// the store instead of acknowledging nonsense.
#pragma once

#include <source_location>
#include <string_view>

namespace base {

[[noreturn]] void check_failed(std::string_view condition, std::string_view why,
                               std::source_location where);

}  // namespace base

#define CHECK(condition, why)   \
  (static_cast<bool>(condition) \
       ? static_cast<void>(0)   \
       : ::base::check_failed(#condition, why, std::source_location::current()))
