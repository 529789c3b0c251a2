// Query strings and form bodies as decoded pairs, in order. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/result.h"

namespace terrarium::wire {

inline constexpr std::size_t kParametersMax = 10'000;

class Parameters {
 public:
  using Pair = std::pair<std::string, std::string>;

  // "a=1&b&c=%20": broken escapes and more than kParametersMax pairs are refused.
  static base::Result<Parameters> parse(std::string_view text);

  void add(std::string name, std::string value) {
    pairs_.emplace_back(std::move(name), std::move(value));
  }
  // The first value of that name.
  std::optional<std::string_view> find(std::string_view name) const;
  bool has(std::string_view name) const { return find(name).has_value(); }
  auto begin() const { return pairs_.begin(); }
  auto end() const { return pairs_.end(); }
  std::size_t size() const { return pairs_.size(); }

 private:
  std::vector<Pair> pairs_;
};

// Parameters that belong to the signature, not to the operation.
bool is_signature_parameter(std::string_view name);

// Whether a presigned URL's parameter is a header of the operation. Checksums are none: clients put
// there that of the empty body which they signed, and S3 does not read it.
bool is_hoisted_header(std::string_view name);
bool is_presigned_checksum(std::string_view name);

}  // namespace terrarium::wire
