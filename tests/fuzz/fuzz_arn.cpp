// ARNs: nothing may crash the parser, and what it takes it gives back unchanged.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "lib/aws/arn.h"
#include "lib/base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto arn = aws::Arn::parse(text);
  CHECK(!arn || arn->text() == text, "an ARN has one text");
  return 0;
}
