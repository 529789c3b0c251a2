#include "terrarium/services/iam/records.h"

#include <algorithm>
#include <boost/json.hpp>

namespace terrarium::iam {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

std::int64_t to_number(base::Timestamp time) { return time.time_since_epoch().count(); }

// Records are ours: one that can't be read is a broken store, reported with what was read.
class Reader {
 public:
  explicit Reader(std::string_view text) {
    boost::system::error_code error;
    parsed_ = boost::json::parse(text, error);
    ok_ = !error && parsed_.is_object();
  }
  explicit Reader(value parsed) : parsed_(std::move(parsed)), ok_(parsed_.is_object()) {}

  std::string text(std::string_view name) {
    const value* const found = member(name);
    if (found == nullptr || !found->is_string()) return failed();
    return std::string(found->as_string());
  }
  std::int64_t number(std::string_view name) {
    const value* const found = member(name);
    if (found == nullptr || !found->is_int64()) {
      ok_ = false;
      return 0;
    }
    return found->as_int64();
  }
  std::int32_t small(std::string_view name) { return static_cast<std::int32_t>(number(name)); }
  std::optional<std::int32_t> optional_small(std::string_view name) {
    if (member(name) == nullptr) return std::nullopt;
    return small(name);
  }
  bool flag(std::string_view name) {
    const value* const found = member(name);
    return found != nullptr && found->is_bool() && found->as_bool();
  }
  base::Timestamp time(std::string_view name) {
    return base::Timestamp(base::Duration(number(name)));
  }
  std::vector<std::string> texts(std::string_view name) {
    std::vector<std::string> out;
    for (const value& one : list(name)) {
      if (one.is_string()) out.emplace_back(one.as_string());
    }
    return out;
  }
  std::map<std::string, std::string> map(std::string_view name) {
    std::map<std::string, std::string> out;
    const value* const found = member(name);
    if (found == nullptr || !found->is_object()) return out;
    for (const auto& [key, text] : found->as_object()) {
      if (text.is_string()) out.emplace(std::string(key), std::string(text.as_string()));
    }
    return out;
  }
  // [["key", "value"], ...]: in the order in which they were set.
  Tags tags() {
    Tags out;
    for (const value& tag : list("tags")) {
      if (!tag.is_array() || tag.as_array().size() != 2) continue;
      const array& pair = tag.as_array();
      if (!pair[0].is_string() || !pair[1].is_string()) continue;
      out.emplace_back(std::string(pair[0].as_string()), std::string(pair[1].as_string()));
    }
    return out;
  }
  array list(std::string_view name) const {
    const value* const found = member(name);
    return found != nullptr && found->is_array() ? found->as_array() : array();
  }
  const value* member(std::string_view name) const {
    return ok_ ? parsed_.as_object().if_contains(name) : nullptr;
  }
  bool ok() const { return ok_; }

 private:
  std::string failed() {
    ok_ = false;
    return {};
  }
  value parsed_;
  bool ok_ = false;
};

template <class Record>
base::Result<Record> checked(const Reader& reader, Record record, std::string_view what) {
  if (reader.ok()) return record;
  auto failure = base::fail(base::ErrorKind::Internal, "The request could not be completed.");
  failure.error().detail = "a broken record of IAM: " + std::string(what);
  return failure;
}

array to_json(const Tags& tags) {
  array out;
  for (const auto& [key, text] : tags) out.push_back(array{key, text});
  return out;
}

object to_json(const std::map<std::string, std::string>& texts) {
  object out;
  for (const auto& [key, text] : texts) out[key] = text;
  return out;
}

array to_json(const std::vector<std::string>& texts) {
  array out;
  for (const std::string& text : texts) out.emplace_back(text);
  return out;
}

}  // namespace

const PolicyVersionRecord* PolicyRecord::version(std::int32_t number) const {
  const auto found = std::ranges::find(versions, number, &PolicyVersionRecord::number);
  return found == versions.end() ? nullptr : &*found;
}

std::string to_text(const Entity& entity) {
  object record{{"name", entity.name},
                {"path", entity.path},
                {"id", entity.id},
                {"created_us", to_number(entity.created)},
                {"tags", to_json(entity.tags)},
                {"policies", to_json(entity.policies)},
                {"attached", to_json(entity.attached)},
                {"boundary", entity.boundary},
                {"groups", to_json(entity.groups)},
                {"trust", entity.trust},
                {"max_session_seconds", entity.max_session_seconds}};
  if (entity.description) record["description"] = *entity.description;
  if (entity.login) {
    record["login"] = object{{"created_us", to_number(entity.login->created)},
                             {"reset_required", entity.login->reset_required}};
  }
  return boost::json::serialize(record);
}

std::string to_text(const PolicyRecord& policy) {
  array versions;
  for (const PolicyVersionRecord& version : policy.versions) {
    versions.push_back(object{{"number", version.number},
                              {"document", version.document},
                              {"created_us", to_number(version.created)}});
  }
  return boost::json::serialize(object{{"name", policy.name},
                                       {"path", policy.path},
                                       {"id", policy.id},
                                       {"description", policy.description},
                                       {"created_us", to_number(policy.created)},
                                       {"updated_us", to_number(policy.updated)},
                                       {"tags", to_json(policy.tags)},
                                       {"default_version", policy.default_version},
                                       {"last_version", policy.last_version},
                                       {"versions", std::move(versions)}});
}

std::string to_text(const ProfileRecord& profile) {
  return boost::json::serialize(object{{"name", profile.name},
                                       {"path", profile.path},
                                       {"id", profile.id},
                                       {"created_us", to_number(profile.created)},
                                       {"tags", to_json(profile.tags)},
                                       {"role", profile.role}});
}

std::string to_text(const AccessKeyRecord& key) {
  return boost::json::serialize(object{{"id", key.id},
                                       {"user", key.user},
                                       {"secret", key.secret},
                                       {"active", key.active},
                                       {"created_us", to_number(key.created)}});
}

std::string to_text(const KeyUse& use) {
  return boost::json::serialize(
      object{{"time_us", to_number(use.time)}, {"service", use.service}, {"region", use.region}});
}

std::string to_text(const SessionRecord& session) {
  return boost::json::serialize(object{{"kind", static_cast<std::int64_t>(session.kind)},
                                       {"secret", session.secret},
                                       {"token", session.token},
                                       {"arn", session.arn},
                                       {"id", session.id},
                                       {"subject", session.subject},
                                       {"expiration_us", to_number(session.expiration)},
                                       {"policy", session.policy},
                                       {"policy_arns", to_json(session.policy_arns)},
                                       {"tags", to_json(session.tags)},
                                       {"transitive_tags", to_json(session.transitive_tags)},
                                       {"source_identity", session.source_identity}});
}

std::string to_text(const AccountRecord& account) {
  object record{{"alias", account.alias}};
  if (account.password_policy) {
    const PasswordPolicyRecord& policy = *account.password_policy;
    object made{{"minimum_length", policy.minimum_length},
                {"symbols", policy.symbols},
                {"numbers", policy.numbers},
                {"uppercase", policy.uppercase},
                {"lowercase", policy.lowercase},
                {"users_may_change", policy.users_may_change}};
    if (policy.max_age_days) made["max_age_days"] = *policy.max_age_days;
    if (policy.reuse_prevention) made["reuse_prevention"] = *policy.reuse_prevention;
    if (policy.hard_expiry) made["hard_expiry"] = *policy.hard_expiry;
    record["password_policy"] = std::move(made);
  }
  return boost::json::serialize(record);
}

base::Result<Entity> parse_entity(std::string_view text) {
  Reader reader(text);
  Entity entity;
  entity.name = reader.text("name");
  entity.path = reader.text("path");
  entity.id = reader.text("id");
  entity.created = reader.time("created_us");
  entity.tags = reader.tags();
  entity.policies = reader.map("policies");
  entity.attached = reader.texts("attached");
  entity.boundary = reader.text("boundary");
  entity.groups = reader.texts("groups");
  entity.trust = reader.text("trust");
  entity.max_session_seconds = reader.small("max_session_seconds");
  if (reader.member("description") != nullptr) entity.description = reader.text("description");
  if (const value* const login = reader.member("login"); login != nullptr) {
    Reader inner(*login);
    entity.login = LoginProfileRecord{inner.time("created_us"), inner.flag("reset_required")};
  }
  return checked(reader, std::move(entity), "entity");
}

base::Result<PolicyRecord> parse_policy(std::string_view text) {
  Reader reader(text);
  PolicyRecord policy;
  policy.name = reader.text("name");
  policy.path = reader.text("path");
  policy.id = reader.text("id");
  policy.description = reader.text("description");
  policy.created = reader.time("created_us");
  policy.updated = reader.time("updated_us");
  policy.tags = reader.tags();
  policy.default_version = reader.small("default_version");
  policy.last_version = reader.small("last_version");
  for (const value& version : reader.list("versions")) {
    Reader inner(version);
    policy.versions.push_back(
        {inner.small("number"), inner.text("document"), inner.time("created_us")});
  }
  return checked(reader, std::move(policy), "policy");
}

base::Result<ProfileRecord> parse_profile(std::string_view text) {
  Reader reader(text);
  ProfileRecord profile;
  profile.name = reader.text("name");
  profile.path = reader.text("path");
  profile.id = reader.text("id");
  profile.created = reader.time("created_us");
  profile.tags = reader.tags();
  profile.role = reader.text("role");
  return checked(reader, std::move(profile), "instance profile");
}

base::Result<AccessKeyRecord> parse_access_key(std::string_view text) {
  Reader reader(text);
  AccessKeyRecord key;
  key.id = reader.text("id");
  key.user = reader.text("user");
  key.secret = reader.text("secret");
  key.active = reader.flag("active");
  key.created = reader.time("created_us");
  return checked(reader, std::move(key), "access key");
}

base::Result<KeyUse> parse_key_use(std::string_view text) {
  Reader reader(text);
  KeyUse use{reader.time("time_us"), reader.text("service"), reader.text("region")};
  return checked(reader, std::move(use), "use of an access key");
}

base::Result<SessionRecord> parse_session(std::string_view text) {
  Reader reader(text);
  SessionRecord session;
  session.kind = static_cast<SessionKind>(reader.number("kind"));
  session.secret = reader.text("secret");
  session.token = reader.text("token");
  session.arn = reader.text("arn");
  session.id = reader.text("id");
  session.subject = reader.text("subject");
  session.expiration = reader.time("expiration_us");
  session.policy = reader.text("policy");
  session.policy_arns = reader.texts("policy_arns");
  session.tags = reader.tags();
  session.transitive_tags = reader.texts("transitive_tags");
  session.source_identity = reader.text("source_identity");
  return checked(reader, std::move(session), "session");
}

base::Result<AccountRecord> parse_account(std::string_view text) {
  Reader reader(text);
  AccountRecord account;
  account.alias = reader.text("alias");
  if (const value* const found = reader.member("password_policy"); found != nullptr) {
    Reader inner(*found);
    PasswordPolicyRecord policy;
    policy.minimum_length = inner.small("minimum_length");
    policy.symbols = inner.flag("symbols");
    policy.numbers = inner.flag("numbers");
    policy.uppercase = inner.flag("uppercase");
    policy.lowercase = inner.flag("lowercase");
    policy.users_may_change = inner.flag("users_may_change");
    policy.max_age_days = inner.optional_small("max_age_days");
    policy.reuse_prevention = inner.optional_small("reuse_prevention");
    if (inner.member("hard_expiry") != nullptr) policy.hard_expiry = inner.flag("hard_expiry");
    account.password_policy = policy;
  }
  return checked(reader, std::move(account), "account");
}

}  // namespace terrarium::iam
