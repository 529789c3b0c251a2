// Who sends a request: Signature Version 4 checked against the key store, refused with the codes
// that AWS uses in each protocol. Any thread may call.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "lib/aws/sigv2.h"
#include "lib/aws/sigv4.h"
#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/http/server.h"
#include "terrarium/wire/key_store.h"
#include "terrarium/wire/model.h"
#include "terrarium/wire/permissions.h"

namespace terrarium::wire {

// Signing keys by secret and scope, the oldest forgotten first: four HMACs saved a request.
class SigningKeys {
 public:
  static constexpr std::size_t kMax = 4096;

  std::string get(std::string_view secret_access_key, const aws::Scope& scope);
  std::size_t size() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::string> keys_;
};

struct Identity {
  Principal principal;  // Anonymous when the request carries no authentication
  std::optional<aws::Authentication> authentication;
  std::string signing_key;  // chunks of the body are signed with it
};

// What a browser's form says of who signed its policy. Without a scope: Signature Version 2.
struct FormClaim {
  std::string access_key_id;
  std::string session_token;
  std::optional<aws::Scope> scope;
  std::string signature;
  std::string policy;  // base64, as it was sent and signed
};

class Authenticator {
 public:
  // Both outlive the authenticator. Without an authoriser nothing narrows anybody: for tests.
  explicit Authenticator(const KeyStore& keys, const Authoriser* authoriser = nullptr)
      : keys_(keys), authoriser_(authoriser) {}

  // `payload_hash_of_body`: hex SHA-256 of the body; empty for S3, whose declared hash is checked
  // while the body is read. Anonymous callers pass for S3 only.
  base::Result<Identity> check(const http::Request& request, Protocol protocol,
                               std::string_view signing_name, std::string_view payload_hash_of_body,
                               base::Timestamp now);

  // Who signed a browser's form. S3 only.
  base::Result<Identity> check_form(const FormClaim& claim, base::Timestamp now);

  // What the policies of an authenticated caller allow: Context::authenticator's other use.
  base::Result<PermissionsPtr> permissions_of(const Principal& principal) const;

  // Whether the request carries a key that exists, before its signature can be checked: nobody
  // else may have us hold a large body. For services other than S3.
  base::Result<void> check_key(const http::Request& request, Protocol protocol,
                               base::Timestamp now) const;

 private:
  base::Result<Key> find_key(const std::string& access_key_id, const std::string& session_token,
                             Protocol protocol, base::Timestamp now) const;
  base::Result<Identity> check_presigned_v2(const http::Request& request,
                                            const aws::PresignedV2& claim,
                                            base::Timestamp now) const;

  const KeyStore& keys_;
  const Authoriser* authoriser_;
  SigningKeys signing_keys_;
};

// The service in the scope of the request's credential, undecoded and unchecked; else empty.
std::string_view service_of_credential(const http::Request& request);

bool is_region_name(std::string_view name);

}  // namespace terrarium::wire
