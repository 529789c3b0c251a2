// Who a key belongs to, when it was last used, and which policies speak about its owner.
#include <algorithm>

#include "lib/base/log.h"
#include "terrarium/services/iam/service.h"

namespace terrarium::iam {
namespace {

using base::Result;

constexpr auto kTable = store::Table::Control;
// A crash may forget the latest uses of a key, but no more than these.
constexpr base::Duration kUseWrittenEvery = std::chrono::minutes(15);

wire::PrincipalKind principal_kind(SessionKind kind) {
  switch (kind) {
    case SessionKind::Role: return wire::PrincipalKind::AssumedRole;
    case SessionKind::Root: return wire::PrincipalKind::Root;
    case SessionKind::User:
    case SessionKind::Federated: break;
  }
  return wire::PrincipalKind::User;
}

wire::Key key_of(SessionRecord session) {
  wire::Key key;
  key.secret = std::move(session.secret);
  key.session_token = std::move(session.token);
  key.expiration = session.expiration;
  key.principal.kind = principal_kind(session.kind);
  key.principal.arn = std::move(session.arn);
  key.principal.id = std::move(session.id);
  return key;
}

Result<void> add_managed(const Directory& directory, std::vector<PolicyText>& out,
                         const std::string& arn) {
  TRY(const std::optional<PolicyRecord> policy, directory.read_policy(arn));
  const PolicyVersionRecord* const version =
      policy ? policy->version(policy->default_version) : nullptr;
  // One that is gone has no document, but narrows a session all the same.
  out.push_back({arn, version == nullptr ? std::string() : version->document});
  return {};
}

// "AROA...:SESSION" is a session of the role AROA...; a federated user's id tells its account only,
// and a principal without one is asked about by its name.
bool is_owner(const Entity& owner, std::string_view principal_id) {
  if (!principal_id.starts_with("AROA") && !principal_id.starts_with("AIDA")) return true;
  return principal_id.substr(0, principal_id.find(':')) == owner.id;
}

}  // namespace

Result<std::optional<wire::Key>> Service::find(std::string_view access_key_id) const {
  wire::Key key;
  if (access_key_id == config_.root_access_key_id) {
    key.secret = config_.root_secret_access_key;
    key.principal.kind = wire::PrincipalKind::Root;
    key.principal.arn = "arn:aws:iam::" + config_.account + ":root";
    key.principal.id = config_.account;
  } else if (access_key_id.starts_with("ASIA")) {
    TRY(const std::optional<std::string> text,
        store_.get(kTable, std::string(kSessionPrefix) + std::string(access_key_id)));
    if (!text) return std::optional<wire::Key>();
    TRY(SessionRecord session, parse_session(*text));
    key = key_of(std::move(session));
  } else {
    TRY(std::optional<AccessKeyRecord> record, directory_.read_key(access_key_id));
    if (!record || !record->active) return std::optional<wire::Key>();
    TRY(const std::optional<Entity> user, directory_.read(Kind::User, record->user));
    if (!user) return std::optional<wire::Key>();
    key.secret = std::move(record->secret);
    key.principal.kind = wire::PrincipalKind::User;
    key.principal.arn = directory_.arn(Kind::User, *user);
    key.principal.id = user->id;
  }
  key.principal.account = config_.account;
  key.principal.access_key_id = access_key_id;
  return std::optional(std::move(key));
}

// On every request: a lock and a map's lookup; a write every quarter of an hour.
void Service::used(std::string_view access_key_id, std::string_view service,
                   std::string_view region, base::Timestamp now) const {
  if (!access_key_id.starts_with("AKIA") || access_key_id == config_.root_access_key_id) return;
  const std::string id(access_key_id);
  KeyUse use{now, std::string(service), std::string(region)};
  {
    const std::lock_guard lock(used_mutex_);
    used_[id] = use;
    const auto [written, is_new] = used_written_.try_emplace(id, now);
    if (!is_new && now - written->second < kUseWrittenEvery) return;
    written->second = now;
  }
  store::Batch batch;
  batch.put(kTable, std::string(kUsedPrefix) + id, to_text(use));
  if (const auto done = store_.write(std::move(batch)); !done) {
    base::log::warning("iam", "the use of a key was not written: {}", base::describe(done.error()));
  }
}

Result<PrincipalPolicies> Service::policies_of(const wire::Principal& principal) const {
  PrincipalPolicies out;
  std::optional<SessionRecord> session;
  if (principal.access_key_id.starts_with("ASIA")) {
    TRY(const std::optional<std::string> text,
        store_.get(kTable, std::string(kSessionPrefix) + principal.access_key_id));
    if (text) {
      TRY(session, parse_session(*text));
    }
  }
  if (session) {
    if (!session->policy.empty()) out.session.push_back({"session", session->policy});
    for (const std::string& arn : session->policy_arns)
      TRY_VOID(add_managed(directory_, out.session, arn));
  }
  out.is_root = principal.kind == wire::PrincipalKind::Root ||
                (session && session->kind == SessionKind::Federated && session->subject.empty());
  const bool is_role = principal.kind == wire::PrincipalKind::AssumedRole;
  if (out.is_root || (!is_role && principal.kind != wire::PrincipalKind::User)) return out;
  // "…:user/path/NAME"; of a session the name of its role or of its user.
  std::string name = session ? session->subject : principal.arn;
  name = name.substr(name.rfind('/') + 1);
  TRY(const std::optional<Entity> owner, directory_.read(is_role ? Kind::Role : Kind::User, name));
  // An old session of a name that somebody else has now.
  if (!owner || !is_owner(*owner, principal.id)) return out;
  std::vector<Entity> speaking{*owner};
  for (const std::string& group : owner->groups) {
    TRY(std::optional<Entity> found, directory_.read(Kind::Group, group));
    if (found) speaking.push_back(*std::move(found));
  }
  for (const Entity& each : speaking) {
    for (const auto& [policy, document] : each.policies) out.identity.push_back({policy, document});
    for (const std::string& arn : each.attached)
      TRY_VOID(add_managed(directory_, out.identity, arn));
  }
  if (!owner->boundary.empty()) {
    std::vector<PolicyText> boundary;
    TRY_VOID(add_managed(directory_, boundary, owner->boundary));
    out.boundary = boundary.front();
  }
  return out;
}

}  // namespace terrarium::iam
