// Where the router finds the secret behind an access key: IAM implements it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "terrarium/wire/service.h"

namespace terrarium::wire {

struct Key {
  std::string secret;
  std::string session_token;  // empty: a long-term key; else requests must carry exactly it
  std::optional<base::Timestamp> expiration;
  Principal principal;
};

class KeyStore {
 public:
  virtual ~KeyStore() = default;
  // Nothing: there is no such key, or it is inactive. Any thread may call; it does not block for
  // longer than a read of the store.
  virtual base::Result<std::optional<Key>> find(std::string_view access_key_id) const = 0;
  // A request was signed with the key, for `service` in `region`. Any thread may call.
  virtual void used(std::string_view /*access_key_id*/, std::string_view /*service*/,
                    std::string_view /*region*/, base::Timestamp /*now*/) const {}
};

}  // namespace terrarium::wire
