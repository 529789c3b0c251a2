#include "terrarium/services/ec2/ids.h"

#include <algorithm>

namespace terrarium::ec2 {
namespace {

constexpr std::size_t kDigits = 17;
constexpr std::size_t kDigitsOfOldIds = 8;

}  // namespace

std::string new_id_text(base::Random& random, std::string_view prefix) {
  // AWS's long ids begin with 0: seventeen digits of sixteen and a half random ones.
  return std::string(prefix) + "0" + random.hex(kDigits / 2);
}

bool is_id_text(std::string_view text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  const std::string_view digits = text.substr(prefix.size());
  return (digits.size() == kDigits || digits.size() == kDigitsOfOldIds) &&
         std::ranges::all_of(
             digits, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace terrarium::ec2
