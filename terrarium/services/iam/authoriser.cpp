#include "terrarium/services/iam/authoriser.h"

#include "lib/base/log.h"
#include "terrarium/wire/identity_policy.h"

namespace terrarium::iam {
namespace {

using base::Result;
using wire::Permissions;
using wire::PermissionsPtr;

// Past that everything is read again: who has so many keys in use pays a little more.
constexpr std::size_t kCallersMax = 4096;
constexpr std::size_t kDocumentsMax = 1024;

bool is_federated(const wire::Principal& principal) {
  return principal.kind == wire::PrincipalKind::User && principal.arn.starts_with("arn:aws:sts:");
}

}  // namespace

Result<wire::Policy> Authoriser::parse(const PolicyText& text) const {
  {
    const std::lock_guard lock(mutex_);
    const auto found = parsed_.find(text.document);
    if (found != parsed_.end()) return found->second;
  }
  TRY(wire::Policy made, wire::parse_identity_policy(text.document));
  const std::lock_guard lock(mutex_);
  if (parsed_.size() >= kDocumentsMax) parsed_.clear();
  parsed_.emplace(text.document, made);
  return made;
}

Result<PermissionsPtr> Authoriser::read(const wire::Principal& principal) const {
  TRY(const PrincipalPolicies found, parts_.policies.policies_of(principal));
  auto made = std::make_shared<Permissions>();
  made->unlimited = found.is_root;
  bool readable = true;
  const auto add = [this, &readable](std::vector<wire::Policy>& out, const PolicyText& text) {
    if (text.document.empty()) return;  // of a policy that is gone: it allows nothing
    auto policy = parse(text);
    if (policy) {
      out.push_back(*std::move(policy));
      return;
    }
    readable = false;
    base::log::error("iam", "policy {} can't be read: {}", text.name,
                     base::describe(policy.error()));
  };
  for (const PolicyText& text : found.identity) add(made->identity, text);
  if (found.boundary) add(made->boundary.emplace(), *found.boundary);
  // A federated user's session is narrowed also when it was made with nothing.
  if (!found.session.empty() || is_federated(principal)) {
    auto& session = made->session.emplace();
    for (const PolicyText& text : found.session) add(session, text);
  }
  // What can't be read may deny: then nothing is allowed.
  if (!readable) made->boundary.emplace();
  return PermissionsPtr(std::move(made));
}

Result<PermissionsPtr> Authoriser::permissions_of(const wire::Principal& principal) const {
  // Before anything is read: what changes from now on makes it old.
  const std::uint64_t changes = parts_.store.changes();
  {
    const std::lock_guard lock(mutex_);
    if (changes_ != changes) {
      kept_.clear();
      changes_ = changes;
    }
    const auto found = kept_.find(principal.access_key_id);
    if (found != kept_.end()) return found->second;
  }
  TRY(PermissionsPtr made, read(principal));
  const std::lock_guard lock(mutex_);
  if (changes_ != changes) return made;
  if (kept_.size() >= kCallersMax) kept_.clear();
  kept_.insert_or_assign(principal.access_key_id, made);
  return made;
}

Result<bool> Authoriser::trusts(const std::string& role_arn, std::string_view service) const {
  TRY(const std::optional<RoleFacts> role, parts_.sessions.role(role_arn));
  if (!role) return false;
  const auto trust = wire::parse_trust_policy(role->trust);
  if (!trust) return false;
  const wire::PolicyRequest request =
      wire::policy_request_of_service(std::string(service), {}, directory_.account(),
                                      parts_.clock.now(), "sts:AssumeRole", role_arn);
  return trust->evaluate(request) == wire::Decision::Allow;
}

Result<bool> Authoriser::role_may(const std::string& role_arn, std::string_view region,
                                  const std::string& action, const std::string& resource) const {
  wire::Context context;
  context.region = region;
  context.account = directory_.account();
  context.now = parts_.clock.now();
  context.principal = {
      .kind = wire::PrincipalKind::AssumedRole, .account = directory_.account(), .arn = role_arn};
  TRY(const PermissionsPtr permissions, read(context.principal));
  return wire::judge(*permissions, nullptr, wire::policy_request(context, action, resource))
      .allowed;
}

std::string Authoriser::resource_arn(const wire::Context& context, std::string_view kind,
                                     std::string_view name) const {
  // Operations about users mean their caller when they name nobody.
  if (name.empty() && kind == "user") return context.principal.arn;
  if (kind == "instance-profile") {
    const auto profile = directory_.read_profile(name);
    if (profile && *profile) return directory_.arn(**profile);
  } else {
    const Kind entity_kind = kind == "user"    ? Kind::User
                             : kind == "group" ? Kind::Group
                                               : Kind::Role;
    const auto entity = directory_.read(entity_kind, name);
    if (entity && *entity) return directory_.arn(entity_kind, **entity);
  }
  return "arn:aws:iam::" + directory_.account() + ":" + std::string(kind) + "/" + std::string(name);
}

}  // namespace terrarium::iam
