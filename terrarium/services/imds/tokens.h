// Session tokens of IMDSv2. A token carries its own end and is signed for one instance: nothing is
// kept, and another instance's token is worth nothing. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/clock.h"

namespace terrarium::imds {

inline constexpr std::chrono::seconds kTokenLifeMax{21'600};

class Tokens {
 public:
  // `secret`: random. Tokens die with it.
  explicit Tokens(std::string secret) : secret_(std::move(secret)) {}

  // 56 characters, as AWS's.
  std::string issue(std::string_view instance_id, std::chrono::seconds life,
                    base::Timestamp now) const;
  // How long the token is still good for this instance. Nothing: it is not.
  std::optional<std::chrono::seconds> remaining(std::string_view token,
                                                std::string_view instance_id,
                                                base::Timestamp now) const;

 private:
  std::string signature(std::string_view end, std::string_view instance_id) const;

  std::string secret_;
};

}  // namespace terrarium::imds
