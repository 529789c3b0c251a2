// IAM: users, groups, roles, the policies of all three and instance profiles, as records; and the
// key store that authenticates every request of the region. IAM is global: no region in its keys.
//
// Operations, Api and Sessions run on the control executor; KeyStore and PolicySource on any
// thread.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "generated/iam/model.h"
#include "lib/base/clock.h"
#include "lib/base/random.h"
#include "lib/base/result.h"
#include "lib/runtime/task.h"
#include "terrarium/services/iam/api.h"
#include "terrarium/services/iam/describe.h"
#include "terrarium/services/iam/directory.h"
#include "terrarium/services/iam/principal_policies.h"
#include "terrarium/services/iam/records.h"
#include "terrarium/store/store.h"
#include "terrarium/wire/key_store.h"
#include "terrarium/wire/service.h"

namespace terrarium::iam {

struct Config {
  std::string account;
  // The account's root key: what `terrarium env` prints.
  std::string root_access_key_id = "test";
  std::string root_secret_access_key = "test";
};

class Service final : public Api, public Sessions, public wire::KeyStore, public PolicySource {
 public:
  // Everything outlives the service.
  Service(store::Store& store, base::Clock& clock, base::Random& random, Config config);

  template <class T>
  using Answer = runtime::Task<base::Result<T>>;
  using Context = wire::Context;
  using Empty = wire::Empty;

  // Users.
  Answer<CreateUserResponse> create_user(const Context&, CreateUserRequest);
  Answer<Empty> delete_user(const Context&, DeleteUserRequest);
  Answer<GetUserResponse> get_user(const Context&, GetUserRequest);
  Answer<ListUsersResponse> list_users(const Context&, ListUsersRequest);
  Answer<Empty> update_user(const Context&, UpdateUserRequest);
  // Access keys and login profiles.
  Answer<CreateAccessKeyResponse> create_access_key(const Context&, CreateAccessKeyRequest);
  Answer<Empty> delete_access_key(const Context&, DeleteAccessKeyRequest);
  Answer<GetAccessKeyLastUsedResponse> get_access_key_last_used(const Context&,
                                                                GetAccessKeyLastUsedRequest);
  Answer<ListAccessKeysResponse> list_access_keys(const Context&, ListAccessKeysRequest);
  Answer<Empty> update_access_key(const Context&, UpdateAccessKeyRequest);
  Answer<CreateLoginProfileResponse> create_login_profile(const Context&,
                                                          CreateLoginProfileRequest);
  Answer<Empty> delete_login_profile(const Context&, DeleteLoginProfileRequest);
  Answer<GetLoginProfileResponse> get_login_profile(const Context&, GetLoginProfileRequest);
  Answer<Empty> update_login_profile(const Context&, UpdateLoginProfileRequest);
  // Groups.
  Answer<Empty> add_user_to_group(const Context&, AddUserToGroupRequest);
  Answer<CreateGroupResponse> create_group(const Context&, CreateGroupRequest);
  Answer<Empty> delete_group(const Context&, DeleteGroupRequest);
  Answer<GetGroupResponse> get_group(const Context&, GetGroupRequest);
  Answer<ListGroupsResponse> list_groups(const Context&, ListGroupsRequest);
  Answer<ListGroupsForUserResponse> list_groups_for_user(const Context&, ListGroupsForUserRequest);
  Answer<Empty> remove_user_from_group(const Context&, RemoveUserFromGroupRequest);
  Answer<Empty> update_group(const Context&, UpdateGroupRequest);
  // Roles.
  Answer<CreateRoleResponse> create_role(const Context&, CreateRoleRequest);
  Answer<CreateServiceLinkedRoleResponse> create_service_linked_role(
      const Context&, CreateServiceLinkedRoleRequest);
  Answer<Empty> delete_role(const Context&, DeleteRoleRequest);
  Answer<DeleteServiceLinkedRoleResponse> delete_service_linked_role(
      const Context&, DeleteServiceLinkedRoleRequest);
  Answer<GetRoleResponse> get_role(const Context&, GetRoleRequest);
  Answer<GetServiceLinkedRoleDeletionStatusResponse> get_service_linked_role_deletion_status(
      const Context&, GetServiceLinkedRoleDeletionStatusRequest);
  Answer<ListRolesResponse> list_roles(const Context&, ListRolesRequest);
  Answer<Empty> update_assume_role_policy(const Context&, UpdateAssumeRolePolicyRequest);
  Answer<UpdateRoleResponse> update_role(const Context&, UpdateRoleRequest);
  Answer<UpdateRoleDescriptionResponse> update_role_description(const Context&,
                                                                UpdateRoleDescriptionRequest);
  // Inline policies, as records.
  Answer<Empty> delete_group_policy(const Context&, DeleteGroupPolicyRequest);
  Answer<Empty> delete_role_policy(const Context&, DeleteRolePolicyRequest);
  Answer<Empty> delete_user_policy(const Context&, DeleteUserPolicyRequest);
  Answer<GetGroupPolicyResponse> get_group_policy(const Context&, GetGroupPolicyRequest);
  Answer<GetRolePolicyResponse> get_role_policy(const Context&, GetRolePolicyRequest);
  Answer<GetUserPolicyResponse> get_user_policy(const Context&, GetUserPolicyRequest);
  Answer<ListGroupPoliciesResponse> list_group_policies(const Context&, ListGroupPoliciesRequest);
  Answer<ListRolePoliciesResponse> list_role_policies(const Context&, ListRolePoliciesRequest);
  Answer<ListUserPoliciesResponse> list_user_policies(const Context&, ListUserPoliciesRequest);
  Answer<Empty> put_group_policy(const Context&, PutGroupPolicyRequest);
  Answer<Empty> put_role_policy(const Context&, PutRolePolicyRequest);
  Answer<Empty> put_user_policy(const Context&, PutUserPolicyRequest);
  // Attached policies and boundaries, as records.
  Answer<Empty> attach_group_policy(const Context&, AttachGroupPolicyRequest);
  Answer<Empty> attach_role_policy(const Context&, AttachRolePolicyRequest);
  Answer<Empty> attach_user_policy(const Context&, AttachUserPolicyRequest);
  Answer<Empty> delete_role_permissions_boundary(const Context&,
                                                 DeleteRolePermissionsBoundaryRequest);
  Answer<Empty> delete_user_permissions_boundary(const Context&,
                                                 DeleteUserPermissionsBoundaryRequest);
  Answer<Empty> detach_group_policy(const Context&, DetachGroupPolicyRequest);
  Answer<Empty> detach_role_policy(const Context&, DetachRolePolicyRequest);
  Answer<Empty> detach_user_policy(const Context&, DetachUserPolicyRequest);
  Answer<ListAttachedGroupPoliciesResponse> list_attached_group_policies(
      const Context&, ListAttachedGroupPoliciesRequest);
  Answer<ListAttachedRolePoliciesResponse> list_attached_role_policies(
      const Context&, ListAttachedRolePoliciesRequest);
  Answer<ListAttachedUserPoliciesResponse> list_attached_user_policies(
      const Context&, ListAttachedUserPoliciesRequest);
  Answer<ListEntitiesForPolicyResponse> list_entities_for_policy(const Context&,
                                                                 ListEntitiesForPolicyRequest);
  Answer<Empty> put_role_permissions_boundary(const Context&, PutRolePermissionsBoundaryRequest);
  Answer<Empty> put_user_permissions_boundary(const Context&, PutUserPermissionsBoundaryRequest);
  // Managed policies.
  Answer<CreatePolicyResponse> create_policy(const Context&, CreatePolicyRequest);
  Answer<CreatePolicyVersionResponse> create_policy_version(const Context&,
                                                            CreatePolicyVersionRequest);
  Answer<Empty> delete_policy(const Context&, DeletePolicyRequest);
  Answer<Empty> delete_policy_version(const Context&, DeletePolicyVersionRequest);
  Answer<GetPolicyResponse> get_policy(const Context&, GetPolicyRequest);
  Answer<GetPolicyVersionResponse> get_policy_version(const Context&, GetPolicyVersionRequest);
  Answer<ListPoliciesResponse> list_policies(const Context&, ListPoliciesRequest);
  Answer<ListPolicyVersionsResponse> list_policy_versions(const Context&,
                                                          ListPolicyVersionsRequest);
  Answer<Empty> set_default_policy_version(const Context&, SetDefaultPolicyVersionRequest);
  // Instance profiles.
  Answer<Empty> add_role_to_instance_profile(const Context&, AddRoleToInstanceProfileRequest);
  Answer<CreateInstanceProfileResponse> create_instance_profile(const Context&,
                                                                CreateInstanceProfileRequest);
  Answer<Empty> delete_instance_profile(const Context&, DeleteInstanceProfileRequest);
  Answer<GetInstanceProfileResponse> get_instance_profile(const Context&,
                                                          GetInstanceProfileRequest);
  Answer<ListInstanceProfilesResponse> list_instance_profiles(const Context&,
                                                              ListInstanceProfilesRequest);
  Answer<ListInstanceProfilesForRoleResponse> list_instance_profiles_for_role(
      const Context&, ListInstanceProfilesForRoleRequest);
  Answer<Empty> remove_role_from_instance_profile(const Context&,
                                                  RemoveRoleFromInstanceProfileRequest);
  // Tags.
  Answer<ListInstanceProfileTagsResponse> list_instance_profile_tags(
      const Context&, ListInstanceProfileTagsRequest);
  Answer<ListPolicyTagsResponse> list_policy_tags(const Context&, ListPolicyTagsRequest);
  Answer<ListRoleTagsResponse> list_role_tags(const Context&, ListRoleTagsRequest);
  Answer<ListUserTagsResponse> list_user_tags(const Context&, ListUserTagsRequest);
  Answer<Empty> tag_instance_profile(const Context&, TagInstanceProfileRequest);
  Answer<Empty> tag_policy(const Context&, TagPolicyRequest);
  Answer<Empty> tag_role(const Context&, TagRoleRequest);
  Answer<Empty> tag_user(const Context&, TagUserRequest);
  Answer<Empty> untag_instance_profile(const Context&, UntagInstanceProfileRequest);
  Answer<Empty> untag_policy(const Context&, UntagPolicyRequest);
  Answer<Empty> untag_role(const Context&, UntagRoleRequest);
  Answer<Empty> untag_user(const Context&, UntagUserRequest);
  // The account.
  Answer<Empty> create_account_alias(const Context&, CreateAccountAliasRequest);
  Answer<Empty> delete_account_alias(const Context&, DeleteAccountAliasRequest);
  Answer<Empty> delete_account_password_policy(const Context&, Empty);
  Answer<GetAccountAuthorizationDetailsResponse> get_account_authorization_details(
      const Context&, GetAccountAuthorizationDetailsRequest);
  Answer<GetAccountPasswordPolicyResponse> get_account_password_policy(const Context&, Empty);
  Answer<GetAccountSummaryResponse> get_account_summary(const Context&, Empty);
  Answer<ListAccountAliasesResponse> list_account_aliases(const Context&,
                                                          ListAccountAliasesRequest);
  Answer<Empty> update_account_password_policy(const Context&, UpdateAccountPasswordPolicyRequest);
  // What nobody here has.
  Answer<ListMFADevicesResponse> list_mfa_devices(const Context&, ListMFADevicesRequest);
  Answer<ListOpenIDConnectProvidersResponse> list_open_id_connect_providers(
      const Context&, ListOpenIDConnectProvidersRequest);
  Answer<ListSAMLProvidersResponse> list_saml_providers(const Context&, ListSAMLProvidersRequest);
  Answer<ListServerCertificatesResponse> list_server_certificates(const Context&,
                                                                  ListServerCertificatesRequest);
  Answer<ListServiceSpecificCredentialsResponse> list_service_specific_credentials(
      const Context&, ListServiceSpecificCredentialsRequest);
  Answer<ListSigningCertificatesResponse> list_signing_certificates(const Context&,
                                                                    ListSigningCertificatesRequest);
  Answer<ListSSHPublicKeysResponse> list_ssh_public_keys(const Context&, ListSSHPublicKeysRequest);
  Answer<ListVirtualMFADevicesResponse> list_virtual_mfa_devices(const Context&,
                                                                 ListVirtualMFADevicesRequest);
  // Api
  Answer<TemporaryCredentials> assume(std::string role_arn, std::string session_name,
                                      std::chrono::seconds lifetime) override;
  // Sessions
  base::Result<std::optional<RoleFacts>> role(const std::string& role_arn) const override;
  base::Result<SessionLimits> limits_of(const std::string& access_key_id) const override;
  base::Result<std::optional<std::string>> account_of_key(
      const std::string& access_key_id) const override;
  base::Result<bool> policy_exists(const std::string& policy_arn) const override;
  Answer<TemporaryCredentials> assume_role(std::string role_arn, std::string session_name,
                                           std::chrono::seconds lifetime,
                                           SessionLimits limits) override;
  Answer<TemporaryCredentials> session_of(std::string access_key_id,
                                          std::chrono::seconds lifetime) override;
  Answer<TemporaryCredentials> federate(std::string access_key_id, std::string name,
                                        std::chrono::seconds lifetime,
                                        SessionLimits limits) override;
  // wire::KeyStore
  base::Result<std::optional<wire::Key>> find(std::string_view access_key_id) const override;
  void used(std::string_view access_key_id, std::string_view service, std::string_view region,
            base::Timestamp now) const override;
  // PolicySource
  base::Result<PrincipalPolicies> policies_of(const wire::Principal& principal) const override;

 private:
  Answer<Empty> commit(store::Batch batch);
  // Writes `after` in the place of `before`.
  Answer<Empty> save(Kind kind, const Entity& before, const Entity& after);
  // The user that an operation is about: named, or the caller.
  base::Result<std::string> subject(const Context& context,
                                    const std::optional<std::string>& user_name) const;
  base::Result<std::string> check_boundary(const std::optional<std::string>& arn) const;
  base::Result<Entity> new_role(const Context& context, const CreateRoleRequest& request);
  base::Result<PolicyRecord> own_policy(const Context& context, std::string_view operation,
                                        const std::string& policy_arn) const;

  Answer<Empty> put_policy(Kind kind, std::string name, std::string policy, std::string document);
  Answer<Empty> delete_policy_of(Kind kind, std::string name, std::string policy);
  base::Result<std::string> policy_document(Kind kind, const std::string& name,
                                            const std::string& policy) const;
  template <class Response, class Request>
  base::Result<Response> inline_policies(Kind kind, const std::string& name,
                                         const Request& request) const;
  Answer<Empty> attach(Kind kind, std::string name, std::string policy_arn);
  Answer<Empty> detach(Kind kind, std::string name, std::string policy_arn);
  template <class Response, class Request>
  base::Result<Response> attached_policies(Kind kind, const std::string& name,
                                           const Request& request) const;
  Answer<Empty> set_boundary(Kind kind, std::string name, std::optional<std::string> arn);
  Answer<Empty> tag(Kind kind, std::string name, std::vector<Tag> add,
                    std::vector<std::string> remove);
  Answer<TemporaryCredentials> keep_session(SessionRecord record, std::chrono::seconds lifetime);

  store::Store& store_;
  base::Clock& clock_;
  base::Random& random_;
  Config config_;
  Directory directory_;
  // When users' keys were last used: noted by any thread, written now and then.
  mutable std::mutex used_mutex_;
  mutable std::map<std::string, KeyUse, std::less<>> used_;
  mutable std::map<std::string, base::Timestamp, std::less<>> used_written_;
};

}  // namespace terrarium::iam
