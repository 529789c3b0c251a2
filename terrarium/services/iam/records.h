// What IAM keeps, in store::Table::Control, as JSON. Users and roles share one shape: an entity.
//
//   iam/user/NAME      Entity        iam/role/NAME       Entity (with trust)
//   iam/key/AKIA...    AccessKeyRecord                   keys of users
//   iam/session/ASIA...  SessionRecord                   temporary credentials, until they expire
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/result.h"

namespace terrarium::iam {

inline constexpr std::string_view kUserPrefix = "iam/user/";
inline constexpr std::string_view kRolePrefix = "iam/role/";
inline constexpr std::string_view kKeyPrefix = "iam/key/";
inline constexpr std::string_view kSessionPrefix = "iam/session/";

// AWS's quotas ("IAM and AWS STS quotas").
inline constexpr std::size_t kAccessKeysPerUserMax = 2;
inline constexpr std::size_t kTagsMax = 50;
inline constexpr std::size_t kPolicyBytesMax = 10'240;
inline constexpr std::size_t kAttachedPoliciesMax = 20;
inline constexpr std::int32_t kListItemsDefault = 100;
inline constexpr std::int32_t kListItemsMax = 1000;

struct Entity {
  std::string name;
  std::string path = "/";
  std::string id;  // AIDA... or AROA...
  base::Timestamp created;
  std::vector<std::pair<std::string, std::string>> tags;
  std::map<std::string, std::string> policies;  // inline: name -> document
  std::vector<std::string> attached;            // ARNs of managed policies
  // Roles only.
  std::string trust;
  std::optional<std::string> description;
  std::int32_t max_session_seconds = 3600;
};

struct AccessKeyRecord {
  std::string id;
  std::string user;
  std::string secret;
  bool active = true;
  base::Timestamp created;
};

struct SessionRecord {
  std::string secret;
  std::string token;
  std::string role_arn;
  std::string assumed_role_arn;
  std::string assumed_role_id;
  base::Timestamp expiration;
};

std::string to_text(const Entity& entity);
std::string to_text(const AccessKeyRecord& key);
std::string to_text(const SessionRecord& session);
base::Result<Entity> parse_entity(std::string_view text);
base::Result<AccessKeyRecord> parse_access_key(std::string_view text);
base::Result<SessionRecord> parse_session(std::string_view text);

}  // namespace terrarium::iam
