// Temporary credentials: made, kept until some time after they have expired, and then forgotten.
#include <fmt/format.h>

#include "generated/iam/errors.h"
#include "lib/base/encoding.h"
#include "terrarium/services/iam/service.h"

namespace terrarium::iam {
namespace {

using base::Result;
using runtime::Task;

constexpr auto kTable = store::Table::Control;
constexpr std::size_t kSessionTokenBytes = 96;
// Until then their holder is told that they have expired, afterwards that there is no such key.
constexpr base::Duration kKeptAfterExpiry = std::chrono::hours(24);
// Forgotten with each new session: so that none waits long, and more go than come.
constexpr int kForgottenMax = 100;

std::string expiry_key(base::Timestamp expiration, std::string_view id) {
  return fmt::format("{}{:016x}{}", kExpiryPrefix, expiration.time_since_epoch().count(), id);
}

void forget_expired(const store::Store& store, base::Timestamp now, store::Batch& batch) {
  const std::size_t before_id = expiry_key({}, {}).size();
  const auto cursor = store.scan(kTable, kExpiryPrefix, expiry_key(now - kKeptAfterExpiry, {}));
  for (int i = 0; cursor->valid() && i < kForgottenMax; cursor->next(), ++i) {
    const std::string_view key = cursor->key();
    batch.erase(kTable, std::string(kSessionPrefix) + std::string(key.substr(before_id)));
    batch.erase(kTable, std::string(key));
  }
}

}  // namespace

Task<Result<TemporaryCredentials>> Service::keep_session(SessionRecord record,
                                                         std::chrono::seconds lifetime) {
  TemporaryCredentials made;
  made.access_key_id = new_key_id(random_, "ASIA");
  made.secret_access_key = new_secret(random_);
  std::string token(kSessionTokenBytes, '\0');
  random_.fill(std::as_writable_bytes(std::span(token)));
  made.session_token = base::base64_encode(token);
  // AWS tells whole seconds.
  made.expiration = std::chrono::floor<std::chrono::seconds>(clock_.now()) + lifetime;
  made.assumed_role_arn = record.arn;
  made.assumed_role_id = record.id;
  record.secret = made.secret_access_key;
  record.token = made.session_token;
  record.expiration = made.expiration;
  store::Batch batch;
  forget_expired(store_, clock_.now(), batch);
  batch.put(kTable, std::string(kSessionPrefix) + made.access_key_id, to_text(record));
  batch.put(kTable, expiry_key(made.expiration, made.access_key_id), {});
  CO_TRY_VOID(co_await store_.commit(std::move(batch)));
  co_return made;
}

Result<std::optional<RoleFacts>> Service::role(const std::string& role_arn) const {
  TRY(const RoleName name, parse_role_arn(role_arn));
  TRY(const std::optional<Entity> found, directory_.read(Kind::Role, name.name));
  if (!found || directory_.arn(Kind::Role, *found) != role_arn) return std::optional<RoleFacts>();
  return std::optional(
      RoleFacts{role_arn, found->trust, std::chrono::seconds(found->max_session_seconds)});
}

Result<SessionLimits> Service::limits_of(const std::string& access_key_id) const {
  SessionLimits limits;
  TRY(const auto text, store_.get(kTable, std::string(kSessionPrefix) + access_key_id));
  if (!text) return limits;
  TRY(SessionRecord session, parse_session(*text));
  limits.policy = std::move(session.policy);
  limits.policy_arns = std::move(session.policy_arns);
  limits.tags = std::move(session.tags);
  limits.transitive_tags = std::move(session.transitive_tags);
  limits.source_identity = std::move(session.source_identity);
  return limits;
}

Result<std::optional<std::string>> Service::account_of_key(const std::string& id) const {
  if (id == config_.root_access_key_id) return std::optional(config_.account);
  const bool temporary = id.starts_with("ASIA");
  TRY(const auto text,
      store_.get(kTable, std::string(temporary ? kSessionPrefix : kKeyPrefix) + id));
  return text ? std::optional(config_.account) : std::nullopt;
}

Result<bool> Service::policy_exists(const std::string& policy_arn) const {
  TRY(const std::optional<PolicyRecord> policy, directory_.read_policy(policy_arn));
  return policy.has_value();
}

Task<Result<TemporaryCredentials>> Service::assume(std::string role_arn, std::string session_name,
                                                   std::chrono::seconds lifetime) {
  return assume_role(std::move(role_arn), std::move(session_name), lifetime, {});
}

Task<Result<TemporaryCredentials>> Service::assume_role(std::string role_arn,
                                                        std::string session_name,
                                                        std::chrono::seconds lifetime,
                                                        SessionLimits limits) {
  CO_TRY(const RoleName name, parse_role_arn(role_arn));
  CO_TRY_VOID(check_name(session_name, "roleSessionName"));
  CO_TRY(const std::optional<Entity> role, directory_.read(Kind::Role, name.name));
  if (!role || directory_.arn(Kind::Role, *role) != role_arn) {
    co_return base::fail(errors::kNoSuchEntityException,
                         "The role with name " + name.name + " cannot be found.");
  }
  SessionRecord record{
      .kind = SessionKind::Role,
      .arn = "arn:aws:sts::" + config_.account + ":assumed-role/" + name.name + "/" + session_name,
      .id = role->id + ":" + session_name,
      .subject = role_arn,
      .policy = std::move(limits.policy),
      .policy_arns = std::move(limits.policy_arns),
      .tags = std::move(limits.tags),
      .transitive_tags = std::move(limits.transitive_tags),
      .source_identity = std::move(limits.source_identity)};
  co_return co_await keep_session(std::move(record), lifetime);
}

Task<Result<TemporaryCredentials>> Service::session_of(std::string access_key_id,
                                                       std::chrono::seconds lifetime) {
  CO_TRY(const std::optional<wire::Key> key, find(access_key_id));
  if (!key) {
    co_return base::fail(errors::kInvalidClientTokenId,
                         "The security token included in the request is invalid.");
  }
  const bool is_root = key->principal.kind == wire::PrincipalKind::Root;
  SessionRecord record{.kind = is_root ? SessionKind::Root : SessionKind::User,
                       .arn = key->principal.arn,
                       .id = key->principal.id};
  if (!is_root) record.subject = record.arn.substr(record.arn.rfind('/') + 1);
  co_return co_await keep_session(std::move(record), lifetime);
}

Task<Result<TemporaryCredentials>> Service::federate(std::string access_key_id, std::string name,
                                                     std::chrono::seconds lifetime,
                                                     SessionLimits limits) {
  CO_TRY(const std::optional<wire::Key> key, find(access_key_id));
  if (!key) {
    co_return base::fail(errors::kInvalidClientTokenId,
                         "The security token included in the request is invalid.");
  }
  SessionRecord record{.kind = SessionKind::Federated,
                       .arn = "arn:aws:sts::" + config_.account + ":federated-user/" + name,
                       .id = config_.account + ":" + name,
                       .policy = std::move(limits.policy),
                       .policy_arns = std::move(limits.policy_arns),
                       .tags = std::move(limits.tags)};
  // Whose permissions it has; root's without a name.
  if (key->principal.kind == wire::PrincipalKind::User) {
    record.subject = key->principal.arn.substr(key->principal.arn.rfind('/') + 1);
  }
  co_return co_await keep_session(std::move(record), lifetime);
}

}  // namespace terrarium::iam
