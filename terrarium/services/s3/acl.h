// Access control lists: the canned ones, the grants of headers and documents, and what they allow.
// Pure.
//
// Everything here is owned by the account, so that a list says what others may: the two groups that
// AWS defines (everybody, and whoever signs), the log delivery group and canonical users.
// Source: "Access control list (ACL) overview", Amazon S3 User Guide.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "generated/s3/model.h"
#include "lib/base/result.h"
#include "terrarium/services/s3/records.h"
#include "terrarium/wire/service.h"

namespace terrarium::s3 {

inline constexpr std::size_t kGrantsMax = 100;

// As it is stored: ObjectRecord::acl, BucketRecord::acl. Empty: the owner has FULL_CONTROL and
// nobody else anything.
using StoredAcl = std::string;

enum class AclOf : std::uint8_t { Bucket, Object };
enum class Permission : std::uint8_t { Read, Write, ReadAcp, WriteAcp };

// What a request says of an access control list, from whichever operation.
struct AclRequest {
  std::optional<std::string> canned;
  std::optional<std::string> full_control;
  std::optional<std::string> read;
  std::optional<std::string> write;
  std::optional<std::string> read_acp;
  std::optional<std::string> write_acp;
  const AccessControlPolicy* document = nullptr;

  bool has_grants() const { return full_control || read || write || read_acp || write_acp; }
  bool any() const { return canned || has_grants() || document != nullptr; }
};

template <class Request>
AclRequest acl_request(const Request& request) {
  AclRequest asked{.canned = request.acl,
                   .full_control = request.grant_full_control,
                   .read = request.grant_read,
                   .read_acp = request.grant_read_acp,
                   .write_acp = request.grant_write_acp};
  if constexpr (requires { request.grant_write; }) asked.write = request.grant_write;
  if constexpr (requires { request.access_control_policy; }) {
    if (request.access_control_policy) asked.document = &*request.access_control_policy;
  }
  return asked;
}

// Reads what was asked for. InvalidArgument, MalformedACLError, UnresolvableGrantByEmailAddress.
base::Result<StoredAcl> parse_acl(const AclRequest& asked, AclOf of, std::string_view account);

// The grants as answers show them, the owner's too.
std::vector<Grant> shown_grants(std::string_view stored, std::string_view account);
Owner shown_owner(std::string_view account);
// Who began an upload: an account by its canonical id, everybody else by ARN. `arn` may be empty.
Initiator shown_initiator(std::string_view arn, std::string_view account);

// Whether everybody, or everybody who signs, is granted anything: what S3 calls public.
bool is_public_acl(std::string_view stored);
bool acl_allows(std::string_view stored, const wire::Principal& principal, Permission permission);

// Whether the lists of a bucket and of its objects count at all.
bool acls_enabled(const BucketRecord& bucket);

// The list that a request to write an object carries, checked against the bucket's ownership
// controls and public access block. `action` and `key` are what a refusal names.
base::Result<StoredAcl> requested_acl(const wire::Context& context, const BucketRecord& bucket,
                                      const AclRequest& asked, std::string_view action,
                                      std::string_view key);

// AccessDenied as BlockPublicAcls words it.
base::Result<void> check_public_acl(const wire::Context& context, const BucketRecord& bucket,
                                    std::string_view stored, std::string_view action,
                                    std::string_view key);

}  // namespace terrarium::s3
