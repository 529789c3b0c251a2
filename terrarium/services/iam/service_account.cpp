// The account: its alias, its password policy, its figures.
#include "generated/iam/errors.h"
#include "terrarium/services/iam/service.h"

namespace terrarium::iam {
namespace {

using base::Result;
using runtime::Task;

store::Batch batch_of(const AccountRecord& account) {
  store::Batch batch;
  batch.put(store::Table::Control, std::string(kAccountKey), to_text(account));
  return batch;
}

bool is_alias(std::string_view alias) {
  if (alias.empty() || alias.front() == '-' || alias.back() == '-' || alias.contains("--")) {
    return false;
  }
  return alias.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == alias.npos;
}

}  // namespace

Task<Result<wire::Empty>> Service::create_account_alias(const Context&,
                                                        CreateAccountAliasRequest request) {
  if (!is_alias(request.account_alias)) {
    co_return base::fail(errors::kValidationError,
                         "1 validation error detected: Value at 'accountAlias' failed to satisfy "
                         "constraint: Member must satisfy regular expression pattern: "
                         "^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$");
  }
  CO_TRY(AccountRecord account, directory_.account_record());
  account.alias = std::move(request.account_alias);
  co_return co_await commit(batch_of(account));
}

Task<Result<wire::Empty>> Service::delete_account_alias(const Context&,
                                                        DeleteAccountAliasRequest request) {
  CO_TRY(AccountRecord account, directory_.account_record());
  if (account.alias != request.account_alias) {
    co_return base::fail(
        errors::kNoSuchEntityException,
        "The account alias with name " + request.account_alias + " cannot be found.");
  }
  account.alias.clear();
  co_return co_await commit(batch_of(account));
}

Task<Result<ListAccountAliasesResponse>> Service::list_account_aliases(const Context&,
                                                                       ListAccountAliasesRequest) {
  CO_TRY(const AccountRecord account, directory_.account_record());
  ListAccountAliasesResponse response;
  if (!account.alias.empty()) response.account_aliases.push_back(account.alias);
  response.is_truncated = false;
  co_return response;
}

// What is not given gets its default, whatever it was before.
Task<Result<wire::Empty>> Service::update_account_password_policy(
    const Context&, UpdateAccountPasswordPolicyRequest request) {
  CO_TRY(AccountRecord account, directory_.account_record());
  PasswordPolicyRecord policy;
  policy.minimum_length = request.minimum_password_length.value_or(policy.minimum_length);
  policy.symbols = request.require_symbols.value_or(false);
  policy.numbers = request.require_numbers.value_or(false);
  policy.uppercase = request.require_uppercase_characters.value_or(false);
  policy.lowercase = request.require_lowercase_characters.value_or(false);
  policy.users_may_change = request.allow_users_to_change_password.value_or(false);
  policy.max_age_days = request.max_password_age;
  policy.reuse_prevention = request.password_reuse_prevention;
  policy.hard_expiry = request.hard_expiry;
  account.password_policy = policy;
  co_return co_await commit(batch_of(account));
}

Task<Result<GetAccountPasswordPolicyResponse>> Service::get_account_password_policy(const Context&,
                                                                                    Empty) {
  CO_TRY(const AccountRecord account, directory_.account_record());
  if (!account.password_policy) {
    co_return base::fail(errors::kNoSuchEntityException, "The Password Policy with domain name " +
                                                             config_.account + " cannot be found.");
  }
  const PasswordPolicyRecord& record = *account.password_policy;
  PasswordPolicy policy;
  policy.minimum_password_length = record.minimum_length;
  policy.require_symbols = record.symbols;
  policy.require_numbers = record.numbers;
  policy.require_uppercase_characters = record.uppercase;
  policy.require_lowercase_characters = record.lowercase;
  policy.allow_users_to_change_password = record.users_may_change;
  policy.expire_passwords = record.max_age_days.has_value();
  policy.max_password_age = record.max_age_days;
  policy.password_reuse_prevention = record.reuse_prevention;
  policy.hard_expiry = record.hard_expiry;
  co_return GetAccountPasswordPolicyResponse{policy};
}

Task<Result<wire::Empty>> Service::delete_account_password_policy(const Context&, Empty) {
  CO_TRY(AccountRecord account, directory_.account_record());
  if (!account.password_policy) {
    co_return base::fail(errors::kNoSuchEntityException,
                         "The account policy with name PasswordPolicy cannot be found.");
  }
  account.password_policy.reset();
  co_return co_await commit(batch_of(account));
}

Task<Result<GetAccountSummaryResponse>> Service::get_account_summary(const Context&, Empty) {
  const auto number = [](std::size_t value) { return static_cast<std::int32_t>(value); };
  CO_TRY(const std::vector<PolicyRecord> policies, directory_.policies());
  std::size_t versions = 0;
  for (const PolicyRecord& policy : policies) versions += policy.versions.size();
  CO_TRY(const std::size_t users, directory_.count(kUserPrefix));
  CO_TRY(const std::size_t groups, directory_.count(kGroupPrefix));
  CO_TRY(const std::size_t roles, directory_.count(kRolePrefix));
  CO_TRY(const std::size_t profiles, directory_.count(kProfilePrefix));
  std::map<std::string, std::int32_t> summary{
      {"AccessKeysPerUserQuota", number(kAccessKeysPerUserMax)},
      {"AccountAccessKeysPresent", 0},
      {"AccountMFAEnabled", 0},
      {"AccountPasswordPresent", 0},
      {"AccountSigningCertificatesPresent", 0},
      {"AssumeRolePolicySizeQuota", number(kTrustPolicyBytesMax)},
      {"AttachedPoliciesPerGroupQuota", number(kAttachedPoliciesMax)},
      {"AttachedPoliciesPerRoleQuota", number(kAttachedPoliciesMax)},
      {"AttachedPoliciesPerUserQuota", number(kAttachedPoliciesMax)},
      {"GlobalEndpointTokenVersion", 1},
      {"GroupPolicySizeQuota", number(kGroupPolicyBytesMax)},
      {"Groups", number(groups)},
      {"GroupsPerUserQuota", number(kGroupsPerUserMax)},
      {"GroupsQuota", number(kGroupsMax)},
      {"InstanceProfiles", number(profiles)},
      {"InstanceProfilesQuota", number(kProfilesMax)},
      {"MFADevices", 0},
      {"MFADevicesInUse", 0},
      {"Policies", number(policies.size())},
      {"PoliciesQuota", number(kPoliciesMax)},
      {"PolicySizeQuota", number(kManagedPolicyBytesMax)},
      {"PolicyVersionsInUse", number(versions)},
      {"PolicyVersionsInUseQuota", 10'000},
      {"Providers", 0},
      {"RolePolicySizeQuota", number(kRolePolicyBytesMax)},
      {"Roles", number(roles)},
      {"RolesQuota", number(kRolesMax)},
      {"ServerCertificates", 0},
      {"ServerCertificatesQuota", 20},
      {"SigningCertificatesPerUserQuota", 2},
      {"UserPolicySizeQuota", number(kUserPolicyBytesMax)},
      {"Users", number(users)},
      {"UsersQuota", number(kUsersMax)},
      {"VersionsPerPolicyQuota", number(kPolicyVersionsMax)}};
  co_return GetAccountSummaryResponse{std::move(summary)};
}

}  // namespace terrarium::iam
