// Who a key belongs to, and temporary credentials for roles.
#include "generated/iam/errors.h"
#include "lib/aws/arn.h"
#include "lib/base/digest.h"
#include "lib/base/encoding.h"
#include "terrarium/services/iam/rules.h"
#include "terrarium/services/iam/service.h"

namespace terrarium::iam {
namespace {

using base::Result;
using runtime::Task;
using namespace std::chrono_literals;

constexpr std::size_t kSessionTokenBytes = 96;
constexpr std::size_t kSecretLength = 40;
constexpr std::string_view kSecretAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::size_t kSessionNameLengthMax = 64;
// Expired sessions are cleared when a new one is made; this many a time, so that none waits long.
constexpr int kExpiredClearedMax = 100;

}  // namespace

Result<std::optional<wire::Key>> Service::find(std::string_view access_key_id) const {
  wire::Key key;
  key.principal.account = config_.account;
  key.principal.access_key_id = access_key_id;
  if (access_key_id == config_.root_access_key_id) {
    key.secret = config_.root_secret_access_key;
    key.principal.kind = wire::PrincipalKind::Root;
    key.principal.arn = "arn:aws:iam::" + config_.account + ":root";
    key.principal.id = config_.account;
    return std::optional(std::move(key));
  }
  const bool temporary = access_key_id.starts_with("ASIA");
  TRY(const std::optional<std::string> text,
      store_.get(store::Table::Control, std::string(temporary ? kSessionPrefix : kKeyPrefix) +
                                            std::string(access_key_id)));
  if (!text) return std::optional<wire::Key>();
  if (temporary) {
    TRY(SessionRecord session, parse_session(*text));
    key.secret = std::move(session.secret);
    key.session_token = std::move(session.token);
    key.expiration = session.expiration;
    key.principal.kind = wire::PrincipalKind::AssumedRole;
    key.principal.arn = std::move(session.assumed_role_arn);
    key.principal.id = std::move(session.assumed_role_id);
    return std::optional(std::move(key));
  }
  TRY(AccessKeyRecord record, parse_access_key(*text));
  TRY(const std::optional<Entity> user, read(Kind::User, record.user));
  if (!record.active || !user) return std::optional<wire::Key>();
  key.secret = std::move(record.secret);
  key.principal.kind = wire::PrincipalKind::User;
  key.principal.arn = arn(Kind::User, *user);
  key.principal.id = user->id;
  return std::optional(std::move(key));
}

Result<bool> Service::role_exists(const std::string& role_arn) const {
  TRY(const RoleName name, parse_role_arn(role_arn));
  TRY(const std::optional<Entity> role, read(Kind::Role, name.name));
  return role.has_value();
}

Task<Result<TemporaryCredentials>> Service::assume(std::string role_arn, std::string session_name,
                                                   std::chrono::seconds lifetime) {
  CO_TRY(const RoleName name, parse_role_arn(role_arn));
  CO_TRY_VOID(check_name(session_name, "roleSessionName", kSessionNameLengthMax));
  CO_TRY(const std::optional<Entity> role, read(Kind::Role, name.name));
  std::string id;
  if (role) {
    id = role->id;
  } else {
    // The same id each time, as a role that exists would have.
    const std::string hash = base::digest(base::DigestKind::Sha256, role_arn);
    id = "AROA" + base::hex_encode(hash).substr(0, 17);
    for (char& c : id) c = static_cast<char>(c >= 'a' && c <= 'f' ? c - 'a' + 'A' : c);
  }
  TemporaryCredentials made;
  made.access_key_id = new_id("ASIA").substr(0, 20);
  made.secret_access_key = random_.text(kSecretLength, kSecretAlphabet);
  std::string token(kSessionTokenBytes, '\0');
  random_.fill(std::as_writable_bytes(std::span(token)));
  made.session_token = base::base64_encode(token);
  made.expiration = clock_.now() + lifetime;
  made.assumed_role_arn =
      "arn:aws:sts::" + config_.account + ":assumed-role/" + name.name + "/" + session_name;
  made.assumed_role_id = id + ":" + session_name;
  const SessionRecord record{.secret = made.secret_access_key,
                             .token = made.session_token,
                             .role_arn = role_arn,
                             .assumed_role_arn = made.assumed_role_arn,
                             .assumed_role_id = made.assumed_role_id,
                             .expiration = made.expiration};
  store::Batch batch;
  batch.put(store::Table::Control, std::string(kSessionPrefix) + made.access_key_id,
            to_text(record));
  const auto cursor =
      store_.scan(store::Table::Control, kSessionPrefix, store::prefix_end(kSessionPrefix));
  int cleared = 0;
  for (; cursor->valid() && cleared < kExpiredClearedMax; cursor->next()) {
    const auto old = parse_session(cursor->value());
    if (old && old->expiration > clock_.now()) continue;
    batch.erase(store::Table::Control, std::string(cursor->key()));
    ++cleared;
  }
  CO_TRY_VOID(co_await store_.commit(std::move(batch)));
  co_return made;
}

}  // namespace terrarium::iam
