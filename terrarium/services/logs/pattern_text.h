// What a pattern compares texts with. Part of pattern.h; nobody else includes it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace re2 {
class RE2;
}

namespace terrarium::logs {

// "Invalid filter pattern".
std::unexpected<base::Error> invalid_pattern();

class TextMatch {
 public:
  // The whole text; with a '*' anywhere in it a wildcard.
  static base::Result<TextMatch> whole(std::string text);
  // Somewhere in the text.
  static TextMatch part(std::string text);
  // What stands between the % signs: somewhere in the text, unless it is anchored.
  static base::Result<TextMatch> regex(std::string_view expression);

  bool matches(std::string_view text) const;

 private:
  bool anywhere_ = false;
  std::string text_;
  std::shared_ptr<const re2::RE2> expression_;
};

}  // namespace terrarium::logs
