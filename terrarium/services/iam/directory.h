// IAM's records in the store: read with AWS's errors, and written together with the indexes that
// find them again. Reading is safe on any thread; what is put into batches is decided on the
// control executor.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "terrarium/services/iam/aws_policies.h"
#include "terrarium/services/iam/records.h"
#include "terrarium/services/iam/rules.h"
#include "terrarium/store/store.h"

namespace terrarium::iam {

std::string_view noun(Kind kind);   // "user"
std::string_view title(Kind kind);  // "User"

struct PageRequest {
  std::optional<std::string> path_prefix;
  std::optional<std::string> marker;
  std::optional<std::int32_t> max_items;
};

// Somebody whom an index names.
struct Holder {
  Kind kind = Kind::User;
  std::string name;  // in lower case
};

class Directory {
 public:
  // `store` outlives it.
  Directory(const store::Store& store, std::string account)
      : store_(store), account_(std::move(account)) {}

  std::string arn(Kind kind, const Entity& entity) const;
  std::string arn(const PolicyRecord& policy) const;
  std::string arn(const ProfileRecord& profile) const;
  const std::string& account() const { return account_; }
  const AwsPolicies& aws_policies() const { return aws_policies_; }

  // need(): NoSuchEntity when there is none.
  base::Result<std::optional<Entity>> read(Kind kind, std::string_view name) const;
  base::Result<Entity> need(Kind kind, std::string_view name) const;
  base::Result<std::optional<ProfileRecord>> read_profile(std::string_view name) const;
  base::Result<ProfileRecord> need_profile(std::string_view name) const;
  // By ARN: of this account or AWS's.
  base::Result<std::optional<PolicyRecord>> read_policy(std::string_view arn) const;
  base::Result<std::optional<AccessKeyRecord>> read_key(std::string_view id) const;
  base::Result<std::vector<AccessKeyRecord>> keys_of(std::string_view user) const;
  base::Result<AccountRecord> account_record() const;

  base::Result<Page<Entity>> page(Kind kind, const PageRequest& request) const;
  base::Result<Page<ProfileRecord>> profile_page(const PageRequest& request) const;
  // Policies of the account, all of them: no more than a quota.
  base::Result<std::vector<PolicyRecord>> policies() const;
  base::Result<std::size_t> count(std::string_view key_prefix) const;

  // Who has a managed policy attached, or as boundary.
  base::Result<std::vector<Holder>> holders(std::string_view policy_arn, bool as_boundary) const;
  base::Result<std::vector<std::string>> members(std::string_view group) const;
  base::Result<std::vector<std::string>> profiles_of(std::string_view role) const;

  // What was stored before goes, with its indexes; `after` comes, with its own.
  void replace(store::Batch& batch, Kind kind, const Entity* before, const Entity* after) const;
  void replace(store::Batch& batch, const ProfileRecord* before, const ProfileRecord* after) const;
  void replace(store::Batch& batch, const AccessKeyRecord* before,
               const AccessKeyRecord* after) const;
  void put(store::Batch& batch, const PolicyRecord& policy) const;
  void erase(store::Batch& batch, const PolicyRecord& policy) const;

 private:
  std::vector<std::string> index_keys(Kind kind, const Entity& entity) const;
  base::Result<std::vector<std::string>> names_after(const std::string& prefix) const;

  const store::Store& store_;
  std::string account_;
  AwsPolicies aws_policies_;
};

}  // namespace terrarium::iam
