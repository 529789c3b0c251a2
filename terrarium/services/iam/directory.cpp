#include "terrarium/services/iam/directory.h"

#include <algorithm>

#include "generated/iam/errors.h"
#include "lib/base/encoding.h"

namespace terrarium::iam {
namespace {

using base::Result;

constexpr auto kTable = store::Table::Control;

std::string_view prefix_of(Kind kind) {
  switch (kind) {
    case Kind::User: return kUserPrefix;
    case Kind::Group: return kGroupPrefix;
    case Kind::Role: break;
  }
  return kRolePrefix;
}

std::string named(std::string_view prefix, std::string_view name) {
  return std::string(prefix) + base::to_lower(name);
}

// "iam/member/GROUP\0"
std::string list_of(std::string_view list, std::string_view owner) {
  return "iam/" + std::string(list) + "/" + std::string(owner) + '\0';
}

std::string holder(Kind kind, std::string_view name) {
  return std::string(1, noun(kind).front()) + base::to_lower(name);
}

template <class Record>
Result<std::optional<Record>> read_record(const store::Store& store, const std::string& key,
                                          Result<Record> (*parse)(std::string_view)) {
  TRY(const std::optional<std::string> text, store.get(kTable, key));
  if (!text) return std::optional<Record>();
  TRY(Record record, parse(*text));
  return std::optional<Record>(std::move(record));
}

template <class Record>
Result<Page<Record>> page_of_records(const store::Store& store, std::string_view prefix,
                                     const PageRequest& request,
                                     Result<Record> (*parse)(std::string_view)) {
  const auto limit = static_cast<std::size_t>(request.max_items.value_or(kListItemsDefault));
  Page<Record> page;
  const auto cursor = store.scan(kTable, prefix, store::prefix_end(prefix));
  if (request.marker) {
    TRY(const std::string last, parse_marker(*request.marker));
    cursor->seek(std::string(prefix) + last + '\0');
  }
  for (std::string last; cursor->valid(); cursor->next()) {
    TRY(Record record, parse(cursor->value()));
    if (!record.path.starts_with(request.path_prefix.value_or("/"))) continue;
    if (page.items.size() == limit) {
      page.marker = marker_of(last);
      break;
    }
    last = cursor->key().substr(prefix.size());
    page.items.push_back(std::move(record));
  }
  TRY_VOID(cursor->status());
  return page;
}

}  // namespace

std::string_view noun(Kind kind) {
  switch (kind) {
    case Kind::User: return "user";
    case Kind::Group: return "group";
    case Kind::Role: break;
  }
  return "role";
}

std::string_view title(Kind kind) {
  switch (kind) {
    case Kind::User: return "User";
    case Kind::Group: return "Group";
    case Kind::Role: break;
  }
  return "Role";
}

std::string Directory::arn(Kind kind, const Entity& entity) const {
  return "arn:aws:iam::" + account_ + ":" + std::string(noun(kind)) + entity.path + entity.name;
}

std::string Directory::arn(const PolicyRecord& policy) const {
  return "arn:aws:iam::" + account_ + ":policy" + policy.path + policy.name;
}

std::string Directory::arn(const ProfileRecord& profile) const {
  return "arn:aws:iam::" + account_ + ":instance-profile" + profile.path + profile.name;
}

Result<std::optional<Entity>> Directory::read(Kind kind, std::string_view name) const {
  return read_record(store_, named(prefix_of(kind), name), parse_entity);
}

Result<Entity> Directory::need(Kind kind, std::string_view name) const {
  TRY(std::optional<Entity> found, read(kind, name));
  if (found) return *std::move(found);
  return base::fail(
      errors::kNoSuchEntityException,
      "The " + std::string(noun(kind)) + " with name " + std::string(name) + " cannot be found.");
}

Result<std::optional<ProfileRecord>> Directory::read_profile(std::string_view name) const {
  return read_record(store_, named(kProfilePrefix, name), parse_profile);
}

Result<ProfileRecord> Directory::need_profile(std::string_view name) const {
  TRY(std::optional<ProfileRecord> found, read_profile(name));
  if (found) return *std::move(found);
  return base::fail(errors::kNoSuchEntityException,
                    "Instance Profile " + std::string(name) + " cannot be found.");
}

Result<std::optional<PolicyRecord>> Directory::read_policy(std::string_view policy_arn) const {
  if (const PolicyRecord* const managed = aws_policies_.find(policy_arn)) return *managed;
  const std::string_view name = policy_arn.substr(policy_arn.rfind('/') + 1);
  TRY(std::optional<PolicyRecord> policy,
      read_record(store_, named(kPolicyPrefix, name), parse_policy));
  if (policy && arn(*policy) != policy_arn) return std::optional<PolicyRecord>();
  return policy;
}

Result<std::optional<AccessKeyRecord>> Directory::read_key(std::string_view id) const {
  return read_record(store_, std::string(kKeyPrefix) + std::string(id), parse_access_key);
}

Result<std::vector<AccessKeyRecord>> Directory::keys_of(std::string_view user) const {
  std::vector<AccessKeyRecord> keys;
  TRY(const std::vector<std::string> ids, names_after(list_of("key-of", base::to_lower(user))));
  for (const std::string& id : ids) {
    TRY(std::optional<AccessKeyRecord> key, read_key(id));
    if (key) keys.push_back(*std::move(key));
  }
  std::ranges::sort(keys, {}, &AccessKeyRecord::created);
  return keys;
}

Result<AccountRecord> Directory::account_record() const {
  TRY(std::optional<AccountRecord> found,
      read_record(store_, std::string(kAccountKey), parse_account));
  return found.value_or(AccountRecord());
}

Result<Page<Entity>> Directory::page(Kind kind, const PageRequest& request) const {
  return page_of_records(store_, prefix_of(kind), request, parse_entity);
}

Result<Page<ProfileRecord>> Directory::profile_page(const PageRequest& request) const {
  return page_of_records(store_, kProfilePrefix, request, parse_profile);
}

Result<std::vector<PolicyRecord>> Directory::policies() const {
  std::vector<PolicyRecord> out;
  const auto cursor = store_.scan(kTable, kPolicyPrefix, store::prefix_end(kPolicyPrefix));
  for (; cursor->valid(); cursor->next()) {
    TRY(PolicyRecord policy, parse_policy(cursor->value()));
    out.push_back(std::move(policy));
  }
  TRY_VOID(cursor->status());
  return out;
}

Result<std::size_t> Directory::count(std::string_view key_prefix) const {
  std::size_t found = 0;
  const auto cursor = store_.scan(kTable, key_prefix, store::prefix_end(key_prefix));
  for (; cursor->valid(); cursor->next()) ++found;
  TRY_VOID(cursor->status());
  return found;
}

Result<std::vector<std::string>> Directory::names_after(const std::string& prefix) const {
  std::vector<std::string> names;
  const auto cursor = store_.scan(kTable, prefix, store::prefix_end(prefix));
  for (; cursor->valid(); cursor->next()) names.emplace_back(cursor->key().substr(prefix.size()));
  TRY_VOID(cursor->status());
  return names;
}

Result<std::vector<Holder>> Directory::holders(std::string_view policy_arn,
                                               bool as_boundary) const {
  TRY(const std::vector<std::string> names,
      names_after(list_of(as_boundary ? "bounded" : "attached", policy_arn)));
  std::vector<Holder> out;
  for (const std::string& name : names) {
    const Kind kind = name.front() == 'u'   ? Kind::User
                      : name.front() == 'g' ? Kind::Group
                                            : Kind::Role;
    out.push_back({kind, name.substr(1)});
  }
  return out;
}

Result<std::vector<std::string>> Directory::members(std::string_view group) const {
  return names_after(list_of("member", base::to_lower(group)));
}

Result<std::vector<std::string>> Directory::profiles_of(std::string_view role) const {
  return names_after(list_of("profile-of", base::to_lower(role)));
}

std::vector<std::string> Directory::index_keys(Kind kind, const Entity& entity) const {
  std::vector<std::string> keys;
  for (const std::string& policy : entity.attached) {
    keys.push_back(list_of("attached", policy) + holder(kind, entity.name));
  }
  if (!entity.boundary.empty()) {
    keys.push_back(list_of("bounded", entity.boundary) + holder(kind, entity.name));
  }
  for (const std::string& group : entity.groups) {
    keys.push_back(list_of("member", base::to_lower(group)) + base::to_lower(entity.name));
  }
  return keys;
}

void Directory::replace(store::Batch& batch, Kind kind, const Entity* before,
                        const Entity* after) const {
  if (before != nullptr) {
    batch.erase(kTable, named(prefix_of(kind), before->name));
    for (std::string& key : index_keys(kind, *before)) batch.erase(kTable, std::move(key));
  }
  if (after != nullptr) {
    batch.put(kTable, named(prefix_of(kind), after->name), to_text(*after));
    for (std::string& key : index_keys(kind, *after)) batch.put(kTable, std::move(key), {});
  }
}

void Directory::replace(store::Batch& batch, const ProfileRecord* before,
                        const ProfileRecord* after) const {
  const auto index = [](const ProfileRecord& profile) {
    return list_of("profile-of", base::to_lower(profile.role)) + base::to_lower(profile.name);
  };
  if (before != nullptr) {
    batch.erase(kTable, named(kProfilePrefix, before->name));
    if (!before->role.empty()) batch.erase(kTable, index(*before));
  }
  if (after != nullptr) {
    batch.put(kTable, named(kProfilePrefix, after->name), to_text(*after));
    if (!after->role.empty()) batch.put(kTable, index(*after), {});
  }
}

void Directory::replace(store::Batch& batch, const AccessKeyRecord* before,
                        const AccessKeyRecord* after) const {
  const auto index = [](const AccessKeyRecord& key) {
    return list_of("key-of", base::to_lower(key.user)) + key.id;
  };
  if (before != nullptr) {
    batch.erase(kTable, std::string(kKeyPrefix) + before->id);
    batch.erase(kTable, index(*before));
    if (after == nullptr) batch.erase(kTable, std::string(kUsedPrefix) + before->id);
  }
  if (after != nullptr) {
    batch.put(kTable, std::string(kKeyPrefix) + after->id, to_text(*after));
    batch.put(kTable, index(*after), {});
  }
}

void Directory::put(store::Batch& batch, const PolicyRecord& policy) const {
  batch.put(kTable, named(kPolicyPrefix, policy.name), to_text(policy));
}

void Directory::erase(store::Batch& batch, const PolicyRecord& policy) const {
  batch.erase(kTable, named(kPolicyPrefix, policy.name));
}

}  // namespace terrarium::iam
