// Access control lists. There is one: the account owns everything. It can be read, and written only
// as it is; who else may do what is said by bucket policies.
#include "generated/s3/errors.h"
#include "terrarium/services/s3/service.h"

namespace terrarium::s3 {
namespace {

using runtime::Task;

std::vector<Grant> owner_grants(const std::string& owner) {
  Grantee grantee;
  grantee.id = owner;
  grantee.type = "CanonicalUser";
  return {Grant{grantee, "FULL_CONTROL"}};
}

bool is_owner_only(const AccessControlPolicy& policy, const std::string& owner) {
  if (policy.owner && policy.owner->id != owner) return false;
  if (!policy.grants || policy.grants->size() != 1) return false;
  const Grant& grant = policy.grants->front();
  return grant.permission == "FULL_CONTROL" && grant.grantee && grant.grantee->id == owner;
}

template <class Request>
base::Result<void> check_acl(const Request& request, const BucketRecord& bucket,
                             std::string_view account) {
  if (!request.acl && !request.access_control_policy && !has_grants(request)) {
    return base::fail(errors::kMissingSecurityHeader, "Your request was missing a required header");
  }
  const bool enforced = bucket.object_ownership == kOwnerEnforced;
  if (has_grants(request) || (enforced && request.acl == "private")) {
    return grants_refused(bucket);
  }
  if (request.access_control_policy &&
      !is_owner_only(*request.access_control_policy, canonical_user_id(account))) {
    return grants_refused(bucket);
  }
  return check_canned_acl(request.acl, bucket);
}

}  // namespace

Task<base::Result<GetBucketAclOutput>> Service::get_bucket_acl(const wire::Context& context,
                                                               GetBucketAclRequest request) {
  CO_TRY_VOID(enter(context, request.bucket, request.expected_bucket_owner, "s3:GetBucketAcl"));
  const std::string owner = canonical_user_id(context.account);
  GetBucketAclOutput output;
  output.owner = Owner{{}, owner};
  output.grants = owner_grants(owner);
  co_return output;
}

Task<base::Result<wire::Empty>> Service::put_bucket_acl(const wire::Context& context,
                                                        PutBucketAclRequest request) {
  CO_TRY(const BucketRecord bucket,
         enter(context, request.bucket, request.expected_bucket_owner, "s3:PutBucketAcl"));
  CO_TRY_VOID(check_acl(request, bucket, context.account));
  co_return wire::Empty{};
}

Task<base::Result<GetObjectAclOutput>> Service::get_object_acl(const wire::Context& context,
                                                               GetObjectAclRequest request) {
  CO_TRY_VOID(check_key(request.key));
  CO_TRY(const BucketRecord bucket, enter(context, request.bucket, request.expected_bucket_owner,
                                          "s3:GetObjectAcl", request.key));
  CO_TRY_VOID(check_version_id(request.version_id));
  CO_TRY_VOID(require_object(context, bucket, request.key));
  const std::string owner = canonical_user_id(context.account);
  GetObjectAclOutput output;
  output.owner = Owner{{}, owner};
  output.grants = owner_grants(owner);
  co_return output;
}

Task<base::Result<PutObjectAclOutput>> Service::put_object_acl(const wire::Context& context,
                                                               PutObjectAclRequest request) {
  CO_TRY_VOID(check_key(request.key));
  CO_TRY(const BucketRecord bucket, enter(context, request.bucket, request.expected_bucket_owner,
                                          "s3:PutObjectAcl", request.key));
  CO_TRY_VOID(check_version_id(request.version_id));
  CO_TRY_VOID(require_object(context, bucket, request.key));
  CO_TRY_VOID(check_acl(request, bucket, context.account));
  co_return PutObjectAclOutput{};
}

}  // namespace terrarium::s3
