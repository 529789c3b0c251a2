// Filter patterns of FilterLogEvents for unstructured text: terms that must be there, "quoted
// phrases", -terms that must not, ?terms of which one is enough. Pure. JSON, space-delimited and
// regular-expression patterns are refused by name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"

namespace terrarium::logs {

class Pattern {
 public:
  // An empty text matches everything.
  static base::Result<Pattern> parse(std::string_view text);
  bool matches(std::string_view message) const;

 private:
  std::vector<std::string> all_;
  std::vector<std::string> none_;
  std::vector<std::string> any_;
};

}  // namespace terrarium::logs
