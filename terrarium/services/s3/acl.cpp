#include "terrarium/services/s3/acl.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "generated/s3/errors.h"
#include "lib/base/encoding.h"
#include "terrarium/services/s3/access.h"
#include "terrarium/services/s3/fields.h"
#include "terrarium/services/s3/names.h"
#include "terrarium/services/s3/requests.h"

namespace terrarium::s3 {
namespace {

constexpr std::string_view kEverybody = "http://acs.amazonaws.com/groups/global/AllUsers";
constexpr std::string_view kSigners = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers";
constexpr std::string_view kLogDelivery = "http://acs.amazonaws.com/groups/s3/LogDelivery";
// Amazon EC2, which reads image bundles where aws-exec-read lets it.
constexpr std::string_view kImageReader =
    "6aa5a366c34c1cbe25dc49211496e913e0351eb0e8c37aa3477e40942ec6b97c";
constexpr std::string_view kFullControl = "FULL_CONTROL";

enum : std::uint8_t { kAclGrant = 1 };

// Grantee (a canonical user id or a group's URI) and permission.
using GrantRow = std::pair<std::string, std::string>;

bool is_group(std::string_view grantee) { return grantee.starts_with("http"); }

bool is_known_group(std::string_view uri) {
  return uri == kEverybody || uri == kSigners || uri == kLogDelivery;
}

bool is_canonical_id(std::string_view text) {
  return text.size() == 64 && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

StoredAcl stored_acl(const std::vector<GrantRow>& grants, std::string_view owner) {
  const bool owner_only =
      grants.size() == 1 && grants[0].first == owner && grants[0].second == kFullControl;
  if (owner_only) return {};
  FieldWriter writer;
  for (const auto& [grantee, permission] : grants) writer.pair(kAclGrant, grantee, permission);
  // A list without a grant is not the default list: its owner has given even his own away.
  if (grants.empty()) writer.pair(kAclGrant, {}, {});
  return writer.take();
}

std::vector<GrantRow> grants_of(std::string_view stored, std::string_view owner) {
  if (stored.empty()) return {{std::string(owner), std::string(kFullControl)}};
  std::vector<GrantRow> grants;
  FieldReader reader(stored);
  while (reader.next()) {
    const auto [grantee, permission] = reader.pair();
    if (!grantee.empty()) grants.emplace_back(grantee, permission);
  }
  return grants;
}

std::unexpected<base::Error> malformed_acl() {
  return base::fail(errors::kMalformedACLError,
                    "The XML you provided was not well-formed or did not validate against our "
                    "published schema");
}

base::Result<std::vector<GrantRow>> canned_grants(const std::string& name, AclOf of,
                                                  const std::string& owner) {
  std::vector<GrantRow> grants{{owner, std::string(kFullControl)}};
  const auto grant = [&grants](std::string_view grantee, std::string_view permission) {
    grants.emplace_back(grantee, permission);
  };
  if (name == "private" || name == "bucket-owner-read" || name == "bucket-owner-full-control") {
    return grants;
  }
  if (name == "public-read") {
    grant(kEverybody, "READ");
  } else if (name == "public-read-write") {
    grant(kEverybody, "READ");
    grant(kEverybody, "WRITE");
  } else if (name == "authenticated-read") {
    grant(kSigners, "READ");
  } else if (name == "aws-exec-read") {
    grant(kImageReader, "READ");
  } else if (name == "log-delivery-write" && of == AclOf::Bucket) {
    grant(kLogDelivery, "WRITE");
    grant(kLogDelivery, "READ_ACP");
  } else {
    return invalid_argument("", "x-amz-acl", name);
  }
  return grants;
}

std::unexpected<base::Error> unknown_address(const std::string& address) {
  return with_field(base::fail(errors::kUnresolvableGrantByEmailAddress,
                               "The e-mail address you provided does not match any account on "
                               "record."),
                    "EmailAddress", address);
}

base::Result<std::string> header_grantee(std::string_view text, std::string_view header) {
  const std::size_t equals = text.find('=');
  const std::string_view kind = base::trim(text.substr(0, equals));
  std::string_view value =
      equals == std::string_view::npos ? std::string_view() : base::trim(text.substr(equals + 1));
  if (value.starts_with('"')) value.remove_prefix(1);
  if (value.ends_with('"')) value.remove_suffix(1);
  if (kind == "uri") {
    if (is_known_group(value)) return std::string(value);
    return invalid_argument("Invalid group uri", "uri", std::string(value));
  }
  if (kind == "id") {
    if (is_canonical_id(value)) return std::string(value);
    return invalid_argument("Invalid id", "id", std::string(value));
  }
  if (kind == "emailAddress") return unknown_address(std::string(value));
  return invalid_argument("Argument format not recognized", std::string(header), std::string(text));
}

base::Result<void> add_header_grants(const std::optional<std::string>& header,
                                     std::string_view name, std::string_view permission,
                                     std::vector<GrantRow>& grants) {
  if (!header) return {};
  std::string_view rest = *header;
  do {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    TRY(std::string grantee, header_grantee(base::trim(rest.substr(0, comma)), name));
    grants.emplace_back(std::move(grantee), permission);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  } while (!rest.empty());
  return {};
}

base::Result<std::vector<GrantRow>> header_grants(const AclRequest& asked) {
  std::vector<GrantRow> grants;
  TRY_VOID(add_header_grants(asked.full_control, "x-amz-grant-full-control", kFullControl, grants));
  TRY_VOID(add_header_grants(asked.read, "x-amz-grant-read", "READ", grants));
  TRY_VOID(add_header_grants(asked.write, "x-amz-grant-write", "WRITE", grants));
  TRY_VOID(add_header_grants(asked.read_acp, "x-amz-grant-read-acp", "READ_ACP", grants));
  TRY_VOID(add_header_grants(asked.write_acp, "x-amz-grant-write-acp", "WRITE_ACP", grants));
  return grants;
}

base::Result<std::string> document_grantee(const Grantee& grantee) {
  if (grantee.type == "Group") {
    const std::string uri = grantee.uri.value_or("");
    if (is_known_group(uri)) return uri;
    return invalid_argument("Invalid group uri", "Group/URI", uri);
  }
  if (grantee.type == "CanonicalUser") {
    const std::string id = grantee.id.value_or("");
    if (is_canonical_id(id)) return id;
    return invalid_argument("Invalid id", "CanonicalUser/ID", id);
  }
  if (grantee.type == "AmazonCustomerByEmail") {
    return unknown_address(grantee.email_address.value_or(""));
  }
  return malformed_acl();
}

base::Result<std::vector<GrantRow>> document_grants(const AccessControlPolicy& document,
                                                    const std::string& owner) {
  constexpr std::array<std::string_view, 5> permissions{"FULL_CONTROL", "READ", "WRITE", "READ_ACP",
                                                        "WRITE_ACP"};
  if (!document.owner || !document.grants) return malformed_acl();
  const std::string claimed = document.owner->id.value_or("");
  if (!is_canonical_id(claimed)) return invalid_argument("Invalid id", "CanonicalUser/ID", claimed);
  // Who owns something does not change by its list.
  if (claimed != owner) return base::fail(errors::kAccessDenied, "Access Denied");
  std::vector<GrantRow> grants;
  for (const Grant& grant : *document.grants) {
    if (!grant.grantee || !grant.permission) return malformed_acl();
    if (std::ranges::find(permissions, *grant.permission) == permissions.end()) {
      return malformed_acl();
    }
    TRY(std::string grantee, document_grantee(*grant.grantee));
    grants.emplace_back(std::move(grantee), *grant.permission);
  }
  return grants;
}

bool covers(std::string_view granted, Permission asked) {
  if (granted == kFullControl) return true;
  switch (asked) {
    case Permission::Read: return granted == "READ";
    case Permission::Write: return granted == "WRITE";
    case Permission::ReadAcp: return granted == "READ_ACP";
    case Permission::WriteAcp: return granted == "WRITE_ACP";
  }
  return false;
}

}  // namespace

base::Result<StoredAcl> parse_acl(const AclRequest& asked, AclOf of, std::string_view account) {
  const std::string owner = canonical_user_id(account);
  if (asked.canned && asked.has_grants()) {
    return base::fail(errors::kInvalidRequest,
                      "Specifying both Canned ACLs and Header Grants is not allowed");
  }
  if (asked.document != nullptr && (asked.canned || asked.has_grants())) {
    return base::fail(errors::kUnexpectedContent, "This request does not support content");
  }
  std::vector<GrantRow> grants;
  if (asked.canned) {
    TRY(grants, canned_grants(*asked.canned, of, owner));
  } else if (asked.has_grants()) {
    TRY(grants, header_grants(asked));
  } else if (asked.document != nullptr) {
    TRY(grants, document_grants(*asked.document, owner));
  } else {
    return StoredAcl();
  }
  if (grants.size() > kGrantsMax) {
    return base::fail(errors::kInvalidRequest, "An access control list can have up to 100 grants.");
  }
  return stored_acl(grants, owner);
}

std::vector<Grant> shown_grants(std::string_view stored, std::string_view account) {
  const std::string owner = canonical_user_id(account);
  std::vector<Grant> shown;
  for (auto& [grantee, permission] : grants_of(stored, owner)) {
    Grantee described;
    if (is_group(grantee)) {
      described.type = "Group";
      described.uri = grantee;
    } else {
      described.type = "CanonicalUser";
      described.id = grantee;
      if (grantee == owner) described.display_name = owner_display_name(account);
    }
    shown.push_back({std::move(described), permission});
  }
  return shown;
}

Owner shown_owner(std::string_view account) {
  return {owner_display_name(account), canonical_user_id(account)};
}

Initiator shown_initiator(std::string_view arn, std::string_view account) {
  if (arn.ends_with(":root")) return {canonical_user_id(account), owner_display_name(account)};
  return {std::string(arn), std::string(arn.substr(arn.rfind('/') + 1))};
}

bool is_public_acl(std::string_view stored) {
  return std::ranges::any_of(grants_of(stored, {}), [](const GrantRow& grant) {
    return grant.first == kEverybody || grant.first == kSigners;
  });
}

bool acl_allows(std::string_view stored, const wire::Principal& principal, Permission permission) {
  const bool signs = principal.kind != wire::PrincipalKind::Anonymous;
  return std::ranges::any_of(grants_of(stored, {}), [&](const GrantRow& grant) {
    const bool meant = grant.first == kEverybody || (signs && grant.first == kSigners);
    return meant && covers(grant.second, permission);
  });
}

bool acls_enabled(const BucketRecord& bucket) { return bucket.object_ownership != kOwnerEnforced; }

base::Result<void> check_public_acl(const wire::Context& context, const BucketRecord& bucket,
                                    std::string_view stored, std::string_view action,
                                    std::string_view key) {
  const bool blocked = bucket.public_access_block && bucket.public_access_block->block_public_acls;
  if (!blocked || !is_public_acl(stored)) return {};
  std::string resource = bucket_arn(bucket.name);
  if (!key.empty()) resource += "/" + std::string(key);
  return base::fail(errors::kAccessDenied,
                    "User: " + context.principal.arn + " is not authorized to perform: " +
                        std::string(action) + " on resource: \"" + resource +
                        "\" because public access control lists (ACLs) are prevented by the "
                        "BlockPublicAcls setting in S3 Block Public Access.");
}

namespace {

bool is_narrowed(const wire::Context& context) {
  return context.principal.kind == wire::PrincipalKind::User ||
         context.principal.kind == wire::PrincipalKind::AssumedRole;
}

}  // namespace

base::Result<StoredAcl> requested_acl(const wire::Context& context, const BucketRecord& bucket,
                                      const AclRequest& asked, std::string_view action,
                                      std::string_view key) {
  TRY(StoredAcl acl, parse_acl(asked, AclOf::Object, context.account));
  constexpr std::string_view grants = "s3:PutObjectAcl";
  if (asked.any()) {
    const Judgement judgement = judge(context, bucket, grants, key);
    // Who may write without an account says with it who may read.
    const bool needed = is_narrowed(context) || judgement.verdict == Verdict::Denied;
    if (needed && judgement.verdict != Verdict::Allowed) {
      return access_denied(context, bucket, grants, key, judgement);
    }
  }
  if (!acls_enabled(bucket) && !acl.empty()) {
    return base::fail(errors::kAccessControlListNotSupported, "The bucket does not allow ACLs");
  }
  TRY_VOID(check_public_acl(context, bucket, acl, action, key));
  return acl;
}

}  // namespace terrarium::s3
