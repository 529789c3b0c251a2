#include "lib/aws/arn.h"

#include <algorithm>
#include <array>

namespace aws {
namespace {

constexpr std::size_t kArnBytesMax = 2048;
constexpr std::size_t kPartBytesMax = 64;

bool is_name(std::string_view text) {
  return text.size() <= kPartBytesMax && std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

bool is_account(std::string_view text) {
  if (text.empty() || text == "aws") return true;
  return text.size() == 12 &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool is_resource(std::string_view text) {
  return !text.empty() &&
         std::ranges::none_of(text, [](char c) { return (c >= '\0' && c < ' ') || c == '\x7f'; });
}

}  // namespace

base::Result<Arn> Arn::parse(std::string_view text) {
  const auto wrong = [text] {
    return base::fail(base::ErrorKind::InvalidInput,
                      "'" + std::string(text.substr(0, 256)) + "' is not a valid ARN");
  };
  if (text.size() > kArnBytesMax) return wrong();
  std::array<std::string_view, 5> parts;
  std::string_view rest = text;
  for (std::string_view& part : parts) {
    const std::size_t colon = rest.find(':');
    if (colon == std::string_view::npos) return wrong();
    part = rest.substr(0, colon);
    rest.remove_prefix(colon + 1);
  }
  const auto& [scheme, partition, service, region, account] = parts;
  const bool known_partition = partition == "aws" || partition.starts_with("aws-");
  if (scheme != "arn" || !known_partition || !is_name(partition) || service.empty() ||
      !is_name(service) || !is_name(region) || !is_account(account) || !is_resource(rest)) {
    return wrong();
  }
  return Arn{std::string(partition), std::string(service), std::string(region),
             std::string(account), std::string(rest)};
}

std::string Arn::text() const {
  return "arn:" + partition + ':' + service + ':' + region + ':' + account + ':' + resource;
}

}  // namespace aws
