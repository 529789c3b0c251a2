// IAM: users with their access keys, roles, and the policies of both, as records; and the key store
// that authenticates every request of the region. IAM is global: no region in its keys.
//
// Operations and Api run on the control executor; KeyStore::find on any thread.
#pragma once

#include <string>

#include "generated/iam/model.h"
#include "lib/base/clock.h"
#include "lib/base/random.h"
#include "lib/base/result.h"
#include "lib/runtime/task.h"
#include "terrarium/services/iam/api.h"
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

class Service final : public Api, public wire::KeyStore {
 public:
  // Everything outlives the service.
  Service(store::Store& store, base::Clock& clock, base::Random& random, Config config);

  template <class T>
  using Answer = runtime::Task<base::Result<T>>;
  using Context = wire::Context;
  using Empty = wire::Empty;

  Answer<CreateUserResponse> create_user(const Context&, CreateUserRequest);
  Answer<Empty> delete_user(const Context&, DeleteUserRequest);
  Answer<GetUserResponse> get_user(const Context&, GetUserRequest);
  Answer<ListUsersResponse> list_users(const Context&, ListUsersRequest);
  Answer<CreateAccessKeyResponse> create_access_key(const Context&, CreateAccessKeyRequest);
  Answer<Empty> delete_access_key(const Context&, DeleteAccessKeyRequest);
  Answer<ListAccessKeysResponse> list_access_keys(const Context&, ListAccessKeysRequest);
  Answer<Empty> update_access_key(const Context&, UpdateAccessKeyRequest);

  Answer<CreateRoleResponse> create_role(const Context&, CreateRoleRequest);
  Answer<Empty> delete_role(const Context&, DeleteRoleRequest);
  Answer<GetRoleResponse> get_role(const Context&, GetRoleRequest);
  Answer<ListRolesResponse> list_roles(const Context&, ListRolesRequest);
  Answer<Empty> update_assume_role_policy(const Context&, UpdateAssumeRolePolicyRequest);

  Answer<Empty> put_user_policy(const Context&, PutUserPolicyRequest);
  Answer<GetUserPolicyResponse> get_user_policy(const Context&, GetUserPolicyRequest);
  Answer<Empty> delete_user_policy(const Context&, DeleteUserPolicyRequest);
  Answer<ListUserPoliciesResponse> list_user_policies(const Context&, ListUserPoliciesRequest);
  Answer<Empty> put_role_policy(const Context&, PutRolePolicyRequest);
  Answer<GetRolePolicyResponse> get_role_policy(const Context&, GetRolePolicyRequest);
  Answer<Empty> delete_role_policy(const Context&, DeleteRolePolicyRequest);
  Answer<ListRolePoliciesResponse> list_role_policies(const Context&, ListRolePoliciesRequest);
  Answer<Empty> attach_role_policy(const Context&, AttachRolePolicyRequest);
  Answer<Empty> detach_role_policy(const Context&, DetachRolePolicyRequest);
  Answer<ListAttachedRolePoliciesResponse> list_attached_role_policies(
      const Context&, ListAttachedRolePoliciesRequest);

  // Api
  runtime::Task<base::Result<TemporaryCredentials>> assume(std::string role_arn,
                                                           std::string session_name,
                                                           std::chrono::seconds lifetime) override;
  base::Result<bool> role_exists(const std::string& role_arn) const override;
  // wire::KeyStore
  base::Result<std::optional<wire::Key>> find(std::string_view access_key_id) const override;

 private:
  enum class Kind { User, Role };
  struct Page {
    std::vector<Entity> entities;
    std::optional<std::string> marker;
  };

  base::Result<std::optional<Entity>> read(Kind kind, const std::string& name) const;
  // NoSuchEntity when there is none.
  base::Result<Entity> need(Kind kind, const std::string& name) const;
  runtime::Task<base::Result<Empty>> save(Kind kind, Entity entity);
  base::Result<Page> page(Kind kind, const std::optional<std::string>& path_prefix,
                          const std::optional<std::string>& marker,
                          std::optional<std::int32_t> max_items) const;
  base::Result<std::vector<AccessKeyRecord>> keys_of(const std::string& user) const;
  base::Result<AccessKeyRecord> need_key(const std::string& id, const std::string& user) const;
  // The user that an operation is about: named, or the caller.
  base::Result<std::string> subject(const Context& context,
                                    const std::optional<std::string>& user_name) const;
  runtime::Task<base::Result<Empty>> put_policy(Kind kind, std::string name, std::string policy,
                                                std::string document);
  runtime::Task<base::Result<Empty>> delete_policy(Kind kind, std::string name, std::string policy);
  base::Result<std::string> policy_document(Kind kind, const std::string& name,
                                            const std::string& policy) const;
  std::string new_id(std::string_view prefix);
  std::string arn(Kind kind, const Entity& entity) const;
  User user_of(const Entity& entity) const;
  Role role_of(const Entity& entity) const;

  store::Store& store_;
  base::Clock& clock_;
  base::Random& random_;
  Config config_;
};

}  // namespace terrarium::iam
