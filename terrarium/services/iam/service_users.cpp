// Users and their access keys.
#include <algorithm>

#include "generated/iam/errors.h"
#include "terrarium/services/iam/rules.h"
#include "terrarium/services/iam/service.h"

namespace terrarium::iam {
namespace {

using base::Result;
using runtime::Task;

constexpr std::size_t kUserNameLengthMax = 64;
constexpr std::size_t kSecretLength = 40;
constexpr std::string_view kSecretAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::vector<Tag> tags_of(const Entity& entity) {
  std::vector<Tag> tags;
  for (const auto& [key, text] : entity.tags) tags.push_back({key, text});
  return tags;
}

}  // namespace

User Service::user_of(const Entity& entity) const {
  User user;
  user.path = entity.path;
  user.user_name = entity.name;
  user.user_id = entity.id;
  user.arn = arn(Kind::User, entity);
  user.create_date = entity.created;
  if (!entity.tags.empty()) user.tags = tags_of(entity);
  return user;
}

Result<std::string> Service::subject(const Context& context,
                                     const std::optional<std::string>& user_name) const {
  if (user_name) return *user_name;
  if (context.principal.kind == wire::PrincipalKind::User) {
    return context.principal.arn.substr(context.principal.arn.rfind('/') + 1);
  }
  return base::fail(errors::kValidationError,
                    "Must specify userName when calling with non-User credentials");
}

Task<Result<CreateUserResponse>> Service::create_user(const Context& context,
                                                      CreateUserRequest request) {
  CO_TRY_VOID(check_name(request.user_name, "userName", kUserNameLengthMax));
  CO_TRY_VOID(refuse_boundary(request.permissions_boundary));
  Entity entity;
  entity.name = request.user_name;
  CO_TRY(entity.path, check_path(request.path));
  CO_TRY(entity.tags, check_tags(request.tags));
  CO_TRY(const std::optional<Entity> existing, read(Kind::User, entity.name));
  if (existing) {
    co_return base::fail(errors::kEntityAlreadyExistsException,
                         "User with name " + entity.name + " already exists.");
  }
  entity.id = new_id("AIDA");
  entity.created = context.now;
  CreateUserResponse response{user_of(entity)};
  CO_TRY_VOID(co_await save(Kind::User, std::move(entity)));
  co_return response;
}

Task<Result<wire::Empty>> Service::delete_user(const Context&, DeleteUserRequest request) {
  CO_TRY(const Entity entity, need(Kind::User, request.user_name));
  CO_TRY(const std::vector<AccessKeyRecord> keys, keys_of(entity.name));
  if (!keys.empty()) {
    co_return base::fail(errors::kDeleteConflictException,
                         "Cannot delete entity, must delete access keys first.");
  }
  if (!entity.policies.empty()) {
    co_return base::fail(errors::kDeleteConflictException,
                         "Cannot delete entity, must delete policies first.");
  }
  store::Batch batch;
  batch.erase(store::Table::Control, std::string(kUserPrefix) + entity.name);
  CO_TRY_VOID(co_await store_.commit(std::move(batch)));
  co_return Empty{};
}

Task<Result<GetUserResponse>> Service::get_user(const Context& context, GetUserRequest request) {
  if (!request.user_name && context.principal.kind == wire::PrincipalKind::Root) {
    User root;
    root.path = "/";
    root.user_name = config_.account;
    root.user_id = config_.account;
    root.arn = context.principal.arn;
    co_return GetUserResponse{std::move(root)};
  }
  CO_TRY(const std::string name, subject(context, request.user_name));
  CO_TRY(const Entity entity, need(Kind::User, name));
  co_return GetUserResponse{user_of(entity)};
}

Task<Result<ListUsersResponse>> Service::list_users(const Context&, ListUsersRequest request) {
  CO_TRY(Page found, page(Kind::User, request.path_prefix, request.marker, request.max_items));
  ListUsersResponse response;
  for (const Entity& entity : found.entities) response.users.push_back(user_of(entity));
  response.is_truncated = found.marker.has_value();
  response.marker = found.marker;
  co_return response;
}

Result<std::vector<AccessKeyRecord>> Service::keys_of(const std::string& user) const {
  std::vector<AccessKeyRecord> keys;
  const auto cursor = store_.scan(store::Table::Control, kKeyPrefix, store::prefix_end(kKeyPrefix));
  for (; cursor->valid(); cursor->next()) {
    TRY(AccessKeyRecord key, parse_access_key(cursor->value()));
    if (key.user == user) keys.push_back(std::move(key));
  }
  std::ranges::sort(keys, {}, &AccessKeyRecord::created);
  return keys;
}

Result<AccessKeyRecord> Service::need_key(const std::string& id, const std::string& user) const {
  TRY(const std::optional<std::string> text,
      store_.get(store::Table::Control, std::string(kKeyPrefix) + id));
  if (text) {
    TRY(AccessKeyRecord key, parse_access_key(*text));
    if (key.user == user) return key;
  }
  return base::fail(errors::kNoSuchEntityException,
                    "The Access Key with id " + id + " cannot be found.");
}

Task<Result<CreateAccessKeyResponse>> Service::create_access_key(const Context& context,
                                                                 CreateAccessKeyRequest request) {
  CO_TRY(const std::string name, subject(context, request.user_name));
  CO_TRY_VOID(need(Kind::User, name));
  CO_TRY(const std::vector<AccessKeyRecord> keys, keys_of(name));
  if (keys.size() >= kAccessKeysPerUserMax) {
    co_return base::fail(
        errors::kLimitExceededException,
        "Cannot exceed quota for AccessKeysPerUser: " + std::to_string(kAccessKeysPerUserMax));
  }
  // AWS's ids have 20 characters: AKIA and 16 more.
  AccessKeyRecord key{.id = new_id("AKIA").substr(0, 20),
                      .user = name,
                      .secret = random_.text(kSecretLength, kSecretAlphabet),
                      .active = true,
                      .created = context.now};
  store::Batch batch;
  batch.put(store::Table::Control, std::string(kKeyPrefix) + key.id, to_text(key));
  CO_TRY_VOID(co_await store_.commit(std::move(batch)));
  CreateAccessKeyResponse response;
  response.access_key.user_name = key.user;
  response.access_key.access_key_id = key.id;
  response.access_key.status = "Active";
  response.access_key.secret_access_key = key.secret;
  response.access_key.create_date = key.created;
  co_return response;
}

Task<Result<wire::Empty>> Service::delete_access_key(const Context& context,
                                                     DeleteAccessKeyRequest request) {
  CO_TRY(const std::string name, subject(context, request.user_name));
  CO_TRY_VOID(need(Kind::User, name));
  CO_TRY(const AccessKeyRecord key, need_key(request.access_key_id, name));
  store::Batch batch;
  batch.erase(store::Table::Control, std::string(kKeyPrefix) + key.id);
  CO_TRY_VOID(co_await store_.commit(std::move(batch)));
  co_return Empty{};
}

Task<Result<ListAccessKeysResponse>> Service::list_access_keys(const Context& context,
                                                               ListAccessKeysRequest request) {
  CO_TRY(const std::string name, subject(context, request.user_name));
  CO_TRY_VOID(need(Kind::User, name));
  CO_TRY(const std::vector<AccessKeyRecord> keys, keys_of(name));
  ListAccessKeysResponse response;
  for (const AccessKeyRecord& key : keys) {
    AccessKeyMetadata entry;
    entry.user_name = key.user;
    entry.access_key_id = key.id;
    entry.status = key.active ? "Active" : "Inactive";
    entry.create_date = key.created;
    response.access_key_metadata.push_back(std::move(entry));
  }
  response.is_truncated = false;
  co_return response;
}

Task<Result<wire::Empty>> Service::update_access_key(const Context& context,
                                                     UpdateAccessKeyRequest request) {
  CO_TRY(const std::string name, subject(context, request.user_name));
  CO_TRY_VOID(need(Kind::User, name));
  CO_TRY(AccessKeyRecord key, need_key(request.access_key_id, name));
  if (request.status != "Active" && request.status != "Inactive") {
    co_return base::fail(errors::kValidationError,
                         "Status is Active or Inactive, not '" + request.status + "'.");
  }
  key.active = request.status == "Active";
  store::Batch batch;
  batch.put(store::Table::Control, std::string(kKeyPrefix) + key.id, to_text(key));
  CO_TRY_VOID(co_await store_.commit(std::move(batch)));
  co_return Empty{};
}

}  // namespace terrarium::iam
