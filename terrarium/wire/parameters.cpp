#include "terrarium/wire/parameters.h"

#include <algorithm>

#include "lib/base/encoding.h"
#include "terrarium/wire/errors.h"

namespace terrarium::wire {

base::Result<Parameters> Parameters::parse(std::string_view text) {
  Parameters result;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find('&', at), text.size());
    const std::string_view pair = text.substr(at, end - at);
    at = end + 1;
    if (pair.empty()) continue;
    if (result.size() == kParametersMax) {
      return base::fail(errors::kMalformedQueryString, "The request has too many parameters.");
    }
    const std::size_t equals = std::min(pair.find('='), pair.size());
    auto name = base::percent_decode(pair.substr(0, equals), true);
    auto value = base::percent_decode(pair.substr(std::min(equals + 1, pair.size())), true);
    if (!name || !value) {
      return base::fail(errors::kMalformedQueryString,
                        "The query string contains a broken percent escape.");
    }
    result.add(*std::move(name), *std::move(value));
  }
  return result;
}

std::optional<std::string_view> Parameters::find(std::string_view name) const {
  const auto found = std::ranges::find(pairs_, name, &Pair::first);
  if (found == pairs_.end()) return std::nullopt;
  return found->second;
}

bool is_signature_parameter(std::string_view name) {
  static constexpr std::string_view kNames[] = {"X-Amz-Algorithm",
                                                "X-Amz-Credential",
                                                "X-Amz-Date",
                                                "X-Amz-Expires",
                                                "X-Amz-SignedHeaders",
                                                "X-Amz-Signature",
                                                "X-Amz-Security-Token",
                                                "X-Amz-Content-Sha256",
                                                "AWSAccessKeyId",
                                                "Signature",
                                                "Expires",
                                                "x-amz-security-token"};
  return std::ranges::find(kNames, name) != std::end(kNames);
}

bool is_presigned_checksum(std::string_view name) {
  const std::string lower = base::to_lower(name);
  return lower == "x-amz-sdk-checksum-algorithm" ||
         (lower.starts_with("x-amz-checksum-") && lower != "x-amz-checksum-mode");
}

bool is_hoisted_header(std::string_view name) {
  const std::string lower = base::to_lower(name);
  if (lower == "content-type" || lower == "content-md5") return true;
  return lower.starts_with("x-amz-") && !is_signature_parameter(name) &&
         !is_presigned_checksum(name);
}

}  // namespace terrarium::wire
