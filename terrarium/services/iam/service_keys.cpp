// Access keys and login profiles of users.
#include "generated/iam/errors.h"
#include "terrarium/services/iam/service.h"

namespace terrarium::iam {
namespace {

using base::Result;
using runtime::Task;

std::unexpected<base::Error> no_login(const std::string& user) {
  return base::fail(errors::kNoSuchEntityException,
                    "Login Profile for User " + user + " cannot be found.");
}

LoginProfile login_of(const Entity& user) {
  LoginProfile login;
  login.user_name = user.name;
  login.create_date = user.login->created;
  login.password_reset_required = user.login->reset_required;
  return login;
}

Result<AccessKeyRecord> need_key(const Directory& directory, const std::string& id,
                                 const std::string& user) {
  TRY(std::optional<AccessKeyRecord> key, directory.read_key(id));
  if (key && key->user == user) return *std::move(key);
  return base::fail(errors::kNoSuchEntityException,
                    "The Access Key with id " + id + " cannot be found.");
}

}  // namespace

Task<Result<CreateAccessKeyResponse>> Service::create_access_key(const Context& context,
                                                                 CreateAccessKeyRequest request) {
  CO_TRY(const std::string name, subject(context, request.user_name));
  CO_TRY(const Entity user, directory_.need(Kind::User, name));
  CO_TRY(const std::vector<AccessKeyRecord> keys, directory_.keys_of(user.name));
  if (keys.size() >= kAccessKeysPerUserMax) {
    co_return base::fail(
        errors::kLimitExceededException,
        "Cannot exceed quota for AccessKeysPerUser: " + std::to_string(kAccessKeysPerUserMax));
  }
  const AccessKeyRecord key{.id = new_key_id(random_, "AKIA"),
                            .user = user.name,
                            .secret = new_secret(random_),
                            .active = true,
                            .created = context.now};
  store::Batch batch;
  directory_.replace(batch, nullptr, &key);
  CO_TRY_VOID(co_await commit(std::move(batch)));
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
  CO_TRY(const Entity user, directory_.need(Kind::User, name));
  CO_TRY(const AccessKeyRecord key, need_key(directory_, request.access_key_id, user.name));
  store::Batch batch;
  directory_.replace(batch, &key, nullptr);
  {
    const std::lock_guard lock(used_mutex_);
    used_.erase(key.id);
    used_written_.erase(key.id);
  }
  co_return co_await commit(std::move(batch));
}

Task<Result<ListAccessKeysResponse>> Service::list_access_keys(const Context& context,
                                                               ListAccessKeysRequest request) {
  CO_TRY(const std::string name, subject(context, request.user_name));
  CO_TRY(const Entity user, directory_.need(Kind::User, name));
  CO_TRY(std::vector<AccessKeyRecord> keys, directory_.keys_of(user.name));
  CO_TRY(const Page<AccessKeyRecord> page,
         page_of(std::move(keys), request.marker, request.max_items));
  ListAccessKeysResponse response;
  for (const AccessKeyRecord& key : page.items) {
    AccessKeyMetadata entry;
    entry.user_name = key.user;
    entry.access_key_id = key.id;
    entry.status = key.active ? "Active" : "Inactive";
    entry.create_date = key.created;
    response.access_key_metadata.push_back(std::move(entry));
  }
  finish(response, page);
  co_return response;
}

Task<Result<wire::Empty>> Service::update_access_key(const Context& context,
                                                     UpdateAccessKeyRequest request) {
  CO_TRY(const std::string name, subject(context, request.user_name));
  CO_TRY(const Entity user, directory_.need(Kind::User, name));
  CO_TRY(const AccessKeyRecord before, need_key(directory_, request.access_key_id, user.name));
  AccessKeyRecord after = before;
  after.active = request.status == "Active";
  store::Batch batch;
  directory_.replace(batch, &before, &after);
  co_return co_await commit(std::move(batch));
}

Task<Result<GetAccessKeyLastUsedResponse>> Service::get_access_key_last_used(
    const Context& context, GetAccessKeyLastUsedRequest request) {
  CO_TRY(const std::optional<AccessKeyRecord> key, directory_.read_key(request.access_key_id));
  if (!key) {
    co_return base::fail(errors::kAccessDenied,
                         "User: " + context.principal.arn +
                             " is not authorized to perform iam:GetAccessKeyLastUsed on resource: "
                             "access key " +
                             request.access_key_id);
  }
  std::optional<KeyUse> use;
  {
    const std::lock_guard lock(used_mutex_);
    if (const auto found = used_.find(key->id); found != used_.end()) use = found->second;
  }
  if (!use) {
    CO_TRY(const auto text, store_.get(store::Table::Control, std::string(kUsedPrefix) + key->id));
    if (text) {
      CO_TRY(use, parse_key_use(*text));
    }
  }
  GetAccessKeyLastUsedResponse response;
  response.user_name = key->user;
  AccessKeyLastUsed& last = response.access_key_last_used.emplace();
  last.service_name = use ? use->service : "N/A";
  last.region = use ? use->region : "N/A";
  // Whole seconds, as AWS tells it.
  if (use) last.last_used_date = std::chrono::floor<std::chrono::seconds>(use->time);
  co_return response;
}

Task<Result<CreateLoginProfileResponse>> Service::create_login_profile(
    const Context& context, CreateLoginProfileRequest request) {
  CO_TRY(const Entity before, directory_.need(Kind::User, request.user_name));
  if (before.login) {
    co_return base::fail(errors::kEntityAlreadyExistsException,
                         "Login Profile for user " + before.name + " already exists.");
  }
  Entity after = before;
  // The password is not kept: there is no console that would ask for it.
  after.login = LoginProfileRecord{context.now, request.password_reset_required.value_or(false)};
  CO_TRY_VOID(co_await save(Kind::User, before, after));
  co_return CreateLoginProfileResponse{login_of(after)};
}

Task<Result<GetLoginProfileResponse>> Service::get_login_profile(const Context&,
                                                                 GetLoginProfileRequest request) {
  CO_TRY(const Entity user, directory_.need(Kind::User, request.user_name));
  if (!user.login) co_return no_login(user.name);
  co_return GetLoginProfileResponse{login_of(user)};
}

Task<Result<wire::Empty>> Service::update_login_profile(const Context&,
                                                        UpdateLoginProfileRequest request) {
  CO_TRY(const Entity before, directory_.need(Kind::User, request.user_name));
  if (!before.login) co_return no_login(before.name);
  Entity after = before;
  if (request.password_reset_required) {
    after.login->reset_required = *request.password_reset_required;
  }
  co_return co_await save(Kind::User, before, after);
}

Task<Result<wire::Empty>> Service::delete_login_profile(const Context&,
                                                        DeleteLoginProfileRequest request) {
  CO_TRY(const Entity before, directory_.need(Kind::User, request.user_name));
  if (!before.login) co_return no_login(before.name);
  Entity after = before;
  after.login.reset();
  co_return co_await save(Kind::User, before, after);
}

}  // namespace terrarium::iam
