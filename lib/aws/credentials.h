// Where our own programs find their AWS keys: environment, shared files, container endpoint
// (AWS_CONTAINER_CREDENTIALS_*), instance metadata (v2, falling back to v1) - AWS's default chain,
// refreshed before they expire.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/http/client.h"
#include "lib/runtime/task.h"

namespace aws {

struct Credentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;                  // empty for long-term keys
  std::optional<base::Timestamp> expiration;  // nothing: never
};

class CredentialsProvider {
 public:
  virtual ~CredentialsProvider() = default;
  virtual runtime::Task<base::Result<Credentials>> get() = 0;
};

std::unique_ptr<CredentialsProvider> static_credentials(Credentials credentials);
// `client` and `clock` outlive the provider; used on the client's executor.
std::unique_ptr<CredentialsProvider> default_credentials_chain(http::Client& client,
                                                               base::Clock& clock);

}  // namespace aws
