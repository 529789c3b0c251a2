#include "terrarium/services/iam/records.h"

#include <boost/json.hpp>

namespace terrarium::iam {
namespace {

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
  base::Timestamp time(std::string_view name) {
    return base::Timestamp(base::Duration(number(name)));
  }
  const value* member(std::string_view name) {
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

}  // namespace

std::string to_text(const Entity& entity) {
  object tags;
  for (const auto& [key, text] : entity.tags) tags[key] = text;
  object policies;
  for (const auto& [name, document] : entity.policies) policies[name] = document;
  object record{{"name", entity.name},
                {"path", entity.path},
                {"id", entity.id},
                {"created_us", to_number(entity.created)},
                {"tags", tags},
                {"policies", policies},
                {"attached", boost::json::value_from(entity.attached)},
                {"trust", entity.trust},
                {"max_session_seconds", entity.max_session_seconds}};
  if (entity.description) record["description"] = *entity.description;
  return boost::json::serialize(record);
}

std::string to_text(const AccessKeyRecord& key) {
  return boost::json::serialize(object{{"id", key.id},
                                       {"user", key.user},
                                       {"secret", key.secret},
                                       {"active", key.active},
                                       {"created_us", to_number(key.created)}});
}

std::string to_text(const SessionRecord& session) {
  return boost::json::serialize(object{{"secret", session.secret},
                                       {"token", session.token},
                                       {"role_arn", session.role_arn},
                                       {"assumed_role_arn", session.assumed_role_arn},
                                       {"assumed_role_id", session.assumed_role_id},
                                       {"expiration_us", to_number(session.expiration)}});
}

base::Result<Entity> parse_entity(std::string_view text) {
  Reader reader(text);
  Entity entity;
  entity.name = reader.text("name");
  entity.path = reader.text("path");
  entity.id = reader.text("id");
  entity.created = reader.time("created_us");
  entity.trust = reader.text("trust");
  entity.max_session_seconds = static_cast<std::int32_t>(reader.number("max_session_seconds"));
  if (const value* const tags = reader.member("tags"); tags != nullptr && tags->is_object()) {
    for (const auto& tag : tags->as_object()) {
      entity.tags.emplace_back(tag.key(), tag.value().as_string());
    }
  }
  if (const value* const policies = reader.member("policies");
      policies != nullptr && policies->is_object()) {
    for (const auto& policy : policies->as_object()) {
      entity.policies[policy.key()] = policy.value().as_string();
    }
  }
  if (const value* const attached = reader.member("attached");
      attached != nullptr && attached->is_array()) {
    for (const value& arn : attached->as_array()) entity.attached.emplace_back(arn.as_string());
  }
  if (reader.member("description") != nullptr) entity.description = reader.text("description");
  return checked(reader, std::move(entity), "entity");
}

base::Result<AccessKeyRecord> parse_access_key(std::string_view text) {
  Reader reader(text);
  AccessKeyRecord key;
  key.id = reader.text("id");
  key.user = reader.text("user");
  key.secret = reader.text("secret");
  const value* const active = reader.member("active");
  key.active = active != nullptr && active->is_bool() && active->as_bool();
  key.created = reader.time("created_us");
  return checked(reader, std::move(key), "access key");
}

base::Result<SessionRecord> parse_session(std::string_view text) {
  Reader reader(text);
  SessionRecord session;
  session.secret = reader.text("secret");
  session.token = reader.text("token");
  session.role_arn = reader.text("role_arn");
  session.assumed_role_arn = reader.text("assumed_role_arn");
  session.assumed_role_id = reader.text("assumed_role_id");
  session.expiration = reader.time("expiration_us");
  return checked(reader, std::move(session), "session");
}

}  // namespace terrarium::iam
