// Managed policies and their versions.
#include <algorithm>
#include <charconv>

#include "generated/iam/errors.h"
#include "lib/base/encoding.h"
#include "terrarium/services/iam/policy_rules.h"
#include "terrarium/services/iam/service.h"

namespace terrarium::iam {
namespace {

using base::Result;
using runtime::Task;

std::unexpected<base::Error> not_found(const std::string& arn) {
  return base::fail(errors::kNoSuchEntityException, "Policy " + arn + " was not found.");
}

std::unexpected<base::Error> no_version(const std::string& arn, const std::string& version) {
  return base::fail(errors::kNoSuchEntityException, "Policy " + arn + " version " + version +
                                                        " does not exist or is not attachable.");
}

// "v12" to 12. What has AWS's form and is not ours is no version of anything: 0.
Result<std::int32_t> parse_version(const std::string& id) {
  std::string_view digits = std::string_view(id).substr(0, id.find('.'));
  const bool well_formed =
      digits.size() >= 2 && digits[0] == 'v' && digits[1] != '0' &&
      std::ranges::all_of(digits.substr(1), [](char c) { return c >= '0' && c <= '9'; });
  if (!well_formed) {
    return base::fail(errors::kValidationError,
                      "1 validation error detected: Value at 'versionId' failed to satisfy "
                      "constraint: Member must satisfy regular expression pattern: "
                      "v[1-9][0-9]*(\\.[A-Za-z0-9-]*)?");
  }
  std::int32_t number = 0;
  const auto [end, error] = std::from_chars(id.data() + 1, id.data() + id.size(), number);
  return error == std::errc() && end == id.data() + id.size() ? number : 0;
}

Result<void> check_document(const std::string& document) {
  TRY_VOID(check_identity_policy(document));
  if (policy_bytes(document) <= kManagedPolicyBytesMax) return {};
  return base::fail(errors::kLimitExceededException, "Cannot exceed quota for PolicySize: " +
                                                         std::to_string(kManagedPolicyBytesMax));
}

PolicyVersion describe(const PolicyRecord& policy, const PolicyVersionRecord& version) {
  PolicyVersion out;
  out.version_id = version_id(version.number);
  out.is_default_version = version.number == policy.default_version;
  out.create_date = version.created;
  return out;
}

}  // namespace

// AWS's own policies are there to be read.
Result<PolicyRecord> Service::own_policy(const Context& context, std::string_view operation,
                                         const std::string& policy_arn) const {
  if (policy_arn.starts_with(kAwsPolicyArn)) {
    return base::fail(errors::kAccessDenied,
                      "User: " + context.principal.arn + " is not authorized to perform: iam:" +
                          std::string(operation) + " on resource: policy " + policy_arn);
  }
  TRY(std::optional<PolicyRecord> policy, directory_.read_policy(policy_arn));
  if (!policy) return not_found(policy_arn);
  return *std::move(policy);
}

Task<Result<CreatePolicyResponse>> Service::create_policy(const Context& context,
                                                          CreatePolicyRequest request) {
  CO_TRY_VOID(check_name(request.policy_name, "policyName"));
  PolicyRecord record;
  record.name = request.policy_name;
  CO_TRY(record.path, check_path(request.path));
  CO_TRY_VOID(check_document(request.policy_document));
  if (request.tags) CO_TRY_VOID(add_tags(record.tags, *request.tags, TagCase::Matters));
  CO_TRY(const std::vector<PolicyRecord> others, directory_.policies());
  const bool exists = std::ranges::any_of(others, [&record](const PolicyRecord& other) {
    return base::equals_ignoring_case(other.name, record.name);
  });
  if (exists) {
    co_return base::fail(
        errors::kEntityAlreadyExistsException,
        "A policy called " + record.name + " already exists. Duplicate names are not allowed.");
  }
  if (others.size() >= kPoliciesMax) {
    co_return base::fail(
        errors::kLimitExceededException,
        "Cannot exceed quota for PoliciesPerAccount: " + std::to_string(kPoliciesMax));
  }
  record.id = new_id(random_, "ANPA");
  record.description = request.description.value_or("");
  record.created = record.updated = context.now;
  record.versions.push_back({1, std::move(request.policy_document), context.now});
  store::Batch batch;
  directory_.put(batch, record);
  CO_TRY_VOID(co_await commit(std::move(batch)));
  CO_TRY(Policy policy, describe_policy(directory_, record, directory_.arn(record)));
  if (!record.tags.empty()) policy.tags = to_answer(record.tags);
  co_return CreatePolicyResponse{std::move(policy)};
}

Task<Result<GetPolicyResponse>> Service::get_policy(const Context&, GetPolicyRequest request) {
  CO_TRY(const std::optional<PolicyRecord> record, directory_.read_policy(request.policy_arn));
  if (!record) co_return not_found(request.policy_arn);
  CO_TRY(Policy policy, describe_policy(directory_, *record, request.policy_arn));
  if (!record->description.empty()) policy.description = record->description;
  policy.tags = to_answer(record->tags);
  co_return GetPolicyResponse{std::move(policy)};
}

Task<Result<ListPoliciesResponse>> Service::list_policies(const Context&,
                                                          ListPoliciesRequest request) {
  const std::string scope = request.scope.value_or("All");
  std::vector<std::pair<std::string, PolicyRecord>> records;
  if (scope != "AWS") {
    CO_TRY(std::vector<PolicyRecord> own, directory_.policies());
    for (PolicyRecord& record : own) {
      std::string arn = directory_.arn(record);
      records.emplace_back(std::move(arn), std::move(record));
    }
  }
  if (scope != "Local") {
    for (const auto& [arn, record] : directory_.aws_policies().all()) {
      records.emplace_back(arn, record);
    }
  }
  std::vector<Policy> policies;
  for (const auto& [arn, record] : records) {
    if (!record.path.starts_with(request.path_prefix.value_or("/"))) continue;
    CO_TRY(Policy policy, describe_policy(directory_, record, arn));
    const std::int32_t attached = *policy.attachment_count;
    const std::int32_t bounded = *policy.permissions_boundary_usage_count;
    if (request.only_attached.value_or(false) && attached + bounded == 0) continue;
    if (request.policy_usage_filter == "PermissionsPolicy" && attached == 0) continue;
    if (request.policy_usage_filter == "PermissionsBoundary" && bounded == 0) continue;
    policies.push_back(std::move(policy));
  }
  CO_TRY(Page<Policy> page, page_of(std::move(policies), request.marker, request.max_items));
  ListPoliciesResponse response;
  finish(response, page);
  response.policies = std::move(page.items);
  co_return response;
}

Task<Result<wire::Empty>> Service::delete_policy(const Context& context,
                                                 DeletePolicyRequest request) {
  CO_TRY(const PolicyRecord record, own_policy(context, "DeletePolicy", request.policy_arn));
  CO_TRY(const std::vector<Holder> attached, directory_.holders(request.policy_arn, false));
  CO_TRY(const std::vector<Holder> bounded, directory_.holders(request.policy_arn, true));
  if (!attached.empty() || !bounded.empty()) {
    co_return base::fail(errors::kDeleteConflictException,
                         "Cannot delete a policy attached to entities.");
  }
  if (record.versions.size() > 1) {
    co_return base::fail(errors::kDeleteConflictException,
                         "This policy has more than one version. Before you delete a policy, you "
                         "must delete the policy's versions. The default version is deleted with "
                         "the policy.");
  }
  store::Batch batch;
  directory_.erase(batch, record);
  co_return co_await commit(std::move(batch));
}

Task<Result<CreatePolicyVersionResponse>> Service::create_policy_version(
    const Context& context, CreatePolicyVersionRequest request) {
  CO_TRY_VOID(check_document(request.policy_document));
  CO_TRY(PolicyRecord record, own_policy(context, "CreatePolicyVersion", request.policy_arn));
  if (record.versions.size() >= kPolicyVersionsMax) {
    co_return base::fail(errors::kLimitExceededException,
                         "A managed policy can have up to 5 versions. Before you create a new "
                         "version, you must delete an existing version.");
  }
  record.versions.push_back(
      {++record.last_version, std::move(request.policy_document), context.now});
  if (request.set_as_default.value_or(false)) record.default_version = record.last_version;
  record.updated = context.now;
  store::Batch batch;
  directory_.put(batch, record);
  CO_TRY_VOID(co_await commit(std::move(batch)));
  co_return CreatePolicyVersionResponse{describe(record, record.versions.back())};
}

Task<Result<GetPolicyVersionResponse>> Service::get_policy_version(
    const Context&, GetPolicyVersionRequest request) {
  CO_TRY(const std::int32_t number, parse_version(request.version_id));
  CO_TRY(const std::optional<PolicyRecord> record, directory_.read_policy(request.policy_arn));
  const PolicyVersionRecord* const found = record ? record->version(number) : nullptr;
  if (found == nullptr) co_return no_version(request.policy_arn, request.version_id);
  PolicyVersion version = describe(*record, *found);
  version.document = base::percent_encode(found->document);
  co_return GetPolicyVersionResponse{std::move(version)};
}

Task<Result<ListPolicyVersionsResponse>> Service::list_policy_versions(
    const Context&, ListPolicyVersionsRequest request) {
  CO_TRY(const std::optional<PolicyRecord> record, directory_.read_policy(request.policy_arn));
  if (!record) co_return not_found(request.policy_arn);
  std::vector<PolicyVersion> versions;
  for (const PolicyVersionRecord& version : record->versions) {
    versions.push_back(describe(*record, version));
  }
  std::ranges::reverse(versions);
  CO_TRY(Page<PolicyVersion> page, page_of(std::move(versions), request.marker, request.max_items));
  ListPolicyVersionsResponse response;
  finish(response, page);
  response.versions = std::move(page.items);
  co_return response;
}

Task<Result<wire::Empty>> Service::delete_policy_version(const Context& context,
                                                         DeletePolicyVersionRequest request) {
  CO_TRY(const std::int32_t number, parse_version(request.version_id));
  CO_TRY(PolicyRecord record, own_policy(context, "DeletePolicyVersion", request.policy_arn));
  if (record.version(number) == nullptr) {
    co_return no_version(request.policy_arn, request.version_id);
  }
  if (number == record.default_version) {
    co_return base::fail(errors::kDeleteConflictException,
                         "Cannot delete the default version of a policy.");
  }
  std::erase_if(record.versions,
                [number](const PolicyVersionRecord& version) { return version.number == number; });
  store::Batch batch;
  directory_.put(batch, record);
  co_return co_await commit(std::move(batch));
}

Task<Result<wire::Empty>> Service::set_default_policy_version(
    const Context& context, SetDefaultPolicyVersionRequest request) {
  CO_TRY(const std::int32_t number, parse_version(request.version_id));
  auto record = own_policy(context, "SetDefaultPolicyVersion", request.policy_arn);
  const bool missing = !record && record.error().is(errors::kNoSuchEntityException);
  if (!record && !missing) co_return std::unexpected(std::move(record).error());
  if (missing || record->version(number) == nullptr) {
    co_return no_version(request.policy_arn, request.version_id);
  }
  record->default_version = number;
  record->updated = context.now;
  store::Batch batch;
  directory_.put(batch, *record);
  co_return co_await commit(std::move(batch));
}

}  // namespace terrarium::iam
